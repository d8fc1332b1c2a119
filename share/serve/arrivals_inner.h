/*
 * What came into a collection, in the order in which it came: the ground on which TAXII counts its pages.
 *
 * One file for each collection, EXCHANGE_FOLDER/arrivals/ID: a header and an entry of 32 bytes for each event, so that a
 * page begins anywhere at once.  It holds when an event came and which it was, and nothing of what it says: events that
 * were erased or that time took away are no longer found, and their entries mean nothing.
 *
 * Dates are unique and grow by ARRIVAL_STEP_US at least, since each of the objects that an event becomes has a date of its
 * own within that step (TAXII 2.1, 3.4).
 */
#pragma once
#include "base/error.h"
#include "event/id.h"

#define ARRIVALS_FOLDER "arrivals"
#define ARRIVAL_STEP_US 32
#define ARRIVAL_BYTES 32

struct arrivals;

struct arrival {
	uint64_t date_us;  /* of its first object; when it came */
	uint64_t time_us;  /* the event's own */
	struct event_id id;
};

int arrivals_open(struct arrivals **, int directory, const char *name, uint64_t now_us, struct fault *);
void arrivals_close(struct arrivals *);
uint64_t arrivals_since(const struct arrivals *); /* when it was made: a date before all others */
uint64_t arrivals_count(const struct arrivals *);
/* Up to which time of reception the store was read. */
uint64_t arrivals_mark(const struct arrivals *);
/* Not kept before arrivals_keep(). */
int arrivals_add(struct arrivals *, const struct event_id *, uint64_t time_us, uint64_t now_us);
/* Makes what was added last, with the mark, or nothing of it: ERR_SYSTEM. */
int arrivals_keep(struct arrivals *, uint64_t mark);
/* What was added since arrivals_keep() was not. */
void arrivals_drop(struct arrivals *);
size_t arrivals_read(const struct arrivals *, uint64_t from, struct arrival *out, size_t max);
/* The first entry of which an object may be younger than that. */
uint64_t arrivals_after(const struct arrivals *, uint64_t date_us);
