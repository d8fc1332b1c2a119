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
#define EGRESS_NAME_MAX 255
#define EGRESS_SENT_USUAL 4096
#define EGRESS_RECEIVED_USUAL 65536
#define EGRESS_CONNECTIONS_USUAL 4
#define EGRESS_PER_MINUTE_USUAL 4
#define EGRESS_TIME_MS_USUAL 60000
#define EGRESS_DECOY_CONNECTIONS_MAX 64     /* of one run, to all decoys */
#define EGRESS_DECOY_BYTES_MAX (1u << 20)   /* each way, over these */

struct egress_target {
	char name[EGRESS_NAME_MAX + 1]; /* as the sample calls it; empty: by its address */
	struct address address;         /* where it is really */
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
	uint64_t sent_max;        /* bytes out, over all connections to targets; 0: the usual, as below */
	uint64_t received_max;
	unsigned connections_max; /* over the whole run */
	unsigned per_minute_max;  /* connections */
	uint64_t time_ms;         /* of one connection */
	int netns;                /* from where it connects; -1: from where we are */
};

/* Whether the plan can be used: a sentence when not (no target has an address that is nobody's, ports are ports). */
int egress_check(const struct egress_plan *, struct fault *);
