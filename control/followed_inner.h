/*
 * The addresses of the follow-up study (active.follow): who attacked and proved to be real, when
 * it was last heard, and what was already done about it.
 *
 * A hash table with a secret key, of a fixed number of entries (about 200 bytes each).  When it is
 * full, nobody new is taken: those who are in it were promised a schedule.  Times are microseconds
 * of UTC; the clock is the caller's.
 */
#pragma once
#include "base/address.h"
#include "base/bytes.h"
#include "event/id.h"

struct followed_cause { /* as event_set_chain() takes it */
	struct event_id id, root;
	uint8_t depth;
};

struct followed {
	struct address address;
	struct followed_cause attack; /* the last attack: what a look back is caused by */
	struct followed_cause look;   /* the decision to look that an attack of its own led to */
	uint64_t attack_us;           /* last attack that proved the address; 0: none since it is followed */
	uint64_t heard_us;            /* last packet of any kind in its name */
	uint64_t looked_us;           /* last look since the one that its attack led to; 0: there was none */
	uint64_t asked_us;            /* last decision of the study about it */
	uint8_t relooks;              /* of them, since its last own look */
	bool backed;                  /* looked back at since its last attack */
	/* Below here: not written to the state. */
	bool changed;                 /* since it was written */
	bool taken;
	uint32_t next;                /* in its bucket, or in the free list */
};

struct followeds;

int followeds_open(struct followeds **, size_t max, uint64_t key); /* 0, ERR_BAD, ERR_MEMORY */
void followeds_close(struct followeds *);
size_t followeds_count(const struct followeds *);
struct followed *followeds_find(struct followeds *, const struct address *); /* NULL: unknown */
struct followed *followeds_take(struct followeds *, const struct address *); /* NULL: full */
void followeds_forget(struct followeds *, struct followed *);
/* The entries in a circle: the next taken one, after at most *steps places, which it counts down. */
struct followed *followeds_next(struct followeds *, size_t *steps);
size_t followeds_places(const struct followeds *); /* steps of a whole circle */

/* The body of a record; true when it was whole.  The address is the caller's to read and write. */
void followed_write(const struct followed *, struct writer *);
bool followed_read(struct reader *, struct followed *);
