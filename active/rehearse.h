/*
 * Plays a probe against canned answers, without a network or a clock: what tests and
 * fuzzers call.  Silence passes at once; the target, the port and the settings are fixed,
 * so that the same bytes always give the same events.
 */
#pragma once
#include "active/probe.h"

struct rehearsal {
	struct writer asked;    /* everything said, in order */
	struct writer answered; /* JSON of host.answered, one a line for each connection */
	struct writer signals;  /* "key: value" lines */
	unsigned connections;
	bool overstated; /* the probe wanted to say more than it declares */
};

/* Of a secure probe the handshake is left out and `certificate` (may be empty) taken as shown. */
void probe_rehearse(const struct probe *, const struct bytes answers[], size_t count,
		    struct bytes certificate, size_t chunk, struct rehearsal *);
