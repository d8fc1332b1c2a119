/*
 * Documents in JSON (RFC 8259), read by jansson: one value or several behind each other, in lines or not, and what
 * formats take out of them.  A value that is there and of another type counts as absent.
 */
#pragma once
#include "share/format.h"
#include <jansson.h>

/*
 * Calls `take` for each value of the document.  What is wrong is said; reading goes on at the next line that begins
 * with a value.  Bytes that are not UTF-8 are said, and read as "?".
 */
void json_each_value(struct intake *, struct bytes document, void (*take)(struct intake *, const json_t *));

struct bytes json_span(const json_t *);                      /* of a string; else empty */
struct bytes json_text(const json_t *object, const char *key);
const char *json_word(const json_t *object, const char *key); /* NULL: none, or it holds NUL */
/* A number that is whole and not negative, also as a string of digits; 0 otherwise. */
uint64_t json_count(const json_t *object, const char *key);
/* Microseconds of UTC: seconds of the epoch, as number or digits, or a date in words; 0 otherwise. */
uint64_t json_moment(const json_t *);
uint64_t json_time(const json_t *object, const char *key);
/* The strings of an array, or the one string, with blanks between; up to RECORD_TEXT_MAX, in the arena. */
struct bytes json_words(struct intake *, const json_t *);
/* The value as it would stand in a line, up to RECORD_TEXT_MAX, in the arena. */
struct bytes json_line(struct intake *, const json_t *);

/* Words that are gathered piece by piece, with blanks between and '-' for those within; what does not fit is left out. */
struct phrase {
	struct writer w;
};
struct phrase phrase_of(struct intake *); /* room for RECORD_TEXT_MAX */
void phrase_add(struct phrase *, struct bytes);
void phrase_add_pair(struct phrase *, const char *name, struct bytes value); /* "md5:…"; nothing when it is empty */
static inline struct bytes phrase_bytes(const struct phrase *phrase) { return writer_bytes(&phrase->w); }
