/*
 * Avro's object container files, read record by record: hostile ones, too.
 *
 * The schema is the file's own; its top must be a record.  Of each field a number, a text or, of an array of numbers,
 * how many there are with the least and the greatest; what lies deeper is passed over.  Blocks may be plain or packed
 * by deflate, snappy or zstd.  Schemas that contain themselves are followed to a depth, and no farther.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define AVRO_FIELDS_MAX 256
#define AVRO_HEADER_MAX (1u << 20)
#define AVRO_BLOCK_MAX (64u << 20) /* packed or unpacked */

enum avro_is { AVRO_NOTHING, AVRO_NUMBER, AVRO_BYTES, AVRO_NUMBERS };

struct avro_value {
	enum avro_is is;
	int64_t number;        /* of an array: the first */
	int64_t least, most;
	uint64_t items;
	struct bytes bytes;    /* valid until the next record */
};

struct avro;

/* Reads from the descriptor's place on, which stays the caller's. */
int avro_open(struct avro **, int fd, struct fault *);
size_t avro_fields(const struct avro *);
const char *avro_field(const struct avro *, size_t); /* its name */
const char *avro_schema(const struct avro *);         /* the record's name */
/* 1: a record was read; 0: the file is at its end; ERR_BAD: it is damaged, with a sentence. */
int avro_next(struct avro *, struct avro_value values[AVRO_FIELDS_MAX], struct fault *);
void avro_close(struct avro *);
