/* Frames with TCP segments for the tests of the reactive telescope, and reading what comes back. */
#pragma once
#include "passive/telescope/packet.h"

#define FRAME_MAX 512

struct segment {
	const char *source, *destination; /* text; of one family */
	uint16_t source_port, port;
	uint32_t sequence, acknowledged;
	uint8_t flags, ttl;
	uint16_t ipid, vlan; /* vlan 0: no tag */
	struct bytes options; /* of TCP; a multiple of 4 bytes */
	struct bytes payload;
};

/* What a frame of ours says; `right`: every length and checksum is. */
struct answered {
	bool right;
	struct address from, to;
	uint16_t from_port, to_port, ip_length, vlan, window;
	uint32_t sequence, acknowledged;
	uint8_t flags, ttl, mss_option;
	uint8_t mac_to[6], mac_from[6];
};

extern const struct bytes linux_options, mss_option;
/* Length of the frame that was written. */
size_t segment_frame(const struct segment *, uint8_t frame[FRAME_MAX]);
struct answered answered_read(struct bytes frame);
