/*
 * Small programs that the kernel runs on each packet: which are captured, and by whom.
 *
 * They are classic BPF.  A tag of 802.1Q that the kernel took off is not in the packet any more;
 * up to two that stayed (QinQ) are stepped over.  A filter is a superset of what is watched:
 * packet_take() decides.
 */
#pragma once
#include "base/address.h"
#include <linux/filter.h>

/* Beyond so many prefixes a walk through them costs more than it saves, and all IP is captured. */
#define FILTER_PREFIXES_MAX 64
#define FILTER_CODE_MAX (FILTER_PREFIXES_MAX * 16 + 64)
#define FILTER_SNAP 2048 /* bytes that are captured of a frame */

struct filter {
	uint16_t count;
	struct sock_filter code[FILTER_CODE_MAX];
};

void filter_nothing(struct filter *);
/*
 * What goes to the prefixes and was not sent from here.  link_header: bytes before the IP header.
 * Frames to other stations come when the interface is promiscuous, which any program can make it;
 * they pass only with `others`.
 */
void filter_watch(struct filter *, const struct prefix *, size_t count, unsigned link_header, bool others);
/* Chooses the worker by the source: its address, or the /64 of IPv6.  For PACKET_FANOUT_CBPF. */
void filter_spread(struct filter *);
