/*
 * Memory by lifetime: one arena per session, query or job, freed whole.
 *
 * An arena takes blocks from malloc (the first small, then larger) and never
 * more than `max` bytes in all, its own bookkeeping included.  Allocations are
 * zeroed and aligned for any type; there is no freeing of a single one.
 */
#pragma once
#include "base/bytes.h"

struct arena_block;

struct arena {
	struct arena_block *newest;
	size_t used; /* bytes taken from malloc */
	size_t max;
};

#define ARENA(limit) ((struct arena){.max = (limit)})

/*
 * An arena that fills `room` (at least 64 bytes, aligned for any type, often on the stack)
 * before it asks malloc: what is short-lived and small then costs no heap.  The room must
 * outlive the arena and counts towards `max`.
 */
struct arena arena_over(void *room, size_t size, size_t max);

void *arena_alloc(struct arena *, size_t n);                       /* NULL beyond the limit */
struct bytes arena_copy(struct arena *, struct bytes);             /* at is NULL beyond the limit */
char *arena_text(struct arena *, struct bytes);                    /* NUL-terminated copy, or NULL */
void arena_done(struct arena *);                                   /* frees all; may be used again */
