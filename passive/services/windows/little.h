/*
 * Numbers with their lowest byte first, and UTF-16: how Windows writes on the wire.
 *
 * Same habits as base/bytes.h: errors stick to the reader or the writer.
 */
#pragma once
#include "base/bytes.h"

#define FILETIME_UNIX 11644473600u /* seconds from 1601 to 1970 */

static inline uint64_t read_little(struct reader *r, size_t width)
{
	struct bytes b = read_bytes(r, width);
	uint64_t v = 0;
	for (size_t i = b.len; i-- > 0;)
		v = v << 8 | b.at[i];
	return v;
}

static inline uint16_t read_le16(struct reader *r) { return (uint16_t)read_little(r, 2); }
static inline uint32_t read_le32(struct reader *r) { return (uint32_t)read_little(r, 4); }
static inline uint64_t read_le64(struct reader *r) { return read_little(r, 8); }

static inline void little_put(uint8_t *at, uint64_t v, size_t width)
{
	for (size_t i = 0; i < width; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

static inline uint64_t little_get(const uint8_t *at, size_t width)
{
	uint64_t v = 0;
	for (size_t i = width; i-- > 0;)
		v = v << 8 | at[i];
	return v;
}

static inline void write_little(struct writer *w, uint64_t v, size_t width)
{
	uint8_t b[8];
	little_put(b, v, width);
	write_bytes(w, b, width);
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

/* Zeroes up to the next multiple of `unit`, counted from `base` bytes after the start. */
static inline void write_align(struct writer *w, size_t base, size_t unit)
{
	while (!w->bad && (writer_used(w) - base) % unit)
		write_u8(w, 0);
}

/* 100-nanosecond steps since 1601. */
static inline uint64_t filetime_of_us(uint64_t utc_us)
{
	return utc_us * 10 + (uint64_t)FILETIME_UNIX * 10000000u;
}

/* The part of b that starts at `offset`; empty, and the flag bad, when it is not whole there. */
struct bytes bytes_part(struct bytes b, size_t offset, size_t len, bool *bad);
/* UTF-8 as UTF-16LE; what is no UTF-8 goes byte by byte. */
void write_utf16(struct writer *, struct bytes utf8);
/* UTF-16LE as UTF-8, ended with NUL and cut to the size; lone surrogates become U+FFFD. */
struct bytes utf16_text(struct bytes utf16, char *out, size_t size);
/* Whether two names are one to Windows, as far as ASCII goes. */
bool names_equal(struct bytes, struct bytes);
