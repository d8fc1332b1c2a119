/*
 * The embedded store: one chDB on one directory.
 *
 * Open the library first (it needs files), then take the rights away, then open the
 * engine.  A connection belongs to one thread; each reader has one of its own, read-only
 * for good and with limits of time and memory that a query cannot lift.  Errors are
 * ClickHouse's own sentence, cut to fit.
 */
#pragma once
#include "store/embedded/library.h"

struct engine;

struct engine_limits {
	uint64_t query_ms_max, query_memory_max, query_result_max;
	unsigned query_threads;
};

/* `path` is absolute: a relative one makes every synced insert fail. */
int engine_open(struct engine **, const struct chdb *, const char *path,
		const struct engine_limits *, struct fault *);
/* Closing shuts ClickHouse down, which may take seconds; a process that ends need not. */
void engine_close(struct engine *);

/* Runs our own statement.  `answer` may be NULL; else it gets the result, tab-separated. */
int engine_run(struct engine *, struct bytes sql, struct buffer *answer, struct fault *);
int engine_run_text(struct engine *, const char *sql, struct buffer *answer, struct fault *);
/* Streams RowBinary into the statement of schema_insert_…(); all or nothing, by its token. */
int engine_insert(struct engine *, struct bytes statement, struct bytes rows, struct fault *);
/* Creates the tables, or adds what the vocabulary has gained. */
int engine_prepare(struct engine *, struct fault *);
/* Copies all tables into one archive at an absolute path below the allowed folder. */
int engine_backup(struct engine *, const char *file, struct fault *);

struct engine_reader;

enum answer_format { /* append only: on the wire */
	ANSWER_LINES,   /* one JSON object a line */
	ANSWER_JSON,    /* one document with meta, data, statistics */
	ANSWER_CSV,
	ANSWER_TSV,
	ANSWER_PARQUET,
	ANSWER_PRETTY,
	ANSWER_FORMATS
};
const char *answer_format_name(enum answer_format); /* "lines" */
int answer_format_find(const char *name);           /* or ERR_MISSING */

/* Takes a part of an answer; not 0 ends the query with that error. */
typedef int answer_sink_f(void *arg, struct bytes part);

int engine_reader_open(struct engine_reader **, struct engine *, struct fault *);
void engine_reader_close(struct engine_reader *);
/* One read-only statement; `private_too` lets it see the table of private values. */
int engine_ask(struct engine_reader *, struct bytes sql, enum answer_format, bool private_too,
	       answer_sink_f *, void *arg, struct fault *);
