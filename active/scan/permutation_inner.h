/*
 * A permutation of 0 .. count-1 that is computed, not stored: any place at any time, and back.
 *
 * An alternating Feistel network over the smallest power of two that holds the count; what falls
 * outside is walked on (Black and Rogaway, 2002, "cycle walking"), twice on average at most.  For
 * spreading packets, not for secrets.
 */
#pragma once
#include <stdint.h>

#define PERMUTATION_ROUNDS 6

struct permutation {
	uint64_t count, low_mask, high_mask;
	unsigned low_bits;
	uint64_t keys[PERMUTATION_ROUNDS];
};

struct permutation permutation_make(uint64_t count, uint64_t seed); /* count: 1 to 2^62 */
uint64_t permutation_at(const struct permutation *, uint64_t place);
uint64_t permutation_place(const struct permutation *, uint64_t value); /* its inverse */
