/* How many destinations: exactly up to 16, within the stated error beyond. */
#include "base/random.h"
#include "passive/telescope/accounts/destinations.h"
#include "passive/telescope/record.h"
#include "tests/test.h"
#include <math.h>
#include <stdlib.h>

TEST(destinations_are_exact_for_a_few)
{
	struct destination_pools pools;
	CHECK(destination_pools_open(&pools, 100) == 0);
	struct random r = random_seeded(1);
	for (unsigned most = 0; most <= DESTINATIONS_EXACT; most++) {
		struct destinations d = {0};
		uint32_t base = (uint32_t)random_next(&r);
		for (unsigned i = 0; i < most; i++)
			for (unsigned again = 0; again <= i; again++)
				CHECK(destinations_add(&pools, &d, base + again * 7) == (again == i));
		CHECK(destinations_count(&pools, &d) == most);
		destinations_free(&pools, &d);
		CHECK(destinations_count(&pools, &d) == 0 && destination_pools_bytes(&pools) == 0);
	}
	destination_pools_close(&pools);
}

TEST(destinations_may_be_any_number)
{
	static const uint32_t odd[] = {0, UINT32_MAX, 1, 255, 256, 0x80000000};
	struct destination_pools pools;
	CHECK(destination_pools_open(&pools, 100) == 0);
	struct destinations d = {0};
	for (unsigned i = 0; i < 6; i++) {
		CHECK(destinations_add(&pools, &d, odd[i]));
		CHECK(!destinations_add(&pools, &d, odd[i]));
	}
	CHECK(destinations_count(&pools, &d) == 6);
	destinations_free(&pools, &d);
	destination_pools_close(&pools);
}

/* Mean and standard deviation of told / exact over trials. */
static void measure(struct destination_pools *pools, unsigned n, uint32_t step, double *mean, double *deviation)
{
	const unsigned trials = 1000;
	struct random r = random_seeded(n);
	double sum = 0, squares = 0;
	for (unsigned t = 0; t < trials; t++) {
		struct destinations d = {0};
		uint32_t base = (uint32_t)random_next(&r);
		for (unsigned i = 0; i < n; i++)
			destinations_add(pools, &d, step ? base + i * step : (uint32_t)random_next(&r));
		double told = destinations_count(pools, &d) / (double)n;
		sum += told;
		squares += told * told;
		destinations_free(pools, &d);
	}
	*mean = sum / trials;
	*deviation = sqrt(squares / trials - *mean * *mean);
}

TEST(destinations_err_as_little_as_stated)
{
	static const unsigned sizes[] = {17, 20, 50, 100, 256, 500, 640, 1000, 3000};
	static const uint32_t steps[] = {0, 1, 256, 65536}; /* at random, and as scanners count */
	struct destination_pools pools;
	CHECK(destination_pools_open(&pools, 10) == 0);
	for (unsigned s = 0; s < 9; s++)
		for (unsigned k = 0; k < 4; k++) {
			double mean, deviation;
			measure(&pools, sizes[s], steps[k], &mean, &deviation);
			/* Of 1,000 trials the deviation is itself known to about 2 %, the mean to 0.2 %. */
			CHECK_SAY(deviation < DESTINATIONS_ERROR * 1.08, "%u by %u: error %.4f", sizes[s], steps[k],
				  deviation);
			/* Who has a sketch has 17 at least, which lifts the mean of few a little. */
			CHECK_SAY(fabs(mean - 1) < (sizes[s] < 32 ? 0.04 : 0.02), "%u by %u: told %.4f times", sizes[s], steps[k], mean);
		}
	CHECK(destination_pools_bytes(&pools) == 0);
	destination_pools_close(&pools);
}

TEST(destinations_beyond_the_exact_ones_are_never_fewer)
{
	struct destination_pools pools;
	CHECK(destination_pools_open(&pools, 10) == 0);
	for (uint32_t base = 0; base < 3000; base++) {
		struct destinations d = {0};
		for (uint32_t i = 0; i < 17; i++)
			destinations_add(&pools, &d, base * 64 + i);
		CHECK(destinations_count(&pools, &d) >= 17);
		destinations_free(&pools, &d);
	}
	destination_pools_close(&pools);
}

TEST(destinations_stay_what_they_were_when_pools_are_full)
{
	struct destination_pools pools;
	struct destinations d[4] = {0};
	CHECK(destination_pools_open(&pools, 3) == 0);
	for (uint32_t i = 0; i < 40; i++)
		for (unsigned k = 0; k < 4; k++)
			destinations_add(&pools, &d[k], i * 5 + 1);
	unsigned short_of_room = 0;
	for (unsigned k = 0; k < 4; k++) {
		uint32_t n = destinations_count(&pools, &d[k]);
		short_of_room += n <= 16;
		CHECK(n >= 1 && n <= 60);
		destinations_free(&pools, &d[k]);
	}
	CHECK(short_of_room == 1 && destination_pools_bytes(&pools) == 0);
	destination_pools_close(&pools);
}
