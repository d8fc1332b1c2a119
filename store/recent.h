/*
 * Which ids came lately, so that a frame that is sent again is kept once.
 *
 * A sender repeats what was not acknowledged; what was written but not yet
 * acknowledged when the journal died is a group or two.  The window is larger:
 * at least RECENT_WINDOW ids.  Two tables, the older dropped when the newer is full.
 */
#pragma once
#include "event/id.h"

#define RECENT_WINDOW (1u << 18)

struct recent {
	struct event_id *table[2]; /* open addressing, 2 * RECENT_WINDOW places each */
	size_t count[2];
	unsigned newer;
	uint64_t key;
};

int recent_open(struct recent *, uint64_t key); /* 0 or ERR_MEMORY */
bool recent_holds(const struct recent *, const struct event_id *);
void recent_add(struct recent *, const struct event_id *);
void recent_close(struct recent *);
