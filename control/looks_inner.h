/*
 * Looks that were allowed: waiting for their time, for their network, for packets; given to
 * the prober; done.
 *
 * A look waits in a heap until its time has come, then for its network (a /24 of IPv4, a /48
 * of IPv6) to have a place, then in line until it is given.  It holds that place until it is
 * removed.  All is bounded by the number of looks (about 250 bytes each).
 */
#pragma once
#include "control/policy.h"

enum look_state { LOOK_WAITING, LOOK_PARKED, LOOK_READY, LOOK_GIVEN, LOOK_STATES };

#define LOOK_TRIES_MAX 3
#define LOOK_RULE_NONE UINT16_MAX

struct look {
	struct lease lease;
	uint64_t basis_until_us; /* after that the basis is stale; 0: it does not age */
	uint64_t due_us;         /* while it waits: when; once given: when its lease ends */
	uint16_t rule;
	uint8_t tries;           /* how often it came back unsent */
	uint8_t state;
	uint8_t sensor;          /* worker that saw the trigger */
	bool check;              /* of a command server: given as bus/check.h says */
	bool withdrawn;          /* told so; what is left is that the prober says it is done */
	uint32_t next_same_id;   /* the rest is the container's */
	uint32_t before, after;
	uint32_t heap_at;
	uint32_t network;
};

struct looks;

int looks_open(struct looks **, size_t max, size_t network_max, uint64_t key);
void looks_close(struct looks *);
size_t looks_count(const struct looks *, enum look_state);
bool looks_full(const struct looks *);
/* A copy that waits until lease.not_before_us; NULL when full. */
struct look *looks_add(struct looks *, const struct look *);
/* One that was given before a restart and may still be on its way; NULL when full. */
struct look *looks_add_given(struct looks *, const struct look *);
struct look *looks_find(struct looks *, const struct event_id *);
/* Lets in line all whose time has come. */
void looks_advance(struct looks *, uint64_t now_us);
struct look *looks_first(struct looks *); /* in line; NULL: none */
/* When the next waiting one is due; UINT64_MAX: none waits. */
uint64_t looks_wake_us(const struct looks *);
/* Whether a look at that address would have to wait for another in its network. */
bool looks_network_busy(struct looks *, const struct address *);
void looks_give(struct looks *, struct look *, uint64_t until_us); /* of looks_first() */
/* It came back unsent: waits again. */
void looks_return(struct looks *, struct look *, uint64_t not_before_us);
void looks_remove(struct looks *, struct look *);
struct look *looks_overdue(struct looks *, uint64_t now_us); /* given, and its lease has ended */
/* Every look; the callback may remove the one it is shown. */
void looks_each(struct looks *, void (*each)(void *arg, struct look *), void *arg);

/* A token bucket: `rate` a second, at most `burst` at once.  Rate 0: no limit. */
struct pace {
	double rate, burst, tokens;
	uint64_t last_us;
};

struct pace pace_of(double rate, double burst);
bool pace_has(struct pace *, double n, uint64_t now_us);
bool pace_take(struct pace *, double n, uint64_t now_us);
void pace_refund(struct pace *, double n);
uint64_t pace_wait_us(const struct pace *, double n); /* until n are there, after pace_has() */
