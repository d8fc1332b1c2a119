#include "base/arena.h"
#include <stdalign.h>
#include <stdlib.h>

#define BLOCK_FIRST 240  /* with malloc's own header a whole 256 */
#define BLOCK_LARGEST 65536

struct arena_block {
	struct arena_block *older;
	size_t used, size; /* of room */
	bool lent;         /* by arena_over(): not malloc's */
	alignas(max_align_t) uint8_t room[];
};

static struct arena_block *block_add(struct arena *a, size_t n)
{
	size_t size = a->newest ? 2 * (a->newest->size + sizeof(struct arena_block)) : BLOCK_FIRST;
	if (size > BLOCK_LARGEST)
		size = BLOCK_LARGEST;
	if (size < n + sizeof(struct arena_block))
		size = n + sizeof(struct arena_block);
	if (size > a->max - a->used) /* the last block takes what is left, if that is enough */
		size = a->max - a->used;
	if (size < n + sizeof(struct arena_block))
		return NULL;
	struct arena_block *b = malloc(size);
	if (!b)
		return NULL;
	*b = (struct arena_block){.older = a->newest, .size = size - sizeof *b};
	a->newest = b;
	a->used += size;
	return b;
}

struct arena arena_over(void *room, size_t size, size_t max)
{
	struct arena_block *b = room;
	struct arena a = ARENA(max);
	if (size <= sizeof *b || size > max)
		return a;
	*b = (struct arena_block){.size = size - sizeof *b, .lent = true};
	a.newest = b;
	a.used = size;
	return a;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > a->max)
		return NULL;
	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct arena_block *b = a->newest;
	if (!b || b->size - b->used < n)
		b = block_add(a, n);
	if (!b)
		return NULL;
	void *p = b->room + b->used;
	b->used += n;
	return memset(p, 0, n);
}

struct bytes arena_copy(struct arena *a, struct bytes from)
{
	uint8_t *p = arena_alloc(a, from.len ? from.len : 1);
	if (!p)
		return (struct bytes){0};
	if (from.len)
		memcpy(p, from.at, from.len);
	return (struct bytes){p, from.len};
}

char *arena_text(struct arena *a, struct bytes from)
{
	char *p = arena_alloc(a, from.len + 1);
	if (p && from.len)
		memcpy(p, from.at, from.len);
	return p;
}

void arena_done(struct arena *a)
{
	while (a->newest) {
		struct arena_block *older = a->newest->older;
		if (!a->newest->lent)
			free(a->newest);
		a->newest = older;
	}
	a->used = 0;
}
