/* Where packets to an address leave, as the kernel's routing table has it (rtnetlink). */
#pragma once
#include "base/address.h"
#include "base/error.h"

struct route {
	unsigned interface;
	struct address router, source; /* router zero: the address is on the link itself */
	bool local;                    /* an address of this machine */
};

/* ERR_MISSING: no route leads there.  `from` may be zero. */
int route_find(const struct address *to, const struct address *from, unsigned interface, struct route *);
/* The MAC of that neighbour; the kernel is asked to find it out when it does not know. */
int route_neighbour(unsigned interface, const struct address *, uint8_t mac[6], unsigned wait_ms_max);
