/* Randomness: from the kernel for what an enemy must not guess, xoshiro for spreading. */
#pragma once
#include <stdint.h>

uint64_t random_secret(void); /* from the kernel; aborts when it has none */

struct random {
	uint64_t state[4];
};

struct random random_seeded(uint64_t seed);
uint64_t random_next(struct random *);
uint64_t random_below(struct random *, uint64_t limit); /* 0 .. limit-1; limit > 0 */
double random_fraction(struct random *);                /* [0, 1) */
/* One well-mixed value for a key, the same at every call: for choices that must stay. */
uint64_t random_mix(uint64_t key);
