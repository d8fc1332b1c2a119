/*
 * Between a decoy's worker and the relay: one channel for each session that goes on at a backend.
 *
 *   worker -> relay   relay.open  channel, persona, service; answered in parts: the first is empty
 *                                 (connected), then the backend's bytes; the last one ends it
 *                     relay.say   channel, bytes for the backend; answered once they are written
 *                     relay.took  channel, how many of the backend's bytes the visitor has got
 *                     relay.end   channel; what was said before still goes out
 *
 * Neither side keeps more than RELAY_WINDOW bytes that the other has not taken: the relay stops
 * to read from the backend, the worker from the visitor.
 */
#pragma once
#include "passive/relay/backend.h"

#define RELAY_WINDOW (128u << 10)
#define RELAY_PART_MAX (32u << 10)
#define RELAY_NAMESPACE_FD "namespace"
#define RELAY_WAIT_MS 5000 /* for a backend to answer at all */

struct room;
struct connection;
struct relay_channel;

/* The section `relay` of the configuration. */
struct relay_options {
	const char *namespace; /* NULL: no relay */
	uint64_t connections;
};

/*
 * The worker's side (channel.c).  relay_open() asks; what comes of it is told to the session by
 * session_tell_relay().  A session has one channel at most, and ends it by relay_drop().
 */
bool relay_open(struct connection *);
void relay_say(struct connection *, struct bytes);
void relay_drop(struct connection *);
bool relay_full(const struct connection *); /* nothing more is read from the visitor */
void relay_settle(struct connection *);     /* what was said to the visitor has gone out */
void relay_thaw(struct room *);             /* what came while the room was frozen */
