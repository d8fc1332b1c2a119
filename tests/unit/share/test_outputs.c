/* Each output's own examples, whole, and what surrounds every output: bounds, failures, private fields. */
#include "share/output.h"
#include "tests/test.h"
#include <stdlib.h>

#define CONTENT_MAX (8u << 20)

static const uint8_t key[32] = "0123456789abcdef0123456789abcdef";

static const struct output_about about = {
	.collection = "test", .title = "A test", .producer = "Example CERT", .marking = "GREEN",
	.from_us = UINT64_C(1425513600000000), .to_us = UINT64_C(1425600000000000),
	.time_us = UINT64_C(1425700000000000), .key = key,
};

static int keep(void *arg, struct bytes b) { return buffer_append(arg, b.at, b.len); }

static void write_all(const struct output *o, const struct output_specimen *s, struct buffer *out)
{
	static struct event e;
	static uint8_t room[65536];
	struct output_about own = about;
	struct output_run *run;
	struct fault fault = {0};
	struct reader r = reader_of_bytes(bytes_of_text(s->events));
	struct bytes line;
	own.collection = s->collection ? s->collection : own.collection;
	CHECK_SAY(output_open(&run, o, &own, keep, out, &fault) == 0, "%s: %s", o->name, fault.text);
	while (read_line(&r, &line)) {
		CHECK_SAY(output_read_event(line, room, &e, &fault) == 0, "%s: %s: %s", o->name, s->title, fault.text);
		CHECK_SAY(output_event(run, &e) == 0, "%s: %s", o->name, s->title);
	}
	CHECK_SAY(output_close(run, true, &fault) == 0, "%s: %s: %s", o->name, s->title, fault.text);
}

TEST(outputs_write_their_own_examples_and_the_same_again)
{
	size_t count = 0;
	CHECK(event_start(NULL) == 0);
	OUTPUTS_EACH(o) {
		CHECK_SAY((*o)->specimens && (*o)->specimens->title, "%s shows no example", (*o)->name);
		for (const struct output_specimen *s = (*o)->specimens; s->title; s++, count++) {
			struct buffer one = BUFFER(CONTENT_MAX), two = BUFFER(CONTENT_MAX);
			write_all(*o, s, &one);
			write_all(*o, s, &two);
			CHECK_SAY(bytes_equal(buffer_bytes(&one), buffer_bytes(&two)), "%s: %s: differs the second time",
				  (*o)->name, s->title);
			CHECK_SAY(!s->content || bytes_equal_text(buffer_bytes(&one), s->content), "%s: %s:\n%.*s\nnot\n%s",
				  (*o)->name, s->title, (int)buffer_len(&one), (const char *)buffer_bytes(&one).at,
				  s->content);
			buffer_done(&one);
			buffer_done(&two);
		}
	}
	CHECK(count >= 3);
}

/* An event with as many bytes as one can have, of the kind that grows most when it is written. */
static void make_largest(struct event *e, enum event_kind kind)
{
	static uint8_t worst[EVENT_BYTES_MAX];
	struct address a = address_v4(0xcb007109);
	memset(worst, '"', sizeof worst / 2);
	memset(worst + sizeof worst / 2, 0xff, sizeof worst / 2);
	event_begin(e, kind);
	e->time_us = about.from_us;
	event_set_address(e, FIELD_SRC, &a);
	event_set_text(e, FIELD_PROTO, "tcp");
	event_set_number(e, FIELD_DPORT, 65535);
	event_set_bytes(e, FIELD_LOGIN_SECRET, BYTES("never-shown"));
	event_set_bytes(e, FIELD_LOGIN_USER, (struct bytes){worst, sizeof worst / 4});
	event_set_bytes(e, FIELD_INDICATOR_VALUE, (struct bytes){worst, sizeof worst / 4});
	event_set_bytes(e, FIELD_COMMAND_LINE, (struct bytes){worst + sizeof worst / 2, sizeof worst / 2});
}

TEST(outputs_hold_the_largest_event_of_every_kind_and_no_private_field)
{
	static struct event e;
	CHECK(event_start(NULL) == 0);
	OUTPUTS_EACH(o) {
		struct buffer out = BUFFER(CONTENT_MAX);
		struct output_run *run;
		struct fault fault = {0};
		CHECK(output_open(&run, *o, &about, keep, &out, &fault) == 0);
		for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
			make_largest(&e, (enum event_kind)kind);
			CHECK_SAY(output_event(run, &e) == 0, "%s: %s", (*o)->name, event_kind_name(e.kind));
		}
		CHECK(output_written(run) + output_passed_over(run) == EVENT_KIND_COUNT);
		CHECK_SAY(output_close(run, true, &fault) == 0, "%s: %s", (*o)->name, fault.text);
		CHECK_SAY(bytes_find(buffer_bytes(&out), "never-shown") == buffer_len(&out), "%s tells a password", (*o)->name);
		buffer_done(&out);
	}
}

static int refuse(void *arg, struct bytes b)
{
	(void)arg;
	(void)b;
	return ERR_GONE;
}

TEST(outputs_stop_where_nobody_takes_them)
{
	static struct event e;
	CHECK(event_start(NULL) == 0);
	OUTPUTS_EACH(o) {
		struct output_run *run;
		struct fault fault = {0};
		CHECK(output_open(&run, *o, &about, refuse, NULL, &fault) == 0);
		make_largest(&e, EVENT_LOGIN_TRIED);
		output_event(run, &e);
		int bad = output_close(run, true, &fault);
		CHECK_SAY(bad == 0 || (bad == ERR_GONE && fault.text[0]), "%s: %d %s", (*o)->name, bad, fault.text);
		CHECK(output_open(&run, *o, &about, refuse, NULL, &fault) == 0);
		output_event(run, &e);
		CHECK(output_close(run, false, NULL) == 0);
	}
}

static void check_round(const struct event *e)
{
	static struct event back;
	static uint8_t line[8 * EVENT_BYTES_MAX], room[8 * EVENT_BYTES_MAX], again[8 * EVENT_BYTES_MAX];
	struct writer w = writer_of(line, sizeof line), v = writer_of(again, sizeof again);
	struct fault fault = {0};
	event_write_json(e, &w);
	CHECK_SAY(output_read_event(writer_bytes(&w), room, &back, &fault) == 0, "%s", fault.text);
	event_write_json(&back, &v);
	CHECK(bytes_equal(writer_bytes(&w), writer_bytes(&v)));
	CHECK(back.count == e->count && back.kind == e->kind && back.time_us == e->time_us);
	for (uint16_t i = 0; i < e->count; i++)
		CHECK(e->values[i].number == back.values[i].number && bytes_equal(e->values[i].bytes, back.values[i].bytes));
}

TEST(events_come_back_out_of_json_lines_byte_for_byte)
{
	static struct event e;
	uint8_t all[256];
	CHECK(event_start(NULL) == 0);
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	make_largest(&e, EVENT_LOGIN_TRIED);
	check_round(&e);
	event_begin(&e, EVENT_FLOW_COUNTED);
	event_set_bytes(&e, FIELD_COMMAND_LINE, (struct bytes){all, sizeof all});
	event_set_bytes(&e, FIELD_LOGIN_USER, BYTES("\xc3\xa9 and \xe8\xa6\xb3"));
	event_set_number(&e, FIELD_FLOW_PACKETS, UINT64_MAX);
	event_set_number(&e, FIELD_FLOW_FIRST, UINT64_C(1425513600000001));
	event_set_bool(&e, FIELD_FLOW_ANSWER, false);
	check_round(&e);
}

TEST(lines_that_are_no_events_are_refused_with_a_reason)
{
	static const char *const lines[] = {
		"", "{", "{}", "[]", "{\"kind\":\"no.such\"}", "{\"kind\":\"flow.counted\"", "{\"kind\":\"flow.counted\",}",
		"{\"kind\":\"flow.counted\",\"nofield\":1}", "{\"kind\":\"flow.counted\",\"src\":\"nowhere\"}",
		"{\"kind\":\"flow.counted\",\"dport\":\"x\"}", "{\"kind\":\"flow.counted\",\"dport\":{}}",
		"{\"kind\":\"flow.counted\",\"tool\":\"\\u00ff\"}", "{\"kind\":\"flow.counted\",\"tool\":\"\\u00",
		"{\"kind\":\"flow.counted\",\"tool\":\"\\q\"}",
	};
	static struct event e;
	uint8_t room[256];
	CHECK(event_start(NULL) == 0);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct fault fault = {0};
		CHECK_SAY(output_read_event(bytes_of_text(lines[i]), room, &e, &fault) == ERR_BAD && fault.text[0], "%s",
			  lines[i]);
	}
}
