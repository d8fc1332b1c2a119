/*
 * BER as SNMP and CLDAP use it: definite lengths, tags of one byte.
 *
 * Reading goes through a reader, so errors stick.  Writing goes backwards, from the last byte
 * to the first, since a length stands before what it counts: ber_close() wraps all that was
 * written since ber_mark().  What does not fit turns the writer bad.
 */
#pragma once
#include "base/bytes.h"

enum { BER_BOOLEAN = 0x01, BER_INTEGER = 0x02, BER_STRING = 0x04, BER_NULL = 0x05, BER_OID = 0x06,
       BER_ENUMERATED = 0x0a, BER_SEQUENCE = 0x30, BER_SET = 0x31, BER_ADDRESS = 0x40, BER_COUNTER = 0x41, BER_GAUGE = 0x42,
       BER_TICKS = 0x43 };

/* The content of the next value, which must have that tag. */
struct bytes ber_read(struct reader *, uint8_t tag);
struct bytes ber_read_any(struct reader *, uint8_t *tag);
/* The next value whole, with its tag and length. */
struct bytes ber_read_whole(struct reader *);
/* As many bytes as fit an int64_t; more make the reader bad. */
int64_t ber_read_integer(struct reader *);

struct ber_writer {
	uint8_t *start, *at, *end;
	bool bad;
};

struct ber_writer ber_writer_of(void *, size_t);
static inline size_t ber_mark(const struct ber_writer *w) { return (size_t)(w->end - w->at); }
void ber_put(struct ber_writer *, struct bytes); /* as it is */
void ber_value(struct ber_writer *, uint8_t tag, struct bytes content);
void ber_text(struct ber_writer *, const char *); /* OCTET STRING */
void ber_integer(struct ber_writer *, uint8_t tag, int64_t);
void ber_close(struct ber_writer *, uint8_t tag, size_t mark);
/* The same with a length of four bytes, as Windows writes all that hold others. */
void ber_close_long(struct ber_writer *, uint8_t tag, size_t mark);
static inline struct bytes ber_bytes(const struct ber_writer *w)
{
	return (struct bytes){w->at, ber_mark(w)};
}
