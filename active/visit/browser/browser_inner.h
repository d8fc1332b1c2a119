/*
 * One browser in one box: how it is started, where its pipe is, what lies around in its box.
 *
 * Not thread-safe; a keeper serves one browser at a time.  Times are of the monotonic clock.
 */
#pragma once
#include "active/visit/browser/inside_inner.h"
#include "active/visit/visit.h"

struct browser {
	struct box_keeper *keeper;
	uint64_t number;        /* of its box; 0: none */
	int control;            /* to the helper in the box; -1 */
	int to, from;           /* the DevTools pipe, until somebody took them over */
	int listener;           /* the proxy's socket in the box, until somebody took it over */
	struct box_result result; /* after browser_stop() */
};

/* On failure nothing is left; else browser_stop() ends it. */
int browser_start(struct browser *, struct box_keeper *, const struct visit_tools *, const struct visit_personality *,
		  const struct visit_limits *, struct fault *);
/* Ends the box and waits for it; closes what is still ours. */
void browser_stop(struct browser *);

struct inside_record {
	uint8_t kind; /* of enum inside_kind */
	uint64_t size;
	struct bytes name, content; /* until the callback returns */
};
/*
 * Asks the helper what is in the box.  0; ERR_GONE when it does not answer by `deadline_us`, ERR_BAD
 * when what it says is not of its language.
 */
int browser_tell(struct browser *, uint64_t deadline_us, void (*each)(void *arg, const struct inside_record *), void *arg);
/* Reads records from the front of `all`: how many bytes were taken; ERR_BAD; *ended at INSIDE_END. */
int64_t inside_records_read(struct bytes all, bool *ended, void (*each)(void *arg, const struct inside_record *), void *arg);
