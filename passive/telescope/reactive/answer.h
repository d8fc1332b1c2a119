/* Frames of the reactive telescope: one that came, turned around; one that leaves, written. */
#pragma once
#include "passive/telescope/packet.h"

#define TURNED_MAX 30 /* Ethernet and four VLAN tags */

/* The way back of an answer: its link header has the addresses exchanged, and the tags as they were. */
struct turned {
	uint8_t header[TURNED_MAX];
	uint8_t length;
	uint8_t interface; /* on which it came; answer_turn() leaves this alone */
};

struct answer {
	const struct turned *turned;
	struct address from, to;
	uint16_t from_port, to_port;
	uint32_t sequence, acknowledged;
	uint8_t flags;   /* as in the TCP header */
	uint16_t window;
	bool mss;        /* with that option */
};

/*
 * False when the frame cannot be answered: a link that is not Ethernet or raw IP, a group's
 * hardware address, a fragment, headers between IP and TCP.  `ip_length` is what stands in the
 * frame of the IP packet, whatever its header claims.
 */
bool answer_turn(const struct packet_batch *, unsigned lane, struct turned *, size_t *ip_length);
size_t answer_ip_length(const struct answer *);
void answer_write(const struct answer *, struct writer *);
