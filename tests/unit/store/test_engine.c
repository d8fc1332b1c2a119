/* Events in the tables of the real library: exactly once, byte by byte, no longer than allowed. */
#include "base/clock.h"
#include "store/retention.h"
#include "tests/unit/store/store_case.h"

static struct event event; /* large */
static struct hand_batch hand;

static void login_make(uint32_t n, const char *src, struct bytes user, struct bytes secret)
{
	struct id_maker maker = {9, n};
	struct address a;
	event_begin(&event, EVENT_LOGIN_TRIED);
	event.time_us = 1700000000123456u + n;
	event.id = id_make(&maker, event.time_us);
	address_parse(bytes_of_text(src), &a);
	event_set_address(&event, FIELD_SRC, &a);
	event_set_number(&event, FIELD_DPORT, 23);
	event_set_text(&event, FIELD_SERVICE, "telnet");
	event_set_bytes(&event, FIELD_LOGIN_USER, user);
	event_set_bytes(&event, FIELD_LOGIN_SECRET, secret);
	event_set_bytes(&event, FIELD_COMMAND_LINE, user);
	event_set_number(&event, FIELD_COUNT, 7);
}

static void run_hostile(struct store_case *c)
{
	static const struct bytes hostile[] = {
		BYTES("\n\n\nDROP TABLE kansoku.events;\n\n"), BYTES("'; DROP TABLE events; --"),
		BYTES("\\N\t\\'\\\\"),  BYTES("\0\1\2\xff\xfe"), BYTES(""), BYTES("}{\"a\":1}\n\n"),
		BYTES("FORMAT Null\n\nSELECT 1"), BYTES("\xc3\x28 \xe2\x82 é"), BYTES("`private`"),
	};
	const uint32_t count = sizeof hostile / sizeof *hostile;
	hand_begin(&hand);
	for (uint32_t i = 0; i < count; i++) {
		login_make(i, i % 2 ? "192.0.2.1" : "2001:db8::1", hostile[i], hostile[i]);
		hand_add(&hand, &event);
	}
	MUST(hand_insert(c, &hand, 1000) == 0);
	for (uint32_t i = 0; i < count; i++) {
		char sql[256], expect[256];
		struct writer w = writer_of(expect, sizeof expect);
		for (size_t k = 0; k < hostile[i].len; k++)
			write_fmt(&w, "%02X", hostile[i].at[k]);
		write_text(&w, "");
		expect[writer_used(&w)] = '\0';
		snprintf(sql, sizeof sql, "SELECT concat(hex(login_user), '') FROM events WHERE time_us = %u",
			 123456 + i);
		const char *got = ask(c, sql);
		MUST(strlen(got) == strlen(expect) + 1 && !strncmp(got, expect, strlen(expect)));
		snprintf(sql, sizeof sql, "SELECT hex(value[indexOf(field,'command.line')]) FROM events "
					  "WHERE time_us = %u", 123456 + i);
		got = ask(c, sql);
		MUST(strlen(got) == strlen(expect) + 1 && !strncmp(got, expect, strlen(expect)));
	}
	MUST(!strcmp(ask(c, "SELECT count(), sum(cityHash64(value) = cityHash64(login_user)) FROM private "
			    "ALL INNER JOIN events ON private.id = events.id"), "9\t9\n"));
	MUST(!strcmp(ask(c, "SELECT src, dport, time, time_us, value[indexOf(field,'count')] FROM log "
			    "WHERE src = '192.0.2.1' ORDER BY time, time_us LIMIT 1"),
		     "192.0.2.1\t23\t2023-11-14 22:13:20\t123457\t7\n"));
	MUST(!strcmp(ask(c, "SELECT count() FROM events WHERE src = addr('2001:db8::1')"), "5\n"));
	const char *json = ask_as(c, "SELECT login_user FROM events WHERE time_us = 123459", ANSWER_LINES, false);
	MUST(!strcmp(json, "{\"login_user\":\"\\u0000\\u0001\\u0002\\u00ff\\u00fe\"}\n"));
}
TEST(store_keeps_hostile_bytes_verbatim) { in_process(run_hostile); }

static void run_twice(struct store_case *c)
{
	for (uint32_t batch = 0; batch < 3; batch++) {
		hand_begin(&hand);
		for (uint32_t i = 0; i < 50; i++) {
			login_make(batch * 50 + i, "192.0.2.1", BYTES("root"), BYTES("admin"));
			/* Two months, so that the insert spans partitions. */
			event.time_us += i % 2 ? 86400000000u * 40 : 0;
			hand_add(&hand, &event);
		}
		for (int again = 0; again < 3; again++)
			MUST(hand_insert(c, &hand, 1000 + batch * 100000) == 0);
	}
	MUST(!strcmp(ask(c, "SELECT count(), uniqExact(id) FROM events"), "150\t150\n"));
	MUST(!strcmp(ask(c, "SELECT count(), uniqExact(id) FROM private"), "150\t150\n"));
}
TEST(store_counts_a_repeated_batch_once) { in_process(run_twice); }

static void run_readers(struct store_case *c)
{
	static const struct {
		const char *sql, *answer; /* a part of the answer or of the refusal */
	} cases[] = {
		{"SELECT 1", "1\n"},
		{"SELECT count() FROM events", "0\n"},
		{"SELECT sum(number) FROM numbers(10)", "45\n"},
		{"SELECT 'file(''/etc/passwd'')'", "file("},
		{"SELECT 1 -- file('x')", "1\n"},
		{"SELECT /* url('x') */ 1", "1\n"},
		{"SELECT 1; SELECT 2", "2 statements"},
		{"INSERT INTO events SELECT * FROM events", "only statements that read"},
		{"DROP TABLE events", "only statements that read"},
		{"SET readonly = 0", "only statements that read"},
		{"SELECT 1 INTO OUTFILE '/tmp/x'", "only statements that read"},
		{"SELECT 1 SETTINGS max_execution_time = 0", "READONLY"},
		{"SELECT file('/etc/passwd')", "file() may reach"},
		{"SELECT FiLe /* x */ ('/etc/passwd')", "file() may reach"},
		{"SELECT `file`('/etc/passwd')", "file() may reach"},
		{"SELECT \"file\"('/etc/passwd')", "file() may reach"},
		{"SELECT `f\\x69le`('/etc/passwd')", "an escape in a name"},
		{"SELECT \xe2\x80\x9c" "file\xe2\x80\x9d('/etc/passwd')", "outside ASCII"},
		{"SELECT $a$ ' $a$, file('/etc/passwd')", "outside ASCII"},
		{"SELECT /* /* */ file('/etc/passwd') /* */", "file() may reach"},
		{"DESCRIBE url('http://127.0.0.1:1/')", "url() may reach"},
		{"SELECT * FROM s3('http://127.0.0.1:1/x/y')", "s3() may reach"},
		{"SELECT * FROM remote('127.0.0.1', system.one)", "remote() may reach"},
		{"SELECT * FROM merge('kansoku', 'private')", "merge() may reach"},
		{"SELECT * FROM eval('SELECT 1')", "eval() may reach"},
		{"SELECT * FROM `/etc/passwd`", "UNKNOWN_TABLE"},
		{"SELECT * FROM default.`/etc/passwd`", "READONLY"},
		{"SELECT count() FROM private", "not for this reader"},
		{"SELECT count() FROM kansoku.`PRIVATE`", "not for this reader"},
		{"SELECT count() FROM numbers(100000000000)", "TIMEOUT_EXCEEDED"},
		{"SELECT groupArray(number) FROM numbers(1000000000)", "emory limit"},
		{"SELECT number FROM numbers(10000000)", "Limit for result exceeded"},
		{"SELECT", "Syntax error"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = ask_as(c, cases[i].sql, ANSWER_TSV, false);
		if (!strstr(got, cases[i].answer)) {
			fprintf(stderr, "%s\n  answered: %.300s\n  without: %s\n", cases[i].sql, got,
				cases[i].answer);
			_exit(1);
		}
	}
	MUST(strstr(ask_as(c, "SELECT number FROM numbers(10000000)", ANSWER_LINES, false), "exceeds"));
	MUST(!strcmp(ask(c, "SELECT count() FROM private"), "0\n"));
}
TEST(store_readers_only_read) { in_process(run_readers); }

static void run_formats(struct store_case *c)
{
	static const char sql[] = "SELECT 1 AS a, 'x,\"y' AS b";
	MUST(!strcmp(ask_as(c, sql, ANSWER_LINES, false), "{\"a\":1,\"b\":\"x,\\\"y\"}\n"));
	MUST(!strcmp(ask_as(c, sql, ANSWER_CSV, false), "\"a\",\"b\"\n1,\"x,\"\"y\"\n"));
	MUST(!strncmp(ask_as(c, sql, ANSWER_PARQUET, false), "PAR1", 4));
	MUST(strstr(ask_as(c, sql, ANSWER_JSON, false), "\"rows\": 1"));
	MUST(strstr(ask_as(c, sql, ANSWER_PRETTY, false), "x,\"y"));
}
TEST(store_answers_in_every_format) { in_process(run_formats); }

static void run_evolution(struct store_case *c)
{
	MUST(engine_run_text(c->engine, "ALTER TABLE kansoku.events DROP COLUMN persona, DROP COLUMN dport",
			     NULL, &c->fault) == 0);
	MUST(engine_run_text(c->engine,
			     "INSERT INTO kansoku.events (id, time, kind, field, value) VALUES ("
			     "'0123456789abcdef', '2024-01-01 00:00:00', 'login.tried', "
			     "['persona', 'dport'], ['camera', '23'])", NULL, &c->fault) == 0);
	MUST(engine_prepare(c->engine, &c->fault) == 0);
	MUST(!strcmp(ask(c, "SELECT persona, dport FROM log"), "camera\t23\n"));
	MUST(engine_run_text(c->engine, "ALTER TABLE kansoku.events MODIFY COLUMN sport String", NULL,
			     &c->fault) == 0);
	MUST(engine_prepare(c->engine, &c->fault) == ERR_BAD && strstr(c->fault.text, "column sport"));
}
TEST(store_adds_columns_that_the_vocabulary_gained) { in_process(run_evolution); }

static void insert_login(struct store_case *c, uint32_t n, const char *src, uint64_t age_days)
{
	login_make(n, src, BYTES("root"), BYTES("hunter2"));
	event.time_us = clock_utc_us() - age_days * 86400000000u;
	hand_begin(&hand);
	hand_add(&hand, &event);
	MUST(hand_insert(c, &hand, 1000 + n * 1000) == 0);
}

static void run_retention(struct store_case *c)
{
	struct option_pair kinds[] = {{"login.tried", BYTES("90d"), 1}};
	struct option_pair fields[] = {{"login.user", BYTES("20d"), 1}, {"command.line", BYTES("20d"), 2}};
	const struct store_options o = {.retention = {.default_ms = (uint64_t)365 * 86400000,
						      .private_ms = (uint64_t)30 * 86400000,
						      .flows_ms = (uint64_t)90 * 86400000,
						      .kinds = {kinds, 1}, .fields = {fields, 2}}};
	const uint64_t ages[] = {0, 10, 25, 60, 100, 400};
	/* A hundred years lie before 1970, where the store's times begin: nothing is that old. */
	const uint64_t century_ms = (uint64_t)36500 * 86400000;
	const struct store_options for_ever = {
		.retention = {.default_ms = century_ms, .private_ms = century_ms, .flows_ms = century_ms}};
	for (uint32_t i = 0; i < 6; i++)
		insert_login(c, i, "192.0.2.1", ages[i]);
	MUST(retention_run(c->engine, &for_ever, &c->fault) == 0);
	MUST(!strcmp(ask(c, "SELECT count() FROM events"), "6\n"));
	MUST(retention_run(c->engine, &o, &c->fault) == 0);
	MUST(!strcmp(ask(c, "SELECT count(), sum(login_user = 'root'), sum(has(field, 'command.line')), "
			    "sum(has(field, 'count')) FROM events"), "4\t2\t2\t4\n"));
	MUST(!strcmp(ask(c, "SELECT count() FROM private"), "3\n"));
	MUST(retention_run(c->engine, &o, &c->fault) == 0);
}
TEST(store_keeps_things_only_as_long_as_it_may) { in_process(run_retention); }

static void run_erase(struct store_case *c)
{
	insert_login(c, 1, "192.0.2.1", 1);
	insert_login(c, 2, "192.0.2.2", 40);
	insert_login(c, 3, "192.0.2.2", 1);
	struct erasure e;
	struct erasing out = {.what = &e};
	MUST(erasure_from_words("192.0.2.2", &e, &c->fault) == 0);
	e.dry_run = true;
	MUST(engine_erase(c->engine, &out, &c->fault) == 0 && out.rows[TABLE_EVENTS] == 2 && out.private_values == 2);
	MUST(!strcmp(ask(c, "SELECT count() FROM events"), "3\n"));
	e.dry_run = false;
	MUST(engine_erase(c->engine, &out, &c->fault) == 0);
	MUST(!strcmp(ask(c, "SELECT (SELECT count() FROM events), (SELECT count() FROM private)"), "1\t1\n"));
	/* A password is enough to find an event by. */
	MUST(erasure_from_words("hunter2", &e, &c->fault) == 0);
	MUST(engine_erase(c->engine, &out, &c->fault) == 0 && out.rows[TABLE_EVENTS] == 1);
	MUST(!strcmp(ask(c, "SELECT count() FROM system.parts WHERE database = 'kansoku' AND active = 0"), "0\n"));
}
TEST(store_erases_rows_and_their_private_values) { in_process(run_erase); }
