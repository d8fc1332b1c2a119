/*
 * The way out: frames are written in place and handed to the kernel by the batch.
 *
 * Where all targets lie behind one router, whole Ethernet frames leave by AF_XDP in copy mode (no
 * program, no rights beyond CAP_NET_RAW), past the kernel's stack and its queue; else by a packet
 * socket.  A raw IP socket lets the kernel route, for targets on the link and on this machine.
 */
#pragma once
#include "active/scan/packet_inner.h"

#define SEND_BATCH 64

struct sender_wanted {
	enum scan_way way; /* never SCAN_WAY_ANY */
	unsigned interface; /* 0 with SCAN_WAY_RAW: any */
	bool v4, v6;
};

struct sender;
int sender_open(struct sender **, const struct sender_wanted *, struct fault *);
void sender_close(struct sender *);
/* Room for the next frame of FRAME_MAX bytes; NULL: the batch is full, sender_flush() makes room. */
uint8_t *sender_room(struct sender *);
void sender_put(struct sender *, size_t length, const struct address *to);
/* Hands over all that was put.  How many the kernel refused for good. */
size_t sender_flush(struct sender *);

/* What a way of sending is; the one that is open keeps its state behind it. */
struct sender_kind {
	int (*open)(struct sender *, const struct sender_wanted *, struct fault *);
	void (*close)(struct sender *);
	uint8_t *(*room)(struct sender *);
	void (*put)(struct sender *, size_t length, const struct address *to);
	size_t (*flush)(struct sender *);
};
extern const struct sender_kind sender_xdp, sender_socket;
struct sender {
	const struct sender_kind *kind;
	void *state;
	enum scan_way way;
	int error; /* an errno: the interface is down or gone, nothing leaves any more */
};
