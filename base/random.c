#include "base/random.h"
#include <stdlib.h>
#include <sys/random.h>

uint64_t random_secret(void)
{
	uint64_t v;
	if (getrandom(&v, sizeof v, 0) != sizeof v)
		abort(); /* guessable delays and cookies would break promises made elsewhere */
	return v;
}

/* The finaliser of SplitMix64. */
uint64_t random_mix(uint64_t key)
{
	uint64_t z = key + 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct random random_seeded(uint64_t seed)
{
	struct random r;
	for (int i = 0; i < 4; i++)
		r.state[i] = random_mix(seed + (uint64_t)i * 0x9e3779b97f4a7c15u);
	return r;
}

static uint64_t rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }

/* xoshiro256** by Blackman and Vigna, from its public description. */
uint64_t random_next(struct random *r)
{
	uint64_t *s = r->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t random_below(struct random *r, uint64_t limit)
{
	return (uint64_t)((__uint128_t)random_next(r) * limit >> 64);
}

double random_fraction(struct random *r) { return (double)(random_next(r) >> 11) * 0x1p-53; }
