/* The types of RFC 4251 section 5 over readers and writers. */
#pragma once
#include "base/bytes.h"

static inline struct bytes read_string(struct reader *r)
{
	return read_bytes(r, read_u32(r));
}

static inline bool read_flag(struct reader *r) { return read_u8(r) != 0; }

static inline void write_string(struct writer *w, struct bytes b)
{
	write_u32(w, (uint32_t)b.len);
	write_span(w, b);
}

static inline void write_string_text(struct writer *w, const char *s)
{
	write_string(w, bytes_of_text(s));
}

/* A number that is not negative, from its bytes, the highest first. */
static inline void write_mpint(struct writer *w, struct bytes b)
{
	while (b.len && *b.at == 0) {
		b.at++;
		b.len--;
	}
	bool sign = b.len && *b.at & 0x80;
	write_u32(w, (uint32_t)(b.len + sign));
	if (sign)
		write_u8(w, 0);
	write_span(w, b);
}

/* The next name of a list, which is shortened; false at its end. */
static inline bool list_next(struct bytes *list, struct bytes *name)
{
	if (list->len == 0)
		return false;
	const uint8_t *comma = memchr(list->at, ',', list->len);
	size_t n = comma ? (size_t)(comma - list->at) : list->len;
	*name = (struct bytes){list->at, n};
	n += comma != NULL;
	list->at += n;
	list->len -= n;
	return true;
}

static inline bool list_has(struct bytes list, struct bytes name)
{
	struct bytes one;
	while (list_next(&list, &one))
		if (bytes_equal(one, name))
			return true;
	return false;
}
