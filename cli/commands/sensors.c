/* kansoku sensors read: what the logs of other sensors say, without a running kansoku. */
#include "cli/command.h"
#include "cli/signature_files.h"
#include "passive/sensors/sensors.h"
#include <stdlib.h>

#define JSON_LINE_MAX (6 * EVENT_BYTES_MAX + 16384) /* every byte may be written as \u00XX */
#define TOP 10
#define COMPLAINTS_MAX 20 /* told one by one; all are counted */

struct show {
	bool json;
	uint16_t signature;
	struct tally signatures, sources;
	unsigned complaints;
	uint8_t *line;
	struct signatures *payload_signatures;
	struct similar *similar; /* payloads that none of them knows */
	uint64_t alerts;
};

static uint8_t proto_of(const struct event *e)
{
	struct bytes proto = event_bytes(e, FIELD_PROTO);
	return bytes_equal(proto, BYTES("udp")) ? 17 : bytes_equal(proto, BYTES("tcp")) ? 6 : 0;
}

static void compare_payload(struct show *s, const struct event *e, const struct address *source)
{
	const struct similar_payload p = {
		.payload = event_bytes(e, FIELD_FLOW_PAYLOAD),
		.source = *source,
		.proto = proto_of(e),
		.port = (uint16_t)event_number(e, FIELD_DPORT, 0),
		.first_us = e->time_us,
		.last_us = e->time_us,
		.count = 1,
	};
	if (p.proto && p.payload.len && !signatures_payload(s->payload_signatures, p.proto, p.port, p.payload))
		similar_take_some(s->similar, &p, s->alerts);
}

static void show_event(void *arg, struct event *e)
{
	struct show *s = arg;
	char text[ADDRESS_TEXT_MAX];
	struct address source = {0};
	if (s->json) {
		struct writer w = writer_of(s->line, JSON_LINE_MAX);
		event_write_json(e, &w);
		write_u8(&w, '\n');
		fwrite(s->line, 1, writer_used(&w), stdout);
	}
	if (event_address(e, FIELD_SRC, &source))
		tally_add(&s->sources, bytes_of_text(address_format(&source, text)));
	if (e->kind != EVENT_ALERT_RAISED)
		return;
	s->alerts++;
	tally_add(&s->signatures, event_bytes(e, s->signature));
	compare_payload(s, e, &source);
}

static void show_bad(void *arg, const char *path, uint64_t line, struct bytes why)
{
	struct show *s = arg;
	if (s->complaints++ < COMPLAINTS_MAX)
		fprintf(stderr, "%s:%llu: %.*s\n", path, (unsigned long long)line, (int)why.len, why.at);
}

static void write_tally(struct writer *w, const char *name, const struct tally *t)
{
	const struct tally_entry *top[TOP];
	size_t n = tally_top(t, top, TOP);
	write_fmt(w, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++) {
		write_text(w, i ? ",{\"name\":" : "{\"name\":");
		write_json_string(w, (struct bytes){top[i]->name, top[i]->len});
		write_fmt(w, ",\"count\":%llu}", (unsigned long long)top[i]->count);
	}
	write_u8(w, ']');
}

static void write_group(void *arg, const struct similar_group *g)
{
	struct show *s = arg;
	struct writer w = writer_of(s->line, JSON_LINE_MAX);
	similar_write_json(g, &w);
	write_u8(&w, '\n');
	fwrite(s->line, 1, writer_used(&w), stdout);
}

static void sum_json(struct show *s, const struct sensors_counts *c)
{
	similar_each(s->similar, SIZE_MAX, write_group, s);
	const struct similar_counts payloads = similar_counts(s->similar);
	struct writer w = writer_of(s->line, JSON_LINE_MAX);
	const struct {
		const char *name;
		uint64_t n;
	} numbers[] = {{"lines", c->lines}, {"bytes", c->bytes}, {"alerts", c->alerts}, {"flows", c->flows},
		       {"other", c->other}, {"headers", c->headers}, {"empty", c->empty}, {"bad", c->bad},
		       {"too_long", c->too_long}};
	write_text(&w, "{\"summary\":true");
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		write_fmt(&w, ",\"%s\":%llu", numbers[i].name, (unsigned long long)numbers[i].n);
	write_tally(&w, "signatures", &s->signatures);
	write_tally(&w, "sources", &s->sources);
	write_tally(&w, "others", &c->others);
	write_tally(&w, "reasons", &c->reasons);
	write_text(&w, ",\"new_payloads\":");
	similar_write_counts(&payloads, &w);
	write_text(&w, "}\n");
	fwrite(s->line, 1, writer_used(&w), stdout);
}

/* Names come from outside: what is not printable is spelled out. */
static void print_tally(const char *title, const struct tally *t)
{
	const struct tally_entry *top[TOP];
	size_t n = tally_top(t, top, TOP);
	if (n)
		printf("\n%s\n", title);
	for (size_t i = 0; i < n; i++) {
		printf("%10llu  ", (unsigned long long)top[i]->count);
		for (size_t k = 0; k < top[i]->len; k++)
			printf(top[i]->name[k] >= 0x20 && top[i]->name[k] < 0x7f ? "%c" : "\\x%02x", top[i]->name[k]);
		putchar('\n');
	}
}

static void print_group(void *arg, const struct similar_group *g)
{
	char pattern[SIMILAR_PATTERN_MAX];
	(void)arg;
	similar_pattern(g, pattern);
	printf("%10llu  %s %u%s, from %u source%s: %s\n", (unsigned long long)g->count, g->proto == 6 ? "tcp" : "udp",
	       (unsigned)g->ports[0], g->port_count > 1 ? ", ..." : "", g->sources, g->sources == 1 ? "" : "s",
	       pattern[0] ? pattern : "nothing in common at a fixed place");
}

static void print_new(const struct show *s)
{
	const struct similar_counts c = similar_counts(s->similar);
	if (c.groups)
		printf("\npayloads that are new, by what they have in common\n");
	similar_each(s->similar, TOP, print_group, NULL);
	if (c.groups > TOP)
		printf("            and %llu more\n", (unsigned long long)(c.groups - TOP));
	if (c.left_out)
		printf("            %llu were not compared, there are too many\n", (unsigned long long)c.left_out);
}

static void sum_text(const struct show *s, const struct sensors_counts *c)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
	printf("%llu lines, %llu bytes: %llu alerts, %llu flows, %llu of other kinds, %llu bad\n",
	       (unsigned long long)c->lines, (unsigned long long)c->bytes, (unsigned long long)c->alerts,
	       (unsigned long long)c->flows, (unsigned long long)c->other,
	       (unsigned long long)(c->bad + c->too_long));
	if (c->last_us)
		printf("from %s to %s\n", time_format(c->first_us, from), time_format(c->last_us, to));
	print_tally("signatures", &s->signatures);
	print_tally("sources", &s->sources);
	print_new(s);
	print_tally("lines of other kinds", &c->others);
	print_tally("lines that could not be read", &c->reasons);
}

static int read_files(const struct arguments *a, struct show *s)
{
	struct sensors_counts counts = {0};
	const struct sensors_reading reading = {arguments_word(a, 1), show_event, show_bad, s};
	struct fault fault = {0};
	int status = 0;
	for (size_t i = 2; i < arguments_count(a); i++)
		if (sensors_read(&reading, arguments_word(a, i), &counts, &fault))
			status = command_fail(1, "sensors: %s", fault.text);
	if (s->complaints > COMPLAINTS_MAX)
		fprintf(stderr, "... and %u more\n", s->complaints - COMPLAINTS_MAX);
	if (s->json)
		sum_json(s, &counts);
	else
		sum_text(s, &counts);
	sensors_counts_done(&counts);
	return status;
}

static int complain_format(const char *name)
{
	char all[256] = "";
	struct writer w = writer_of(all, sizeof all - 1);
	const char *summary, *known;
	for (size_t i = 0; (known = sensors_format(i, &summary)); i++)
		write_fmt(&w, "%s%s", i ? ", " : "", known);
	return command_fail(2, "sensors: %s: there is no such format, there are: %s", name, all);
}

static bool is_format(const char *name)
{
	const char *summary, *known;
	for (size_t i = 0; (known = sensors_format(i, &summary)); i++)
		if (!strcmp(name, known))
			return true;
	return false;
}

static int run(const struct arguments *a)
{
	struct fault fault = {0};
	if (strcmp(arguments_word(a, 0), "read"))
		return command_fail(2, "sensors: %s: is not known here; read FORMAT FILE... would be right",
				    arguments_word(a, 0));
	if (!is_format(arguments_word(a, 1)))
		return complain_format(arguments_word(a, 1));
	if (event_start(&fault))
		return command_fail(1, "sensors: %s", fault.text);
	struct show s = {.json = arguments_flag(a, "json"), .line = malloc(JSON_LINE_MAX)};
	int status = 1;
	s.signature = (uint16_t)field_find(BYTES("alert.signature"));
	if (!s.line || similar_open(&s.similar, 0))
		command_fail(1, "sensors: out of memory");
	else if (signature_files_read(&s.payload_signatures, a, &fault))
		command_fail(1, "sensors: %s", fault.text);
	else
		status = read_files(a, &s);
	similar_close(s.similar);
	if (s.payload_signatures)
		signatures_close(s.payload_signatures);
	tally_done(&s.signatures);
	tally_done(&s.sources);
	free(s.line);
	return status;
}

static const struct flag sensors_flags[] = {
	{"signatures", "FILE", "further signatures of payloads, may be given several times"},
	{0},
};

static const struct command sensors_command = {
	.name = "sensors",
	.synopsis = "read FORMAT FILE... [--json] [--signatures FILE]...",
	.summary = "read the logs of other sensors",
	.description = "FORMAT is eve (Suricata) or zeek (conn.log, notice.log, weird.log; tab-separated\n"
		       "or JSON).  Files may be packed with gzip; - is standard input.  With --json each\n"
		       "alert and flow is an event, one a line, and the last line has the sums.  Lines\n"
		       "that cannot be read are told with their number and counted; the rest loads.\n"
		       "\n"
		       "Payloads of alerts that no payload signature knows are grouped by similarity and\n"
		       "shown as new; with --json each group comes with an entry for a signature file.",
	.flags = sensors_flags,
	.words_min = 3,
	.words_max = ARGUMENTS_MAX,
	.run = run,
};
COMMAND(sensors_command);
