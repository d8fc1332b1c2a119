/* What our outputs write, our formats read: a partner who runs kansoku as well loses nothing that has a place in both. */
#include "share/intake/intake_inner.h"
#include "share/output.h"
#include "tests/test.h"
#include <stdlib.h>

#define CONTENT_MAX (8u << 20)

/* Of what must come back: nothing for sure, something, or who acted. */
enum need { MAYBE, SOME, ACTOR };
static const struct pair { const char *output, *format; enum need need; } pairs[] = {
	{"stix", "stix", SOME}, {"misp", "misp", MAYBE}, {"cof", "cof", SOME}, {"cowrie", "cowrie", ACTOR},
	{"flowtuple", "flowtuple", ACTOR}, {"nicter", "nicter", SOME}, {"csv", "csv", ACTOR}, {"sheet", "csv", ACTOR},
	{"predict", "predict", SOME}, {"pcapng", "pcap", ACTOR},
};

struct came {
	struct event *event;  /* of the specimen, the one looked for */
	bool found;
	size_t records, bad;
	char why[300];
};

static int keep(void *arg, struct bytes b) { return buffer_append(arg, b.at, b.len); }

static bool on_record(void *arg, const struct record *r)
{
	struct came *came = arg;
	struct address src;
	came->records++;
	if (event_address(came->event, FIELD_SRC, &src))
		came->found |= r->has_address && address_equal(&r->address, &src);
	else
		came->found = true;
	return true;
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
	struct came *came = arg;
	(void)line;
	came->bad++;
	snprintf(came->why, sizeof came->why, "%s", why);
}

static void read_back(const struct pair *pair, const char *title, struct bytes content, struct came *came)
{
	struct intake *in;
	struct fault fault = {0};
	const struct intake_hooks hooks = {.arg = came, .record = on_record, .bad = on_bad};
	CHECK(intake_open(&in, format_find(bytes_of_text(pair->format)), "test", &hooks, &fault) == 0);
	CHECK_SAY(intake_feed(in, content, &fault) == 0 && intake_end(in, &fault) == 0, "%s: %s: %s", pair->format, title, fault.text);
	intake_close(in);
}

static void write_one(const struct output *o, const struct event *e, struct buffer *out, bool *said)
{
	static const struct output_about about = {.collection = "test", .title = "A test", .producer = "Example CERT",
		.marking = "GREEN", .from_us = UINT64_C(1425513600000000), .to_us = UINT64_C(1425600000000000),
		.time_us = UINT64_C(1425700000000000)};
	struct output_run *run;
	struct fault fault = {0};
	CHECK_SAY(output_open(&run, o, &about, keep, out, &fault) == 0, "%s: %s", o->name, fault.text);
	CHECK(output_event(run, e) == 0);
	*said = output_written(run) > 0;
	CHECK_SAY(output_close(run, true, &fault) == 0, "%s: %s", o->name, fault.text);
}

static size_t try_specimen(const struct pair *pair, const struct output *o, const struct output_specimen *s)
{
	static struct event e;
	static uint8_t room[65536];
	struct fault fault = {0};
	struct reader r = reader_of_bytes(bytes_of_text(s->events));
	struct bytes line;
	size_t count = 0;
	while (read_line(&r, &line)) {
		struct buffer out = BUFFER(CONTENT_MAX);
		struct came came = {.event = &e};
		bool said;
		CHECK_SAY(output_read_event(line, room, &e, &fault) == 0, "%s: %s: %s", o->name, s->title, fault.text);
		write_one(o, &e, &out, &said);
		if (said) {
			read_back(pair, s->title, buffer_bytes(&out), &came);
			CHECK_SAY(!came.bad, "%s: %s: %s\n%.*s", o->name, s->title, came.why, (int)buffer_len(&out),
				  (const char *)buffer_bytes(&out).at);
			CHECK_SAY((came.records || pair->need < SOME) && (came.found || pair->need < ACTOR), "%s: %s: nothing came back of\n%.*s", o->name, s->title,
				  (int)buffer_len(&out), (const char *)buffer_bytes(&out).at);
			count++;
		}
		buffer_done(&out);
	}
	return count;
}

TEST(what_outputs_write_formats_read)
{
	size_t count = 0;
	CHECK(event_start(NULL) == 0);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		const struct output *o = output_find(pairs[i].output);
		CHECK_SAY(o && format_find(bytes_of_text(pairs[i].format)), "%s, %s: one is not there", pairs[i].output, pairs[i].format);
		for (const struct output_specimen *s = o->specimens; s && s->title; s++)
			count += try_specimen(&pairs[i], o, s);
	}
	CHECK(count >= 4);
}
