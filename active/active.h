/*
 * What the command line may ask of the active room without a running prober.
 */
#pragma once
#include "base/options.h"

struct dry_question { /* what would be said to one port */
	const char *probe, *summary, *reference; /* probe NULL: no probe asks there */
	unsigned tier, connections_max;
	bool secure;           /* within TLS: its handshake comes first */
	bool opt_in;           /* the tier is too low: it would not be asked */
	uint32_t to;           /* port that is really connected to (prober.port_map) */
	size_t question_max, answer_max, time_ms_max;
	struct bytes asked;    /* the first question, as it would leave; empty: the host speaks first */
};

/* Plays the probe of that port against silence and hands over what it said; valid during the call. */
int active_dry_question(const struct config *, const struct address *target, uint32_t port, unsigned tier,
			void (*told)(void *arg, const struct dry_question *), void *arg, struct fault *);
