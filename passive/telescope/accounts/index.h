/*
 * From a hash to the number of an item in a pool: open addressing, one 32-bit slot an item.
 *
 * A slot holds 26 bits of number and 6 bits of hash, which spare most looks at items that are
 * others.  The owner's `same` says whether an item is the one that is looked for; it is inlined.
 */
#pragma once
#include "passive/telescope/accounts/pool.h"

#define INDEX_ITEM_BITS 26
#define INDEX_ITEM_MAX ((1u << INDEX_ITEM_BITS) - 1)
#define INDEX_GONE (1u << INDEX_ITEM_BITS) /* a tag without a number: something was here */

struct index {
	uint32_t *slots;
	uint64_t mask;
	uint64_t used, live; /* used counts those that are gone as well */
};

int index_open(struct index *, uint64_t slots); /* a power of two; 0 or ERR_MEMORY */
void index_close(struct index *);
void index_put(struct index *, uint64_t hash, uint32_t item); /* there must be room: index_tight() */
void index_drop(struct index *, uint64_t hash, uint32_t item);
/* Whether it should be made anew before the next index_put(), and how large. */
static inline bool index_tight(const struct index *x) { return x->used * 16 >= (x->mask + 1) * 13; }
uint64_t index_next_size(const struct index *);

static inline uint32_t index_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 58) << INDEX_ITEM_BITS;
}

/* Where looking for it begins, to fetch that ahead. */
static inline const void *index_place(const struct index *x, uint64_t hash)
{
	return &x->slots[hash & x->mask];
}

/*
 * An item with this tag, which may be another, or 0, when there may be one all the same.  Without
 * branches, which no processor would foresee, and within the line that was fetched.
 */
static inline uint32_t index_guess(const struct index *x, uint64_t hash)
{
	uint32_t tag = index_tag(hash), found = 0;
	const uint32_t *first = &x->slots[hash & x->mask];
	unsigned most = 15 - (hash & 15);
#pragma GCC unroll 4
	for (unsigned i = 4; i-- > 0;) {
		uint32_t slot = first[i < most ? i : most];
		uint32_t fits = -(uint32_t)((slot & ~INDEX_ITEM_MAX) == tag);
		found = (slot & fits) | (found & ~fits);
	}
	return found & INDEX_ITEM_MAX;
}

static inline __attribute__((always_inline)) uint32_t
index_find(const struct index *x, uint64_t hash, bool (*same)(const void *of, uint32_t item, const void *key),
	   const void *of, const void *key)
{
	for (uint64_t at = hash & x->mask;; at = (at + 1) & x->mask) {
		uint32_t slot = x->slots[at];
		if (!slot)
			return 0;
		uint32_t item = slot & INDEX_ITEM_MAX;
		if ((slot & ~INDEX_ITEM_MAX) == index_tag(hash) && item && same(of, item, key))
			return item;
	}
}

/* A keyed hash of 16 bytes: 64 × 64 → 128 bit multiplication, folded. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b, const uint64_t key[2])
{
	__uint128_t product = (__uint128_t)(a ^ key[0]) * (b ^ key[1]);
	uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
	product = (__uint128_t)(folded ^ key[1]) * 0x9E3779B97F4A7C15u;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}
