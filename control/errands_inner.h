/*
 * Errands that wait for the process which does them (bus/errand.h): a bounded line for each action.
 *
 * Free of the bus: errand_topics.c gives what errands_next() names and says how that went.
 */
#pragma once
#include "bus/errand.h"
#include "control/rules_inner.h"

#define ERRANDS_MAX 4096      /* of one action; about 1 KiB each */
#define ERRANDS_AT_ONCE 4     /* given and not answered yet, of one action */
#define ERRANDS_RETRY_US 1000000

struct errand_waiting; /* one errand */

struct errands {
	struct errand_line {
		struct errand_waiting *first, *last;
		size_t count, given;  /* waiting, and of them on their way */
		uint64_t retry_us;    /* not before then, since the receiver was full or away */
		uint64_t taken, refused, lost; /* in all; lost: the line was full */
	} lines[ACTIONS];
};

/* The role that does what that action says; NULL: control does it itself. */
const char *errand_role(enum action);

/* Puts the event in that action's line: 0, ERR_FULL or ERR_MEMORY. */
int errands_add(struct errands *, enum action, const struct rule *, const struct event *);
void errands_done(struct errands *);
/* The next to be given now, which counts as given until errand_answered(); NULL: none. */
struct errand_waiting *errands_next(struct errands *, enum action, uint64_t now_us);
struct bytes errand_payload(const struct errand_waiting *);
/* 0: taken; ERR_FULL, ERR_GONE: stays first in line; anything else: the receiver will never take it. */
void errand_answered(struct errands *, struct errand_waiting *, int status, uint64_t now_us);
