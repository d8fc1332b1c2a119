/*
 * Numbers with their lowest byte first, as Windows, many controllers and databases write them.
 *
 * Same habits as base/bytes.h, which writes the highest byte first: errors stick to the reader
 * or the writer.  A width is in bytes.
 */
#pragma once
#include "base/bytes.h"

/* Of the first `width` bytes, eight at most, at that place. */
static inline uint64_t little_get(const uint8_t *at, size_t width)
{
	uint64_t v = 0;
	for (size_t i = width; i-- > 0;)
		v = v << 8 | at[i];
	return v;
}

static inline void little_put(uint8_t *at, uint64_t v, size_t width)
{
	for (size_t i = 0; i < width; i++, v >>= 8)
		at[i] = (uint8_t)v;
}

/* Zero where the bytes are not whole. */
static inline uint64_t bytes_little(struct bytes b, size_t at, size_t width)
{
	return at <= b.len && width <= b.len - at ? little_get(b.at + at, width) : 0;
}

static inline uint64_t read_little(struct reader *r, size_t width)
{
	struct bytes b = read_bytes(r, width);
	return little_get(b.at, b.len);
}

static inline uint16_t read_le16(struct reader *r) { return (uint16_t)read_little(r, 2); }
static inline uint32_t read_le32(struct reader *r) { return (uint32_t)read_little(r, 4); }
static inline uint64_t read_le64(struct reader *r) { return read_little(r, 8); }

/* Beyond eight bytes zeroes. */
static inline void write_little(struct writer *w, uint64_t v, size_t width)
{
	for (; width; width--, v >>= 8)
		write_u8(w, (uint8_t)v);
}

static inline void write_le16(struct writer *w, uint64_t v) { write_little(w, v, 2); }
static inline void write_le32(struct writer *w, uint64_t v) { write_little(w, v, 4); }
static inline void write_le64(struct writer *w, uint64_t v) { write_little(w, v, 8); }

/* Sets a number that was left open at that offset from the writer's start. */
static inline void write_little_at(struct writer *w, size_t offset, uint64_t v, size_t width)
{
	if (!w->bad && offset + width <= writer_used(w))
		little_put(w->start + offset, v, width);
}
