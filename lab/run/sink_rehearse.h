/* Plays a protocol of the sink without a network or a clock: what tests and fuzzers call. */
#pragma once
#include "lab/run/sink_protocol.h"

struct sink_rehearsal {
	struct writer heard; /* all that was said to the sample */
	struct writer told;  /* "kind subject" lines */
	const char *protocol; /* that was recognised last, or "" */
};

/* `said` comes in pieces of `chunk` bytes, from port 9 or the first port of `p` where it greets; nobody has any download. */
void sink_rehearse(const struct sink_protocol *p, struct bytes said, size_t chunk, struct sink_rehearsal *);
