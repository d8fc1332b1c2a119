/*
 * The process "notify": gathers events of one rule for a while, makes a notice of them, and hands it
 * to each way, at most so many an hour.
 *
 * gather_… and line_… are free of the bus and of time: the role gives them both.
 */
#pragma once
#include "base/options.h"
#include "event/event.h"
#include "share/notice.h"

#define WAYS_MAX 16
#define MOST_MAX 1000
#define GATHERED_MAX 64 /* rules at a time */
#define LINE_MAX_NOTICES 64
#define RETRY_FIRST_US 1000000u
#define RETRY_LAST_US 300000000u
#define TRIES_MAX 12 /* about twenty minutes */
#define HOUR_US 3600000000u

struct notify_options {
	struct option_list ways; /* of struct way_options */
	uint64_t every_ms, most;
};

int notify_check(const struct config *, struct fault *);

/* A notice with what it points to; shared by the lines of all ways. */
struct shared_notice {
	struct notice notice;
	unsigned holders;
	uint8_t store[];
};

/* A copy of what an event says without its private fields; NULL: no memory. */
struct shared_notice *notice_of(const char *rule, struct event *, uint64_t now_utc_us);
void notice_drop(struct shared_notice *); /* one holder fewer */

struct gather {
	uint64_t every_us;
	struct gathered {
		struct shared_notice *notice;
		uint64_t due_us;
	} items[GATHERED_MAX];
	size_t count;
};

/* 0, ERR_FULL: as many rules as can be are gathered; ERR_MEMORY.  Private fields are taken out of the event. */
int gather_add(struct gather *, const char *rule, struct event *, uint64_t utc_us, uint64_t now_us);
/* The next notice that is due by then, whose one holder is the caller; NULL: none. */
struct shared_notice *gather_due(struct gather *, uint64_t now_us);

/* What waits for one way. */
struct line {
	struct shared_notice *waiting[LINE_MAX_NOTICES];
	size_t count;
	uint64_t left_out, told;         /* events; told: how many of them the one on its way says */
	uint64_t sent_us[MOST_MAX];      /* a ring of the times of the last `most` notices */
	size_t sent_count;               /* in all */
	uint64_t most, retry_us;
	unsigned tries;                  /* failures of the first that waits */
	bool failing;
};

/* Takes its own hold; what cannot wait or may not be sent in this hour is counted as left out. */
void line_add(struct line *, struct shared_notice *, uint64_t now_us);
/* What is to be sent now, filled with what was left out; false: nothing. */
bool line_next(struct line *, uint64_t now_us, struct notice *);
/* It was sent, or not: true when that changed whether this way works. */
bool line_sent(struct line *, bool sent, uint64_t now_us);
void line_done(struct line *);
