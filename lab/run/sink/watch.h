/*
 * The capture of the sink's link: every packet to the world's tables, and into a pcap those that tell
 * something.  It sees what came before any rule drops it.
 */
#pragma once
#include "lab/run/sink/world.h"

#define WATCH_BLOCK_MS 20 /* packets are told no later */

struct watch {
	int fd;
	uint8_t *ring;
	unsigned block;        /* the next to be read */
	struct world *world;
	uint64_t began_us;     /* UTC, of the run */
	struct writer pcap;    /* in shared memory */
	bool full;
};

/* In the namespace, before rights are given away; `room` is for the pcap. */
int watch_open(struct watch *, struct world *, unsigned link, uint64_t began_us, uint8_t *room, size_t size,
	       struct fault *);
void watch_close(struct watch *);
/* Takes what there is, a bounded part of it; true when there may be more. */
bool watch_turn(struct watch *);
/* At the end: how many packets the kernel could not show. */
void watch_missed(struct watch *);

/* A frame of Ethernet as the tables want it; false: nothing that they count.  For tests and fuzzers. */
bool watch_parse(struct bytes frame, size_t length, struct packet_seen *);
