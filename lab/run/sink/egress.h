/*
 * The process through which a sample's bytes may leave: it connects to what the plan names and relays
 * the payload within the caps, and nothing the sink says can make it do more.
 *
 * The sink hands it a connection of the sample with an offer; when that is over it says what passed.
 */
#pragma once
#include "lab/run/egress.h"
#include "lab/run/sink.h"

enum egress_limit { EGRESS_NO_LIMIT, EGRESS_SENT, EGRESS_RECEIVED, EGRESS_CONNECTIONS, EGRESS_RATE, EGRESS_TIME, EGRESS_REFUSED };

struct egress_offer { /* behind the letter X, with the sample's connection */
	uint32_t number; /* of the target or decoy in the plan */
	uint32_t decoy;  /* it is a decoy's */
	uint32_t flow;   /* given back */
};

struct egress_done { /* behind the letter Z */
	uint32_t flow, limit;
	uint64_t sent, received;
	uint32_t said_len;
	uint8_t said[SINK_HELLO_BYTES_MAX]; /* the first of it */
};

/* Serves until the sink is gone. */
_Noreturn void egress_process(int sink, const struct egress_plan *);
