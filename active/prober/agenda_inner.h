/*
 * What is due when: a heap of entries that know their place, so that each can be moved or
 * taken out at once.  Times are of whatever clock the owner uses, in microseconds.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct agenda_entry { /* within the owner's struct */
	uint64_t due_us;
	size_t at; /* place in the heap, counted from 1; 0: not in it */
};

struct agenda {
	struct agenda_entry **heap; /* heap[0] is not used */
	size_t count, capacity;
};

/* Puts it in or moves it.  0 or ERR_MEMORY (never when it is in already). */
int agenda_set(struct agenda *, struct agenda_entry *, uint64_t due_us);
void agenda_drop(struct agenda *, struct agenda_entry *); /* nothing when it is not in */
struct agenda_entry *agenda_first(const struct agenda *); /* NULL: empty */
void agenda_done(struct agenda *);
