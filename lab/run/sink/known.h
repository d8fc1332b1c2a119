/*
 * What was met already: 64-bit keyed hashes, each with a number, in a table of fixed size.
 *
 * The key is drawn when the table is made, so that no sample can choose things that collide; two
 * different things with one hash are then a matter of chance, 2^-44 for a table of a million.
 */
#pragma once
#include "base/siphash.h"

#define KNOWN_NONE UINT32_MAX

struct known {
	uint64_t *hashes;
	uint32_t *values;
	size_t slots, count, max; /* slots is a power of two and at least 4/3 of max */
	struct siphash_key key;
};

int known_open(struct known *, size_t max); /* 0 or ERR_MEMORY */
void known_done(struct known *);
uint64_t known_hash(const struct known *, struct bytes);
uint32_t known_find(const struct known *, uint64_t hash); /* KNOWN_NONE: not met */
/* Adds what is not there; false when it is full.  `was_new` may be NULL. */
bool known_add(struct known *, uint64_t hash, uint32_t value, bool *was_new);
