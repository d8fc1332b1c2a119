/*
 * One link: what bus.c, messages.c and the transports share, and nobody else.
 *
 * A message on a link:  | length u32 | type u8 | body |, big-endian, length counts all.
 *
 *    HELLO      subscription u64, maker of ids u32, dictionary   first, and when it changes
 *    EVENT      sequence u64 (0: relayed, not to be acknowledged), frame
 *    ACK        sequence u64                     all up to it are safe
 *    REQUEST    id u32, topic (u8 length), payload
 *    ANSWER     id u32, status i32, more u8, payload
 *    STOPPING   an orderly end follows
 */
#pragma once
#include "bus/bus.h"

#define MESSAGE_HEADER 5
#define MESSAGE_MAX (BUS_PAYLOAD_MAX + 1024)
#define LINK_OUT_MAX (BUS_UNACKED_HARD + 8u * BUS_PAYLOAD_MAX)
#define LINK_IN_MAX (2u * MESSAGE_MAX)
/*
 * Events and acknowledgements wait this long for more to go with them: a wake-up of the far
 * end for each turn of the loop costs more than what is sent.
 */
#define FLUSH_WAIT_MS 2
#define LINK_FLUSH_BYTES (128u << 10) /* beyond this a publish writes at once */
#define RELAY_OUT_MAX (4u << 20)      /* a viewer this far behind misses frames */
#define ROLE_NAME_MAX 32
#define TOPICS_MAX 64

enum message { MESSAGE_HELLO = 1, MESSAGE_EVENT, MESSAGE_ACK, MESSAGE_REQUEST, MESSAGE_ANSWER,
	       MESSAGE_STOPPING };

struct bus_peer { /* lives as long as the bus: a process that comes back finds its frames here */
	struct bus *bus;
	char role[ROLE_NAME_MAX];
	unsigned worker;
	struct bus_rights rights;
	const struct transport *transport;
	void *transport_state; /* NULL: not linked now */
	uint64_t instance;     /* counts the links to this peer: an answer must not reach a successor */
	bool greeted, clean;
	uint32_t maker;
	kind_mask wants;
	struct dictionary dictionary;
	struct buffer in, out;
	struct buffer unacked;   /* frames, in order */
	uint64_t unacked_first;  /* sequence of the first of them */
	uint64_t next_sequence;  /* of the next to be published */
	uint64_t seen;           /* last sequence that came in on this link */
	uint64_t acknowledge;    /* to be told, 0: nothing */
	bool dirty;              /* something to write, within FLUSH_WAIT_MS */
	bool urgent;             /* at the end of this turn of the loop */
};

/* How bytes of a link move.  A second transport fills the same five. */
struct transport {
	const char *name;
	int (*attach)(struct bus_peer *, uv_loop_t *, int fd);
	void (*flush)(struct bus_peer *); /* write what is in out, now and as the far end takes it */
	void (*detach)(struct bus_peer *);
};
extern const struct transport transport_local;

/* For transports: bytes were appended to peer->in; the link broke. */
void link_received(struct bus_peer *);
void link_lost(struct bus_peer *);

/* messages.c: reads what is complete in peer->in; ERR_BAD when the far end broke the protocol. */
int messages_read(struct bus_peer *);
/* Begins a message in `out` with room for a body of n bytes; the writer is for the body. */
struct writer message_begin(struct bus_peer *, enum message, size_t body);
void message_hello(struct bus_peer *);

struct bus_pending { /* a request of ours that waits for its answer */
	struct bus_pending *next;
	struct bus_peer *peer;
	uint32_t id;
	bus_answer_f *answer;
	void *arg;
};

struct bus_topic {
	const char *name;
	bus_request_f *handler;
	void *arg;
	bool guests;
};

struct bus {
	uv_loop_t *loop;
	char role[ROLE_NAME_MAX];
	unsigned worker;
	char sensor[64];
	struct id_maker ids;
	struct bus_hooks hooks;
	kind_mask subscription;
	char ignored[ROLE_NAME_MAX]; /* whose events are not wanted */
	struct bus_peer *peers[BUS_LINKS_MAX];
	size_t peer_count;
	struct bus_topic topics[TOPICS_MAX];
	size_t topic_count;
	struct bus_pending *pending;
	uint32_t next_request;
	uint64_t foreign, missed;
	bool congested;
	uint64_t close_deadline_us; /* monotonic; 0: not closing */
	unsigned handles;           /* of libuv, still to be closed by bus_free() */
	uv_prepare_t prepare; /* flushes urgent links once a turn of the loop */
	uv_timer_t flush;     /* and the others a little later, all that came meanwhile together */
	uv_poll_t door;
	int door_fd;
	uv_timer_t close_timer;
	void (*closed)(void *arg);
	void *closed_arg;
	uint8_t scratch[FRAME_MAX + 256]; /* of a frame on its way out */
	uint8_t stamped[FRAME_MAX + 256]; /* and in: a handler may publish while it reads */
	struct event event; /* for translating foreign frames */
};

void bus_relief_check(struct bus *);
void bus_peer_unlink(struct bus_peer *);
