/* Flows: in a table of their own, exactly once, erased and forgotten like everything else. */
#include "base/clock.h"
#include "store/report.h"
#include "store/retention.h"
#include "tests/unit/store/store_case.h"

static struct event event; /* large */
static struct hand_batch hand;

static void flow_make(uint32_t n, const char *src, const char *dst, uint64_t time_us)
{
	struct id_maker maker = {11, n};
	struct address a;
	event_begin(&event, EVENT_FLOW_COUNTED);
	event.time_us = time_us;
	event.id = id_make(&maker, time_us);
	event_set_text(&event, FIELD_SENSOR, "dark-1");
	event_set_text(&event, FIELD_PROCESS, "telescope");
	event_set_number(&event, FIELD_SEQUENCE, n);
	event_set_number(&event, FIELD_RECEIVED, time_us + 1);
	CHECK(address_parse(bytes_of_text(src), &a));
	event_set_address(&event, FIELD_SRC, &a);
	if (dst && address_parse(bytes_of_text(dst), &a))
		event_set_address(&event, FIELD_DST, &a);
	event_set_number(&event, FIELD_DPORT, 23);
	event_set_text(&event, FIELD_PROTO, "tcp");
	event_set_text(&event, FIELD_TOOL, "mirai");
	event_set_number(&event, FIELD_FLOW_FIRST, time_us - 60000000);
	event_set_number(&event, FIELD_FLOW_PACKETS, 10 + n);
	event_set_number(&event, FIELD_FLOW_BYTES, 400 + 40 * n);
	event_set_number(&event, FIELD_FLOW_DESTINATIONS, 9);
	event_set_number(&event, FIELD_FLOW_FLAGS, 2);
	event_set_bool(&event, FIELD_FLOW_ANSWER, n % 2);
	event_set_number(&event, FIELD_FLOW_TTL_MIN, 47);
	event_set_number(&event, FIELD_FLOW_TTL_MAX, 49);
	event_set_number(&event, FIELD_FLOW_HOPS, 15);
	event_set_text(&event, FIELD_FLOW_CLASS, "scan");
	event_set_text(&event, FIELD_FLOW_END, "quiet");
}

#define NOON 1700049600000000u /* 2023-11-15 12:00:00 */

static void run_apart(struct store_case *c)
{
	hand_begin(&hand);
	flow_make(0, "192.0.2.1", "198.51.100.7", NOON + 5);
	event_set_bytes(&event, FIELD_FLOW_PAYLOAD, BYTES("\0\xff\n'; DROP TABLE flows"));
	event_set_number(&event, FIELD_COUNT, 7); /* no column of flows: it goes to the arrays */
	hand_add(&hand, &event);
	flow_make(1, "2001:db8::1", NULL, NOON + 6);
	hand_add(&hand, &event);
	event_begin(&event, EVENT_SCAN_SEEN); /* a finding about flows is an event like any other */
	event.time_us = NOON;
	event_set_text(&event, FIELD_TOOL, "mirai");
	hand_add(&hand, &event);
	MUST(hand_insert(c, &hand, 1000) == 0);
	MUST(!strcmp(ask(c, "SELECT (SELECT count() FROM events), (SELECT count() FROM flows)"), "1\t2\n"));
	MUST(!strcmp(ask(c, "SELECT kind, value[indexOf(field,'tool')] FROM log"), "scan.seen\tmirai\n"));
	const char *got = ask_as(c, "SELECT src, dst, dport, proto, tool, flow_first, flow_packets, flow_bytes, "
				    "flow_destinations, flow_flags, flow_answer, flow_ttl_min, flow_ttl_max, flow_hops, "
				    "flow_class, flow_end, time, time_us, received_us, sensor, process, sequence, cut, "
				    "field, value FROM flow ORDER BY time_us", ANSWER_TSV, false);
	MUST(!strcmp(got, "192.0.2.1\t198.51.100.7\t23\ttcp\tmirai\t1700049540000005\t10\t400\t9\t2\t0\t47\t49\t15\t"
			  "scan\tquiet\t2023-11-15 12:00:00\t5\t1700049600000006\tdark-1\ttelescope\t0\t0\t['count']\t['7']\n"
			  "2001:db8::1\t\t23\ttcp\tmirai\t1700049540000006\t11\t440\t9\t2\t1\t47\t49\t15\t"
			  "scan\tquiet\t2023-11-15 12:00:00\t6\t1700049600000007\tdark-1\ttelescope\t1\t0\t[]\t[]\n"));
	MUST(!strcmp(ask(c, "SELECT field, kind, hex(value) FROM private"),
		     "flow.payload\tflow.counted\t00FF0A273B2044524F50205441424C4520666C6F7773\n"));
	MUST(!strcmp(ask(c, "SELECT count() FROM flow AS f ALL INNER JOIN (SELECT lower(hex(id)) AS id FROM private) "
			    "AS p ON f.id = p.id"), "1\n"));
}
TEST(flows_stand_apart_from_events) { in_process(run_apart); }

static void run_once(struct store_case *c)
{
	for (uint32_t batch = 0; batch < 3; batch++) {
		hand_begin(&hand);
		for (uint32_t i = 0; i < 50; i++) {
			/* Many partitions, so that a repeated insert may meet half of what it did before. */
			flow_make(batch * 50 + i, "192.0.2.1", NULL, NOON - i % 50 * 30 * 86400000000u - batch * 86400000000u * 1500);
			event_set_bytes(&event, FIELD_FLOW_PAYLOAD, BYTES("x"));
			hand_add(&hand, &event);
		}
		for (int again = 0; again < 3; again++)
			MUST(hand_insert(c, &hand, 1000 + batch * 100000) == 0);
	}
	MUST(!strcmp(ask(c, "SELECT count(), uniqExact(id), sum(flow_packets) FROM flows"), "150\t150\t12675\n"));
	MUST(!strcmp(ask(c, "SELECT count(), uniqExact(id) FROM private"), "150\t150\n"));
	MUST(c->insertion.inserted[TABLE_EVENTS] == 0 && c->insertion.inserted[TABLE_FLOWS] == 450);
}
TEST(flows_of_a_repeated_batch_count_once) { in_process(run_once); }

/* ClickHouse refuses more than a hundred partitions in an insert unless it is told not to. */
static void run_weeks(struct store_case *c)
{
	hand_begin(&hand);
	for (uint32_t i = 0; i < 120; i++) {
		flow_make(i, "192.0.2.1", NULL, NOON - i * 7 * 86400000000u);
		hand_add(&hand, &event);
	}
	MUST(hand_insert(c, &hand, 1000) == 0);
	MUST(!strcmp(ask(c, "SELECT count(), uniqExact(toMonday(time)) FROM flows"), "120\t120\n"));
}
TEST(flows_of_many_weeks_meet_in_one_batch) { in_process(run_weeks); }

static void run_evolution(struct store_case *c)
{
	MUST(engine_run_text(c->engine, "ALTER TABLE kansoku.flows DROP COLUMN tool, DROP COLUMN flow_ttl_max, "
					"DROP COLUMN flow_answer", NULL, &c->fault) == 0);
	MUST(engine_run_text(c->engine,
			     "INSERT INTO kansoku.flows (id, time, field, value) VALUES ('0123456789abcdef', "
			     "'2024-01-01 00:00:00', ['tool', 'flow.ttl.max', 'flow.answer'], ['zmap', '61', 'true'])",
			     NULL, &c->fault) == 0);
	MUST(engine_prepare(c->engine, &c->fault) == 0);
	MUST(!strcmp(ask(c, "SELECT tool, flow_ttl_max, flow_answer, src FROM flow"), "zmap\t61\t1\t\n"));
	/* A store of a version that knew no flows gets the table. */
	MUST(engine_run_text(c->engine, "DROP TABLE kansoku.flows SYNC", NULL, &c->fault) == 0);
	MUST(engine_run_text(c->engine, "DROP VIEW kansoku.flow SYNC", NULL, &c->fault) == 0);
	MUST(engine_prepare(c->engine, &c->fault) == 0);
	MUST(!strcmp(ask(c, "SELECT count() FROM flow"), "0\n"));
}
TEST(flows_gain_the_columns_of_a_later_vocabulary) { in_process(run_evolution); }

static void insert_aged(struct store_case *c, uint32_t n, uint64_t age_hours)
{
	flow_make(n, "192.0.2.1", NULL, clock_utc_us() - age_hours * 3600000000u);
	event_set_bytes(&event, FIELD_FLOW_PAYLOAD, BYTES("payload"));
	hand_begin(&hand);
	hand_add(&hand, &event);
	MUST(hand_insert(c, &hand, 1000 + n * 1000) == 0);
}

static void run_retention(struct store_case *c)
{
	struct option_pair kinds[] = {{"flow.counted", BYTES("7d"), 1}};
	struct option_pair fields[] = {{"flow.p0f", BYTES("3d"), 1}, {"flow.bytes", BYTES("3d"), 2}};
	struct store_options o = {.retention = {.default_ms = (uint64_t)365 * 86400000,
						.private_ms = (uint64_t)365 * 86400000,
						.flows_ms = (uint64_t)30 * 86400000,
						.fields = {fields, 2}}};
	/* Whole days, and never longer than allowed: 29 days and an hour may go already, 30 must. */
	const uint64_t ages[] = {0, 5 * 24, 20 * 24, 28 * 24, 30 * 24, 60 * 24, 400 * 24};
	for (uint32_t i = 0; i < 7; i++)
		insert_aged(c, i, ages[i]);
	MUST(retention_run(c->engine, &o, &c->fault) == 0);
	MUST(!strcmp(ask(c, "SELECT count(), sum(flow_bytes > 0), sum(flow_packets > 0) FROM flows"), "4\t1\t4\n"));
	MUST(!strcmp(ask(c, "SELECT count() FROM private"), "4\n")); /* none outlives its flow */
	o.retention.kinds = (struct option_list){kinds, 1};
	MUST(retention_run(c->engine, &o, &c->fault) == 0);
	MUST(!strcmp(ask(c, "SELECT (SELECT count() FROM flows), (SELECT count() FROM private)"), "2\t2\n"));
}
TEST(flows_are_kept_for_a_time_of_their_own) { in_process(run_retention); }

static void run_erase(struct store_case *c)
{
	struct erasure e;
	struct erasing out = {.what = &e};
	hand_begin(&hand);
	flow_make(1, "192.0.2.1", NULL, NOON);
	event_set_bytes(&event, FIELD_FLOW_PAYLOAD, BYTES("one"));
	hand_add(&hand, &event);
	flow_make(2, "192.0.2.2", "192.0.2.1", NOON); /* as what was asked */
	hand_add(&hand, &event);
	flow_make(3, "192.0.2.3", NULL, NOON);
	event_set_text(&event, FIELD_DETAIL, "of 192.0.2.1, says a sensor"); /* in the arrays */
	hand_add(&hand, &event);
	flow_make(4, "192.0.2.4", NULL, NOON); /* only in its payload */
	event_set_bytes(&event, FIELD_FLOW_PAYLOAD, BYTES("GET http://192.0.2.1/ HTTP/1.0\r\n\r\n"));
	hand_add(&hand, &event);
	flow_make(5, "192.0.2.11", NULL, NOON + 3600000000u);
	hand_add(&hand, &event);
	MUST(hand_insert(c, &hand, 1000) == 0);
	MUST(erasure_from_words("192.0.2.1", &e, &c->fault) == 0);
	e.dry_run = true;
	MUST(engine_erase(c->engine, &out, &c->fault) == 0);
	MUST(out.rows[TABLE_FLOWS] == 4 && out.rows[TABLE_EVENTS] == 0 && out.private_values == 2);
	MUST(!strcmp(ask(c, "SELECT count() FROM flows"), "5\n"));
	e.dry_run = false;
	MUST(engine_erase(c->engine, &out, &c->fault) == 0);
	MUST(!strcmp(ask(c, "SELECT (SELECT count() FROM flows), (SELECT count() FROM private)"), "1\t0\n"));
	MUST(!strcmp(ask(c, "SELECT src FROM flow"), "192.0.2.11\n"));
	MUST(!strcmp(ask(c, "SELECT count() FROM system.parts WHERE database = 'kansoku' AND active = 0"), "0\n"));
	e = (struct erasure){.type = ERASE_RANGE, .from_us = NOON + 3600000000u, .to_us = NOON + 3600000001u};
	MUST(engine_erase(c->engine, &out, &c->fault) == 0 && out.rows[TABLE_FLOWS] == 1);
	MUST(!strcmp(ask(c, "SELECT count() FROM flows"), "0\n"));
}
TEST(flows_of_an_erased_address_go) { in_process(run_erase); }

static void event_make(enum event_kind kind, uint32_t n, const char *src)
{
	struct id_maker maker = {12, n};
	struct address a;
	event_begin(&event, kind);
	event.time_us = NOON + n;
	event.id = id_make(&maker, event.time_us);
	CHECK(address_parse(bytes_of_text(src), &a));
	event_set_address(&event, FIELD_SRC, &a);
}

/* A field of a module that may not be linked in. */
static uint16_t learned(const char *name, enum field_type type)
{
	int number = field_learn(bytes_of_text(name), type);
	CHECK(number >= 0);
	return (uint16_t)number;
}

static const char *ask_part(struct store_case *c, const char *name, uint64_t from_us, uint64_t to_us)
{
	static char sql[REPORT_SQL_MAX + 1];
	const struct report *r = report_find("telescope");
	MUST(r);
	for (size_t i = 0; i < REPORT_PARTS_MAX && r->parts[i].name; i++) {
		struct writer w = writer_of(sql, REPORT_SQL_MAX);
		if (strcmp(r->parts[i].name, name))
			continue;
		report_sql(&r->parts[i], from_us, to_us, &w);
		MUST(!w.bad);
		*w.at = '\0';
		return ask_as(c, sql, ANSWER_TSV, false);
	}
	MUST(!"such a part");
	return NULL;
}

static void run_report(struct store_case *c)
{
	const uint64_t from = NOON - 3600000000u, to = NOON + 3600000000u;
	learned("intent.verdict", FIELD_TEXT); /* before the segment's dictionary is written */
	learned("backscatter.destinations", FIELD_NUMBER);
	hand_begin(&hand);
	flow_make(0, "192.0.2.1", NULL, NOON); /* 10 packets over the minute before noon */
	hand_add(&hand, &event);
	flow_make(2, "192.0.2.1", NULL, NOON + 30000000);
	event_set_text(&event, FIELD_FLOW_CLASS, "backscatter");
	hand_add(&hand, &event);
	flow_make(90, "192.0.2.2", NULL, NOON + 3600000000u); /* beyond the range */
	hand_add(&hand, &event);
	event_make(EVENT_SOURCE_JUDGED, 1, "192.0.2.1");
	event_set_text(&event, learned("intent.verdict", FIELD_TEXT), "survey");
	event_set_number(&event, FIELD_CONFIDENCE, 60);
	hand_add(&hand, &event);
	event_make(EVENT_SOURCE_JUDGED, 2, "192.0.2.1");
	event_set_text(&event, learned("intent.verdict", FIELD_TEXT), "attack");
	event_set_number(&event, FIELD_CONFIDENCE, 90);
	event_set_text(&event, FIELD_EVIDENCE, "tool of a bot");
	hand_add(&hand, &event);
	event_make(EVENT_BACKSCATTER_SEEN, 3, "203.0.113.9");
	event_set_number(&event, learned("backscatter.destinations", FIELD_NUMBER), 40);
	event_set_number(&event, FIELD_FLOW_PACKETS, 77);
	hand_add(&hand, &event);
	MUST(hand_insert(c, &hand, 1000) == 0);
	MUST(!strncmp(ask_part(c, "totals", from, to), "22\t880\t2\t1\t1\t", 11));
	MUST(!strcmp(ask_part(c, "rate", from, to), "2023-11-15 11:59:00\t60\t11\t5\t6\n"
						    "2023-11-15 12:00:00\t60\t11\t5\t6\n"));
	MUST(!strcmp(ask_part(c, "classes", from, to), "backscatter\t12\t1\t1\nscan\t10\t1\t1\n"));
	MUST(!strcmp(ask_part(c, "tools", from, to), "mirai\t22\t1\t1\n"));
	MUST(!strcmp(ask_part(c, "ports", from, to), "tcp\t23\t22\t1\t9\n"));
	MUST(!strcmp(ask_part(c, "sources", from, to), "192.0.2.1\t22\t9\t1\tbackscatter\tmirai\tattack\t90\t"
						       "2023-11-15 12:00:00\t2023-11-15 12:00:30\ttool of a bot\n"));
	MUST(!strcmp(ask_part(c, "verdicts", from, to), "attack\t1\t90\n"));
	MUST(!strncmp(ask_part(c, "victims", from, to), "203.0.113.9\t\t0\t40\t77\t0\t1\t", 25));
	MUST(!strcmp(ask_part(c, "floods", from, to), ""));
	MUST(!strncmp(ask_part(c, "rate", 0, to), "2023-11-15 00:00:00\t86400\t22\t", 29));
	REPORTS_EACH(r) /* whatever the numbers: ClickHouse understands each part */
		for (size_t i = 0; i < REPORT_PARTS_MAX && (*r)->parts[i].name; i++) {
			char sql[REPORT_SQL_MAX + 1];
			struct writer w = writer_of(sql, REPORT_SQL_MAX);
			report_sql(&(*r)->parts[i], 0, to, &w);
			*w.at = '\0';
			const char *got = ask_as(c, sql, ANSWER_TSV, false);
			if (!strncmp(got, "query:", 6))
				fprintf(stderr, "%s %s: %s\n", (*r)->name, (*r)->parts[i].name, got);
			MUST(strncmp(got, "query:", 6));
		}
}
TEST(flows_are_reported) { in_process(run_report); }
