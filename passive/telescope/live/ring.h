/*
 * Packets of one interface, as the kernel leaves them in memory that it shares with us
 * (AF_PACKET, TPACKET_V3): blocks of many frames, read in place and given back.
 *
 * The socket is made in the parent, with the rights to capture, and captures nothing until
 * ring_watch(): all workers of an interface have joined by then, so that no source is first seen
 * by one worker and later by another.  The socket outlives the process that reads it; a successor
 * goes on at the oldest block that was not given back.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define RING_BLOCK_BYTES (1u << 20)
#define RING_RETIRE_MS 20 /* a block that is not full is handed over after so long */

struct ring_wanted {
	const char *interface;
	uint64_t bytes;            /* of the ring; rounded down to whole blocks */
	unsigned worker, workers;
	uint16_t group;            /* the same for all workers of an interface, another one for others */
	bool promiscuous;
};
/* The socket, or ERR_DENIED when the rights are missing, or another ERR_…; a sentence says why. */
int ring_socket(const struct ring_wanted *, struct fault *);

struct ring;
struct ring_frame {
	struct bytes frame; /* with its VLAN tags, as it was on the wire */
	uint32_t wire_length;
	uint64_t time_us;
};

/* In the process: maps the socket's ring.  The descriptor stays the caller's. */
int ring_open(struct ring **, int fd, uint64_t bytes, struct fault *);
void ring_close(struct ring *);
uint16_t ring_link(const struct ring *); /* enum link_type of its frames */
unsigned ring_interface(const struct ring *); /* the kernel's number of it */
void ring_deafen(struct ring *); /* captures nothing more; what is there can be read */
/* From now on packets to these prefixes are captured; `others`: also in frames to other stations. */
int ring_watch(struct ring *, const struct prefix *, size_t count, bool others, struct fault *);

/*
 * The next block, when one is full or old enough: ring_next() then walks its frames, and
 * ring_release() gives it back.  The frames are valid until then.
 */
bool ring_acquire(struct ring *);
bool ring_next(struct ring *, struct ring_frame *);
void ring_release(struct ring *);
uint64_t ring_sequence(const struct ring *); /* of the acquired block: 1, 2, … over the socket's life */
uint32_t ring_packets(const struct ring *);  /* in the acquired block */

/* Packets that found the ring full since the last time that this was asked. */
uint64_t ring_dropped(struct ring *);
/* What ended a wait for the ring, as an errno; ENETDOWN: the interface went down.  0: nothing. */
int ring_error(struct ring *);
