#include "cli/dry.h"
#include "active/active.h"
#include "base/port.h"
#include "bus/client.h"
#include "control/control.h"
#include "control/policy.h"
#include "event/event.h"
#include <jansson.h>
#include <stdlib.h>

#define DECISION_WAIT_MS 10000
#define SHOWN_LINE 64

struct dry_output {
	const struct config *config;
	struct address target;
	char target_text[ADDRESS_TEXT_MAX];
	bool json, allowed;
	json_t *looks, *ports; /* of JSON */
	struct fault fault;
	int bad;
};

static int ports_of(const char *list, uint32_t out[LEASE_PORTS_MAX], size_t *count)
{
	struct bytes rest = bytes_of_text(list ? list : "23,80");
	for (*count = 0; rest.len; ++*count) {
		size_t end = bytes_find(rest, ",");
		if (*count == LEASE_PORTS_MAX || !port_parse((struct bytes){rest.at, end}, &out[*count]))
			return command_fail(2, "--ports: \"%s\" is not a list of at most %d ports, 23,80 would be right", list,
					    LEASE_PORTS_MAX);
		end += end < rest.len;
		rest = (struct bytes){rest.at + end, rest.len - end};
	}
	return 0;
}

static bool is_printable(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if ((b.at[i] < ' ' || b.at[i] > '~') && b.at[i] != '\r' && b.at[i] != '\n' && b.at[i] != '\t')
			return false;
	return true;
}

/* Text a line each, with its control characters named; anything else as hexadecimal digits. */
static void print_asked(struct bytes b)
{
	bool text = is_printable(b);
	bool begins = true;
	for (size_t i = 0; i < b.len; i++) {
		if (begins)
			printf("      %s", text ? "> " : "x ");
		begins = text ? b.at[i] == '\n' : i % (SHOWN_LINE / 2) == SHOWN_LINE / 2 - 1;
		if (!text)
			printf("%02x", b.at[i]);
		else if (b.at[i] < ' ')
			printf(b.at[i] == '\r' ? "\\r" : b.at[i] == '\n' ? "\\n" : "\\t");
		else
			putchar(b.at[i]);
		if (begins || i + 1 == b.len)
			putchar('\n');
	}
}

static void add_json(struct dry_output *o, const struct dry_question *q, const char *port)
{
	char hex[2 * 8192 + 1] = "";
	for (size_t i = 0; i < q->asked.len && 2 * i < sizeof hex - 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", q->asked.at[i]);
	json_array_append_new(o->ports, json_pack("{s:s, s:s?, s:i, s:b, s:b, s:I, s:I, s:s}", "port", port, "probe", q->probe,
						  "tier", (int)q->tier, "asked", q->probe && !q->opt_in, "tls", q->secure,
						  "question_max", (json_int_t)q->question_max, "answer_max",
						  (json_int_t)q->answer_max, "bytes", hex));
}

struct dry_port {
	struct dry_output *output;
	uint32_t port;
};

static void show_question(void *arg, const struct dry_question *q)
{
	const struct dry_port *p = arg;
	char port[PORT_TEXT_MAX + 8];
	snprintf(port, sizeof port, "%u/%s", (unsigned)port_number(p->port), port_is_udp(p->port) ? "udp" : "tcp");
	if (p->output->json) {
		add_json(p->output, q, port);
		return;
	}
	if (!q->probe || q->opt_in) {
		printf("    %-9s nothing: %s\n", port, q->probe ? "its probe is of tier 2, which this look is not" : "no probe asks there");
		return;
	}
	printf("    %-9s %s, tier %u: %s (%s)\n", port, q->probe, q->tier, q->summary, q->reference);
	printf("      at most %zu bytes asked and %zu heard in each of %u connections of at most %zu s\n", q->question_max,
	       q->answer_max, q->connections_max, q->time_ms_max / 1000);
	if (q->to != p->port)
		printf("      really to port %u (prober.port_map)\n", (unsigned)port_number(q->to));
	if (q->secure)
		printf("      a TLS handshake, then:\n");
	if (q->asked.len)
		print_asked(q->asked);
	else
		printf("      nothing before the host has spoken\n");
}

static void show_questions(struct dry_output *o, const struct dry_look *look)
{
	for (size_t i = 0; i < look->port_count && !o->bad; i++) {
		struct dry_port port = {o, look->ports[i]};
		o->bad = active_dry_question(o->config, &o->target, look->ports[i], (unsigned)look->tier, show_question, &port,
					     &o->fault);
	}
}

static void show_look(void *arg, const struct dry_look *look)
{
	struct dry_output *o = arg;
	char from[ADDRESS_TEXT_MAX] = "the system's address", time[TIME_TEXT_MAX];
	if (!address_is_zero(&look->from))
		address_format(&look->from, from);
	o->allowed |= !look->rule && look->allowed;
	time_format(look->leave_us, time);
	if (o->json) {
		o->ports = json_array();
		if (look->allowed)
			show_questions(o, look);
		json_array_append_new(o->looks, json_pack("{s:s?, s:b, s:s, s:s, s:s, s:s, s:I, s:s, s:o}", "rule", look->rule, "allowed",
							  look->allowed, "reason", look->reason, "what", look->what, "detail",
							  look->detail, "from", from, "packets_max", (json_int_t)look->packets_max,
							  "not_before", time, "ports", o->ports));
		return;
	}
	printf("  %s%s%s: ", look->rule ? "if rule " : "by hand", look->rule ? look->rule : "", look->rule ? " asks" : "");
	if (!look->allowed) {
		printf("nothing, %s: %s%s%s\n", look->reason, look->what, look->detail[0] ? ": " : "", look->detail);
		return;
	}
	printf("at most %llu packets from %s, not before %s\n", (unsigned long long)look->packets_max, from, time);
	if (look->rule)
		printf("    after a delay of %llu to %llu s; a share of %g of the sources is never looked at\n",
		       (unsigned long long)(look->delay_min_us / 1000000), (unsigned long long)(look->delay_max_us / 1000000),
		       look->hold_out);
	show_questions(o, look);
}

static bool print_running(void *arg, struct bytes part)
{
	struct dry_output *o = arg;
	json_t *answer = json_loadb((const char *)part.at, part.len, 0, NULL);
	const char *decision = json_string_value(json_object_get(answer, "decision"));
	const char *detail = json_string_value(json_object_get(answer, "detail"));
	o->allowed &= decision && !strcmp(decision, "allowed");
	if (!o->json)
		printf("  the running kansoku, with its budgets: %s: %s\n", decision ? decision : "", detail ? detail : "");
	if (o->json)
		json_array_append(o->looks, answer);
	json_decref(answer);
	return true;
}

static void ask_running(struct dry_output *o, const char *state, const uint32_t *ports, size_t count, uint64_t tier)
{
	char question[512];
	struct writer w = writer_of(question, sizeof question);
	struct fault not_there;
	write_fmt(&w, "{\"dry\":true,\"target\":\"%s\",\"tier\":%llu,\"ports\":[", o->target_text, (unsigned long long)tier);
	for (size_t i = 0; i < count; i++) {
		write_text(&w, i ? ",\"" : "\"");
		port_write(ports[i], &w);
		write_text(&w, "\"");
	}
	write_text(&w, "]}");
	if (client_request(state, "control", "look.ask", writer_bytes(&w), print_running, o, DECISION_WAIT_MS, &not_there) &&
	    !o->json)
		printf("  no kansoku runs, so what it sent before is not known: budgets count as unused\n");
}

int dry_probe(const struct config *config, const char *state, const struct address *target, const char *list,
	      uint64_t tier, bool json)
{
	uint32_t ports[LEASE_PORTS_MAX];
	size_t count;
	struct dry_output o = {.config = config, .target = *target, .json = json};
	int status = ports_of(list, ports, &count);
	if (status)
		return status;
	address_format(target, o.target_text);
	if (json)
		o.looks = json_array();
	else
		printf("%s: nothing is sent; this would be:\n", o.target_text);
	int bad = control_dry_looks(config, target, ports, count, tier, show_look, &o, &o.fault);
	if (!bad && !o.bad)
		ask_running(&o, state, ports, count, tier);
	if (json && !bad && !o.bad) {
		json_t *all = json_pack("{s:s, s:O}", "target", o.target_text, "looks", o.looks);
		char *text = json_dumps(all, JSON_COMPACT);
		if (text)
			puts(text);
		free(text);
		json_decref(all);
	}
	json_decref(o.looks);
	if (bad || o.bad)
		return command_fail(1, "%s", o.fault.text);
	return o.allowed ? 0 : 1;
}
