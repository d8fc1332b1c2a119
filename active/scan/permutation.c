#include "active/scan/permutation_inner.h"
#include "base/random.h"

struct permutation permutation_make(uint64_t count, uint64_t seed)
{
	unsigned bits = 1;
	while (bits < 62 && (uint64_t)1 << bits < count)
		bits++;
	struct permutation p = {.count = count, .low_bits = (bits + 1) / 2};
	p.low_mask = ((uint64_t)1 << p.low_bits) - 1;
	p.high_mask = ((uint64_t)1 << (bits - p.low_bits)) - 1;
	struct random r = random_seeded(seed);
	for (int i = 0; i < PERMUTATION_ROUNDS; i++)
		p.keys[i] = random_next(&r);
	return p;
}

static uint64_t stir(uint64_t half, uint64_t key)
{
	uint64_t z = (half ^ key) * 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 32) * 0xd6e8feb86659fd93u;
	return z ^ z >> 32;
}

/* One round changes one half by the other one, so that the same round undoes it. */
static void turn(const struct permutation *p, int round, uint64_t *high, uint64_t *low)
{
	if (round & 1)
		*high ^= stir(*low, p->keys[round]) & p->high_mask;
	else
		*low ^= stir(*high, p->keys[round]) & p->low_mask;
}

uint64_t permutation_at(const struct permutation *p, uint64_t place)
{
	do {
		uint64_t high = place >> p->low_bits, low = place & p->low_mask;
		for (int i = 0; i < PERMUTATION_ROUNDS; i++)
			turn(p, i, &high, &low);
		place = high << p->low_bits | low;
	} while (place >= p->count);
	return place;
}

uint64_t permutation_place(const struct permutation *p, uint64_t value)
{
	do {
		uint64_t high = value >> p->low_bits, low = value & p->low_mask;
		for (int i = PERMUTATION_ROUNDS; i-- > 0;)
			turn(p, i, &high, &low);
		value = high << p->low_bits | low;
	} while (value >= p->count);
	return value;
}
