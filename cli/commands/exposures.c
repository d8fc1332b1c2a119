/* kansoku exposures: what hosts were found to expose, and what a name would. */
#include "analysis/exposures.h"
#include "base/clock.h"
#include "bus/client.h"
#include "bus/parent.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/rule_check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define WAIT_MS 600000
#define REJUDGE_DAYS 90
#define DAY_US 86400000000u
#define RULE_FOLDERS_MAX 16
#define VALUE(name) "value[indexOf(field,'" name "')]"

static bool print_part(void *arg, struct bytes part)
{
	(void)arg;
	return fwrite(part.at, 1, part.len, stdout) == part.len;
}

/* Bytes of hosts may stand in a text: what a terminal would obey does not reach it. */
static void print_text(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

/* The newest of each finding, the gravest first; `age` is how long ago the host answered that. */
static void list_sql(struct writer *w, const struct address *host)
{
	char text[ADDRESS_TEXT_MAX];
	write_text(w, "SELECT ip(src) AS host, sport AS port, rule AS finding, argMax(" VALUE("exposure.severity")
		   ", id) AS severity, argMax(" VALUE("exposure.cvss") ", id) AS cvss, argMax(" VALUE("exposure.kev")
		   ", id) AS kev, toUInt64OrZero(argMax(" VALUE("confidence") ", id)) AS confidence, argMax("
		   VALUE("exposure.answered") ", id) AS answered, dateDiff('hour', toDateTime(replaceOne(substring(argMax("
		   VALUE("exposure.answered") ", id), 1, 19), 'T', ' '), 'UTC'), now('UTC')) AS age_hours, argMax(if("
		   VALUE("exposure.title") " != '', " VALUE("exposure.title") ", " VALUE("exposure.criteria")
		   "), id) AS what, argMax(" VALUE("exposure.note") ", id) AS note, argMax(" VALUE("evidence")
		   ", id) AS evidence FROM events WHERE kind = 'exposure.found'");
	if (host)
		write_fmt(w, " AND src = addr('%s')", address_format(host, text));
	write_text(w, " GROUP BY src, sport, rule ORDER BY kev = 'true' DESC, indexOf(['critical','high','medium','low',"
		      "'info'], severity) = 0, indexOf(['critical','high','medium','low','info'], severity), confidence DESC, "
		      "host, port, finding LIMIT 10000");
}

static int list(const struct arguments *a)
{
	struct question question;
	struct fault fault = {0};
	struct address host;
	char sql[4096];
	struct writer w = writer_of(sql, sizeof sql);
	bool one = arguments_count(a) > 0;
	if (one && !address_parse(bytes_of_text(arguments_word(a, 0)), &host))
		return command_fail(2, "exposures: \"%s\" is no address", arguments_word(a, 0));
	list_sql(&w, one ? &host : NULL);
	const char *format = arguments_flag(a, "json") ? "lines" : isatty(STDOUT_FILENO) ? "pretty" : "tsv";
	int bad = question_begin(&question, a, &fault);
	bad = bad ? bad : question_ask(&question, format, writer_bytes(&w), false, print_part, NULL, &fault);
	if (fflush(stdout) && !bad)
		bad = fault_set(&fault, ERR_SYSTEM, "exposures: the answer cannot be written");
	return bad ? command_fail(1, "%s", fault.text) : 0;
}

static int open_knowledge(const struct arguments *a, struct exposures *x, struct fault *fault)
{
	const char *folders[RULE_FOLDERS_MAX];
	size_t count = 0;
	while (count < RULE_FOLDERS_MAX && arguments_flag_nth(a, "rules", count)) {
		folders[count] = arguments_flag_nth(a, "rules", count);
		count++;
	}
	return exposures_open(x, folders, count, fault);
}

static int verify(const struct arguments *a)
{
	struct exposures x;
	struct fault fault = {0};
	if (open_knowledge(a, &x, &fault))
		return command_fail(1, "exposures: %s", fault.text);
	int status = rule_check_print(x.rules, "rules");
	exposures_close(&x);
	return status;
}

static int open_index(const struct arguments *a, struct exposures *x, struct fault *fault)
{
	static struct config config;
	char state[256], path[4096];
	int bad = command_config(a, &config, fault);
	if (!bad && run_state_path(&config, state, sizeof state))
		bad = fault_set(fault, ERR_BAD, "run.state: the path is too long");
	if (bad)
		return bad;
	snprintf(path, sizeof path, "%s/" EXPOSURE_FOLDER "/" EXPOSURE_INDEX, state);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, ERR_MISSING, "%s: %s; `kansoku import nvd FILE...` makes it", path, strerror(errno));
	bad = weaknesses_open(&x->index, fd, path, fault);
	close(fd);
	return bad;
}

struct showing {
	bool json;
	size_t count;
};

static void print_json(const struct weakness *w)
{
	char line[8192];
	struct writer out = writer_of(line, sizeof line);
	const struct {
		const char *name, *text;
	} texts[] = {{"cve", w->cve}, {"cpe", w->cpe}, {"criteria", w->criteria}, {"severity", weakness_severity(w)},
		     {"condition", w->condition}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		write_fmt(&out, "%c\"%s\":", i ? ',' : '{', texts[i].name);
		write_json_string(&out, bytes_of_text(texts[i].text));
	}
	write_fmt(&out, ",\"cvss\":%u.%u,\"possibly\":%s,\"distribution\":%s,\"kev\":%s,\"summary\":", w->score / 10u, w->score % 10u,
		  w->possibly ? "true" : "false", w->distribution ? "true" : "false", w->known ? "true" : "false");
	write_json_string(&out, w->summary);
	write_text(&out, "}\n");
	fwrite(line, 1, writer_used(&out), stdout);
}

static bool show(void *arg, const struct weakness *w)
{
	struct showing *s = arg;
	char summary[400];
	s->count++;
	if (s->json) {
		print_json(w);
		return true;
	}
	printf("%-16s %2u.%u %-8s %s%s", w->cve, w->score / 10u, w->score % 10u, weakness_severity(w), w->known ? "exploited " : "",
	       w->possibly ? "possibly " : "");
	print_text(w->criteria);
	if (w->condition[0])
		printf(" (%s)", w->condition);
	if (w->distribution)
		fputs(" (version only; the distribution may have fixed it)", stdout);
	snprintf(summary, sizeof summary, "%.*s", (int)w->summary.len, w->summary.len ? (const char *)w->summary.at : "");
	fputs("\n    ", stdout);
	print_text(summary);
	putchar('\n');
	return true;
}

/* A name, and, behind spaces, the banner that it would come from. */
static int check(const struct arguments *a)
{
	struct exposures x;
	struct fault fault = {0};
	struct showing s = {.json = arguments_flag(a, "json")};
	struct bytes rest = bytes_of_text(arguments_flag(a, "check"));
	struct bytes cpe = bytes_word(&rest);
	const struct software software = {.cpe = cpe, .banner = rest, .rule = BYTES("-"), .certainty = 100};
	if (!bytes_start_with(cpe, "cpe:"))
		return command_fail(2, "exposures: --check takes a CPE, such as cpe:2.3:a:openbsd:openssh:7.4:p1");
	if (open_knowledge(a, &x, &fault))
		return command_fail(1, "exposures: %s", fault.text);
	int bad = open_index(a, &x, &fault);
	if (bad) {
		exposures_close(&x);
		return command_fail(1, "exposures: %s", fault.text);
	}
	size_t candidates = weaknesses_find(x.index, x.products, &software, 1, show, &s);
	const struct weaknesses_size size = weaknesses_size(x.index);
	char time[TIME_TEXT_MAX];
	if (!s.json)
		printf("%zu weaknesses, of %zu that name this product; %llu CVEs, index of %s\n", s.count, candidates,
		       (unsigned long long)size.cves, time_format(size.written_us, time));
	exposures_close(&x);
	return 0;
}

static int rejudge(const struct arguments *a)
{
	static struct config config;
	struct fault fault = {0};
	char state[256];
	uint8_t payload[8];
	struct writer w = writer_of(payload, sizeof payload);
	uint64_t since_us = clock_utc_us() - REJUDGE_DAYS * DAY_US;
	const char *since = arguments_flag(a, "since");
	if (since && !time_parse(bytes_of_text(since), &since_us))
		return command_fail(2, "exposures: --since takes a time such as 2026-04-01 or 2026-04-01T12:00:00Z");
	if (command_config(a, &config, &fault))
		return command_fail(1, "exposures: %s", fault.text);
	if (run_state_path(&config, state, sizeof state))
		return command_fail(1, "exposures: run.state: the path is too long");
	write_u64(&w, since_us);
	int bad = client_request(state, "exposure", TOPIC_REJUDGE, writer_bytes(&w), print_part, NULL, WAIT_MS, &fault);
	return bad ? command_fail(1, "exposures: %s", fault.text) : 0;
}

static int run(const struct arguments *a)
{
	if (arguments_flag(a, "verify"))
		return verify(a);
	if (arguments_flag(a, "check"))
		return check(a);
	return arguments_flag(a, "rejudge") ? rejudge(a) : list(a);
}

static const struct flag exposures_flags[] = {
	{"check", "CPE", "which weaknesses that name has, by the files that were imported; a banner may follow"},
	{"verify", NULL, "try every rule's examples, and say what was left out"},
	{"rules", "DIR", "a directory of further rules, for --check and --verify; may be given again"},
	{"rejudge", NULL, "judge stored answers again, after rules or files of weaknesses changed"},
	{"since", "TIME", "of --rejudge: answers since then; default: 90 days"},
	{0},
};

static const struct command exposures_command = {
	.name = "exposures",
	.synopsis = "[HOST] [--check CPE] [--verify] [--rules DIR] [--rejudge] [--since TIME] [--json]",
	.summary = "what hosts expose, by what they answered; no packet is sent for it",
	.description = "Lists findings of the store, the gravest first: weaknesses of NVD that fit a product and its\n"
		       "version (`kansoku import nvd`), those that CISA knows exploited, and rules on what a host\n"
		       "answered. A version is a hint: distributions repair without a new number, and the note says\n"
		       "so. `age_hours` is how long ago the host answered that.",
	.flags = exposures_flags,
	.words_max = 1,
	.run = run,
};
COMMAND(exposures_command);
