/*
 * Sessions that a decoy process left open when it died are closed in its stead, by the journal,
 * since it alone knows which of their events are safe.
 *
 * An instance of a process is known by the maker in its ids (event/id.h).  The journal tells
 * of every frame that it keeps, also of those that it finds at its start; when an instance is
 * known to be dead, each of its open sessions becomes a session.closed with reason "crash".
 */
#pragma once
#include "bus/bus.h"
#include "store/sessions_inner.h"

struct crashes;

int crashes_open(struct crashes **);
void crashes_close(struct crashes *);
/* A frame in our numbers; only those that open or close a session are decoded. */
void crashes_see(struct crashes *, struct bytes frame, const struct dictionary *);
/*
 * The next session of a dead instance, as an event without id; false when there is none.
 * `alive` are the makers of the instances that run.
 */
bool crashes_next(struct crashes *, const uint32_t *alive, size_t count, uint64_t now_us,
		  struct event *out);
