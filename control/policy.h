/*
 * What may be done, to whom, how often; the only header of control that active may read.
 *
 * Control owns all budgets.  A look is asked of policy_ask() with its basis; the answer is
 * an event.  Where it is yes, control hands the active process a lease: one target, named
 * ports and tier, a number of packets, a time window.  Active sends nothing without one.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"
#include "base/port.h"
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

#define TIER_UDP 2         /* the lowest at which anything is asked over UDP */
#define LEASE_PORTS_MAX 12 /* per target and round */
#define LEASE_WIRE_MAX 256

struct lease {
	struct event_id id;          /* of the decision.made that allowed it */
	struct event_id cause, root; /* what led to that decision */
	uint64_t depth;              /* of the decision */
	struct address target;
	struct address from;         /* address to send from; zero: any */
	uint32_t ports[LEASE_PORTS_MAX]; /* base/port.h */
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
/*
 * A survey's permission.  Who scans asks control "survey.ask" (the name of the survey) and gets a
 * grant in parts, read with survey_grant_read(): the lease, then the prefixes that may be asked,
 * then those that may not (special ranges, ours, opt-outs, known scanners), which win.
 *
 * From then on it asks "survey.keep" (struct survey_progress) twice a second.  The answer is
 * read the same way: it says whether to go on, and, when somebody has opted out since, holds the
 * excluded set anew.  Whoever has no such answer for SURVEY_SILENCE_MS stops sending: so an
 * opt-out takes effect within a second, and a control that died ends the survey.
 *
 * What answered goes to control as "survey.hits": id, then address, port u16 and protocol u8 of
 * each, SURVEY_HITS_MAX at most; the answer is how many of them will be looked at (u64).
 */
#define SURVEY_PORTS_MAX 64
#define SURVEY_NAME_MAX 63
#define SURVEY_LEASE_WIRE_MAX 512
#define SURVEY_PREFIXES_MAX 65536
#define SURVEY_KEEP_MS 500     /* between two questions whether to go on */
#define SURVEY_SILENCE_MS 2000 /* without a yes: stop */
#define SURVEY_HITS_MAX 4096
#define SURVEY_HIT_WIRE 19

struct survey_lease {
	struct event_id id;        /* of the decision.made that allowed it */
	char name[SURVEY_NAME_MAX + 1];
	struct address from[2];    /* addresses to send from, IPv4 and IPv6; zero: any */
	uint64_t seed;             /* of the order of targets; the same for all of one round */
	uint64_t round;            /* counted from 1 */
	uint64_t rate;             /* packets a second, over all machines that share the lease */
	uint64_t packets_max;      /* what is left of the round's budget */
	uint64_t begins_us, expires_us;
	uint8_t tier;
	bool looks;                /* hits may be looked at: tell them */
	uint8_t port_count;
	struct survey_port {
		uint16_t port;
		uint8_t protocol;  /* 6 TCP, 17 UDP */
	} ports[SURVEY_PORTS_MAX];
};

void survey_lease_write(const struct survey_lease *, struct writer *);
/* False, and nothing is changed, when it is cut or names no port, no rate or no time. */
bool survey_lease_read(struct reader *, struct survey_lease *);

struct survey_progress { /* the payload of "survey.keep" */
	struct event_id id;
	uint64_t packets, hits, drops;
	bool done; /* the round is over: every target was asked */
};
#define SURVEY_PROGRESS_WIRE (16 + 3 * 8 + 1)
void survey_progress_write(const struct survey_progress *, struct writer *);
bool survey_progress_read(struct reader *, struct survey_progress *);

enum survey_part { SURVEY_PART_LEASE = 1, SURVEY_PART_TARGETS, SURVEY_PART_EXCLUDED, SURVEY_PART_KEEP };

struct survey_grant; /* what a scanner holds */
int survey_grant_open(struct survey_grant **); /* 0 or ERR_MEMORY */
void survey_grant_close(struct survey_grant *);
/*
 * One part of an answer to "survey.ask" or "survey.keep".  1: that set or lease is whole now;
 * 0: more is to come; ERR_BAD, ERR_FULL, ERR_MEMORY: stop.
 */
int survey_grant_read(struct survey_grant *, struct bytes part);
bool survey_grant_is_whole(const struct survey_grant *); /* lease and both sets are there */
const struct survey_lease *survey_grant_lease(const struct survey_grant *);
const struct prefix_set *survey_grant_targets(const struct survey_grant *);
const struct prefix_set *survey_grant_excluded(const struct survey_grant *);
/* Counts the excluded sets that came: another number, another set. */
uint64_t survey_grant_revision(const struct survey_grant *);
/* False once a keep said stop; `why` is its sentence. */
bool survey_grant_goes_on(const struct survey_grant *, const char **why);

/* Topics: control tells active "lease.give" (a lease), "lease.revoke" (16 bytes address +
 * 1 byte prefix length); active tells control "lease.done" (id, packets used u16). */
