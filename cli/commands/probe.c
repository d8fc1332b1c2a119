/*
 * kansoku probe: one look at addresses named by hand.
 *
 * It asks the running kansoku's policy like everybody else, says what was decided and why,
 * and then shows what comes back.  Nothing is sent from here.
 */
#include "bus/client.h"
#include "bus/parent.h"
#include "base/port.h"
#include "cli/desk.h"
#include "cli/dry.h"
#include "event/event.h"
#include <stdlib.h>

#define PORTS_MAX 12
#define DECISION_WAIT_MS 10000
#define ANSWER_WAIT_MS 1200000 /* its random delay may be long */

struct probing {
	const struct config *config;
	char state[256];
	bool json;
	bool refused, answered;
	char target[ADDRESS_TEXT_MAX];
	struct event_id lease; /* zero: none was given */
};

static void print_line(const char *text, size_t n)
{
	fwrite(text, 1, n, stdout);
	putchar('\n');
	fflush(stdout);
}

/* What came from outside is shown with its control characters escaped, as JSON writes them. */
static void print_field(const char *name, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (text && value)
		printf("  %-18s %s\n", name, text);
	free(text);
}

static void print_fields(json_t *event)
{
	static const char *const envelope[] = {
		"id", "time", "kind", "cause", "root", "depth", "src", "sport", "dst", "proto", "lease",
		"sensor", "process", "sequence", "received", "probe", "state", "close.reason", "tier",
	};
	const char *key;
	json_t *value;
	json_object_foreach(event, key, value) {
		bool shown = true;
		for (size_t i = 0; i < sizeof envelope / sizeof envelope[0]; i++)
			shown &= strcmp(key, envelope[i]) != 0;
		if (shown)
			print_field(key, value);
	}
}

static bool print_event(void *arg, struct bytes part)
{
	struct probing *p = arg;
	if (p->json) {
		print_line((const char *)part.at, part.len);
		p->answered = true;
		return true;
	}
	json_t *event = json_loadb((const char *)part.at, part.len, 0, NULL);
	const char *kind = json_text_of(event, "kind");
	if (!strcmp(kind, "host.answered")) {
		p->answered = true;
		printf("%s port %lld: %s (%s, %s)\n", p->target,
		       (long long)json_integer_value(json_object_get(event, "sport")), json_text_of(event, "state"),
		       json_text_of(event, "probe"), json_text_of(event, "close.reason"));
		print_fields(event);
	} else if (!strcmp(kind, "host.identified")) {
		printf("%s is identified\n", p->target);
		print_fields(event);
	}
	fflush(stdout);
	json_decref(event);
	return true;
}

static bool take_decision(void *arg, struct bytes part)
{
	struct probing *p = arg;
	json_t *answer = json_loadb((const char *)part.at, part.len, 0, NULL);
	const char *lease = json_text_of(answer, "lease");
	p->refused = strcmp(json_text_of(answer, "decision"), "allowed") != 0;
	if (!p->refused)
		id_parse(bytes_of_text(lease), &p->lease);
	if (p->json) {
		json_object_set_new(answer, "target", json_string(p->target));
		char *line = json_dumps(answer, JSON_COMPACT);
		if (line)
			print_line(line, strlen(line));
		free(line);
	} else {
		printf("%s: %s (%s): %s\n", p->target, json_text_of(answer, "decision"),
		       json_text_of(answer, "reason"), json_text_of(answer, "detail"));
		if (*json_text_of(answer, "not_before"))
			printf("  leaves not before %s\n", json_text_of(answer, "not_before"));
		fflush(stdout);
	}
	json_decref(answer);
	return true;
}

static int ports_write(const char *list, struct writer *w, struct fault *fault)
{
	struct bytes rest = bytes_of_text(list);
	write_text(w, ",\"ports\":[");
	for (size_t n = 0; rest.len; n++) {
		size_t end = bytes_find(rest, ",");
		uint32_t port;
		if (n == PORTS_MAX || !port_parse((struct bytes){rest.at, end}, &port))
			return fault_set(fault, ERR_BAD, "--ports: \"%s\" is not a list of at most %d ports, "
					 "23,80,161/udp would be right", list, PORTS_MAX);
		write_text(w, n ? ",\"" : "\"");
		port_write(port, w);
		write_u8(w, '"');
		end += end < rest.len;
		rest = (struct bytes){rest.at + end, rest.len - end};
	}
	write_text(w, "]");
	return 0;
}

static int ask_policy(const struct arguments *a, struct probing *p, struct fault *fault)
{
	char question[512];
	struct writer w = writer_of(question, sizeof question);
	const char *ports = arguments_flag(a, "ports"), *tier = arguments_flag(a, "tier");
	write_fmt(&w, "{\"target\":\"%s\"", p->target);
	int bad = ports ? ports_write(ports, &w, fault) : 0;
	if (!bad && tier && strcmp(tier, "1") && strcmp(tier, "2"))
		bad = fault_set(fault, ERR_BAD, "--tier: \"%s\" is neither 1 nor 2", tier);
	write_fmt(&w, ",\"tier\":%s}", tier ? tier : "1");
	if (bad)
		return bad;
	return client_request(p->state, "control", "look.ask", writer_bytes(&w), take_decision, p,
			      DECISION_WAIT_MS, fault);
}

/* 0, or the exit status. */
static int probe_one(const struct arguments *a, struct probing *p, const char *word)
{
	struct fault fault = {0};
	struct address target;
	if (!address_parse(bytes_of_text(word), &target))
		return command_fail(2, "probe: \"%s\" is not an address, 192.0.2.1 would be right", word);
	address_format(&target, p->target);
	if (arguments_flag(a, "dry-run")) {
		const char *tier = arguments_flag(a, "tier");
		return dry_probe(p->config, p->state, &target, arguments_flag(a, "ports"),
				 tier && !strcmp(tier, "2") ? 2 : 1, p->json);
	}
	p->refused = p->answered = false;
	p->lease = (struct event_id){0};
	int bad = ask_policy(a, p, &fault);
	if (bad)
		return command_fail(bad == ERR_BAD ? 2 : 1, "probe: %s", fault.text);
	if (p->refused)
		return 1;
	if (id_is_zero(&p->lease))
		return command_fail(1, "probe: control allowed the look and named no lease");
	bad = client_request(p->state, "active", "look.follow",
			     (struct bytes){p->lease.b, sizeof p->lease.b}, print_event, p, ANSWER_WAIT_MS,
			     &fault);
	if (bad)
		return command_fail(1, "probe: %s", fault.text);
	if (!p->answered && !p->json)
		printf("%s: the look ended without a connection\n", p->target);
	return p->answered ? 0 : 1;
}

static int run(const struct arguments *a)
{
	static struct config config;
	struct fault fault = {0};
	struct probing p = {.config = &config, .json = arguments_flag(a, "json") != NULL};
	int bad = command_config(a, &config, &fault);
	if (!bad && run_state_path(&config, p.state, sizeof p.state))
		bad = fault_set(&fault, ERR_BAD, "run.state: the path is too long");
	if (bad)
		return command_fail(bad == ERR_BAD ? 2 : 1, "%s", fault.text);
	int status = 0;
	for (size_t i = 0; i < arguments_count(a); i++) {
		int one = probe_one(a, &p, arguments_word(a, i));
		if (one > status)
			status = one;
	}
	return status;
}

static const struct flag probe_flags[] = {
	{"ports", "LIST", "ports to ask, separated by commas, 161/udp over UDP; default 23,80"},
	{"tier", "1|2", "2 also asks devices for their identity and over UDP; default 1"},
	{"dry-run", NULL, "print what would be sent, to whom, when and from where; nothing is sent"},
	{0},
};

static const struct command probe_command = {
	.name = "probe",
	.synopsis = "TARGET... [--ports LIST] [--tier 1|2] [--dry-run] [--config FILE] [--json]",
	.summary = "look at an address by hand, if the policy allows it",
	.description =
		"Asks the running kansoku for a look at each address, prints what the policy decided and\n"
		"why, and then what came back. The same checks hold as for any look: a contact must be\n"
		"named, the address must lie in the scope, nobody who opted out is asked, each address\n"
		"once a round. With --dry-run nothing is sent: it prints each question to the byte, by hand and\n"
		"for each rule, and what the running kansoku would decide. Exit status 1: refused, or nothing was asked.",
	.flags = probe_flags,
	.words_min = 1,
	.words_max = 64,
	.run = run,
};
COMMAND(probe_command);
