#include "passive/room/reflection.h"
#include "base/random.h"
#include "tests/test.h"
#include <stdlib.h>

#define SECOND 1000000u
#define MINUTE (60u * SECOND)

struct told {
	unsigned begun, ended;
	struct reflection_attack last;
};

static void on_attack(void *arg, const struct reflection_attack *a)
{
	struct told *t = arg;
	t->begun += !a->ended;
	t->ended += a->ended;
	t->last = *a;
}

static struct reflection guard(size_t sources, struct told *told)
{
	const struct reflection_options o = {sources, 3600000, 600000};
	struct reflection r;
	if (reflection_open(&r, &o, 1) < 0)
		abort();
	r.tell = on_attack;
	r.tell_arg = told;
	return r;
}

/* Asks `asked` bytes for `whole`: how many bytes went out. */
static size_t ask(struct reflection *r, uint32_t from, size_t asked, size_t whole, uint64_t now)
{
	const struct reflection_place place = {.port = 123};
	struct address peer = address_v4(from);
	size_t max = reflection_hear(r, &peer, &place, asked, now);
	size_t said = whole < max ? whole : max;
	return max && reflection_answer(r, &peer, asked, said, whole, now) ? said : 0;
}

TEST(reflection_answers_a_new_source_once_at_length)
{
	struct told told = {0};
	struct reflection r = guard(1024, &told);
	uint64_t now = 1000 * (uint64_t)SECOND;
	CHECK(ask(&r, 0xcb007101, 12, 700, now) == 700);
	CHECK(ask(&r, 0xcb007101, 12, 700, now + 10 * SECOND) == 12);
	/* Its network had its answer, another has not. */
	CHECK(ask(&r, 0xcb007102, 12, 700, now + 20 * SECOND) == 12);
	CHECK(ask(&r, 0xcb007201, 12, 700, now + 20 * SECOND) == 700);
	/* After five minutes without a packet it is new again; a packet in between spoils that. */
	CHECK(ask(&r, 0xcb007101, 12, 700, now + 6 * MINUTE) == 700);
	CHECK(ask(&r, 0xcb007101, 12, 700, now + 10 * MINUTE) == 12);
	CHECK(ask(&r, 0xcb007101, 12, 700, now + 14 * MINUTE) == 12);
	reflection_done(&r);
}

TEST(reflection_lets_the_longer_answer_come_in_parts)
{
	struct told told = {0};
	struct reflection r = guard(1024, &told);
	uint64_t now = 1000 * (uint64_t)SECOND;
	size_t out = 0, in = 0;
	for (unsigned i = 0; i < 40; i++, in += 30)
		out += ask(&r, 0xcb007101, 30, 55, now + i * SECOND / 5);
	CHECK(out > in && out <= in + 700);
	CHECK(ask(&r, 0xcb007101, 30, 55, now + 9 * SECOND) <= 30);
	CHECK(ask(&r, 0xcb007102, 30, 55, now + 9 * SECOND) <= 30); /* nor to its network */
	reflection_done(&r);
}

TEST(reflection_lets_what_was_sent_be_answered_within_a_minute)
{
	struct told told = {0};
	struct reflection r = guard(1024, &told);
	uint64_t now = 1000 * (uint64_t)SECOND;
	for (unsigned i = 0; i < 9; i++) /* no longer a source that sends little */
		CHECK(ask(&r, 0xcb007101, 100, 60, now) == 60);
	CHECK(ask(&r, 0xcb007101, 100, 130, now + SECOND) == 130);
	CHECK(ask(&r, 0xcb007101, 100, 440, now + 2 * SECOND) == 430);
	CHECK(ask(&r, 0xcb007101, 100, 10, now + 3 * SECOND) == 10);
	CHECK(ask(&r, 0xcb007101, 100, 180, now + 2 * MINUTE) == 100);
	reflection_done(&r);
}

TEST(reflection_is_silent_for_an_hour_to_who_asks_for_much)
{
	struct told told = {0};
	struct reflection r = guard(1024, &told);
	uint64_t now = 1000 * (uint64_t)SECOND;
	unsigned answered = 0;
	for (unsigned i = 0; i < 50; i++)
		answered += ask(&r, 0xcb007101, 200, 4000, now + i * SECOND) > 0;
	CHECK(answered == 11); /* ten at once, and what a minute's tenth gives back meanwhile */
	CHECK(ask(&r, 0xcb007101, 200, 10, now + 59 * MINUTE) == 0);
	CHECK(ask(&r, 0xcb007101, 200, 10, now + 62 * MINUTE) == 10);
	CHECK(told.begun == 0);
	reflection_done(&r);
}

TEST(reflection_answers_a_flood_less_often_than_it_is_asked)
{
	struct told told = {0};
	struct reflection r = guard(1024, &told);
	uint64_t now = 1000 * (uint64_t)SECOND;
	unsigned answered = 0, acknowledged = 0;
	for (unsigned i = 0; i < 200; i++)
		answered += ask(&r, 0xcb007101, 30, 30, now + i * 50000) > 0;
	CHECK_SAY(answered == 20 + 5 * 10 - 1, "%u", answered); /* twenty at once, then five a second */
	for (unsigned i = 0; i < 200; i++)
		acknowledged += ask(&r, 0xcb007101, 516, 4, now + 20 * SECOND + i * 1000) == 4;
	CHECK(acknowledged == 200);
	reflection_done(&r);
}

TEST(reflection_names_the_victim_once_and_tells_its_end)
{
	struct told told = {0};
	struct reflection r = guard(1024, &told);
	uint64_t now = 1000 * (uint64_t)SECOND;
	size_t out = 0;
	for (unsigned i = 0; i < 99; i++)
		out += ask(&r, 0xcb007101, 8, 480, now + i * SECOND);
	CHECK(told.begun == 0);
	for (unsigned i = 99; i < 500; i++)
		out += ask(&r, 0xcb007101, 8, 480, now + i * SECOND);
	CHECK(told.begun == 1 && told.ended == 0 && out <= 500 * 8);
	CHECK(reflection_settle(&r, now + 600 * SECOND, false) && told.ended == 0);
	CHECK(!reflection_settle(&r, now + 1200 * SECOND, false) && told.ended == 1);
	CHECK(address_to_v4(&told.last.victim) == 0xcb007101);
	CHECK(told.last.requests == 500 && told.last.bytes_in == 4000 && told.last.bytes_out == out);
	CHECK(told.last.bytes_whole == 240000);
	CHECK(told.last.first_us == now && told.last.last_us == now + 499 * SECOND);
	/* What comes after the end is another attack. */
	for (unsigned i = 0; i < 100; i++)
		ask(&r, 0xcb007101, 8, 480, now + 2000 * SECOND + i);
	CHECK(told.begun == 2 && told.last.requests == 100);
	CHECK(!reflection_settle(&r, now + 2001 * SECOND, true) && told.ended == 2);
	reflection_done(&r);
}

TEST(reflection_gives_all_sources_together_no_more_than_came)
{
	struct told told = {0};
	struct reflection r = guard(65536, &told);
	struct random random = random_seeded(7);
	uint64_t now = 1000 * (uint64_t)SECOND, in = 0, out = 0;
	for (unsigned i = 0; i < 20000; i++) {
		size_t asked = random_below(&random, 60), said;
		said = ask(&r, (uint32_t)random_next(&random), asked, 1200, now);
		now += 500;
		in += asked;
		out += said;
	}
	CHECK_SAY(out <= in + 8192, "%llu bytes out for %llu", (unsigned long long)out,
	          (unsigned long long)in);
	CHECK(out > 0);
	reflection_done(&r);
}

TEST(reflection_is_silent_when_its_table_is_full)
{
	struct told told = {0};
	struct reflection r = guard(64, &told);
	uint64_t now = 1000 * (uint64_t)SECOND;
	unsigned answered = 0;
	for (uint32_t i = 0; i < 1000; i++)
		answered += ask(&r, i << 8, 50, 50, now) > 0;
	CHECK(answered > 0 && answered < 1024);
	CHECK(ask(&r, 0, 50, 50, now) == 50); /* who has a place keeps it */
	for (uint32_t i = 0; i < 20; i++)
		CHECK(ask(&r, i << 8, 50, 50, now + (10 + i) * MINUTE) == 50);
	reflection_done(&r);
}
