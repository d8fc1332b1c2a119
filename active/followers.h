/*
 * Who watches a look as it happens: `kansoku probe`, which asked control for it and now
 * wants to see what comes back.
 *
 * A request for the topic "look.follow" carries the id of a lease; each event of that lease
 * is one part of the answer, as JSON, and the last part comes when the lease is done.  What
 * was told before the request came is kept for it, since a look may be over within a
 * millisecond; only looks that an operator asked for are kept, and only the latest.
 */
#pragma once
#include "bus/bus.h"

#define FOLLOWERS_MAX 16
#define FOLLOWERS_KEPT_MAX 262144 /* bytes of JSON kept of one look */
#define FOLLOWERS_JSON_MAX 131072 /* of one event */

struct followers {
	struct follower {
		struct event_id lease;       /* zero: the place is free */
		struct bus_request *request; /* NULL: nobody has come for it yet */
		struct buffer kept;          /* length as u32, then JSON, one after the other */
		uint64_t since;
		bool ended;
	} items[FOLLOWERS_MAX];
	uint64_t count;
	char json[FOLLOWERS_JSON_MAX];
};

/* A lease that somebody will want to follow was given to us. */
void followers_expect(struct followers *, const struct event_id *lease);
/* Answers at once when the payload is no id or too many follow; else event by event. */
void followers_add(struct followers *, struct bus_request *, struct bytes payload);
void followers_tell(struct followers *, const struct event *);
void followers_end(struct followers *, const struct event_id *lease);
void followers_end_all(struct followers *);
