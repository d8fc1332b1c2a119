/*
 * The way back: a ring that the kernel fills (TPACKET_V3) with what passes an exact filter: packets to
 * our addresses and source ports that a scan of this protocol waits for, 128 bytes of each.
 */
#pragma once
#include "active/scan/reply_inner.h"
#include <linux/filter.h>

#define FILTER_MAX 96

struct receiver_wanted {
	unsigned interface; /* 0: any */
	enum scan_protocol protocol;
	struct address from_v4, from_v6; /* zero: that family is not scanned */
	struct source_ports ports;
	size_t bytes;
};

struct filter_program {
	struct sock_filter code[FILTER_MAX];
	unsigned short count;
};
void filter_make(struct filter_program *, const struct receiver_wanted *);

struct receiver;
int receiver_open(struct receiver **, const struct receiver_wanted *, struct fault *);
void receiver_close(struct receiver *);
int receiver_descriptor(const struct receiver *);
/* Hands over what came, one block at most; false: there was none. */
bool receiver_take(struct receiver *, void (*each)(void *, struct bytes packet, uint64_t time_us), void *arg);
uint64_t receiver_dropped(struct receiver *); /* since the last call */
