#include "passive/telescope/accounts/destinations.h"
#include <math.h>
#include <string.h>

#define SKETCH_BYTES (SKETCH_WORDS(SKETCH_REGISTERS) * sizeof(uint16_t))
#define REGISTER_MAX 31u

#define SKETCHES DESTINATION_SETS
typedef uint32_t four __attribute__((vector_size(16), aligned(4), may_alias));

/* Which pool: of a count of 2, 4, 8 or 16 at most, or a sketch; by the highest bit of what is below. */
static unsigned pool_of(uint8_t count)
{
	static const uint8_t pools[8] = {0, 1, 2, 3, 3, 3, 3, SKETCHES};
	return pools[31 - __builtin_clz((uint8_t)(count - 1) | 1u)];
}

int destination_pools_open(struct destination_pools *p, uint32_t accounts_max)
{
	int bad = pool_open(&p->pools[SKETCHES], SKETCH_BYTES, accounts_max);
	for (unsigned i = 0; i < DESTINATION_SETS && !bad; i++)
		bad = pool_open(&p->pools[i], 8u << i, accounts_max);
	if (bad)
		destination_pools_close(p);
	return bad;
}

void destination_pools_close(struct destination_pools *p)
{
	for (unsigned i = 0; i <= SKETCHES; i++)
		pool_close(&p->pools[i]);
}

uint64_t destination_pools_bytes(const struct destination_pools *p)
{
	uint64_t n = 0;
	for (unsigned i = 0; i <= SKETCHES; i++)
		n += pool_bytes(&p->pools[i]);
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

/* Of fixed sizes: a copy of any size takes longer to begin than these take. */
static void set_copy(uint32_t *to, const uint32_t *from, unsigned count)
{
	switch (count) {
	case 2:
		memcpy(to, from, 2 * sizeof *to);
		break;
	case 4:
		memcpy(to, from, 4 * sizeof *to);
		break;
	default:
		memcpy(to, from, 8 * sizeof *to);
		break;
	}
}

/* A set that is full moves to the next size, the largest to a sketch; false: no room. */
static bool set_grow(struct destination_pools *p, struct destinations *d)
{
	unsigned class = pool_of(d->count);
	const uint32_t *old = pool_item(&p->pools[class], d->at);
	struct pool *pool = &p->pools[class + 1];
	uint32_t item = pool_take(pool);
	if (!item)
		return false;
	if (class + 1 == SKETCHES)
		for (unsigned i = 0; i < 16; i++)
			sketch_add(pool_item(pool, item), 8, sketch_hash(old[i]));
	else
		set_copy(pool_item(pool, item), old, d->count);
	pool_give(&p->pools[class], d->at);
	d->at = item;
	if (class + 1 == SKETCHES)
		d->count = DESTINATIONS_SKETCH;
	return true;
}

static bool set_holds(const uint32_t *set, uint32_t count, uint32_t destination)
{
	if (count == 2)
		return (set[0] == destination) | (set[1] == destination);
	four there = {0};
	for (uint32_t i = 0; i < count; i += 4) {
		four index = {i, i + 1, i + 2, i + 3};
		there |= (four)(*(const four *)(set + i) == destination) & (four)(index < count);
	}
	return there[0] | there[1] | there[2] | there[3];
}

static bool set_add(struct destination_pools *p, struct destinations *d, uint32_t destination)
{
	uint32_t *set = pool_item(&p->pools[pool_of(d->count)], d->at);
	if (set_holds(set, d->count, destination))
		return false;
	if ((d->count & (d->count - 1)) == 0) { /* a power of two: it is full */
		if (!set_grow(p, d))
			return false;
		if (d->count == DESTINATIONS_SKETCH)
			return sketch_add(pool_item(&p->pools[SKETCHES], d->at), 8, sketch_hash(destination)), true;
		set = pool_item(&p->pools[pool_of(d->count + 1)], d->at);
	}
	set[d->count++] = destination;
	return true;
}

bool destinations_add(struct destination_pools *p, struct destinations *d, uint32_t destination)
{
	if (d->count == DESTINATIONS_SKETCH)
		return sketch_add(pool_item(&p->pools[SKETCHES], d->at), 8, sketch_hash(destination));
	if (d->count > 1)
		return set_add(p, d, destination);
	if (d->count == 1) {
		if (d->at == destination)
			return false;
		uint32_t item = pool_take(&p->pools[0]);
		if (!item)
			return false;
		uint32_t *set = pool_item(&p->pools[0], item);
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
	double n = sketch_estimate(pool_item(&p->pools[SKETCHES], d->at), 8);
	return n < 17 ? 17 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)(n + 0.5);
}

void destinations_free(struct destination_pools *p, struct destinations *d)
{
	if (d->count > 1)
		pool_give(&p->pools[pool_of(d->count)], d->at);
	*d = (struct destinations){0};
}

const void *destinations_place(const struct destination_pools *p, const struct destinations *d,
			       uint32_t destination)
{
	/* Without branches; of who has no more than one destination item 0, which is nobody's. */
	unsigned pool = pool_of(d->count);
	uint32_t item = d->at & -(uint32_t)(d->count > 1);
	uint32_t byte = (uint32_t)(sketch_hash(destination) >> 56) / 3 * 2;
	byte &= -(uint32_t)(d->count == DESTINATIONS_SKETCH);
	return (const char *)pool_item(&p->pools[pool], item) + byte;
}
