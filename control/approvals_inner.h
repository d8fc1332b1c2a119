/*
 * What waits for the operator's yes, and what he said: a bounded table, free of bus and clock.
 *
 * When it is full, what is over leaves first, the oldest of it; when all of it still counts,
 * nothing more is taken.  One role cannot fill it: what it asked and nobody answered is bounded apart.
 */
#pragma once
#include "base/error.h"
#include "bus/approval.h"

#define APPROVALS_MAX 256
#define APPROVALS_WAITING_MAX 96 /* of one role */
#define APPROVAL_ROLE_MAX 15
#define APPROVAL_BY_MAX 63
#define APPROVAL_NOTE_MAX 200
#define APPROVAL_RECORD_MAX (APPROVAL_WIRE_MAX + 512)

struct approval {
	struct approval_ask ask; /* its text points behind this struct */
	struct approval_standing standing;
	char role[APPROVAL_ROLE_MAX + 1]; /* who asked */
	char sha256[65];                  /* of the text */
	char by[APPROVAL_BY_MAX + 1], note[APPROVAL_NOTE_MAX + 1];
	uint64_t asked_us, decided_us;
	uint8_t text[];
};

struct approvals {
	struct approval *items[APPROVALS_MAX]; /* in the order in which they were asked */
	size_t count;
};

/* The one that answers that question already; NULL: it must be asked anew. */
struct approval *approvals_same(const struct approvals *, const char *role, const struct approval_ask *);
struct approval *approvals_find(const struct approvals *, const struct event_id *);
/* A copy that waits; ERR_FULL or ERR_MEMORY. */
int approvals_add(struct approvals *, const char *role, const struct approval_ask *, const struct event_id *,
		  uint64_t now_us, struct approval **);
/* Those that match go; how many. */
size_t approvals_forget(struct approvals *, bool (*match)(void *arg, const struct approval *), void *arg);
void approvals_done(struct approvals *);
/* As they are kept; a record of one that is known replaces it. */
void approval_write(const struct approval *, struct writer *);
void approvals_read(struct approvals *, struct reader *);
