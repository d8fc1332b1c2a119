#include "passive/telescope/accounts/victims.h"
#include <string.h>

#define SLIDE_US (VICTIM_SLIDE_SECONDS * UINT64_C(1000000))

int victims_open(struct victims *v, uint32_t most, const uint64_t key[2])
{
	*v = (struct victims){.key = {key[0], key[1]}};
	int bad = pool_open(&v->pool, sizeof(struct victim), most);
	if (!bad)
		bad = index_open(&v->index, 1024);
	if (bad)
		victims_close(v);
	return bad;
}

void victims_close(struct victims *v)
{
	pool_close(&v->pool);
	index_close(&v->index);
}

uint64_t victims_bytes(const struct victims *v)
{
	return pool_bytes(&v->pool) + (v->index.mask + 1) * sizeof(uint32_t);
}

static uint64_t victim_hash(const struct victims *v, uint32_t source)
{
	return hash_mix(source, 0, v->key);
}

static bool same_source(const void *of, uint32_t item, const void *key)
{
	const struct victim *it = pool_item(&((const struct victims *)of)->pool, item);
	return it->source == *(const uint32_t *)key;
}

static struct victim *find(const struct victims *v, uint32_t source, uint64_t hash)
{
	uint32_t item = index_find(&v->index, hash, same_source, v, &source);
	return item ? pool_item(&v->pool, item) : NULL;
}

const struct victim *victims_find(const struct victims *v, uint32_t source)
{
	return find(v, source, victim_hash(v, source));
}

static bool index_grow(struct victims *v)
{
	struct index larger;
	if (index_open(&larger, index_next_size(&v->index)) < 0)
		return false;
	for (uint32_t i = 1; i <= v->pool.high; i++) {
		const struct victim *it = pool_item(&v->pool, i);
		if (it->packets)
			index_put(&larger, victim_hash(v, it->source), i);
	}
	index_close(&v->index);
	v->index = larger;
	return true;
}

static struct victim *begin(struct victims *v, uint32_t source, uint64_t hash)
{
	if (index_tight(&v->index) && !index_grow(v))
		return NULL;
	uint32_t item = pool_take(&v->pool);
	if (!item)
		return NULL;
	index_put(&v->index, hash, item);
	struct victim *it = pool_item(&v->pool, item);
	it->source = source;
	return it;
}

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

const struct victim *victims_count(struct victims *v, uint32_t source, uint64_t time_us,
				   uint64_t timeout_us)
{
	uint64_t hash = victim_hash(v, source);
	struct victim *it = find(v, source, hash);
	if (!it && !(it = begin(v, source, hash)))
		return NULL;
	uint32_t bucket = (uint32_t)(time_us / SLIDE_US);
	if (!it->packets || time_us > it->last_us + timeout_us)
		*it = (struct victim){.source = source, .first_us = time_us, .last_us = time_us,
				      .bucket = bucket};
	if (time_us > it->last_us)
		it->last_us = time_us;
	if (bucket > it->bucket)
		slide(it, bucket);
	it->packets += it->packets < UINT32_MAX;
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

void victims_forget(struct victims *v, uint32_t source)
{
	uint64_t hash = victim_hash(v, source);
	uint32_t item = index_find(&v->index, hash, same_source, v, &source);
	if (!item)
		return;
	index_drop(&v->index, hash, item);
	pool_give(&v->pool, item);
}
