#include "passive/telescope/accounts/destinations.h"
#include <math.h>
#include <string.h>

#define SKETCH_BYTES (SKETCH_WORDS(SKETCH_REGISTERS) * sizeof(uint16_t))
#define REGISTER_MAX 31u

static unsigned set_class(uint8_t count)
{
	return count <= 2 ? 0 : count <= 4 ? 1 : count <= 8 ? 2 : 3;
}

int destination_pools_open(struct destination_pools *p, uint32_t accounts_max)
{
	int bad = 0;
	for (unsigned i = 0; i < 4 && !bad; i++)
		bad = pool_open(&p->sets[i], 8u << i, accounts_max);
	if (!bad)
		bad = pool_open(&p->sketches, SKETCH_BYTES, accounts_max);
	if (bad)
		destination_pools_close(p);
	return bad;
}

void destination_pools_close(struct destination_pools *p)
{
	for (unsigned i = 0; i < 4; i++)
		pool_close(&p->sets[i]);
	pool_close(&p->sketches);
}

uint64_t destination_pools_bytes(const struct destination_pools *p)
{
	uint64_t n = pool_bytes(&p->sketches);
	for (unsigned i = 0; i < 4; i++)
		n += pool_bytes(&p->sets[i]);
	return n;
}

/* MurmurHash3's finalizer: sketches need all bits mixed, and the destinations are ours anyway. */
static uint64_t sketch_hash(uint32_t destination)
{
	uint64_t h = destination + 0x9E3779B97F4A7C15u;
	h = (h ^ h >> 33) * 0xFF51AFD7ED558CCDu;
	h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53u;
	return h ^ h >> 33;
}

bool sketch_add(uint16_t words[], unsigned bits, uint64_t hash)
{
	uint32_t at = (uint32_t)(hash >> (64 - bits)), shift = at % 3 * 5;
	unsigned rank = (unsigned)__builtin_clzll(hash << bits | UINT64_C(1) << 33) + 1;
	unsigned held = words[at / 3] >> shift & REGISTER_MAX;
	if (rank <= held)
		return false;
	words[at / 3] = (uint16_t)(words[at / 3] ^ (held ^ rank) << shift);
	return true;
}

double sketch_estimate(const uint16_t words[], unsigned bits)
{
	unsigned m = 1u << bits, empty = 0;
	uint64_t sum = 0; /* of 2 to the power of the negative registers, in units of 2^-REGISTER_MAX */
	for (unsigned i = 0; i < m; i++) {
		unsigned held = words[i / 3] >> i % 3 * 5 & REGISTER_MAX;
		sum += UINT64_C(1) << (REGISTER_MAX - held);
		empty += !held;
	}
	double alpha = 0.7213 / (1 + 1.079 / m);
	double estimate = alpha * m * m * (double)(UINT64_C(1) << REGISTER_MAX) / (double)sum;
	return estimate <= 2.5 * m && empty ? m * log((double)m / empty) : estimate;
}

/* A set that is full moves to the next size, the largest to a sketch; false: no room. */
static bool set_grow(struct destination_pools *p, struct destinations *d)
{
	unsigned class = set_class(d->count);
	const uint32_t *old = pool_item(&p->sets[class], d->at);
	bool to_sketch = d->count == 16;
	struct pool *pool = to_sketch ? &p->sketches : &p->sets[class + 1];
	uint32_t item = pool_take(pool);
	if (!item)
		return false;
	if (to_sketch)
		for (unsigned i = 0; i < 16; i++)
			sketch_add(pool_item(pool, item), 8, sketch_hash(old[i]));
	else
		memcpy(pool_item(pool, item), old, d->count * sizeof *old);
	pool_give(&p->sets[class], d->at);
	d->at = item;
	if (to_sketch)
		d->count = DESTINATIONS_SKETCH;
	return true;
}

static bool set_add(struct destination_pools *p, struct destinations *d, uint32_t destination)
{
	uint32_t *set = pool_item(&p->sets[set_class(d->count)], d->at);
	bool there = false;
	for (unsigned i = 0; i < d->count; i++)
		there |= set[i] == destination;
	if (there)
		return false;
	if (d->count == 16 || set_class(d->count) != set_class(d->count + 1)) {
		if (!set_grow(p, d))
			return false;
		if (d->count == DESTINATIONS_SKETCH)
			return sketch_add(pool_item(&p->sketches, d->at), 8, sketch_hash(destination)), true;
		set = pool_item(&p->sets[set_class(d->count + 1)], d->at);
	}
	set[d->count++] = destination;
	return true;
}

bool destinations_add(struct destination_pools *p, struct destinations *d, uint32_t destination)
{
	if (d->count == DESTINATIONS_SKETCH)
		return sketch_add(pool_item(&p->sketches, d->at), 8, sketch_hash(destination));
	if (d->count > 1)
		return set_add(p, d, destination);
	if (d->count == 1) {
		if (d->at == destination)
			return false;
		uint32_t item = pool_take(&p->sets[0]);
		if (!item)
			return false;
		uint32_t *set = pool_item(&p->sets[0], item);
		set[0] = d->at;
		set[1] = destination;
		*d = (struct destinations){.at = item, .count = 2};
		return true;
	}
	*d = (struct destinations){.at = destination, .count = 1};
	return true;
}

uint32_t destinations_count(const struct destination_pools *p, const struct destinations *d)
{
	if (d->count != DESTINATIONS_SKETCH)
		return d->count;
	double n = sketch_estimate(pool_item(&p->sketches, d->at), 8);
	return n < 17 ? 17 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)(n + 0.5);
}

void destinations_free(struct destination_pools *p, struct destinations *d)
{
	if (d->count == DESTINATIONS_SKETCH)
		pool_give(&p->sketches, d->at);
	else if (d->count > 1)
		pool_give(&p->sets[set_class(d->count)], d->at);
	*d = (struct destinations){0};
}

void destinations_prefetch(const struct destination_pools *p, const struct destinations *d,
			   uint32_t destination)
{
	if (d->count == DESTINATIONS_SKETCH)
		__builtin_prefetch((uint16_t *)pool_item(&p->sketches, d->at) + (sketch_hash(destination) >> 56) / 3);
	else if (d->count > 1)
		__builtin_prefetch(pool_item(&p->sets[set_class(d->count)], d->at));
}
