/*
 * What a host was when it was last looked at: digests only, so that a change can be told.
 *
 * One entry a host, found by a keyed hash of its address; the address itself is not kept.  Of two
 * hosts that fall on one entry the later stays.  It lives as long as the process.
 */
#pragma once
#include "event/event.h"

#define REMEMBERED_HOSTS 65536 /* about 4 MiB */

struct remembered;
struct remembered_signal {
	const char *name; /* "certificate" */
	struct bytes value;
};

int remembered_open(struct remembered **, uint64_t key); /* 0 or ERR_MEMORY */
void remembered_close(struct remembered *);
/*
 * Compares host.identified and two signals with what the host was; what is not known now or was
 * not then counts for nothing.  Sets `changed` and `changed.since` where something differs.
 */
void remembered_compare(struct remembered *, struct event *, const struct remembered_signal signals[2], uint64_t now_us);
