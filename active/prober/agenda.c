#include "active/prober/agenda_inner.h"
#include "base/error.h"
#include <stdlib.h>

static void agenda_place(struct agenda *a, size_t at, struct agenda_entry *e)
{
	a->heap[at] = e;
	e->at = at;
}

static void agenda_rise(struct agenda *a, struct agenda_entry *e)
{
	size_t at = e->at;
	for (; at > 1 && a->heap[at / 2]->due_us > e->due_us; at /= 2)
		agenda_place(a, at, a->heap[at / 2]);
	agenda_place(a, at, e);
}

static void agenda_sink(struct agenda *a, struct agenda_entry *e)
{
	size_t at = e->at;
	for (;;) {
		size_t child = 2 * at;
		if (child > a->count)
			break;
		if (child < a->count && a->heap[child + 1]->due_us < a->heap[child]->due_us)
			child++;
		if (a->heap[child]->due_us >= e->due_us)
			break;
		agenda_place(a, at, a->heap[child]);
		at = child;
	}
	agenda_place(a, at, e);
}

static int agenda_grow(struct agenda *a)
{
	size_t capacity = a->capacity ? 2 * a->capacity : 64;
	struct agenda_entry **heap = realloc(a->heap, capacity * sizeof(struct agenda_entry *));
	if (!heap)
		return ERR_MEMORY;
	a->heap = heap;
	a->capacity = capacity;
	return 0;
}

int agenda_set(struct agenda *a, struct agenda_entry *e, uint64_t due_us)
{
	if (!e->at) {
		if (a->count + 1 >= a->capacity && agenda_grow(a) < 0)
			return ERR_MEMORY;
		e->at = ++a->count;
		a->heap[e->at] = e;
	}
	e->due_us = due_us;
	agenda_rise(a, e);
	agenda_sink(a, e);
	return 0;
}

void agenda_drop(struct agenda *a, struct agenda_entry *e)
{
	if (!e->at)
		return;
	struct agenda_entry *last = a->heap[a->count--];
	if (last != e) {
		last->at = e->at;
		agenda_rise(a, last);
		agenda_sink(a, last);
	}
	e->at = 0;
}

struct agenda_entry *agenda_first(const struct agenda *a) { return a->count ? a->heap[1] : NULL; }

void agenda_done(struct agenda *a)
{
	free(a->heap);
	*a = (struct agenda){0};
}
