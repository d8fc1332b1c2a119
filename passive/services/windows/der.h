/*
 * Heads of ASN.1 elements in DER (X.690), as SPNEGO, CredSSP and LDAP have them.
 */
#pragma once
#include "base/bytes.h"

/* Bytes of tag and length in front of so many; below 65536. */
static inline size_t der_head(size_t len)
{
	return len < 128 ? 2 : len < 256 ? 3 : 4;
}

/* Of the whole element. */
static inline size_t der_whole(size_t len)
{
	return der_head(len) + len;
}

static inline void der_write_head(struct writer *w, uint8_t tag, size_t len)
{
	write_u8(w, tag);
	if (len >= 256) {
		write_u8(w, 0x82);
		write_u16(w, (uint16_t)len);
		return;
	}
	if (len >= 128)
		write_u8(w, 0x81);
	write_u8(w, (uint8_t)len);
}

static inline void der_write(struct writer *w, uint8_t tag, struct bytes content)
{
	der_write_head(w, tag, content.len);
	write_span(w, content);
}

/* The content of the next element, and its tag; the reader is bad when it is not whole. */
static inline struct bytes der_next(struct reader *r, uint8_t *tag)
{
	*tag = read_u8(r);
	size_t len = read_u8(r);
	if (len & 0x80)
		len = (len & 0x7f) <= 4 ? (size_t)read_be(r, len & 0x7f) : SIZE_MAX;
	return read_bytes(r, len);
}

/* The same for an element of that tag; false: it is none. */
static inline bool der_enter(struct reader *r, uint8_t tag, struct reader *content)
{
	uint8_t found;
	*content = reader_of_bytes(der_next(r, &found));
	return reader_ok(r) && found == tag;
}
