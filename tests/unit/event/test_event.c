#include "event/frame.h"
#include "tests/test.h"

FIELD(test_colour, "test.colour", TEXT, 0, "a module's own field");

static struct event e, back;

static void make(void)
{
	CHECK(event_start(NULL) == 0);
	struct id_maker maker = id_maker_new();
	event_begin(&e, EVENT_LOGIN_TRIED);
	e.time_us = 1427846400000000;
	e.id = id_make(&maker, e.time_us);
	struct address a = address_v4(0xc0000201);
	event_set_address(&e, FIELD_SRC, &a);
	event_set_number(&e, FIELD_SPORT, 40000);
	event_set_bytes(&e, FIELD_LOGIN_USER, BYTES("ro\"ot\xff"));
	event_set_bool(&e, FIELD_LOGIN_ACCEPTED, true);
	event_set_text(&e, test_colour, "観");
	event_set_chain(&e, &e.id, &e.id, 2);
}

TEST(event_survives_its_frame)
{
	make();
	uint8_t room[FRAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	frame_encode(&e, &w);
	CHECK(!w.bad);
	struct reader r = reader_of(room, writer_used(&w));
	struct bytes frame;
	CHECK(frame_take(&r, &frame) == 0 && reader_left(&r) == 0);
	CHECK(frame_decode(frame, NULL, &back) == 0);
	char one[2048], two[2048];
	struct writer j1 = writer_of(one, sizeof one), j2 = writer_of(two, sizeof two);
	event_write_json(&e, &j1);
	event_write_json(&back, &j2);
	CHECK(bytes_equal(writer_bytes(&j1), writer_bytes(&j2)));
	for (size_t n = 0; n < frame.len; n++) {
		struct reader cut = reader_of(room, n);
		CHECK(frame_take(&cut, &frame) == ERR_GONE);
		frame = (struct bytes){room, writer_used(&w)};
	}
}

TEST(event_json_escapes_outside_bytes)
{
	make();
	char json[2048];
	struct writer w = writer_of(json, sizeof json - 1);
	event_write_json(&e, &w);
	*w.at = 0;
	CHECK_SAY(strstr(json, "\"login.user\":\"ro\\u0022ot\\u00ff\""), "%s", json);
	CHECK_SAY(strstr(json, "\"time\":\"2015-04-01T00:00:00.000000Z\""), "%s", json);
	CHECK_SAY(strstr(json, "\"src\":\"192.0.2.1\"") && strstr(json, "\"depth\":3"), "%s", json);
}

TEST(event_dictionaries_map_foreign_numbers)
{
	make();
	uint8_t room[DICTIONARY_MAX];
	struct writer w = writer_of(room, sizeof room);
	dictionary_write(&w);
	CHECK(!w.bad);
	static struct dictionary d;
	CHECK(dictionary_read(writer_bytes(&w), &d) == 0 && d.same);

	/* A sender with one kind and two fields, of which we know neither number nor the second name. */
	w = writer_of(room, sizeof room);
	write_u16(&w, 1);
	write_u8(&w, 12);
	write_text(&w, "command.sent");
	write_u16(&w, 2);
	write_u8(&w, FIELD_BYTES);
	write_u8(&w, 12);
	write_text(&w, "command.line");
	write_u8(&w, FIELD_NUMBER);
	write_u8(&w, 6);
	write_text(&w, "new.it");
	CHECK(dictionary_read(writer_bytes(&w), &d) == 0 && !d.same);
	CHECK(d.kinds[0] == EVENT_COMMAND_SENT && d.fields[0] == FIELD_COMMAND_LINE);
	CHECK(field_find(BYTES("new.it")) == d.fields[1]);
}

TEST(event_bytes_beyond_the_limit_are_cut_and_marked)
{
	CHECK(event_start(NULL) == 0);
	static uint8_t big[EVENT_BYTES_MAX + 100];
	event_begin(&e, EVENT_COMMAND_SENT);
	event_set_bytes(&e, FIELD_COMMAND_LINE, (struct bytes){big, sizeof big});
	CHECK(e.cut && event_bytes(&e, FIELD_COMMAND_LINE).len == EVENT_BYTES_MAX);
	uint8_t room[FRAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	frame_encode(&e, &w);
	CHECK(!w.bad && frame_decode(writer_bytes(&w), NULL, &back) == 0 && back.cut);
}

TEST(event_times_read_back)
{
	char text[TIME_TEXT_MAX];
	uint64_t t = 0;
	CHECK(time_parse(BYTES("2015-06-20T23:59:59.25Z"), &t));
	CHECK(!strcmp(time_format(t, text), "2015-06-20T23:59:59.250000Z"));
	CHECK(time_parse(BYTES("2015-04-01"), &t) && t == 1427846400000000);
	CHECK(!time_parse(BYTES("yesterday"), &t));
}
