/* Between packet.c, icmp.c and link.c: one packet while it is changed. */
#pragma once
#include "share/anonymise/sum_inner.h"
#include "share/anonymise/view_inner.h"

#define PACKET_DEPTH 4 /* packets within each other: quotes and tunnels */

enum place { PLACE_SRC, PLACE_DST }; /* where an address stands, for when nothing of ours is known */

struct packet {
	struct view *view;
	struct address src, dst; /* of the outermost, as they were */
	bool addressed, hiding;
	bool quoted;             /* what comes was sent the other way */
};

struct address packet_address(const struct packet *, const struct address *, enum place);
void packet_change_v4(const struct packet *, uint8_t *at, enum place, struct sum *);
void packet_change_v6(const struct packet *, uint8_t *at, enum place, struct sum *);
void packet_clean(struct packet *, uint8_t *at, size_t len, struct sum *);
void packet_ip(struct packet *, uint8_t *at, size_t len, unsigned depth);
void icmp_change(struct packet *, uint8_t *at, size_t len, unsigned depth);
void icmpv6_change(struct packet *, uint8_t *at, size_t len, struct sum addresses, unsigned depth);
