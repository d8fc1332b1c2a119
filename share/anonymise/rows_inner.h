/*
 * Rows of a table (RFC 4180, and what others make of it), read where a file stands and written behind it.
 *
 * What stands between the cells is told by the first line: comma, semicolon, tab or bar.
 */
#pragma once
#include "share/anonymise/stream_inner.h"

#define COLUMNS_MAX 512

struct cell {
	struct bytes text; /* without quotation marks */
	bool quoted;
};

struct rows {
	struct stream *s;
	struct fault *fault;
	uint8_t between;      /* 0: the first line was not yet read */
	size_t count;
	struct cell cells[COLUMNS_MAX];
	struct arena arena;   /* of this row */
	struct buffer out;
};

void rows_open(struct rows *, struct stream *, struct fault *);
void rows_close(struct rows *);
int rows_next(struct rows *); /* 1: a row, until the next one; 0: the end; ERR_… */
int rows_put(struct rows *, struct bytes text, bool quoted, bool first);
int rows_end_line(struct rows *);
int rows_flush(struct rows *);
