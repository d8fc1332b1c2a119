/* Events to notices, the limit of an hour, what is left out, and ways that fail. */
#include "share/notify/notify_inner.h"
#include "tests/test.h"
#include <stdlib.h>

#define S 1000000ull

static struct event e;

static void an_event(const char *user)
{
	CHECK(event_start(NULL) == 0);
	event_begin(&e, EVENT_LOGIN_TRIED);
	e.time_us = 1427846400 * S;
	event_set_bytes(&e, FIELD_LOGIN_USER, bytes_of_text(user));
	event_set_text(&e, FIELD_LOGIN_SECRET, "hidden");
	event_set_number(&e, FIELD_DPORT, 23);
}

TEST(notices_gather_the_events_of_a_rule_and_keep_what_is_private)
{
	static struct gather g = {.every_us = 60 * S};
	static char room[NOTICE_JSON_MAX];
	struct writer w = writer_of(room, sizeof room);
	char title[NOTICE_TEXT_MAX];
	an_event("root\r\nBcc: x");
	CHECK(gather_add(&g, "one", &e, 0, 0) == 0);
	an_event("admin");
	CHECK(gather_add(&g, "one", &e, 0, 59 * S) == 0);
	CHECK(gather_add(&g, "two", &e, 0, 59 * S) == 0);
	CHECK(!gather_due(&g, 60 * S - 1));
	struct shared_notice *n = gather_due(&g, 60 * S);
	CHECK(n && n->notice.count == 2 && !strcmp(n->notice.rule, "one") && !gather_due(&g, 60 * S));
	CHECK(!strcmp(notice_title(&n->notice, title), "login.tried 2 times since 2015-04-01T00:00:00Z (rule one)"));
	notice_write_json(&n->notice, &w);
	CHECK(!w.bad && memmem(room, writer_used(&w), "\"login.user\":\"root\\u000d", 22));
	CHECK(!memmem(room, writer_used(&w), "hidden", 6));
	CHECK(bytes_equal_text(n->notice.lines, "\"login.user\":\"root\\u000d\\u000aBcc: x\"\n\"dport\":23\n"));
	notice_drop(n);
	n = gather_due(&g, UINT64_MAX);
	CHECK(n && n->notice.count == 1);
	notice_drop(n);
}

TEST(notices_of_too_many_rules_wait_at_control)
{
	static struct gather g;
	char rule[16];
	for (int i = 0; i < GATHERED_MAX; i++) {
		an_event("x");
		snprintf(rule, sizeof rule, "r%d", i);
		CHECK(gather_add(&g, rule, &e, 0, 0) == 0);
	}
	CHECK(gather_add(&g, "more", &e, 0, 0) == ERR_FULL);
	for (struct shared_notice *n; (n = gather_due(&g, 1));)
		notice_drop(n);
	CHECK(g.count == 0);
}

static void add(struct line *l, uint64_t count, uint64_t now_us)
{
	an_event("x");
	struct shared_notice *n = notice_of("r", &e, 0);
	n->notice.count = count;
	line_add(l, n, now_us);
	notice_drop(n);
}

TEST(notices_beyond_the_limit_of_an_hour_are_said_in_the_next_one)
{
	static struct line l = {.most = 2};
	struct notice n;
	add(&l, 1, 0);
	add(&l, 1, 0);
	add(&l, 7, 0);
	CHECK(l.count == 2 && l.left_out == 7);
	CHECK(line_next(&l, 0, &n) && n.left_out == 7);
	add(&l, 5, 0); /* while that one is on its way */
	CHECK(!line_sent(&l, true, 0) && l.left_out == 5);
	CHECK(line_next(&l, 0, &n) && n.left_out == 5);
	line_sent(&l, true, 1);
	add(&l, 3, HOUR_US - 1);
	CHECK(l.count == 0 && l.left_out == 3);
	add(&l, 1, HOUR_US);
	CHECK(l.count == 1 && line_next(&l, HOUR_US, &n) && n.left_out == 3);
	line_done(&l);
}

TEST(notices_by_a_way_that_fails_are_tried_with_growing_pauses_and_not_for_ever)
{
	static struct line l = {.most = 20};
	struct notice n;
	uint64_t now = 0, before = 0;
	unsigned tries = 0;
	add(&l, 4, 0);
	while (l.count) {
		CHECK(line_next(&l, now, &n));
		CHECK(line_sent(&l, false, now) == (tries == 0)); /* told once */
		CHECK(!line_next(&l, l.retry_us - 1, &n));
		CHECK(l.retry_us - now >= before && l.retry_us - now <= RETRY_LAST_US);
		before = l.retry_us - now;
		now = l.retry_us;
		tries++;
	}
	CHECK(tries == TRIES_MAX && l.left_out == 4);
	add(&l, 1, now);
	CHECK(line_next(&l, now, &n) && n.left_out == 4);
	CHECK(line_sent(&l, true, now) && !l.failing && !l.left_out && !l.count);
}

static void wrong(const char *yaml, const char *why)
{
	struct config c;
	struct fault fault = {0};
	CHECK(event_start(NULL) == 0);
	CHECK_SAY(config_read(bytes_of_text(yaml), "test.yaml", &c, &fault) == 0, "%s", fault.text);
	CHECK((notify_check(&c, &fault) != 0) == (*why != 0));
	CHECK_SAY(strstr(fault.text, why), "%s", fault.text);
	config_done(&c);
}

TEST(notice_ways_say_what_would_be_right)
{
	wrong("notify: {ways: [{name: a, way: webhook, to: \"https://example.org/\"}]}\n", "");
	wrong("notify: {ways: [{name: a, way: pigeon, to: x}]}\n", "notify.ways[0].way: there is no way \"pigeon\"");
	wrong("notify: {ways: [{name: a, way: webhook, to: \"ftp://x\"}]}\n", "neither http nor https");
	wrong("notify: {ways: [{name: a, way: file, to: x}]}\n", "no absolute path");
	wrong("notify: {ways: [{name: a, way: file, to: /x}, {name: a, way: file, to: /y}]}\n", "name of another one");
	wrong("notify: {ways: [{name: a, way: mail, to: nobody}]}\n", "no mail address");
	wrong("notify: {ways: [{name: a, way: mail, to: \"a@example.org\"}]}\n", "`from` is missing");
	wrong("notify: {ways: [{name: a, way: mail, to: \"a@example.org\", from: \"b@example.org\"}]}\n", "`server` is missing");
	wrong("notify: {ways: [{name: a, way: mail, to: \"a@example.org\", from: \"b@example.org\", server: \"smtp://x\", user: u}]}\n",
	      "belong together");
}
