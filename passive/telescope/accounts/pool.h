/*
 * Items of one size, named by 32-bit numbers from 1; number 0 is nobody.
 *
 * The address range for the most there may be is reserved at once and memory is taken as it is
 * touched, so items never move and growing copies nothing.  Freed items are used again, last
 * freed first; while free an item holds the number of the next free one behind its first 8 bytes,
 * which its owner sets to zero so that a walk over the pool can tell.
 */
#pragma once
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

struct pool {
	uint8_t *items;
	uint32_t size;     /* bytes of one, at least 8 */
	uint32_t high;     /* numbers up to here were given out at some time */
	uint32_t capacity; /* the highest number there may be */
	uint32_t free;     /* first of the free ones */
	uint32_t live;
};

int pool_open(struct pool *, uint32_t size, uint32_t capacity); /* 0 or ERR_MEMORY */
uint32_t pool_take(struct pool *);                              /* zeroed; 0: there are no more */
void pool_give(struct pool *, uint32_t item);
void pool_close(struct pool *);

static inline void *pool_item(const struct pool *p, uint32_t item)
{
	return p->items + (size_t)item * p->size;
}

static inline uint64_t pool_bytes(const struct pool *p) { return (uint64_t)p->live * p->size; }
