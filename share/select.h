/*
 * Events out of the store, whole and in order of time and id, for whoever hands them out.
 *
 * Asks the role "store" over the bus in pages, so that a slow taker holds up the question and not our
 * memory.  Not private fields: the store is not asked for them.
 */
#pragma once
#include "share/collection.h"

#define SELECTION_PAGE 10000 /* rows of one question */

struct selection {
	const struct collection *collection; /* NULL: all kinds */
	uint64_t from_us, to_us;             /* half open */
	struct event_id after;               /* of events at from_us those behind it; zero: all */
	uint64_t count_max;
	const struct event_id *ids;          /* or just these, in this order; NULL: by time */
	size_t ids_count;
	const char *where;                   /* more SQL on the view `log`, of our own making; NULL: none */
};

struct select;
struct select_hooks {
	void *arg;
	/* False: enough.  The event is valid during the call. */
	bool (*event)(void *arg, const struct event *);
	/* Once, at the end: 0, or the store's error and its sentence. */
	void (*done)(void *arg, int status, struct bytes why);
};

/* The selection's own parts must live until done(). */
int select_begin(struct bus *, const struct selection *, const struct select_hooks *, struct fault *);

/* A row as our question asks for it (tab-separated, escaped): for tests and fuzzing.  ERR_BAD with a sentence. */
int select_row(struct bytes row, struct event *, struct fault *);
