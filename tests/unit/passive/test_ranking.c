/* Bounded tables against sorted lists, exact counts and counts by hand. */
#include "base/random.h"
#include "passive/telescope/ranking.h"
#include "tests/test.h"
#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

struct row {
	struct address address;
	uint64_t weight;
};

static int heavier(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return memcmp(&x->address, &y->address, sizeof x->address);
}

TEST(the_heaviest_rows_stay)
{
	enum { ROWS = 5000, KEPT = 100 };
	struct random random = random_seeded(3);
	struct row *all = calloc(ROWS, sizeof *all);
	struct ranking ranking;
	CHECK(ranking_open(&ranking, sizeof(struct row), KEPT) == 0);
	for (uint32_t i = 0; i < ROWS; i++) {
		all[i] = (struct row){address_v4(i * 2654435761u), (uint64_t)i << 32 | random_below(&random, 1000)};
		all[i].weight = random_next(&random) >> 16;
		ranking_offer(&ranking, all[i].weight, &all[i]);
	}
	ranking_sort(&ranking);
	qsort(all, ROWS, sizeof *all, heavier);
	CHECK(ranking.count == KEPT && ranking.offered == ROWS);
	for (unsigned i = 0; i < KEPT; i++)
		CHECK(!memcmp(ranking_row(&ranking, i), &all[i], sizeof *all));
	ranking_close(&ranking);
	free(all);
}

TEST(a_row_that_grew_is_not_the_lightest_any_more)
{
	struct ranking ranking;
	CHECK(ranking_open(&ranking, sizeof(struct row), 2) == 0);
	struct row a = {address_v4(1), 5}, b = {address_v4(2), 6}, c = {address_v4(3), 7};
	ranking_offer(&ranking, a.weight, &a);
	ranking_offer(&ranking, b.weight, &b);
	struct row *found = ranking_find(&ranking, &a.address);
	CHECK(found && found->weight == 5);
	CHECK(!ranking_find(&ranking, &c.address));
	ranking_weigh(&ranking, found, 50);
	ranking_offer(&ranking, c.weight, &c);
	ranking_sort(&ranking);
	CHECK(address_equal(ranking_row(&ranking, 0), &a.address));
	CHECK(address_equal(ranking_row(&ranking, 1), &c.address));
	ranking_close(&ranking);
}

TEST(equal_weights_go_by_address)
{
	struct ranking ranking;
	CHECK(ranking_open(&ranking, sizeof(struct row), 8) == 0);
	for (uint32_t i = 8; i > 0; i--)
		ranking_offer(&ranking, 1, &(struct row){address_v4(i), 1});
	ranking_sort(&ranking);
	for (uint32_t i = 0; i < 8; i++)
		CHECK(address_to_v4(ranking_row(&ranking, i)) == i + 1);
	ranking_close(&ranking);
}

TEST(distinct_things_are_exact_and_then_within_what_is_promised)
{
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct distinct d = {0};
		for (uint64_t i = 0; i < 300000; i++) {
			for (int again = 0; again < 2; again++)
				CHECK(distinct_add(&d, XXH3_64bits_withSeed(&i, sizeof i, seed)));
			uint64_t n = i + 1;
			if (n <= DISTINCT_EXACT)
				CHECK(distinct_is_exact(&d) && distinct_count(&d) == n);
			else if (n == 100 || n == 1000 || n == 30000 || n == 300000)
				CHECK_SAY(!distinct_is_exact(&d) &&
						  fabs((double)distinct_count(&d) / (double)n - 1) < 4 * DESTINATIONS_ERROR,
					  "%llu things are told to be %llu", (unsigned long long)n,
					  (unsigned long long)distinct_count(&d));
		}
		distinct_close(&d);
	}
}

static uint64_t bins_sum(const struct rate *r)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < RATE_BINS; i++)
		sum += r->bins[i];
	return sum;
}

TEST(a_rate_keeps_every_packet_however_long_it_gets)
{
	struct rate r = {0};
	for (uint64_t i = 0; i < 10000; i++)
		rate_count(&r, 1700000000000000 + i * 10000); /* 100 s, 100 a second */
	CHECK(bins_sum(&r) == 10000);
	CHECK(r.used > RATE_BINS / 2 && r.used <= RATE_BINS);
	uint64_t each = r.width_us / 10000;
	for (unsigned i = 0; i + 1 < r.used; i++)
		CHECK(r.bins[i] >= each && r.bins[i] <= each + 1);
	rate_count(&r, 5); /* before the beginning */
	CHECK(bins_sum(&r) == 10001);
	rate_count(&r, UINT64_MAX); /* a lying clock */
	rate_count(&r, 0);
	CHECK(bins_sum(&r) == 10003 && r.used <= RATE_BINS);
}
