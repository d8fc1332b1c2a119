/*
 * BSON (bsonspec.org): reading hostile documents, writing our own.
 *
 * Reading never leaves the bytes that it was given; a document whose lengths do not hold ends
 * where they stop to.  Writing goes into a buffer of the caller and turns bad when it is full.
 */
#pragma once
#include "base/bytes.h"

#define BSON_DEPTH_MAX 16

enum bson_type {
	BSON_DOUBLE = 1,
	BSON_TEXT = 2,
	BSON_DOCUMENT = 3,
	BSON_ARRAY = 4,
	BSON_BINARY = 5,
	BSON_OBJECT_ID = 7,
	BSON_BOOL = 8,
	BSON_DATE = 9,
	BSON_NULL = 10,
	BSON_INT32 = 16,
	BSON_TIMESTAMP = 17,
	BSON_INT64 = 18,
};

struct bson_element {
	uint8_t type;
	struct bytes name, value; /* a text without length and NUL, a binary without its head */
	struct bytes whole;       /* as it lies there, type and name included */
};

/* The next element of a document's inside; false: there is none, or it is broken. */
bool bson_next(struct reader *, struct bson_element *);
/* What lies between length and final NUL; false: not a document. */
bool bson_inside(struct bytes document, struct reader *);
bool bson_find(struct bytes document, const char *name, struct bson_element *);
struct bytes bson_find_text(struct bytes document, const char *name); /* or empty */
int64_t bson_number(const struct bson_element *);
/* As JSON for people, cut at the writer's end. */
void bson_print(struct bytes document, struct writer *);

struct bson {
	struct writer w;
	uint8_t *open[BSON_DEPTH_MAX];
	unsigned depth;
	uint32_t index[BSON_DEPTH_MAX]; /* next name inside an array */
	bool array[BSON_DEPTH_MAX];
};

/* `name` is not used inside arrays. */
void bson_open(struct bson *, const char *name, enum bson_type);
void bson_close(struct bson *);
void bson_int32(struct bson *, const char *name, int32_t);
void bson_int64(struct bson *, const char *name, int64_t);
void bson_double(struct bson *, const char *name, double);
void bson_bool(struct bson *, const char *name, bool);
void bson_date(struct bson *, const char *name, uint64_t time_us);
void bson_text(struct bson *, const char *name, struct bytes);
void bson_words(struct bson *, const char *name, const char *text);
void bson_binary(struct bson *, const char *name, struct bytes);
void bson_object_id(struct bson *, const char *name, uint64_t seed, uint32_t time_s);
void bson_raw(struct bson *, const char *name, enum bson_type, struct bytes value);
