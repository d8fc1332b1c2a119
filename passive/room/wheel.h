/*
 * Deadlines of many sessions: sixteen bytes each, and no timer of the loop's per session.
 *
 * An entry stands in the slot of its time, in steps of WHEEL_STEP_MS; times beyond the
 * wheel's turn stand in the last slot.  So an entry may come up early: its owner looks
 * at the clock and sets it again.  It never comes up more than a step late.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_STEP_MS 8
#define WHEEL_SLOTS 4096

struct wheel_entry {
	struct wheel_entry *next, **link; /* link NULL: not set */
};

struct wheel {
	uint64_t turned;                 /* the step up to which all has come up */
	uint64_t full[WHEEL_SLOTS / 64]; /* slots that may hold entries */
	struct wheel_entry *slots[WHEEL_SLOTS];
};

void wheel_start(struct wheel *, uint64_t now_ms);
void wheel_set(struct wheel *, struct wheel_entry *, uint64_t due_ms);
void wheel_remove(struct wheel_entry *);
/* Calls `due` for each entry whose slot has passed; it may set and remove any entry. */
void wheel_turn(struct wheel *, uint64_t now_ms, void (*due)(void *arg, struct wheel_entry *),
                void *arg);
/* When wheel_turn() should be called next; UINT64_MAX when nothing is set. */
uint64_t wheel_next_ms(const struct wheel *);
