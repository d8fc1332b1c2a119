/*
 * How the peer's kernel answers: time to live, window and options of its SYN-ACK.
 *
 * A stream socket does not tell, so a packet socket that the parent opened hands us the
 * SYN-ACKs that come to our own range of ports, and nothing else.  They are kept in a
 * table of fixed size by address and port, where newer ones displace older ones.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"
#include "event/event.h"

#define SYNACK_SNAP 128 /* bytes of a packet that are read: headers with all options fit */
#define SYNACK_OPTIONS_TEXT 160

struct synack {
	struct address from;
	uint16_t port, window;
	uint8_t ttl;
	uint64_t seen_us; /* monotonic */
	char options[SYNACK_OPTIONS_TEXT]; /* "mss:1460,sok,ts,nop,ws:7", in their order */
};

/* With rights of the parent: a socket for IPv4 (AF_INET) or IPv6.  Negative: ERR_DENIED, ERR_SYSTEM. */
int synack_socket(int family, struct fault *);

/* Reads one IP packet; false when it is not a whole SYN-ACK. */
bool synack_read(struct bytes packet, struct synack *out);

struct synacks;
/* The descriptors are taken over; -1: there is none. */
int synacks_open(struct synacks **, const int fds[2]);
void synacks_drain(struct synacks *, uint64_t now_us);
/* The answer of that peer seen since then; NULL: none was. */
const struct synack *synacks_find(const struct synacks *, const struct address *, uint16_t port,
				  uint64_t since_us);
void synacks_close(struct synacks *);
