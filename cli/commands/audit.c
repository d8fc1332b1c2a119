/* kansoku audit: every packet that was sent to an address, and why. */
#include "base/clock.h"
#include "cli/ask.h"
#include "cli/audit/audit.h"
#include "cli/exchange_audit.h"
#include "cli/scan_record.h"
#include "event/event.h"
#include <stdlib.h>

#define ANSWER_MAX (64u << 20)
#define CAUSES_MAX 1000
#define ROWS_MAX 100000

struct inquiry {
	struct question question;
	struct audit audit;
	struct prefix prefix;
	char where[256], since[64];
	struct fault fault;
};

static bool keep_part(void *arg, struct bytes part) { return buffer_append(arg, part.at, part.len) == 0; }

/* The rows of the answer, each an object of texts; NULL and a fault. */
static json_t *rows_of(struct inquiry *q, const struct writer *sql)
{
	struct buffer answer = BUFFER(ANSWER_MAX);
	json_t *rows = json_array();
	int bad = sql->bad ? fault_set(&q->fault, ERR_FULL, "the question is too long") : 0;
	bad = bad ? bad : question_ask(&q->question, "lines", writer_bytes(sql), false, keep_part, &answer, &q->fault);
	struct reader r = reader_of_bytes(buffer_bytes(&answer));
	struct bytes line;
	while (!bad && read_line(&r, &line))
		if (line.len)
			json_array_append_new(rows, json_loadb((const char *)line.at, line.len, 0, NULL));
	buffer_done(&answer);
	if (!bad)
		return rows;
	json_decref(rows);
	return NULL;
}

static void write_bytes_of(struct writer *w, const struct address *a)
{
	write_text(w, "unhex('");
	for (size_t i = 0; i < sizeof a->b; i++)
		write_fmt(w, "%02x", a->b[i]);
	write_text(w, "')");
}

static void where_make(struct inquiry *q)
{
	struct address last = q->prefix.base;
	struct writer w = writer_of(q->where, sizeof q->where - 1);
	for (unsigned bit = q->prefix.bits; bit < 128; bit++)
		last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	write_text(&w, "src >= ");
	write_bytes_of(&w, &q->prefix.base);
	write_text(&w, " AND src <= ");
	write_bytes_of(&w, &last);
	*w.at = '\0';
	snprintf(q->since, sizeof q->since, " AND time >= toDateTime(%llu,'UTC')",
		 (unsigned long long)(q->audit.since_us / 1000000));
}

#define EXTRA(field, name) "value[indexOf(field,'" field "')] AS " name
#define WHEN "concat(toString(time), '.', leftPad(toString(time_us), 6, '0')) AS time"
#define IDS "lower(hex(id)) AS id, lower(hex(cause)) AS cause"

/* Everything as text: it is a letter's material, and JSON's numbers are not as wide as ours. */
static json_t *ask_events(struct inquiry *q, const char *columns, const char *kind)
{
	char text[2048];
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w, "SELECT %s FROM (SELECT * FROM events WHERE %s%s AND kind = '%s' ORDER BY id LIMIT %d)", columns,
		  q->where, q->since, kind, ROWS_MAX);
	return rows_of(q, &w);
}

static json_t *ask_decisions(struct inquiry *q)
{
	return ask_events(q, IDS ", " WHEN ", ip(src) AS src, decision, reason, rule, " EXTRA("basis", "basis") ", "
			  EXTRA("tier", "tier") ", " EXTRA("detail", "detail"), "decision.made");
}

static json_t *ask_probes(struct inquiry *q)
{
	return ask_events(q, IDS ", " WHEN ", ip(src) AS src, toString(sport) AS sport, if(dst = unhex(repeat('00', 16)), "
			  "'', ip(dst)) AS dst, proto, probe, " EXTRA("lease", "lease"), "probe.sent");
}

static json_t *ask_answers(struct inquiry *q)
{
	return ask_events(q, IDS ", " WHEN ", ip(src) AS src, toString(sport) AS sport, probe, state, "
			  EXTRA("packets.out", "packets") ", " EXTRA("bytes.out", "bytes_out") ", "
			  EXTRA("bytes.in", "bytes_in") ", " EXTRA("lease", "lease"), "host.answered");
}

/* The events that the decisions name as their cause. */
static json_t *ask_causes(struct inquiry *q)
{
	const json_t *row;
	size_t i, count = 0;
	char *text = malloc(CAUSES_MAX * 48 + 1024);
	if (!text)
		return NULL;
	struct writer w = writer_of(text, CAUSES_MAX * 48 + 1024);
	write_text(&w, "SELECT " IDS ", " WHEN ", kind, service, ip(dst) AS dst FROM events WHERE id IN (unhex('00')");
	json_array_foreach(q->audit.decisions, i, row)
		if (!strcmp(audit_text(row, "decision"), "allowed") && count++ < CAUSES_MAX)
			write_fmt(&w, ",unhex('%.32s')", audit_text(row, "cause"));
	write_text(&w, ")");
	json_t *rows = rows_of(q, &w);
	free(text);
	return rows;
}

static json_t *ask_before(struct inquiry *q)
{
	char text[2048];
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w, "SELECT kind, service, toString(count()) AS count, toString(min(at)) AS first, toString(max(at)) AS last FROM "
		      "(SELECT kind, service, time AS at FROM events WHERE %s%s AND kind IN ('session.opened','login.tried',"
		      "'command.sent','request.seen','file.captured','scan.seen','alert.raised','mail.received')) "
		      "GROUP BY kind, service ORDER BY first, kind, service LIMIT 100", q->where, q->since);
	return rows_of(q, &w);
}

static json_t *time_json(uint64_t time_us)
{
	char text[TIME_TEXT_MAX];
	return json_string(time_us ? time_format(time_us, text) : "");
}

static void add_survey(void *arg, const struct scan_asked *asked)
{
	struct inquiry *q = arg;
	char target[ADDRESS_TEXT_MAX], port[8];
	q->audit.survey_packets++;
	if (json_array_size(q->audit.surveys) >= ROWS_MAX)
		return;
	snprintf(port, sizeof port, "%u", asked->port);
	json_array_append_new(q->audit.surveys, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:b}", "survey", asked->survey,
			      "lease", asked->lease, "target", address_format(&asked->target, target), "port", port, "protocol",
			      asked->protocol, "first", time_json(asked->first_us), "last", time_json(asked->last_us), "again",
			      asked->again, "certain", asked->certain));
}

/* Scans keep records of their own (cli/scan_record.h): no event stands for a single packet of theirs. */
static int ask_surveys(struct inquiry *q)
{
	q->audit.surveys = json_array();
	return scan_records_about(q->question.state, &q->prefix, q->audit.since_us, add_survey, q, &q->fault);
}

static int ask_all(struct inquiry *q)
{
	struct audit *a = &q->audit;
	static json_t *(*const questions[])(struct inquiry *) = {ask_decisions, ask_probes, ask_answers, ask_causes, ask_before};
	json_t **const answers[] = {&a->decisions, &a->probes, &a->answers, &a->causes, &a->before};
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		if (!(*answers[i] = questions[i](q)))
			return ERR_SYSTEM;
	audit_count(a);
	return ask_surveys(q);
}

static void hide_sensors(json_t *rows)
{
	json_t *row;
	size_t i;
	json_array_foreach(rows, i, row)
		json_object_del(row, "dst");
}

static void print_json(const struct audit *a)
{
	if (!a->full)
		hide_sensors(a->causes);
	json_t *all = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:O, s:O, s:O, s:O, s:O, s:O}", "target", a->target,
				"operator", a->promises.name ? a->promises.name : "", "contact",
				a->promises.contact ? a->promises.contact : "", "looks", (json_int_t)a->looks, "connections",
				(json_int_t)a->connections, "packets", (json_int_t)a->packets, "bytes", (json_int_t)a->bytes,
				"uncounted", (json_int_t)a->unknown, "survey_packets_max", (json_int_t)a->survey_packets, "decisions", a->decisions, "probes", a->probes, "answers",
				a->answers, "causes", a->causes, "before", a->before, "surveys",
				a->surveys);
	char *text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;
	if (text)
		puts(text);
	free(text);
	json_decref(all);
}

static int inquiry_of(const struct arguments *a, struct inquiry *q)
{
	const char *since = arguments_flag(a, "since"), *lang = arguments_flag(a, "lang");
	q->audit.target = arguments_word(a, 0);
	q->audit.full = arguments_flag(a, "full") != NULL;
	q->audit.now_us = clock_utc_us();
	if (!prefix_parse(bytes_of_text(q->audit.target), &q->prefix))
		return command_fail(2, "audit: \"%s\" is not an address or prefix, 192.0.2.1 would be right", q->audit.target);
	if (since && !time_parse(bytes_of_text(since), &q->audit.since_us))
		return command_fail(2, "audit: --since: \"%s\" is not a time such as 2026-04-01 or 2026-04-01T12:00:00Z", since);
	if (lang && strcmp(lang, "en") && strcmp(lang, "ja"))
		return command_fail(2, "audit: --lang: en and ja are there, \"%s\" is not", lang);
	where_make(q);
	return 0;
}

static int run(const struct arguments *a)
{
	static struct inquiry q;
	static char url[512];
	const char *lang = arguments_flag(a, "lang");
	if (!strcmp(arguments_word(a, 0), "exchange"))
		return exchange_audit(a);
	int status = inquiry_of(a, &q);
	if (status)
		return status;
	if (question_begin(&q.question, a, &q.fault))
		return command_fail(1, "%s", q.fault.text);
	control_promises(q.question.config, &q.audit.promises);
	q.audit.page_url = control_page_url(q.question.config, url, sizeof url);
	if (ask_all(&q))
		return command_fail(1, "audit: %s", q.fault.text);
	if (arguments_flag(a, "json"))
		print_json(&q.audit);
	else
		audit_write_letter(&q.audit, lang && !strcmp(lang, "ja") ? AUDIT_JAPANESE : AUDIT_ENGLISH);
	return 0;
}

static const struct flag audit_flags[] = {
	{"since", "TIME", "only what was sent from then on"},
	{"lang", "LANGUAGE", "of the letter: en or ja"},
	{"full", NULL, "with the addresses of our sensors, which a letter leaves out"},
	{"org", "NAME", "exchange: only that organisation's lines"},
	{"action", "WORD", "exchange: only lines of read, write, refused, export, token.add, …"},
	{"head", "N:DIGEST", "exchange: a line noted before, which must still be in the chain"},
	{"quiet", NULL, "exchange: verify only"},
	{0},
};

static const struct command audit_command = {
	.name = "audit",
	.synopsis = "ADDRESS|PREFIX [--since TIME] [--lang en|ja] [--full] [--json] | exchange [--since TIME] [--org NAME] "
		    "[--action WORD] [--head N:DIGEST] [--quiet] [--json]",
	.summary = "every packet that was sent to an address, and why; and what partners were shown",
	.description =
		"Prints a letter to who complains: who you are, each look with its reason, each connection with\n"
		"time, source, port, packets and bytes, what the address had done before, and how to be left out.\n"
		"It is made from the store alone, so it reaches back as far as store.retention. Addresses of your\n"
		"sensors are left out unless --full is given. Packets are the kernel's count of what was sent in a\n"
		"connection, with those that closed it; packets that a decoy answered with within connections from\n"
		"there are not listed. Packets of surveys come from the records of the scans, in STATE/scans; for them\n"
		"a prefix has at most 4,096 addresses.\n"
		"\n"
		"exchange prints what partners read, wrote and were refused, and who changed their rights, and verifies\n"
		"that no line of it was changed or taken out: each holds the digest of the one before. That none was cut\n"
		"off at the end, too, is known when the head that it says was noted elsewhere and is given with --head.",
	.flags = audit_flags,
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
COMMAND(audit_command);
