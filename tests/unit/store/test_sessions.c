#include "event/frame.h"
#include "store/crashes.h"
#include "tests/test.h"

#define NOW 1427846400000000u /* 2015-04-01 */
#define MINUTE 60000000u

static struct event e;
static struct id_maker maker = {3, 0};

static struct event_id opened(struct sessions *s, uint32_t source, unsigned instance, const char *service)
{
	struct address a = address_v4(source), decoy = address_v4(0x09010203);
	event_begin(&e, EVENT_SESSION_OPENED);
	e.id = id_make(&maker, NOW);
	event_set_address(&e, FIELD_SRC, &a);
	event_set_number(&e, FIELD_SPORT, 40000);
	event_set_address(&e, FIELD_DST, &decoy);
	event_set_number(&e, FIELD_DPORT, 23);
	event_set_text(&e, FIELD_PROTO, "tcp");
	event_set_text(&e, FIELD_SERVICE, service);
	struct event_id id = e.id;
	sessions_add(s, &e, instance);
	return id;
}

TEST(sessions_are_taken_by_instance_and_closed_whole)
{
	struct sessions *s = NULL;
	CHECK(event_start(NULL) == 0 && sessions_open(&s, 100, 7) == 0);
	struct event_id telnet = opened(s, 1, 0, "telnet");
	opened(s, 2, 1, "http");
	sessions_add(s, &e, 1); /* sent again */
	CHECK(sessions_count(s) == 2);
	struct open_session o;
	CHECK(sessions_take(s, 0, &o) && id_equal(&o.id, &telnet) && !sessions_take(s, 0, &o));
	sessions_write_closed(s, &o, "crash", NOW + MINUTE, &e);
	char json[2048];
	struct writer w = writer_of(json, sizeof json - 1);
	event_write_json(&e, &w);
	*w.at = 0;
	CHECK_SAY(strstr(json, "\"kind\":\"session.closed\"") && strstr(json, "\"src\":\"0.0.0.1\"") &&
			  strstr(json, "\"service\":\"telnet\"") && strstr(json, "\"dport\":23") &&
			  strstr(json, "\"sport\":40000") && strstr(json, "\"depth\":1") &&
			  strstr(json, "\"duration\":60000000"),
		  "%s", json);
	sessions_close(s);
}

TEST(sessions_come_and_go_within_their_bound)
{
	struct sessions *s = NULL;
	CHECK(event_start(NULL) == 0 && sessions_open(&s, 50, 7) == 0);
	struct event_id ids[60];
	for (int round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 50; i++)
			ids[i] = opened(s, i, i % 3, "telnet");
		for (uint32_t i = 0; i < 50; i += 2)
			sessions_remove(s, &ids[i]);
		CHECK(sessions_count(s) == 25);
		struct open_session o;
		unsigned left = 0;
		for (unsigned instance = 0; instance < 3; instance++)
			while (sessions_take(s, instance, &o))
				left += o.instance == instance;
		CHECK(left == 25 && sessions_count(s) == 0);
	}
	for (uint32_t i = 0; i < 60; i++)
		opened(s, i, 0, "telnet");
	CHECK(sessions_count(s) == 50 && sessions_unkept(s) == 10);
	sessions_close(s);
}

TEST(sessions_of_dead_instances_only_are_closed_as_crashed)
{
	struct crashes *c = NULL;
	CHECK(event_start(NULL) == 0 && crashes_open(&c) == 0);
	const uint32_t makers[] = {11, 12};
	uint8_t room[512];
	for (int i = 0; i < 2; i++) {
		struct id_maker of = {makers[i], 0};
		event_begin(&e, EVENT_SESSION_OPENED);
		e.id = id_make(&of, NOW);
		struct writer w = writer_of(room, sizeof room);
		frame_encode(&e, &w);
		crashes_see(c, writer_bytes(&w), NULL);
	}
	CHECK(!crashes_next(c, makers, 2, NOW, &e));
	CHECK(crashes_next(c, &makers[0], 1, NOW, &e) && e.kind == EVENT_SESSION_CLOSED);
	CHECK(bytes_equal_text(event_bytes(&e, FIELD_CLOSE_REASON), "crash"));
	CHECK(!crashes_next(c, &makers[0], 1, NOW, &e));
	crashes_close(c);
}
