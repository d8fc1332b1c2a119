/* kansoku report: the store's reports, for people and as JSON. */
#include "base/clock.h"
#include "bus/client.h"
#include "bus/parent.h"
#include "cli/command.h"
#include "cli/ics_report.h"
#include "event/event.h"
#include "store/report.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define ANSWER_MAX (64u << 20)
#define WAIT_MS 120000
#define COLUMNS_MAX 16
#define RATE_GAP_MAX 20 /* blank bars in a row */

static bool collect(void *arg, struct bytes part)
{
	return buffer_append(arg, part.at, part.len) == 0;
}

static int width_of(const json_t *value)
{
	char number[32];
	if (json_is_string(value))
		return (int)json_string_length(value);
	if (json_is_integer(value))
		return snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
	return 8;
}

/* Bytes of attackers may stand in a cell: what is not printable is spelled out. */
static void print_cell(const json_t *value, int width)
{
	if (json_is_integer(value)) {
		printf("%*lld  ", width, (long long)json_integer_value(value));
		return;
	}
	const char *text = json_is_string(value) ? json_string_value(value) : "";
	int shown = 0;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 0x20 || c == 0x7f)
			shown += printf("\\x%02x", c);
		else
			shown += putchar(c) != EOF;
	}
	printf("%*s  ", width > shown ? width - shown : 0, "");
}

struct columns {
	const char *names[COLUMNS_MAX];
	int widths[COLUMNS_MAX], count;
};

static struct columns columns_of(const json_t *rows)
{
	struct columns c = {.count = 0};
	const char *key;
	json_t *value, *row;
	size_t i;
	json_object_foreach(json_array_get(rows, 0), key, value) {
		if (c.count == COLUMNS_MAX)
			break;
		c.names[c.count] = key;
		c.widths[c.count++] = (int)strlen(key);
	}
	json_array_foreach(rows, i, row)
		for (int at = 0; at < c.count; at++) {
			int w = width_of(json_object_get(row, c.names[at]));
			c.widths[at] = w > c.widths[at] ? w : c.widths[at];
		}
	return c;
}

static void print_rows(const json_t *rows)
{
	const struct columns c = columns_of(rows);
	const json_t *first = json_array_get(rows, 0);
	json_t *row;
	size_t i;
	for (int at = 0; at < c.count; at++) {
		bool number = json_is_integer(json_object_get(first, c.names[at]));
		int pad = c.widths[at] - (int)strlen(c.names[at]);
		printf("%*s%s%*s  ", number ? pad : 0, "", c.names[at], number ? 0 : pad, "");
	}
	putchar('\n');
	json_array_foreach(rows, i, row) {
		for (int at = 0; at < c.count; at++)
			print_cell(json_object_get(row, c.names[at]), c.widths[at]);
		putchar('\n');
	}
}

/* Numbers of one range are comparable only while the conditions of observation were the same. */
static void warn_of_conditions(const json_t *parts)
{
	size_t versions = json_array_size(json_object_get(parts, "configurations")), i;
	const json_t *row;
	if (versions > 1)
		printf("\nwarning: %zu configurations were in force in this range; narrow it with --from and "
		       "--to\n", versions);
	json_array_foreach(json_object_get(parts, "coverage"), i, row) {
		const char *state = json_string_value(json_object_get(row, "state"));
		if (!state || !strcmp(state, "up") || !strcmp(state, "down") || !strcmp(state, "configuration"))
			continue;
		printf("warning: %s: %s, %lld times between %s and %s\n",
		       json_string_value(json_object_get(row, "service")), state,
		       (long long)json_integer_value(json_object_get(row, "times")),
		       json_string_value(json_object_get(row, "first")),
		       json_string_value(json_object_get(row, "last")));
	}
}

/* ClickHouse's "2026-04-01 12:00:00". */
static bool row_time(const json_t *row, uint64_t *out)
{
	const char *text = json_string_value(json_object_get(row, "time"));
	char rfc3339[32];
	if (!text || strlen(text) != 19)
		return false;
	snprintf(rfc3339, sizeof rfc3339, "%.10sT%.8sZ", text, text + 11);
	return time_parse(bytes_of_text(rfc3339), out);
}

/* Between two rows' times, how many buckets are left out. */
static size_t buckets_between(const json_t *a, const json_t *b, double seconds)
{
	uint64_t from, to;
	if (!row_time(a, &from) || !row_time(b, &to) || to <= from || seconds < 1)
		return 0;
	double missing = (double)(to - from) / 1e6 / seconds - 1;
	return missing < 1 ? 0 : missing < RATE_GAP_MAX ? (size_t)missing : RATE_GAP_MAX;
}

static double number_of(const json_t *value)
{
	return json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value);
}

/* A rate as one line of bars; buckets in which nothing came are blank. */
static void print_rate(const json_t *rows)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	const json_t *row, *before = NULL;
	double most = 0;
	size_t i;
	json_array_foreach(rows, i, row)
		most = fmax(most, number_of(json_object_get(row, "packets")));
	const json_t *first = json_array_get(rows, 0), *last = json_array_get(rows, json_array_size(rows) - 1);
	double seconds = number_of(json_object_get(first, "seconds"));
	printf("\nrate, %.0f s a bar, at most %.4g packets/s, from %s to %s\n", seconds, most / seconds,
	       json_string_value(json_object_get(first, "time")), json_string_value(json_object_get(last, "time")));
	json_array_foreach(rows, i, row) {
		double share = most > 0 ? number_of(json_object_get(row, "packets")) / most : 0;
		size_t missing = before ? buckets_between(before, row, seconds) : 0;
		printf("%*s%s", (int)missing, "", bars[(size_t)(share * 7.999)]);
		before = row;
	}
	putchar('\n');
}

static void print_report(const json_t *report)
{
	const char *name;
	json_t *rows;
	printf("%s, from %s to %s\n", json_string_value(json_object_get(report, "report")),
	       json_string_value(json_object_get(report, "from")),
	       json_string_value(json_object_get(report, "to")));
	json_object_foreach(json_object_get(report, "parts"), name, rows) {
		const json_t *row = json_array_get(rows, 0), *hosts = json_object_get(row, "hosts");
		if (json_array_size(rows) == 1 && json_object_size(row) == 1 && hosts) {
			printf("%-12s %lld\n", name, (long long)json_integer_value(hosts));
			continue;
		}
		if (!strcmp(name, "rate") && json_object_get(row, "packets")) {
			print_rate(rows);
			continue;
		}
		printf("\n%s%s\n", name, json_array_size(rows) ? "" : ": none");
		if (json_array_size(rows))
			print_rows(rows);
	}
	warn_of_conditions(json_object_get(report, "parts"));
}

static bool read_time(const struct arguments *a, const char *flag, uint64_t absent, uint64_t *out)
{
	const char *text = arguments_flag(a, flag);
	*out = absent;
	return !text || time_parse(bytes_of_text(text), out);
}

static int ask(const struct arguments *a, struct buffer *answer, struct fault *fault)
{
	static struct config config;
	char state[256], question[128];
	uint64_t from, to;
	struct writer w = writer_of(question, sizeof question);
	if (!read_time(a, "from", 0, &from) || !read_time(a, "to", clock_utc_us() + 1000000, &to))
		return fault_set(fault, ERR_BAD, "--from and --to take times such as 2026-04-01 or 2026-04-01T12:00:00Z");
	int bad = command_config(a, &config, fault);
	if (!bad && run_state_path(&config, state, sizeof state))
		bad = fault_set(fault, ERR_BAD, "run.state: the path is too long");
	if (bad)
		return bad;
	write_u64(&w, from);
	write_u64(&w, to);
	write_text(&w, arguments_word(a, 0));
	return client_request(state, "store", "store.report", writer_bytes(&w), collect, answer, WAIT_MS, fault);
}

static int run(const struct arguments *a)
{
	struct fault fault = {0};
	struct buffer answer = BUFFER(ANSWER_MAX);
	if (!strcmp(arguments_word(a, 0), "ics"))
		return ics_report(a);
	if (!report_find(arguments_word(a, 0))) {
		fprintf(stderr, "kansoku: there is no report \"%s\"; there are:\n", arguments_word(a, 0));
		REPORTS_EACH(r)
			fprintf(stderr, "  %-14s %s\n", (*r)->name, (*r)->summary);
		fprintf(stderr, "  %-14s %s\n", "ics", "industrial systems that seem to attack: machines, TTLs, attacker and controller");
		return 2;
	}
	if (ask(a, &answer, &fault))
		return command_fail(1, "report: %s", fault.text);
	struct bytes json = buffer_bytes(&answer);
	if (arguments_flag(a, "json")) {
		fwrite(json.at, 1, json.len, stdout);
		buffer_done(&answer);
		return 0;
	}
	json_error_t error;
	json_t *report = json_loadb((const char *)json.at, json.len, 0, &error);
	buffer_done(&answer);
	if (!report)
		return command_fail(1, "report: the store's answer is not JSON: %s", error.text);
	print_report(report);
	json_decref(report);
	return 0;
}

static const struct flag report_flags[] = {
	{"from", "TIME", "only events since then (RFC 3339, or a date); default: all"},
	{"to", "TIME", "only events before then; default: now"},
	{"rows", "FILE", "of ics: judge rows of a table instead of what is stored"},
	{"all", NULL, "of ics: also the hosts that were left out, and why"},
	{"look", NULL, "of ics: ask for a look at each host that was not looked at since, under an approved survey"},
	{"format", "NAME", "of ics: format of the imported records that claim; default shodan"},
	{"rules", "DIR", "of ics: further rules on what is claimed (fingerprints/claims)"},
	{"one-vantage", NULL, "of ics: dark prefixes and prober are at one place, so their hops are comparable"},
	{0},
};

static const struct command report_command = {
	.name = "report",
	.synopsis = "NAME [--from TIME] [--to TIME] [--rows FILE] [--look] [--all] [--json]",
	.summary = "print a report: devices, device-hosts, exposures, ics, intent, loop, samples, steering, telescope",
	.description = "Asks the running store. `devices` is the table of attacking devices with its\n"
		       "denominators: sources, intruders, probed, answered, identified, held out, refused\n"
		       "and why, and how the sensors covered the range. `telescope` is dark traffic: its rate,\n"
		       "classes, tools, ports, sources and what they were judged to be, victims, alerts. `ics` joins\n"
		       "imported scans with dark traffic of the same days (default: the last nine) and says of each\n"
		       "industrial system that seems to attack how many machines are there at least, and whether\n"
		       "attacker and controller are one; --look has those looked at that were not, --rows judges a table.",
	.flags = report_flags,
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
COMMAND(report_command);
