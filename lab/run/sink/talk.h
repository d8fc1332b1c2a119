/*
 * One conversation of the sink: which protocol it is, what came, what is to be said.  No I/O and no
 * clock: a transport (caller.c, datagram.c), a test or a fuzzer gives it bytes and takes what it says.
 */
#pragma once
#include "lab/run/sink/world.h"
#include "lab/run/sink_protocol.h"

#define TALK_URL_MAX 1024

struct talk {
	struct world *world;
	const struct sink_protocol *protocol; /* NULL: not known yet */
	uint8_t transport;
	struct address address; /* to which the sample talks */
	uint16_t port;
	bool secure;
	bool silent;        /* nothing recognises it: it is listened to */
	bool ended;         /* after what was said */
	bool switching;     /* the protocol that follows is recognised anew */
	bool spoke;         /* we said something */
	struct buffer in, out;
	char url[TALK_URL_MAX + 1]; /* asked for; empty: nothing is */
	const char *endpoint;
	uint32_t hello;     /* its number, or KNOWN_NONE */
	struct bytes content; /* while fetched() runs */
	size_t content_from, content_count; /* to be sent after `out`; the transport keeps the content */
	union {
		uint8_t state[TALK_STATE_MAX];
		uint64_t aligned;
	};
};

void talk_begin(struct talk *, struct world *, uint8_t transport, const struct address *, uint16_t port);
void talk_done(struct talk *);
/* False when it cannot take any more now: it waits for what it asked for, or its buffer is full. */
bool talk_take(struct talk *, struct bytes);
/* Nothing came for a while: who greets on that port speaks. */
void talk_quiet(struct talk *);
/* What it asked for; content stays valid until its content_count bytes are sent. */
void talk_fetched(struct talk *, bool found, struct bytes content);
static inline bool talk_wants(const struct talk *t) { return t->url[0] != '\0'; }
