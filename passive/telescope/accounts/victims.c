#include "passive/telescope/accounts/victims.h"
#include <string.h>

#define SLIDE_US (VICTIM_SLIDE_SECONDS * UINT64_C(1000000))

/* Moves the window to the bucket of this time; what leaves it is forgotten. */
static void slide(struct victim *it, uint32_t bucket)
{
	uint32_t steps = bucket - it->bucket;
	for (uint32_t i = 0; i < steps && i < VICTIM_BUCKETS; i++)
		it->buckets[(it->bucket + 1 + i) % VICTIM_BUCKETS] = 0;
	if (steps >= VICTIM_BUCKETS)
		memset(it->buckets, 0, sizeof it->buckets);
	it->bucket = bucket;
}

const struct victim *victims_count(struct pool *victims, uint32_t *number, uint64_t time_us,
				   uint64_t timeout_us)
{
	if (!*number && !(*number = pool_take(victims)))
		return NULL;
	struct victim *it = pool_item(victims, *number);
	uint32_t bucket = (uint32_t)(time_us / SLIDE_US);
	bool long_before = time_us < it->first_us && it->first_us - time_us > timeout_us;
	if (!it->packets || time_us > it->last_us + timeout_us || long_before)
		*it = (struct victim){.first_us = time_us, .last_us = time_us, .bucket = bucket};
	if (time_us > it->last_us)
		it->last_us = time_us;
	if (time_us < it->first_us)
		it->first_us = time_us;
	if (bucket > it->bucket)
		slide(it, bucket);
	it->packets += it->packets < UINT32_MAX;
	if (it->bucket - bucket < VICTIM_BUCKETS) /* not from before the window */
		it->buckets[bucket % VICTIM_BUCKETS]++;
	uint32_t minute = 0;
	for (unsigned i = 0; i < VICTIM_BUCKETS; i++)
		minute += it->buckets[i];
	if (minute > it->highest)
		it->highest = minute;
	if (it->fulfilled || it->packets < VICTIM_PACKETS || it->highest < VICTIM_MINUTE_PACKETS ||
	    it->last_us - it->first_us < VICTIM_SECONDS * UINT64_C(1000000))
		return NULL;
	it->fulfilled = true;
	return it;
}
