/* Events go into the real store and come out as they were; and what a row of it looks like. */
#include "share/select.h"
#include "tests/unit/store/store_case.h"

#define COUNT 40

static struct event event, again; /* large */
static struct hand_batch hand;

static const struct bytes hostile[] = {
	BYTES("\n\n\nDROP TABLE kansoku.events;\n\n"), BYTES("'; DROP TABLE events; --"), BYTES("\\N\t\\'\\\\"),
	BYTES("\0\1\2\xff\xfe"), BYTES("','"), BYTES("['a','b']\t\t"), BYTES("\b\f\r\v/"), BYTES("\xc3\x28 \xe2\x82 \xc3\xa9"),
};
#define HOSTILE (sizeof hostile / sizeof *hostile)

static void make(uint32_t n)
{
	struct id_maker maker = {9, n};
	struct address a;
	event_begin(&event, n % 4 == 3 ? EVENT_SESSION_OPENED : EVENT_LOGIN_TRIED);
	event.time_us = 1700000000999990u + n / 2;
	event.id = id_make(&maker, event.time_us);
	address_parse(bytes_of_text(n % 2 ? "192.0.2.1" : "2001:db8::1"), &a);
	event_set_text(&event, FIELD_SENSOR, "test");
	event_set_address(&event, FIELD_SRC, &a);
	event_set_number(&event, FIELD_DPORT, 23);
	event_set_bytes(&event, FIELD_LOGIN_USER, hostile[n % HOSTILE]);
	event_set_bool(&event, FIELD_LOGIN_ACCEPTED, n % 3 == 0);
	event_set_bytes(&event, FIELD_COMMAND_LINE, hostile[n % HOSTILE]);
	event_set_bytes(&event, FIELD_AGENT, hostile[(n + 1) % HOSTILE]);
	event_set_number(&event, FIELD_COUNT, n);
	event_set_bool(&event, FIELD_COMMAND_FOUND, n % 2);
	event_set_bytes(&event, FIELD_LOGIN_SECRET, BYTES("never"));
}

static bool same(const struct event *a, const struct event *b)
{
	static const enum field fields[] = {FIELD_SENSOR, FIELD_SRC, FIELD_DPORT, FIELD_LOGIN_USER, FIELD_COMMAND_LINE,
					    FIELD_AGENT, FIELD_COUNT, FIELD_COMMAND_FOUND};
	bool equal = a->kind == b->kind && a->time_us == b->time_us && id_equal(&a->id, &b->id);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		equal = equal && event_number(a, fields[i], 0) == event_number(b, fields[i], 0) &&
			bytes_equal(event_bytes(a, fields[i]), event_bytes(b, fields[i]));
	return equal && event_bool(a, FIELD_LOGIN_ACCEPTED) == event_bool(b, FIELD_LOGIN_ACCEPTED) &&
	       !event_get(b, FIELD_LOGIN_SECRET);
}

static int keep(void *arg, struct bytes part) { return buffer_append(arg, part.at, part.len); }

/* Rows of that selection, compared with the events from `n` on; how many there were. */
static uint32_t read_back(struct store_case *c, const struct selection *s, uint64_t after_us, const struct event_id *after,
			  uint64_t limit, uint32_t n)
{
	static char sql[64u << 10];
	struct buffer answer = BUFFER(1u << 20);
	struct writer w = writer_of(sql, sizeof sql - 1);
	select_question(s, TABLE_EVENTS, after_us, after, limit, &w);
	MUST(!w.bad);
	MUST(engine_ask(c->reader, writer_bytes(&w), ANSWER_TSV, false, keep, &answer, &c->fault) == 0);
	struct reader r = reader_of_bytes(buffer_bytes(&answer));
	struct bytes row;
	uint32_t count = 0;
	for (; read_line(&r, &row); count++) {
		MUST(select_row(TABLE_EVENTS, row, &again, &c->fault) == 0);
		make(n + count);
		MUST(same(&event, &again));
	}
	buffer_done(&answer);
	return count;
}

static void run_round(struct store_case *c)
{
	static const struct event_id zero;
	struct collection all = {.name = "all", .kinds = KIND_MASK(EVENT_LOGIN_TRIED) | KIND_MASK(EVENT_SESSION_OPENED)};
	const struct selection s = {.collection = &all, .from_us = 0, .to_us = 1800000000000000u};
	hand_begin(&hand);
	for (uint32_t i = 0; i < COUNT; i++) {
		make(i);
		hand_add(&hand, &event);
	}
	MUST(hand_insert(c, &hand, 1000) == 0);
	MUST(read_back(c, &s, 0, &zero, 1000, 0) == COUNT);
	/* Page by page, each begins behind the last event of the one before, also within one microsecond. */
	uint64_t after_us = 0;
	struct event_id after = zero;
	for (uint32_t n = 0; n < COUNT; n += 7) {
		MUST(read_back(c, &s, after_us, &after, 7, n) == (COUNT - n < 7 ? COUNT - n : 7));
		after_us = again.time_us;
		after = again.id;
	}
	MUST(read_back(c, &s, after_us, &after, 7, COUNT) == 0);
	struct selection_key keys[2];
	for (uint32_t i = 0; i < 2; i++) {
		make(10 + i);
		keys[i] = (struct selection_key){event.id, event.time_us};
	}
	const struct selection named = {.collection = &all, .keys = keys, .keys_count = 2, .where = "dport = 23"};
	MUST(read_back(c, &named, 0, &zero, 2, 10) == 2);
}

TEST(what_was_stored_is_selected_byte_for_byte_and_page_by_page) { in_process(run_round); }

TEST(a_row_that_is_damaged_is_refused)
{
	struct fault fault = {0};
	static const char *const bad[] = {"", "\t", "00\t1\t2", "zz", "00000000000000000000000000000000\tx"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		fault = (struct fault){0};
		CHECK(select_row(TABLE_EVENTS, bytes_of_text(bad[i]), &event, &fault) == ERR_BAD && *fault.text);
	}
}

static enum tlp marked(const struct collection *c, enum event_kind kind, const char *word)
{
	event_begin(&event, kind);
	if (word)
		event_set_text(&event, (uint16_t)field_find(BYTES("record.tlp")), word);
	return collection_marking(c, &event);
}

TEST(collections_are_read_and_what_is_unmarked_is_under_theirs)
{
	static struct config config;
	static struct collections list;
	struct fault fault = {0};
	const struct bytes text = BYTES("exchange:\n  collections:\n    - {name: shells, kinds: [command.sent], when: {command.found: true}, tlp: green}\n"
					"    - {name: attacks, title: Mine, kinds: [login.tried]}\n");
	CHECK(event_start(&fault) == 0);
	CHECK_SAY(config_read(text, "test", &config, &fault) == 0 && collections_read(&list, &config, &fault) == 0, "%s", fault.text);
	const struct collection *shells = collection_find(&list, "shells"), *attacks = collection_find(&list, "attacks");
	CHECK(shells && attacks && !strcmp(attacks->title, "Mine") && collection_find(&list, shells->id) == shells);
	CHECK(strlen(shells->id) == 36 && shells->id[14] == '5' && strcmp(shells->id, attacks->id) != 0);
	event_begin(&event, EVENT_COMMAND_SENT);
	CHECK(!collection_has(shells, &event));
	event_set_bool(&event, FIELD_COMMAND_FOUND, true);
	CHECK(collection_has(shells, &event) && !collection_has(attacks, &event));
	const struct collection *records = collection_find(&list, "records");
	CHECK(marked(shells, EVENT_COMMAND_SENT, NULL) == TLP_GREEN && marked(shells, EVENT_COMMAND_SENT, "RED") == TLP_RED);
	CHECK(marked(records, EVENT_RECORD_IMPORTED, NULL) == TLP_RED && marked(records, EVENT_RECORD_IMPORTED, "GREEN") == TLP_GREEN);
	CHECK(marked(records, EVENT_RECORD_IMPORTED, "mauve") == TLP_RED);
	config_done(&config);
	static const struct bytes wrong[] = {
		BYTES("exchange:\n  collections: [{name: A b, kinds: [login.tried]}]\n"),
		BYTES("exchange:\n  collections: [{name: a, kinds: [login.tired]}]\n"),
		BYTES("exchange:\n  collections: [{name: a, kinds: [flow.counted, login.tried]}]\n"),
		BYTES("exchange:\n  collections: [{name: a, kinds: [login.tried], tlp: pink}]\n"),
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		fault = (struct fault){0};
		CHECK(config_read(wrong[i], "test", &config, &fault) == 0 && collections_read(&list, &config, &fault) == ERR_BAD &&
		      *fault.text);
		config_done(&config);
	}
}
