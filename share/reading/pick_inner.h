/*
 * Members of JSON objects picked into numbered places, for formats whose lines come by the gigabyte.
 *
 * A table names what is wanted, with tables of its own for what lies within objects; all else is skipped, and
 * checked as it is skipped.  Of a member that is named twice the last holds, as most readers of JSON have it.
 */
#pragma once
#include "base/json_scan.h"
#include "share/format.h"

struct pick {
	struct bytes name;
	unsigned place;
	const struct pick *within; /* the members of that object; where something else stands, it is skipped */
};

#define PICK_NAME(text) {(const uint8_t *)(text), sizeof(text) - 1}
#define PICK(text, at) {PICK_NAME(text), at, NULL}
#define PICK_WITHIN(text, picks) {PICK_NAME(text), 0, picks}
#define PICK_END {{NULL, 0}, 0, NULL}

/* Reads the members of an object that was entered, to its end; false: something is wrong, the reader says what. */
bool pick_read(struct json_reader *, const struct pick *, struct json_value *places);

/* A line that is one object, read into places that it zeroes; false: it is said what is wrong with it. */
bool pick_line(struct intake *, struct bytes line, const struct pick *, struct json_value *places, size_t count);

/* What a string means, or a number or word as it stands; nothing for null.  In the intake's arena where it has to be. */
struct bytes pick_text(struct intake *, const struct json_value *);
/* The strings of an array, or the names of an object, with spaces between; a string is itself. */
struct bytes pick_list(struct intake *, const struct json_value *);
/* The same, but at most so many bytes. */
struct bytes pick_cut(struct bytes, size_t max);
/* A whole number, also one in a string; 0: there is none up to `max`. */
uint64_t pick_count(const struct json_value *, uint64_t max);
/* Microseconds of UTC: ISO 8601, or seconds of the epoch as a number; 0: it is neither. */
uint64_t pick_moment(struct intake *, const struct json_value *);
