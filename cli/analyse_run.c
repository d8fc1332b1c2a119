#include "cli/analyse_run.h"
#include "base/clock.h"
#include "control/control.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN_MAX 400 /* of a value, on a terminal */
#define TIME_S_DEFAULT 60
#define TIME_S_MAX 3600

void print_safe(struct bytes b)
{
	for (size_t i = 0; i < b.len && i < SHOWN_MAX; i++)
		if (b.at[i] < 0x20 || b.at[i] >= 0x7f)
			printf("\\x%02x", b.at[i]);
		else
			putchar(b.at[i]);
}

static int read_flags(const struct arguments *args, struct analyse_run *r)
{
	const char *as = arguments_flag(args, "as"), *time = arguments_flag(args, "time");
	r->time_s = TIME_S_DEFAULT;
	r->form = arguments_flag(args, "form");
	r->keep = arguments_flag(args, "keep");
	if (!r->form && arguments_flag(args, "json"))
		r->form = "json";
	if (r->form && !lab_report_find(r->form))
		return command_fail(2, "analyse: there is no form \"%s\"; json, stix, cape and page are", r->form);
	if (time && (!bytes_number(bytes_of_text(time), TIME_S_MAX, &r->time_s) || !r->time_s))
		return command_fail(2, "analyse: --time takes seconds, 1 to %d", TIME_S_MAX);
	if (as && strcmp(as, "root") && strcmp(as, "user") && strcmp(as, "both"))
		return command_fail(2, "analyse: --as takes root, user or both");
	r->as[0] = !as || strcmp(as, "user");
	r->as[1] = !as || strcmp(as, "root");
	return 0;
}

#define ENDPOINT_MAX 320

/* "198.51.100.7:23", "[2001:db8::7]:23", or such with "c2.example=" before it: what the sample calls it. */
static bool read_endpoint(const char *text, char name[ENDPOINT_MAX], struct address *address, uint16_t *port)
{
	char place[ENDPOINT_MAX];
	uint64_t number = 0;
	const char *equals = strchr(text, '=');
	name[0] = 0;
	if (equals && !bytes_copy_text((struct bytes){(const uint8_t *)text, (size_t)(equals - text)}, name, ENDPOINT_MAX))
		return false;
	if (!bytes_copy_text(bytes_of_text(equals ? equals + 1 : text), place, sizeof place))
		return false;
	char *colon = strrchr(place, ':'), *host = place;
	if (!colon || !bytes_number(bytes_of_text(colon + 1), 65535, &number) || !number)
		return false;
	*colon = 0;
	if (host[0] == '[' && colon > host + 1 && colon[-1] == ']') {
		colon[-1] = 0;
		host++;
	} else if (strchr(host, ':')) {
		return false; /* where its port begins is a guess */
	}
	*port = (uint16_t)number;
	return address_parse(bytes_of_text(host), address);
}

/* Whoever names the endpoint by hand approves it; the configuration and the policy must allow it all the same. */
static int egress_prepare(const struct arguments *args, const char *endpoint, struct analyse_run *r)
{
	char name[ENDPOINT_MAX], place[ADDRESS_TEXT_MAX];
	struct address address;
	struct fault fault = {0};
	uint16_t port;
	if (!arguments_flag(args, "run"))
		return command_fail(2, "analyse: --egress goes with --run");
	if (!read_endpoint(endpoint, name, &address, &port))
		return command_fail(2, "analyse: --egress takes ADDRESS:PORT or NAME=ADDRESS:PORT");
	int bad = command_config(args, &r->config, &fault);
	if (bad)
		return command_fail(bad == ERR_BAD ? 2 : 1, "analyse: --egress needs a configuration: %s", fault.text);
	r->arena = ARENA(1u << 20);
	bad = lab_egress_plan(&r->config, name[0] ? name : NULL, &address, port, &r->arena, &r->egress, &fault);
	bad = bad ? bad : control_egress_check(&r->config, &address, &fault);
	if (bad)
		return command_fail(1, "analyse: no egress: %s", fault.text);
	fprintf(stderr, "!!! what the sample says to %s port %u really leaves this machine, within the caps of lab.egress; all else stays\n",
		address_format(&address, place), port);
	return 0;
}

int analyse_prepare(const struct arguments *args, struct analyse_run *r)
{
	struct fault fault = {0};
	*r = (struct analyse_run){.folder = -1};
	const char *endpoint = arguments_flag(args, "egress");
	int status = read_flags(args, r);
	if (!status && endpoint)
		status = egress_prepare(args, endpoint, r);
	if (status)
		return status;
	if (r->keep && mkdir(r->keep, 0700) && errno != EEXIST)
		return command_fail(1, "analyse: %s cannot be made: %s", r->keep, strerror(errno));
	if (r->keep && (r->folder = open(r->keep, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return command_fail(1, "analyse: %s: %s", r->keep, strerror(errno));
	if (arguments_flag(args, "run") && lab_runner_open(&r->runner, "/tmp", r->egress != NULL, &fault))
		return command_fail(1, "analyse: %s", fault.text);
	return 0;
}

bool analyse_is_told(const struct analyse_run *r) { return r->runner || r->form; }

static int run_as(struct analyse_run *r, size_t which, const struct findings *f, struct bytes sample, struct run **run,
		  struct fault *fault)
{
	const struct run_plan plan = {
		.sample = sample, .sha256 = f->sha256, .type = f->type, .architecture = f->architecture,
		.uid = which ? 1000 : 0, .limits = {.time_ms = r->time_s * 1000}, .egress = r->egress};
	struct pollfd said = {.fd = lab_runner_fd(r->runner), .events = POLLIN};
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "running it as %s, for %llu s at most\n", which ? "a user" : "root", (unsigned long long)r->time_s);
	int got = lab_runner_give(r->runner, &plan, fault);
	if (got)
		return got;
	while ((got = lab_runner_take(r->runner, run, fault)) == 0)
		poll(&said, 1, -1);
	if (got < 0)
		return fault_set(fault, ERR_GONE, "the process that runs samples ended");
	return *run ? 0 : ERR_MISSING;
}

/* Never overwritten and never executable. */
static int save(int folder, const char *name, struct bytes content)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd < 0)
		return errno == EEXIST ? 0 : ERR_SYSTEM;
	size_t at = 0;
	for (ssize_t n = 1; n > 0 && at < content.len; at += n > 0 ? (size_t)n : 0)
		n = write(fd, content.at + at, content.len - at);
	return close(fd) || at < content.len ? ERR_SYSTEM : 0;
}

static int keep_all(const struct sample_story *s, int folder, struct fault *fault)
{
	int bad = 0;
	for (size_t r = 0; r < STORY_RUNS && !bad; r++) {
		const struct run_findings *run = s->runs[r];
		if (run && run->capture.len)
			bad = save(folder, run->uid ? "user.pcap" : "root.pcap", run->capture);
		for (size_t i = 0; run && !bad && i < run->dropped_count; i++)
			bad = save(folder, run->dropped[i].sha256, run->dropped[i].content);
	}
	return bad ? fault_set(fault, bad, "what the runs left cannot be saved: %s", strerror(errno)) : 0;
}

static void print_run(const struct run_findings *run)
{
	printf("\nrun as %s: %s, %.1f s%s%s\n", run->uid ? "a user" : "root", run->how ? run->how : "", (double)run->box.time_ms / 1000,
	       run->box.limit[0] ? ", ended by the limit of " : "", run->box.limit);
	for (size_t i = 0; i < run->behaviour_count; i++) {
		const struct behaviour *b = &run->behaviours[i];
		printf("  %6.1f s  %-8s ", (double)b->first_ms / 1000, behaviour_name(b->kind));
		print_safe(bytes_of_text(b->subject ? b->subject : ""));
		if (b->what && b->what[0]) {
			fputs("  ", stdout);
			print_safe(bytes_of_text(b->what));
		}
		if (b->count > 1)
			printf("  (%llu times)", (unsigned long long)b->count);
		putchar('\n');
	}
	for (size_t i = 0; i < run->dropped_count; i++) {
		fputs("  left      ", stdout);
		print_safe(bytes_of_text(run->dropped[i].path));
		printf("  %s\n", run->dropped[i].sha256);
	}
}

static void print_story(const struct sample_story *s)
{
	const struct findings *f = s->findings;
	printf("type          %s%s%s\nsize          %llu\nsha256        %s\n", f->type, f->architecture[0] ? ", " : "", f->architecture,
	       (unsigned long long)f->size, f->sha256);
	printf("verdict       %s, %u of 100%s", s->verdict, s->score, s->reasons[0] ? ": " : "");
	print_safe(bytes_of_text(s->reasons));
	putchar('\n');
	for (size_t i = 0; i < s->family_count; i++) {
		printf("family        %s, %u points: ", s->families[i].name, s->families[i].points);
		print_safe(bytes_of_text(s->families[i].reasons));
		putchar('\n');
	}
	for (size_t r = 0; r < STORY_RUNS; r++)
		if (s->runs[r])
			print_run(s->runs[r]);
	puts("\nindicators (how sure, what, what for, how it was found)");
	for (size_t i = 0; i < s->indicator_count; i++) {
		const struct indicator *it = &s->indicators[i];
		printf("  %3u  %-10s ", it->confidence, indicator_type_name(it->type));
		print_safe(it->value);
		printf("  (%s; %s)\n", indicator_role_name(it->role), it->how ? it->how : "");
	}
}

static int print_form(const struct sample_story *s, const char *name, struct fault *fault)
{
	const struct lab_report *report = lab_report_find(name);
	struct buffer out = BUFFER(2u * REPORT_BYTES_MAX);
	if (!report)
		return fault_set(fault, ERR_BAD, "there is no form \"%s\"; json, stix, cape and page are", name);
	int bad = lab_report_make(report, s, &out);
	struct bytes b = buffer_bytes(&out);
	if (bad)
		fault_set(fault, bad, "no memory for the report");
	else if (fwrite(b.at, 1, b.len, stdout) != b.len || fflush(stdout))
		bad = fault_set(fault, ERR_SYSTEM, "the report cannot be written");
	buffer_done(&out);
	return bad;
}

int analyse_finish(struct analyse_run *r, const struct findings *f, struct bytes sample)
{
	struct run *runs[STORY_RUNS] = {NULL};
	struct arena arena = ARENA(ANALYSIS_MEMORY_MAX);
	struct sample_story story = {.findings = f, .time_us = clock_utc_us(), .sensor = "local"};
	struct fault fault = {0}, unrun = {0};
	int run_bad = 0;
	for (size_t i = 0; r->runner && i < STORY_RUNS && !run_bad; i++)
		if (r->as[i])
			run_bad = run_as(r, i, f, sample, &runs[i], &unrun);
	for (size_t i = 0; i < STORY_RUNS; i++)
		story.runs[i] = runs[i] ? run_findings(runs[i]) : NULL;
	int bad = lab_story_complete(&story, &arena) ? fault_set(&fault, ERR_MEMORY, "no memory for the report") : 0;
	if (!bad && r->folder >= 0)
		bad = keep_all(&story, r->folder, &fault);
	if (!bad && r->form)
		bad = print_form(&story, r->form, &fault);
	else if (!bad)
		print_story(&story);
	for (size_t i = 0; i < STORY_RUNS; i++)
		if (runs[i])
			run_free(runs[i]);
	lab_runner_close(r->runner);
	arena_done(&arena);
	arena_done(&r->arena);
	if (r->egress)
		config_done(&r->config);
	if (bad)
		return command_fail(1, "analyse: %s", fault.text);
	/* What can be known without running it has been told all the same. */
	return run_bad ? command_fail(1, "analyse: it was not run: %s", unrun.text) : 0;
}
