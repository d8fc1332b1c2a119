/*
 * JSON (RFC 8259) read in place, member by member, for lines that come fast.
 *
 * Nothing is allocated and nothing is copied: names and values are spans of the line.  Errors
 * stick as in a reader; `why` says the first one.  What is skipped is checked as well, so a line
 * that was walked to its end is well-formed.  That strings are UTF-8 is not checked: bytes from
 * outside stay bytes.
 */
#pragma once
#include "base/bytes.h"

#define JSON_DEPTH_MAX 32

enum json_type { VALUE_NONE, VALUE_STRING, VALUE_NUMBER, VALUE_TRUE, VALUE_FALSE, VALUE_NULL, VALUE_OBJECT,
		 VALUE_ARRAY };

struct json_value {
	enum json_type type;
	struct bytes raw; /* of a string: between the quotes, as it stands */
	bool escaped;     /* a string with backslashes: json_unescape() */
};

struct json_reader {
	const uint8_t *at, *end;
	const char *why; /* NULL: nothing is wrong */
	unsigned depth;
	bool first; /* no member of this object was read yet */
};

struct json_reader json_of(struct bytes line);
/* Enters the object that comes next; false when something else does. */
bool json_enter(struct json_reader *);
/* The next member's name; false at the end of the object, which is then left. */
bool json_next(struct json_reader *, struct bytes *name);
/* Enters the array that comes next; false when something else does. */
bool json_enter_array(struct json_reader *);
/* Another item comes, to be taken; false at the end of the array, which is then left. */
bool json_item(struct json_reader *);
/* What kind of value comes next. */
enum json_type json_peek(struct json_reader *);
/* Takes the value; an object or array is skipped, `raw` spans it. */
bool json_take(struct json_reader *, struct json_value *);
/* Nothing but white space is left, and nothing was wrong. */
bool json_ended(struct json_reader *);

/*
 * Writes what a string means; the bytes of a lone surrogate become U+FFFD, since there is no
 * character for it.  A writer that is too small keeps what fits.
 */
void json_unescape(struct bytes raw, struct writer *);
/* A number that is whole, not negative and at most max; a string of digits also counts. */
bool json_whole(const struct json_value *, uint64_t max, uint64_t *out);
