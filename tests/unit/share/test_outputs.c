/* Each output's own examples, whole, and what surrounds every output: bounds, failures, private fields. */
#include "share/output.h"
#include "tests/test.h"
#include "tests/unit/share/events.h"
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
	struct output_about own = about;
	struct output_run *run;
	struct fault fault = {0};
	struct reader r = reader_of_bytes(bytes_of_text(s->events));
	struct bytes line;
	own.collection = s->collection ? s->collection : own.collection;
	CHECK_SAY(output_open(&run, o, &own, keep, out, &fault) == 0, "%s: %s", o->name, fault.text);
	while (read_line(&r, &line)) {
		event_of_json(line, &e);
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
