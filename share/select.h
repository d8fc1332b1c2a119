/*
 * Events out of the store, whole and in order of time and id, for whoever hands them out.
 *
 * Flows lie in a table of their own: a collection has either them or other kinds.
 * Asks the role "store" over the bus in pages, so that a slow taker holds up the question and not our
 * memory.  Not private fields: the store is not asked for them.
 */
#pragma once
#include "share/collection.h"
#include "store/schema.h"

#define SELECTION_PAGE 10000 /* rows of one question */
#define SELECT_ROW_MAX (4 * EVENT_BYTES_MAX + 8192)

#define SELECTION_KEYS_MAX 2000

struct selection_key { /* of one event */
	struct event_id id;
	uint64_t time_us;
};

struct selection {
	const struct collection *collection; /* NULL: all kinds but flows */
	uint64_t from_us, to_us;             /* half open */
	struct event_id after;               /* of events at from_us those behind it; zero: all */
	uint64_t count_max;                  /* 0: all */
	const struct selection_key *keys;    /* or just these, in this order, as far as they are there; NULL: by time */
	size_t keys_count;
	const char *where;                   /* more SQL on the table (store/schema.h), of our own making; NULL: none */
};

struct select;
struct select_hooks {
	void *arg;
	/* False: enough.  The event is valid during the call. */
	bool (*event)(void *arg, const struct event *);
	/* Once, at the end: 0, or the store's error and its sentence. */
	void (*done)(void *arg, int status, struct bytes why);
};

/* What the selection points at must live until done(), which comes exactly once when 0 is returned. */
int select_begin(struct bus *, const struct selection *, const struct select_hooks *, struct fault *);

/* A row as our question asks for it (tab-separated, escaped): for tests and fuzzing.  ERR_BAD with a sentence. */
int select_row(enum table, struct bytes row, struct event *, struct fault *);
/* The same for many rows: to make the columns takes longer than to read a row. */
struct select_columns {
	enum table table;
	unsigned count;
	struct column list[SCHEMA_COLUMNS_MAX];
};
void select_columns_make(struct select_columns *, enum table);
int select_row_of(const struct select_columns *, struct bytes row, struct event *, struct fault *);
/* The question for a page, behind that event: for tests. */
void select_question(const struct selection *, enum table, uint64_t after_us, const struct event_id *after, uint64_t limit,
		     struct writer *);
