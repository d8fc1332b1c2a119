/*
 * What control remembers of each address: when it was last looked at, what was last
 * decided, and how many triggers came since that no event of their own told.
 *
 * A hash table with a secret key, of a fixed number of entries (104 bytes each, touched
 * only when used: a million cost about 108 MB).  An address whose round is still running is
 * never forgotten, since that would allow a second round; everything else may be, the
 * oldest first.  Times are microseconds of UTC; the clock is the caller's.
 */
#pragma once
#include "base/address.h"
#include "event/id.h"

#define TARGETS_MAX_DEFAULT 1000000

struct target_link {
	uint32_t older, newer;
};

enum target_list {
	TARGET_LOOKED,   /* in order of their last look */
	TARGET_OTHER,    /* in order of their last trigger */
	TARGET_COUNTING, /* in order of the begin of their window */
	TARGET_LISTS
};

struct target {
	struct address address;
	struct event_id decision, root; /* of the last event about it */
	uint64_t looked_us;             /* last look allowed; 0: none that counts */
	uint64_t window_us;             /* since when triggers are counted; 0: they are not */
	uint32_t session;               /* a mark of the session that led to the decision */
	uint32_t repeats;               /* triggers in the window that had no event */
	uint32_t next;                  /* in its bucket, or in the free list */
	struct target_link keep, count; /* TARGET_LOOKED or TARGET_OTHER; TARGET_COUNTING */
	uint16_t rule;
	uint8_t reason;                 /* of the last decision */
	uint8_t depth;                  /* of the last event about it */
	uint8_t list;                   /* TARGET_LOOKED or TARGET_OTHER */
};

struct targets;

/* Called before an entry is forgotten, so that what it counted can still be told. */
typedef void target_leave_f(void *arg, struct target *);

int targets_open(struct targets **, size_t max, uint64_t round_us, uint64_t key, target_leave_f *,
		 void *arg);
void targets_close(struct targets *);
size_t targets_count(const struct targets *);
struct target *targets_find(struct targets *, const struct address *); /* NULL: unknown */
/* Finds or makes the entry.  NULL: all entries are addresses whose round is still running. */
struct target *targets_take(struct targets *, const struct address *, uint64_t now_us);
void targets_looked(struct targets *, struct target *, uint64_t when_us); /* 0 takes it back */
bool target_is_in_round(const struct targets *, const struct target *, uint64_t now_us);
/* Triggers are counted from now on, until targets_window_over() gives it back. */
void targets_count_from(struct targets *, struct target *, uint64_t now_us);
void targets_count_stop(struct targets *, struct target *);
/* The next whose window began before that, no longer counting; NULL when none is left. */
struct target *targets_window_over(struct targets *, uint64_t before_us);
/* Forgets up to `most` whose round has ended. */
void targets_expire(struct targets *, uint64_t now_us, size_t most);
void targets_each_looked(struct targets *, void (*each)(void *arg, const struct target *), void *arg);
