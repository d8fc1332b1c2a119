#include "control/targets_inner.h"
#include "tests/test.h"

#define ROUND 1000

static unsigned left;
static uint64_t repeats_left;

static void leave(void *arg, struct target *t)
{
	(void)arg;
	left++;
	repeats_left += t->repeats;
}

static struct targets *open_targets(size_t max)
{
	struct targets *t = NULL;
	left = 0;
	repeats_left = 0;
	CHECK(targets_open(&t, max, ROUND, 42, leave, NULL) == 0);
	return t;
}

static struct target *take(struct targets *t, uint32_t n, uint64_t now)
{
	struct address a = address_v4(n);
	return targets_take(t, &a, now);
}

TEST(targets_are_found_again)
{
	struct targets *t = open_targets(10000);
	for (uint32_t i = 0; i < 10000; i++)
		take(t, i, 5)->rule = (uint16_t)i;
	for (uint32_t i = 0; i < 10000; i++) {
		struct address a = address_v4(i);
		CHECK(targets_find(t, &a) && targets_find(t, &a)->rule == i);
	}
	CHECK(targets_count(t) == 10000 && left == 0);
	targets_close(t);
}

TEST(targets_forget_the_oldest_that_had_no_look)
{
	struct targets *t = open_targets(3);
	take(t, 1, 1);
	take(t, 2, 2);
	take(t, 3, 3);
	targets_looked(t, take(t, 2, 4), 4);
	take(t, 1, 5); /* now 3 is the oldest of those without a look */
	CHECK(take(t, 4, 6));
	struct address three = address_v4(3), one = address_v4(1);
	CHECK(!targets_find(t, &three) && targets_find(t, &one) && left == 1);
	targets_close(t);
}

TEST(targets_never_forget_a_running_round)
{
	struct targets *t = open_targets(2);
	targets_looked(t, take(t, 1, 1), 1);
	targets_looked(t, take(t, 2, 2), 2);
	CHECK(take(t, 3, ROUND) == NULL);
	CHECK(target_is_in_round(t, take(t, 1, ROUND), ROUND));
	CHECK(take(t, 3, ROUND + 1) != NULL); /* the round of 1 has ended */
	CHECK(take(t, 4, ROUND + 1) != NULL); /* 3 had no look */
	CHECK(targets_count(t) == 2 && left == 2);
	targets_close(t);
}

TEST(targets_give_back_windows_in_order_and_tell_counts_of_the_forgotten)
{
	struct targets *t = open_targets(3);
	struct target *one = take(t, 1, 10), *two = take(t, 2, 20);
	targets_count_from(t, one, 10);
	targets_count_from(t, two, 20);
	one->repeats = 3;
	two->repeats = 5;
	CHECK(targets_window_over(t, 10) == NULL);
	CHECK(targets_window_over(t, 15) == one && one->repeats == 3 && one->window_us == 0);
	take(t, 3, 30);
	take(t, 1, 31);
	take(t, 4, 32); /* forgets 2, in the middle of its window */
	CHECK(left == 1 && repeats_left == 5);
	CHECK(targets_window_over(t, 1000) == NULL);
	targets_close(t);
}

TEST(targets_expire_those_whose_round_ended)
{
	struct targets *t = open_targets(100);
	for (uint32_t i = 1; i <= 50; i++)
		targets_looked(t, take(t, i, i), i);
	targets_expire(t, ROUND + 20, 10);
	CHECK(targets_count(t) == 40);
	targets_expire(t, ROUND + 20, 100);
	CHECK(targets_count(t) == 30);
	targets_close(t);
}
