/*
 * What may be done, to whom, how often; the only header of control that active may read.
 *
 * Control owns all budgets.  A look is asked of policy_ask() with its basis; the answer is
 * an event.  Where it is yes, control hands the active process a lease: one target, named
 * ports and tier, a number of packets, a time window.  Active sends nothing without one.
 */
#pragma once
#include "base/address.h"
#include "event/event.h"

enum basis { /* why a look may be taken at all; the source's address must not be spoofable */
	BASIS_NONE,      /* a dark packet, an alert: never */
	BASIS_HANDSHAKE, /* it completed a TCP handshake with a decoy, shortly ago */
	BASIS_COOKIE,    /* it answered a reactive cookie */
	BASIS_SURVEY,    /* part of a survey that the operator approved */
	BASIS_SAMPLE,    /* named by a sample of our own */
	BASIS_RECORD,    /* named by an imported record whose marking allows it */
	BASIS_OPERATOR,  /* the operator named this one address by hand */
	BASIS_COUNT
};
const char *basis_name(enum basis);
int basis_find(struct bytes name); /* or ERR_MISSING */

#define LEASE_PORTS_MAX 12 /* per target and round */
#define LEASE_WIRE_MAX 256

struct lease {
	struct event_id id;          /* of the decision.made that allowed it */
	struct event_id cause, root; /* what led to that decision */
	uint64_t depth;              /* of the decision */
	struct address target;
	struct address from;         /* address to send from; zero: any */
	uint16_t ports[LEASE_PORTS_MAX];
	uint8_t port_count;
	uint8_t tier;
	uint8_t basis;
	uint16_t packets_max;        /* to the observed address, over all ports */
	uint64_t not_before_us, expires_us; /* UTC */
	uint64_t trigger_us;         /* when the triggering event was received: for latencies */
};

void lease_write(const struct lease *, struct writer *);
/* False, and nothing is changed, when it is cut or names no target, no port, or too many. */
bool lease_read(struct reader *, struct lease *);
/* Topics: control tells active "lease.give" (a lease), "lease.revoke" (16 bytes address +
 * 1 byte prefix length); active tells control "lease.done" (id, packets used u16). */
