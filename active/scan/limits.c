#include "active/scan/limits_inner.h"
#include "base/error.h"
#include "base/random.h"
#include <stdlib.h>

#define CHAIN_MAX 16 /* places that a key may stand at */

struct busy {
	uint64_t key;
	uint64_t free_us; /* the next packet may leave then; before now: the place is free */
	uint64_t turn_us; /* the last turn that was given away */
};

struct limit {
	uint64_t gap_us, secret, mask;
	struct busy *table;
};

int limit_open(struct limit **out, uint64_t gap_us, uint64_t entries)
{
	struct limit *l = calloc(1, sizeof *l);
	uint64_t size = 1024;
	while (size < entries * 2 && size < LIMIT_ENTRIES_MAX)
		size *= 2;
	if (l)
		l->table = calloc(size, sizeof *l->table);
	if (!l || !l->table) {
		free(l);
		return ERR_MEMORY;
	}
	l->gap_us = gap_us;
	l->mask = size - 1;
	l->secret = random_secret();
	*out = l;
	return 0;
}

void limit_close(struct limit *l)
{
	if (l)
		free(l->table);
	free(l);
}

static bool is_free(const struct busy *b, uint64_t now_us) { return b->free_us <= now_us && b->turn_us <= now_us; }

/* The key's place, or a free one for it; NULL: all of its places are busy with others. */
static struct busy *place_of(struct limit *l, uint64_t key, uint64_t now_us)
{
	const uint64_t from = random_mix(key ^ l->secret);
	struct busy *free_one = NULL;
	for (uint64_t i = 0; i < CHAIN_MAX; i++) {
		struct busy *b = &l->table[(from + i) & l->mask];
		if (b->key == key && !is_free(b, now_us))
			return b;
		if (!free_one && is_free(b, now_us))
			free_one = b;
	}
	if (free_one)
		*free_one = (struct busy){.key = key};
	return free_one;
}

uint64_t limit_ask(struct limit *l, uint64_t key, uint64_t now_us, bool again)
{
	struct busy *b = place_of(l, key, now_us);
	if (!b)
		return now_us + l->gap_us;
	const uint64_t next = b->free_us > b->turn_us + l->gap_us || b->turn_us == 0 ? b->free_us
									       : b->turn_us + l->gap_us;
	if (again)
		return b->free_us > now_us ? b->free_us : 0;
	if (next <= now_us)
		return 0;
	b->turn_us = next;
	return next;
}

void limit_take(struct limit *l, uint64_t key, uint64_t now_us)
{
	struct busy *b = place_of(l, key, now_us);
	if (b)
		b->free_us = now_us + l->gap_us;
}

int waiting_open(struct waiting *w)
{
	w->items = malloc(WAITING_MAX * sizeof *w->items);
	w->count = 0;
	return w->items ? 0 : ERR_MEMORY;
}

void waiting_close(struct waiting *w)
{
	free(w->items);
	*w = (struct waiting){0};
}

bool waiting_put(struct waiting *w, const struct waiting_probe *probe)
{
	if (w->count == WAITING_MAX)
		return false;
	size_t at = w->count++;
	for (size_t parent; at > 0 && w->items[parent = (at - 1) / 2].due_us > probe->due_us; at = parent)
		w->items[at] = w->items[parent];
	w->items[at] = *probe;
	return true;
}

struct waiting_probe waiting_take(struct waiting *w)
{
	const struct waiting_probe first = w->items[0], last = w->items[--w->count];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= w->count)
			break;
		if (child + 1 < w->count && w->items[child + 1].due_us < w->items[child].due_us)
			child++;
		if (w->items[child].due_us >= last.due_us)
			break;
		w->items[at] = w->items[child];
		at = child;
	}
	w->items[at] = last;
	return first;
}
