/*
 * Lines of comma-separated values (RFC 4180), as tolerantly as lists are written: blanks behind the separator, quotes
 * that were not doubled, and headers that stand in a comment.  A value that holds a line end is two lines here.
 */
#pragma once
#include "share/format.h"

#define CSV_COLUMNS_MAX 512
#define CSV_WANTED_MAX 64

struct csv_line {
	struct bytes values[CSV_COLUMNS_MAX];
	size_t count;
};

/* NULL, or what is wrong.  Values are spans of the line, or in the arena where quotes were doubled. */
const char *csv_split(struct intake *, struct bytes line, uint8_t separator, struct csv_line *);

/* The same, of lines without quotes, such as those with tabs. */
const char *csv_split_plain(struct bytes line, uint8_t separator, struct csv_line *);

struct csv_columns { /* where the wanted names stand */
	uint16_t at[CSV_WANTED_MAX]; /* column + 1; 0: there is none of that name */
	bool known;
};

/* How many of the names, ended by NULL, the header has; letters of either case. */
size_t csv_columns_read(struct csv_columns *, const struct csv_line *header, const char *const *names);
/* The value of the wanted name; empty when the header or the line has none. */
struct bytes csv_value(const struct csv_line *, const struct csv_columns *, unsigned wanted);
