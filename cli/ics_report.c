#include "cli/ics_report.h"
#include "analysis/ics_study.h"
#include "base/clock.h"
#include "cli/ask.h"
#include "cli/ics_looks.h"
#include "event/event.h"

#define ROWS_BYTES_MAX (64u << 20)
#define CELL_MAX 512
#define SQL_MAX 16384
#define ANSWER_MAX (512u << 20)
#define DAY_US 86400000000u
#define DAYS_DEFAULT 9 /* as long as the study of 2015 */
#define WIDTH_PORTS 40
#define WIDTH_DARK 18

/* One row as a line of the table, with its reason below, or as a JSON object. */
static void print_row(const struct ics_row *row, const struct ics_verdict *v, const char *more, bool json)
{
	char ports[CELL_MAX] = "", dark[CELL_MAX] = "", machines[32], reason[2 * ICS_REASON_MAX] = "";
	struct writer p = writer_of(ports, sizeof ports - 1), d = writer_of(dark, sizeof dark - 1);
	struct writer r = writer_of(reason, sizeof reason - 1);
	ics_ports_write(row, &p);
	ics_dark_write(row, &d);
	*p.at = *d.at = '\0';
	if (json) {
		write_json_string(&r, bytes_of_text(v->reason));
		*r.at = '\0';
		printf("{\"row\":\"%s\",\"country\":\"%s\",\"ports\":\"%s\",\"protocol\":\"%s\",\"dark\":\"%s\",\"machines_least\":%u,"
		       "\"machines_seem\":%u,\"same\":\"%s\",\"controller_ttl\":%u,\"attacker_ttl\":%u,\"reason\":%s%s}\n", row->name,
		       row->country, ports, row->protocol, dark, v->machines_least, v->machines_seem, ics_same_word(v->same),
		       v->controller_initial, v->attacker_initial, reason, more);
		return;
	}
	snprintf(machines, sizeof machines, v->machines_seem > v->machines_least ? "%u, seem %u" : "%u", v->machines_least,
		 v->machines_seem);
	printf("%-16s %-7s %-*s %-11s %-*s %-9s %s\n", row->name, row->country, WIDTH_PORTS, ports, row->protocol, WIDTH_DARK, dark,
	       machines, ics_same_word(v->same));
	printf("                 %s\n", v->reason);
}

static void print_head(void)
{
	printf("%-16s %-7s %-*s %-11s %-*s %-9s %s\n", "host", "country", WIDTH_PORTS, "open ports (TTL)", "protocol", WIDTH_DARK,
	       "dark traffic (TTL)", "machines", "attacker is the controller");
}

/* Rows that somebody wrote down: each is judged, what cannot be read is said with its line. */
static int report_rows(const char *path, bool json)
{
	struct fault fault = {0};
	struct buffer text = BUFFER(ROWS_BYTES_MAX);
	int bad = command_read_file(path, ROWS_BYTES_MAX, &text, &fault), status = 0;
	struct bytes rest = buffer_bytes(&text);
	if (bad)
		return command_fail(1, "report: %s", fault.text);
	if (!json)
		print_head();
	for (unsigned number = 1; rest.len; number++) {
		const size_t end = bytes_find(rest, "\n");
		const struct bytes line = bytes_trim((struct bytes){rest.at, end});
		struct ics_row row;
		struct ics_verdict verdict;
		rest = (struct bytes){rest.at + end + (end < rest.len), rest.len - end - (end < rest.len)};
		if (!line.len || line.at[0] == '#')
			continue;
		if (ics_row_read(line, &row, &fault)) {
			status = command_fail(1, "report: %s:%u: %s", path, number, fault.text);
			continue;
		}
		ics_judge(&row, &verdict);
		print_row(&row, &verdict, "", json);
	}
	buffer_done(&text);
	return status;
}

static bool take_part(void *arg, struct bytes part) { return buffer_append(arg, part.at, part.len) == 0; }

static int ask_all(const struct question *q, struct ics_study *s, struct fault *fault)
{
	int bad = 0;
	for (int i = 0; i < ICS_QUESTIONS && !bad; i++) {
		char sql[SQL_MAX];
		struct writer w = writer_of(sql, sizeof sql);
		struct buffer answer = BUFFER(ANSWER_MAX);
		ics_study_sql(s, (enum ics_question)i, &w);
		bad = w.bad ? ERR_FULL : question_ask(q, "lines", writer_bytes(&w), false, take_part, &answer, fault);
		if (!bad)
			bad = ics_study_take(s, (enum ics_question)i, buffer_bytes(&answer));
		buffer_done(&answer);
	}
	if (!bad)
		ics_study_conclude(s);
	return bad;
}

static void print_number(const char *name, uint64_t n, const char *what)
{
	printf("%-16s %8llu  %s\n", name, (unsigned long long)n, what);
}

static void print_vantages(const struct ics_vantages *v)
{
	if (v->one)
		puts("vantages         one: hops of answers and of dark traffic are compared");
	else if (v->calibrated && v->spread <= ICS_SPREAD_MAX)
		printf("vantages         two, calibrated by %zu hosts: dark traffic comes %d hops farther, within %d\n", v->hosts, v->offset,
		       v->spread);
	else
		printf("vantages         two, %s (%zu hosts): hops are not compared between them\n",
		       v->calibrated ? "too unsteady" : "not calibrated", v->hosts);
}

static void print_sums(const struct ics_sums *s)
{
	print_number("claimed", s->claimed, "addresses with an industrial port, as the scan has them");
	print_number("asked the dark", s->in_dark, "of them in the same days");
	print_number("  wrong", s->stages[ICS_WRONG], "the stored answer is of something else");
	print_number("  decoys", s->stages[ICS_DECOY_CLAIM] + s->stages[ICS_DECOY], "honeypots of others, by the stored answer or by our look");
	print_number("  unclear", s->stages[ICS_UNCLEAR], "no rule knows the stored answer");
	print_number("  to look at", s->stages[ICS_TO_LOOK], "not looked at since");
	print_number("  gone", s->stages[ICS_GONE], "that port is closed now");
	print_number("  others", s->stages[ICS_OTHER], "something else answers there now");
	print_number("rows", s->stages[ICS_ROW], "run an industrial system and seem infected");
	print_vantages(&s->vantages);
	if (s->bad_rows)
		printf("warning: %zu rows of the store were malformed\n", s->bad_rows);
	putchar('\n');
}

static void print_sums_json(const struct ics_sums *s)
{
	printf("{\"claimed\":%llu,\"in_dark\":%llu", (unsigned long long)s->claimed, (unsigned long long)s->in_dark);
	for (int i = 0; i < ICS_STAGES; i++)
		printf(",\"%s\":%llu", ics_stage_word((enum ics_stage)i), (unsigned long long)s->stages[i]);
	printf(",\"one_vantage\":%s,\"calibrated\":%s,\"offset\":%d,\"spread\":%d,\"calibration_hosts\":%zu}\n",
	       s->vantages.one ? "true" : "false", s->vantages.calibrated ? "true" : "false", s->vantages.offset, s->vantages.spread,
	       s->vantages.hosts);
}

static void print_host(const struct ics_host *h, bool json)
{
	if (json)
		printf("{\"row\":\"%s\",\"stage\":\"%s\",\"protocol\":\"%s\",\"why\":\"%s\"}\n", h->row.name, ics_stage_word(h->stage),
		       h->row.protocol, h->why);
	else
		printf("%-16s %-13s %-11s %s\n", h->row.name, ics_stage_word(h->stage), h->row.protocol, h->why);
}

/* What the look found beside what the scan said, and what the row stands on. */
static void print_found(const struct ics_host *h, bool json)
{
	char more[1024] = "", looked[TIME_TEXT_MAX], first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
	time_format(h->looked_s * 1000000, looked);
	time_format(h->dark_first_s * 1000000, first);
	time_format(h->dark_last_s * 1000000, last);
	if (json)
		snprintf(more, sizeof more,
			 ",\"claimed_ports\":%u,\"closed_now\":\"%s\",\"new\":\"%s\",\"device\":\"%s\",\"claim\":\"%s\",\"record\":\"%s\","
			 "\"packets\":%llu,\"destinations\":%llu,\"first\":\"%s\",\"last\":\"%s\",\"looked\":\"%s\"", h->claimed,
			 h->gone_ports, h->fresh_ports, h->device, h->why, h->record, (unsigned long long)h->packets,
			 (unsigned long long)h->destinations, first, last, looked);
	print_row(&h->row, &h->verdict, more, json);
	if (json)
		return;
	printf("                 %llu dark packets to %llu addresses, %.10s to %.10s; looked at %.10s; the scan's ports: %u%s%s%s%s%s%s\n",
	       (unsigned long long)h->packets, (unsigned long long)h->destinations, first, last, looked, h->claimed,
	       h->gone ? ", closed now: " : "", h->gone_ports, h->fresh ? ", new: " : "", h->fresh_ports, h->device[0] ? "; " : "",
	       h->device);
}

static void print_study(const struct ics_study *s, bool all, bool json)
{
	const size_t count = ics_study_count(s);
	size_t i = 0;
	if (json)
		print_sums_json(ics_study_sums(s));
	else
		print_sums(ics_study_sums(s));
	if (!json && count && ics_study_at(s, 0)->stage == ICS_ROW)
		print_head();
	for (; i < count && ics_study_at(s, i)->stage == ICS_ROW; i++)
		print_found(ics_study_at(s, i), json);
	if (!json && all && i < count)
		printf("\n%-16s %-13s %-11s %s\n", "host", "left out as", "protocol", "because");
	for (; all && i < count; i++)
		print_host(ics_study_at(s, i), json);
}

static bool read_window(const struct arguments *a, struct ics_study_options *o)
{
	const char *from = arguments_flag(a, "from"), *to = arguments_flag(a, "to");
	o->to_us = clock_utc_us() + 1000000;
	if (to && !time_parse(bytes_of_text(to), &o->to_us))
		return false;
	o->from_us = o->to_us - DAYS_DEFAULT * DAY_US;
	return (!from || time_parse(bytes_of_text(from), &o->from_us)) && o->from_us < o->to_us;
}

static int study(const struct arguments *a)
{
	struct ics_study_options options = {.format = arguments_flag(a, "format"), .one_vantage = arguments_flag(a, "one-vantage")};
	const char *folder = arguments_flag(a, "rules");
	struct exposure_rules *rules = NULL;
	struct ics_study *s = NULL;
	struct question q;
	struct fault fault = {0};
	options.format = options.format ? options.format : "shodan";
	if (!read_window(a, &options))
		return command_fail(2, "report: --from and --to take times such as 2015-06-01 or 2015-06-10T12:00:00Z");
	int bad = question_begin(&q, a, &fault);
	if (!bad)
		bad = claim_rules_load(&rules, &folder, folder ? 1 : 0, &fault);
	for (size_t i = 0; !bad && exposure_rules_complaint(rules, i); i++)
		fprintf(stderr, "kansoku: report: %s\n", exposure_rules_complaint(rules, i));
	if (!bad && exposure_rules_count(rules) == 0)
		fprintf(stderr, "kansoku: report: fingerprints/claims was not found, so every claim is unclear; --rules DIR names rules\n");
	if (!bad)
		bad = ics_study_open(&s, &options, rules);
	if (!bad)
		bad = ask_all(&q, s, &fault);
	if (bad == ERR_FULL && !fault.text[0])
		fault_set(&fault, bad, "more than %d addresses or %d rows: narrow the time by --from and --to", ICS_HOSTS_MAX, ICS_ROWS_MAX);
	if (!bad && arguments_flag(a, "look"))
		bad = ics_looks_ask(q.state, s, &fault);
	else if (!bad)
		print_study(s, arguments_flag(a, "all") != NULL, arguments_flag(a, "json") != NULL);
	ics_study_close(s);
	exposure_rules_close(rules);
	return bad ? command_fail(1, "report: %s", fault.text[0] ? fault.text : error_name(bad)) : 0;
}

int ics_report(const struct arguments *a)
{
	const char *rows = arguments_flag(a, "rows");
	return rows ? report_rows(rows, arguments_flag(a, "json") != NULL) : study(a);
}
