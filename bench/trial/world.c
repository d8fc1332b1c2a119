/*
 * world: the simulated Internet of the 2015 trial. It attacks decoys from many addresses and
 * answers on 23/tcp and 80/tcp of the same addresses, until SIGTERM or the end of its standard
 * input. Wants a network namespace of its own in which 11.0.0.0/8 is local (see ./run).
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/trial/attack.h"
#include "bench/trial/serve.h"

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
	(void)number;
	stopped = 1;
}

static double cpu_s(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct orders {
	struct wish wish;
	struct attack_wish attack;
	const char *rules, *truth;
	bool plan_only;
};

static const char usage[] =
        "usage: world [--folder DIR] [--scale F] [--seed N] [--unkind] [--each-model]\n"
        "             [--decoys FIRST] [--count N] [--port N] [--live N] [--rate N] [--quiet MS]\n"
        "             [--accepted FILE] [--rules FILE] [--truth FILE] [--plan]\n"
        "  --rules FILE     write the nftables rules of this Internet there\n"
        "  --truth FILE     write what each source was and did there, at the end\n"
        "  --plan           write both and leave; attack nobody\n";

enum {
	OPTION_FOLDER = 1000,
	OPTION_SCALE,
	OPTION_SEED,
	OPTION_UNKIND,
	OPTION_EACH,
	OPTION_DECOYS,
	OPTION_COUNT,
	OPTION_PORT,
	OPTION_LIVE,
	OPTION_RATE,
	OPTION_QUIET,
	OPTION_ACCEPTED,
	OPTION_RULES,
	OPTION_TRUTH,
	OPTION_PLAN
};

static const struct option options[] = {
        {"folder", 1, NULL, OPTION_FOLDER},   {"scale", 1, NULL, OPTION_SCALE},
        {"seed", 1, NULL, OPTION_SEED},       {"unkind", 0, NULL, OPTION_UNKIND},
        {"each-model", 0, NULL, OPTION_EACH}, {"decoys", 1, NULL, OPTION_DECOYS},
        {"count", 1, NULL, OPTION_COUNT},     {"port", 1, NULL, OPTION_PORT},
        {"live", 1, NULL, OPTION_LIVE},       {"rate", 1, NULL, OPTION_RATE},
        {"quiet", 1, NULL, OPTION_QUIET},     {"accepted", 1, NULL, OPTION_ACCEPTED},
        {"rules", 1, NULL, OPTION_RULES},     {"truth", 1, NULL, OPTION_TRUTH},
        {"plan", 0, NULL, OPTION_PLAN},       {0},
};

static uint32_t number(const char *from)
{
	return (uint32_t)strtoul(from, NULL, 10);
}

static bool option_take(struct orders *o, int option)
{
	struct in_addr first;

	switch (option) {
	case OPTION_FOLDER:
		o->wish.folder = optarg;
		return true;
	case OPTION_SCALE:
		o->wish.scale = strtod(optarg, NULL);
		return true;
	case OPTION_SEED:
		o->wish.seed = number(optarg);
		return true;
	case OPTION_UNKIND:
		o->wish.unkind = true;
		return true;
	case OPTION_EACH:
		o->wish.each_model = true;
		return true;
	case OPTION_COUNT:
		o->attack.decoy_count = number(optarg);
		return true;
	case OPTION_PORT:
		o->attack.decoy_port = (uint16_t)number(optarg);
		return true;
	case OPTION_LIVE:
		o->attack.live_max = number(optarg);
		return true;
	case OPTION_RATE:
		o->attack.rate_max = number(optarg);
		return true;
	case OPTION_QUIET:
		o->attack.quiet_ms = number(optarg);
		return true;
	case OPTION_ACCEPTED:
		o->attack.accepted = optarg;
		return true;
	case OPTION_RULES:
		o->rules = optarg;
		return true;
	case OPTION_TRUTH:
		o->truth = optarg;
		return true;
	case OPTION_PLAN:
		o->plan_only = true;
		return true;
	case OPTION_DECOYS:
		o->attack.decoy_first = inet_aton(optarg, &first) ? ntohl(first.s_addr) : 0;
		return o->attack.decoy_first != 0;
	default:
		return false;
	}
}

static void orders_read(struct orders *o, int argc, char **argv)
{
	static char credentials[512];
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!option_take(o, option)) {
			fputs(usage, stderr);
			exit(2);
		}
	if (optind < argc || !(o->wish.scale > 0 && o->wish.scale <= 1) || !o->attack.live_max ||
	    !o->attack.decoy_count) {
		fputs(usage, stderr);
		exit(2);
	}
	snprintf(credentials, sizeof(credentials), "%s/credentials.txt", o->wish.folder);
	o->attack.credentials = credentials;
	if (!o->attack.accepted)
		o->attack.accepted = credentials;
}

static pid_t servers_begin(struct population *population, struct serve_result *served)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	serve_run(population, &stopped, served);
	_exit(0);
}

static void result_print(const struct population *p, const struct attack_result *r)
{
	size_t intruders = 0;
	size_t inside = 0;

	for (size_t i = 0; i < p->count; i++) {
		intruders += p->at[i].intruder;
		inside += p->at[i].logged_in > 0;
	}
	printf("{\"sources\":%zu,\"intruders\":%zu,\"logged_in\":%zu,\"visits\":%lu,"
	       "\"connected\":%lu,\"done\":%lu,\"failed\":%lu,\"rounds\":%lu,\"attack_s\":%.2f,"
	       "\"attack_cpu_s\":%.2f}\n",
	       p->count, intruders, inside, r->visits, r->connected, r->done, r->failed, r->rounds,
	       r->wall_s, cpu_s(RUSAGE_SELF));
	fflush(stdout);
}

/* The answers go on until whoever started us has seen enough. */
static void end_await(void)
{
	char byte;

	while (!stopped && read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static void world_run(struct population *population, const struct orders *o)
{
	struct sigaction action = {.sa_handler = on_stop};
	struct serve_result *served = mmap(NULL, sizeof(*served), PROT_READ | PROT_WRITE,
	                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct attack_result result = {0};
	pid_t servers;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	servers = servers_begin(population, served);
	if (servers < 0) {
		perror("world: fork");
		exit(1);
	}
	attack_run(population, &o->attack, &result);
	result_print(population, &result);
	end_await();
	kill(servers, SIGTERM);
	waitpid(servers, NULL, 0);
	printf("{\"looks_telnet\":%lu,\"looks_http\":%lu,\"looks_nobody\":%lu,\"world_cpu_s\":%.2f}"
	       "\n",
	       served->accepted[PORT_TELNET], served->accepted[PORT_HTTP], served->unknown,
	       cpu_s(RUSAGE_SELF) + cpu_s(RUSAGE_CHILDREN));
}

int main(int argc, char **argv)
{
	struct orders orders = {
	        .wish = {.folder = "bench/trial", .scale = 1, .seed = 2015},
	        .attack = {.decoy_first = 198u << 24 | 51 << 16 | 100 << 8,
	                   .decoy_count = 148,
	                   .decoy_port = 23,
	                   .live_max = 2000,
	                   .quiet_ms = 20000},
	};
	static struct population population;

	orders_read(&orders, argc, argv);
	population_make(&population, &orders.wish);
	if (orders.rules)
		population_print_rules(&population, orders.rules);
	if (!orders.plan_only)
		world_run(&population, &orders);
	if (orders.truth)
		population_print_truth(&population, orders.truth);
	return 0;
}
