/*
 * Chance that repeats: everything the world draws comes from one seed, so two runs with the same
 * seed have the same sources, the same devices at the same addresses and the same dialogues.
 * The generator is splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
 */
#pragma once

#include <stdint.h>

struct chance {
	uint64_t state;
};

static inline uint64_t chance_next(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A number below `limit`, which must not be 0. The bias of the modulo is far below what shows. */
static inline uint32_t chance_below(struct chance *c, uint32_t limit)
{
	return (uint32_t)((chance_next(c) >> 32) * (uint64_t)limit >> 32);
}

/* True in `percent` of the draws. */
static inline int chance_percent(struct chance *c, uint32_t percent)
{
	return chance_below(c, 100) < percent;
}
