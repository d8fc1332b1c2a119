/*
 * Plays a whole conversation without a network or a clock: what tests and fuzzers call.
 * Delays pass at once.  Time, peer, local address and randomness are fixed, so that the
 * same bytes always give the same answer.
 */
#pragma once
#include "passive/service.h"

struct transcript {
	struct writer answer; /* everything said, in order */
	struct writer events; /* JSON, one a line */
	unsigned captures;
};

/* `persona` may be NULL.  The service's options have their defaults. */
void service_rehearse(const struct service *, const struct persona *, struct bytes peer_sends,
		      size_t chunk, struct transcript *);
/* The same over one transport; over UDP each chunk is a datagram.  0: TCP where there is it. */
void service_rehearse_over(const struct service *, enum transport, const struct persona *,
			   struct bytes peer_sends, size_t chunk, struct transcript *);
/*
 * The same over TCP where what earlier visitors left lasts; the rehearsal's peer has 198.51.100.7,
 * its decoy 192.0.2.23.
 */
struct devices;
void service_rehearse_again(const struct service *, struct devices *, const struct persona *,
			    struct bytes peer_sends, size_t chunk, struct transcript *);
/*
 * The same with a backend, which the persona names: what it sends, in pieces of the same size as
 * soon as it was asked for, whatever it is told; and what it was told.
 */
struct backend_play {
	struct bytes sends;
	struct writer heard;
	bool refuses; /* it cannot be reached */
};
void service_rehearse_behind(const struct service *, const struct persona *, struct bytes peer_sends,
			     size_t chunk, struct backend_play *, struct transcript *);
