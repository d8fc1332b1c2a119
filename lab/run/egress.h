/*
 * Egress: a way out of the sink for an operator who may let a sample talk to its command server.
 *
 * Off unless a plan is given, and a plan is made from what the operator approved, endpoint by endpoint.
 * Never a packet: a process of its own connects, from its own network, to the endpoints of the plan and
 * to nothing else, and relays the payload of TCP within the plan's caps.  So nothing forged, no UDP, no
 * flood and no scan can leave, whatever the sample's packets look like.
 *
 * Connections to ports that the plan calls scanned go to the operator's own decoys instead, so that what
 * a sample does to a victim is seen and nobody is hurt.  Everything else ends in the sink as ever.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define EGRESS_TARGETS_MAX 16
#define EGRESS_DECOYS_MAX 16

struct egress_target {
	const char *name;        /* as the sample calls it; NULL: by its address */
	struct address address;  /* where it is really */
	uint16_t port;
};

struct egress_decoy { /* connections to that port of any address end there */
	uint16_t scanned;
	struct address address;
	uint16_t port;
};

struct egress_plan {
	struct egress_target targets[EGRESS_TARGETS_MAX];
	size_t target_count;
	struct egress_decoy decoys[EGRESS_DECOYS_MAX];
	size_t decoy_count;
	uint64_t sent_max;          /* bytes out, over all connections, 4096 when 0 */
	uint64_t received_max;      /* 65536 when 0 */
	unsigned connections_max;   /* over the whole run, 4 when 0; to decoys 64 of their own */
	unsigned per_minute_max;    /* connections, 4 when 0 */
	uint64_t time_ms;           /* of one connection, 60 s when 0 */
	int netns;                  /* from where it connects; -1: from where we are */
};
