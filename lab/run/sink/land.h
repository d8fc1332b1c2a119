/*
 * The sink's namespace made ready: every address is its own, and whatever comes over its link, to any
 * port, meets two sockets.
 *
 * Routes of the type "local" (AnyIP) make the kernel answer for every address, ARP included.  A chain of
 * nf_tables hands TCP and UDP to the two sockets with their destination unchanged (TPROXY), and drops
 * what is too much: a flood costs the sink no more than its limits, and what is dropped has been counted
 * by the capture, which comes before.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define LAND_TCP_PORT 61001
#define LAND_UDP_PORT 61002

struct land {
	int tcp[2], udp[2]; /* IPv4 and IPv6; -1 where the kernel has none */
	struct address box; /* the box's end of the link */
	unsigned link;      /* index of the one link */
	char link_name[16];
};

/* In the namespace already; rights over it. */
int land_open(struct land *, struct fault *);
void land_close(struct land *);
/* A socket that sends from `from`: an answer of UDP, or -1. */
int land_answer(const struct address *from, uint16_t port);
