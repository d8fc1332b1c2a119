/*
 * Structs in Thrift's compact protocol, in which Parquet writes what it says of itself.
 *
 * A struct is a depth of its own: its fields come in the order of their numbers, each with the distance from the
 * one before (thrift-compact-protocol.md).
 */
#pragma once
#include "base/bytes.h"

#define THRIFT_DEPTH_MAX 8

enum thrift_type { THRIFT_TRUE = 1, THRIFT_FALSE = 2, THRIFT_I8 = 3, THRIFT_I32 = 5, THRIFT_I64 = 6, THRIFT_BINARY = 8,
		   THRIFT_LIST = 9, THRIFT_STRUCT = 12 };

struct thrift {
	struct writer *w;
	int16_t last[THRIFT_DEPTH_MAX];
	unsigned depth;
};

void thrift_number(struct thrift *, int16_t field, enum thrift_type, int64_t);
void thrift_bool(struct thrift *, int16_t field, bool);
void thrift_text(struct thrift *, int16_t field, struct bytes);
void thrift_begin(struct thrift *, int16_t field); /* a struct in a field */
void thrift_list(struct thrift *, int16_t field, enum thrift_type of, size_t count);
void thrift_item(struct thrift *);                 /* a struct in a list */
void thrift_item_number(struct thrift *, int64_t);
void thrift_item_text(struct thrift *, struct bytes);
void thrift_end(struct thrift *);                  /* of a struct, also of the outermost */
void write_leb128(struct writer *, uint64_t);
