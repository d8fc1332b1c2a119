#include "passive/room/wheel.h"
#include "base/random.h"
#include "tests/test.h"
#include <stdlib.h>

#define ENTRIES 2000

struct timed {
	struct wheel_entry entry;
	uint64_t due_ms, came_ms;
	unsigned times;
};

struct clockwork {
	struct wheel wheel;
	uint64_t now_ms;
	struct timed timed[ENTRIES];
};

static void on_due(void *arg, struct wheel_entry *e)
{
	struct clockwork *c = arg;
	struct timed *t = (struct timed *)e;
	if (c->now_ms < t->due_ms) { /* beyond the wheel's turn, or early: again */
		wheel_set(&c->wheel, e, t->due_ms);
		return;
	}
	t->came_ms = c->now_ms;
	t->times++;
}

TEST(wheel_brings_each_entry_once_and_in_time)
{
	struct clockwork *c = calloc(1, sizeof *c);
	CHECK(c);
	struct random random = random_seeded(1);
	c->now_ms = 1000003;
	wheel_start(&c->wheel, c->now_ms);
	for (size_t i = 0; i < ENTRIES; i++) {
		c->timed[i].due_ms = c->now_ms + random_below(&random, 100000);
		wheel_set(&c->wheel, &c->timed[i].entry, c->timed[i].due_ms);
	}
	for (size_t i = 0; i < ENTRIES; i += 5)
		wheel_remove(&c->timed[i].entry);
	while (wheel_next_ms(&c->wheel) != UINT64_MAX) {
		CHECK(c->now_ms < 1200000);
		uint64_t next = wheel_next_ms(&c->wheel);
		c->now_ms = next > c->now_ms ? next : c->now_ms + 1;
		wheel_turn(&c->wheel, c->now_ms, on_due, c);
	}
	for (size_t i = 0; i < ENTRIES; i++) {
		const struct timed *t = &c->timed[i];
		CHECK(t->times == (i % 5 != 0));
		CHECK_SAY(i % 5 == 0 || t->came_ms <= t->due_ms + 2 * WHEEL_STEP_MS,
		          "%llu for %llu", (unsigned long long)t->came_ms,
		          (unsigned long long)t->due_ms);
	}
	free(c);
}

TEST(wheel_catches_up_after_a_long_sleep)
{
	struct clockwork *c = calloc(1, sizeof *c);
	CHECK(c);
	wheel_start(&c->wheel, 0);
	for (size_t i = 0; i < ENTRIES; i++) {
		c->timed[i].due_ms = i * 10;
		wheel_set(&c->wheel, &c->timed[i].entry, c->timed[i].due_ms);
	}
	c->now_ms = 10000000;
	wheel_turn(&c->wheel, c->now_ms, on_due, c);
	for (size_t i = 0; i < ENTRIES; i++)
		CHECK(c->timed[i].times == 1);
	free(c);
}

/* The first to come up takes the rest of its slot with it. */
static void remove_others(void *arg, struct wheel_entry *e)
{
	struct clockwork *c = arg;
	((struct timed *)e)->times++;
	for (size_t i = 0; i < 10; i++)
		wheel_remove(&c->timed[i].entry);
	wheel_set(&c->wheel, &c->timed[10].entry, c->now_ms);
}

TEST(wheel_lets_a_callback_remove_and_set)
{
	struct clockwork *c = calloc(1, sizeof *c);
	CHECK(c);
	wheel_start(&c->wheel, 0);
	for (size_t i = 0; i < 10; i++)
		wheel_set(&c->wheel, &c->timed[i].entry, 100);
	c->now_ms = 120;
	wheel_turn(&c->wheel, c->now_ms, remove_others, c);
	unsigned came = 0;
	for (size_t i = 0; i < 10; i++)
		came += c->timed[i].times;
	CHECK(came == 1);
	CHECK(c->timed[10].entry.link != NULL);
	free(c);
}
