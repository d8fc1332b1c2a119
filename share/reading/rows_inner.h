/*
 * Tables of others that come in lines: CSV (RFC 4180) and its kin with semicolons, tabs or bars, whose columns a
 * header names.  The struct is a format's state; it holds no memory of its own.
 *
 * Columns are found by name, never by number, since their makers insert and drop some.  Names are compared without
 * case, and with '_' for everything that is neither letter nor digit.  A row that has other columns than the header
 * is told and left out; so is a quote that never ends: what comes after it is read on from the first line that is a
 * whole row by itself.  A header that stands there again, as in files put together, is passed over.
 */
#pragma once
#include "share/format.h"

#define ROWS_COLUMNS_MAX 512
#define ROWS_NAMES_MAX 16384      /* bytes of all names */
#define ROWS_HELD_MAX (64u << 10) /* of a row that takes several lines */
#define ROWS_HELD_LINES_MAX 64

struct rows_word {
	const char *name; /* as it is after normalising: "src_ip" */
	unsigned place;
};

struct rows {
	bool begun;
	uint8_t separator; /* 0 until the header tells */
	uint64_t header;   /* digest of that line */
	size_t count, names_used, held_lines, held_used;
	uint16_t name_at[ROWS_COLUMNS_MAX], name_len[ROWS_COLUMNS_MAX];
	int16_t place[ROWS_COLUMNS_MAX]; /* -1: not wanted */
	uint8_t names[ROWS_NAMES_MAX];
	uint8_t held[ROWS_HELD_MAX];
};

struct cells {
	size_t count;
	struct bytes cell[ROWS_COLUMNS_MAX];
};

/*
 * The next line: true when a row was read, its cells in the places of their columns' words (of two columns with one
 * place the first that is not empty); false for a header, a comment, a part of a row, and what was complained of.
 * Cells are without white space at their ends, and valid as long as the line is.
 */
bool rows_take(struct rows *, struct intake *, struct bytes line, const struct rows_word *, struct bytes *places,
	       size_t place_count);

/* The same in two steps, for who maps columns in another way: cells of a whole row, then names of the first one. */
bool rows_split(struct rows *, struct intake *, struct bytes line, struct cells *);
bool rows_begin(struct rows *, struct intake *, const struct cells *);
struct bytes rows_name(const struct rows *, size_t column); /* normalised */
/* Whether the row has as many cells as the header; it is told otherwise. */
bool rows_fit(const struct rows *, struct intake *, const struct cells *);
/* For a format's end(): tells of a row that never came to its end. */
void rows_end(struct rows *, struct intake *);

/* A whole number in a cell; false when it is none, or above the limit. */
static inline bool cell_number(struct bytes cell, uint64_t max, uint64_t *out) { return bytes_number(cell, max, out); }
/*
 * A time as tables write it, microseconds of UTC: ISO 8601 with 'T' or a space, with '-' or '/' between and as many
 * digits as a spreadsheet leaves, a date alone, seconds or milliseconds of the epoch with or without decimals.  What
 * names no zone is `zone_s` east of Greenwich.
 */
bool cell_time(struct bytes cell, int zone_s, uint64_t *time_us);
/* "tcp", "udp", "icmp" in any case or by number; NULL: another. */
const char *cell_proto(struct bytes);
