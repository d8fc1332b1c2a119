/*
 * Bounds-checked reading and writing of wire bytes.
 *
 * Errors stick: after the first short read every later read returns zero, so a
 * parser reads a whole message straight through and asks reader_ok() once.
 * A writer that does not fit turns bad and stays inside its buffer.
 * A buffer grows up to the limit that its owner names and not beyond.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct bytes {
	const uint8_t *at;
	size_t len;
};

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

struct writer {
	uint8_t *start, *at, *end;
	bool bad; /* did not fit; what is in the buffer is incomplete */
};

#define BYTES(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static inline struct bytes bytes_of_text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static inline struct reader reader_of(const void *p, size_t n)
{
	/* Nothing is often a NULL, to which C lets nobody add, not even 0. */
	return (struct reader){p, n ? (const uint8_t *)p + n : p, false};
}

static inline struct reader reader_of_bytes(struct bytes b)
{
	return reader_of(b.at, b.len);
}

static inline bool reader_ok(const struct reader *r) { return !r->bad; }
static inline size_t reader_left(const struct reader *r) { return (size_t)(r->end - r->at); }

static inline struct bytes read_bytes(struct reader *r, size_t n)
{
	if (r->bad || reader_left(r) < n) {
		r->bad = true;
		return (struct bytes){0};
	}
	struct bytes b = {r->at, n};
	if (n)
		r->at += n;
	return b;
}

static inline struct bytes read_rest(struct reader *r) { return read_bytes(r, reader_left(r)); }

static inline uint64_t read_be(struct reader *r, size_t width)
{
	struct bytes b = read_bytes(r, width);
	uint64_t v = 0;
	for (size_t i = 0; i < b.len; i++)
		v = v << 8 | b.at[i];
	return v;
}

static inline uint8_t read_u8(struct reader *r) { return (uint8_t)read_be(r, 1); }
static inline uint16_t read_u16(struct reader *r) { return (uint16_t)read_be(r, 2); }
static inline uint32_t read_u32(struct reader *r) { return (uint32_t)read_be(r, 4); }
static inline uint64_t read_u64(struct reader *r) { return read_be(r, 8); }

/* Takes one line ending in LF or CRLF; false when none is complete yet. */
bool read_line(struct reader *, struct bytes *line);
/* The same of a whole text, whose last line needs no end. */
bool read_text_line(struct reader *, struct bytes *line);

/* Splits off the first word of b (up to a space) and leaves the rest in b. */
struct bytes bytes_word(struct bytes *b);

bool bytes_equal(struct bytes, struct bytes);
bool bytes_equal_text(struct bytes, const char *);
bool bytes_equal_nocase(struct bytes, const char *);
bool bytes_start_with(struct bytes, const char *);
/* Where the needle starts in the haystack, or haystack.len when it is not there. */
size_t bytes_find(struct bytes haystack, const char *needle);
size_t bytes_find_nocase(struct bytes haystack, const char *needle);
/* Without the white space (RFC 5234 WSP, CR, LF) at both ends. */
struct bytes bytes_trim(struct bytes);
/* Reads the whole of b as a decimal number up to max; false when it is anything else. */
bool bytes_number(struct bytes b, uint64_t max, uint64_t *out);
/* Copies b into text of size n and ends it with NUL; false when it had to be cut or holds NUL. */
bool bytes_copy_text(struct bytes b, char *text, size_t n);
/* UTF-8 as RFC 3629 defines it: no surrogates, no overlong forms. */
bool bytes_is_utf8(struct bytes);

static inline struct writer writer_of(void *p, size_t n)
{
	return (struct writer){p, p, n ? (uint8_t *)p + n : p, false};
}

static inline size_t writer_used(const struct writer *w) { return (size_t)(w->at - w->start); }
static inline size_t writer_left(const struct writer *w) { return (size_t)(w->end - w->at); }

static inline struct bytes writer_bytes(const struct writer *w)
{
	return (struct bytes){w->start, writer_used(w)};
}

static inline void write_bytes(struct writer *w, const void *p, size_t n)
{
	if (w->bad || writer_left(w) < n) {
		w->bad = true;
		return;
	}
	if (n)
		memcpy(w->at, p, n);
	w->at += n;
}

static inline void write_be(struct writer *w, uint64_t v, size_t width)
{
	uint8_t b[8];
	for (size_t i = 0; i < width; i++)
		b[i] = (uint8_t)(v >> 8 * (width - 1 - i));
	write_bytes(w, b, width);
}

static inline void write_u8(struct writer *w, uint8_t v) { write_bytes(w, &v, 1); }
static inline void write_u16(struct writer *w, uint16_t v) { write_be(w, v, 2); }
static inline void write_u32(struct writer *w, uint32_t v) { write_be(w, v, 4); }
static inline void write_u64(struct writer *w, uint64_t v) { write_be(w, v, 8); }
static inline void write_text(struct writer *w, const char *s) { write_bytes(w, s, strlen(s)); }
static inline void write_span(struct writer *w, struct bytes b) { write_bytes(w, b.at, b.len); }

void write_zero(struct writer *, size_t n);
void write_fmt(struct writer *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A growable queue of bytes: append at the end, consume from the front. */
struct buffer {
	uint8_t *store;
	size_t at, end, capacity; /* store[at..end) is what is in it */
	size_t max;               /* never holds more than this */
};

#define BUFFER(limit) ((struct buffer){.max = (limit)})

static inline size_t buffer_len(const struct buffer *b) { return b->end - b->at; }

static inline struct bytes buffer_bytes(const struct buffer *b)
{
	return (struct bytes){b->store ? b->store + b->at : NULL, buffer_len(b)};
}

/* Room for n more bytes at the end, or NULL beyond the limit; buffer_grown() takes them in. */
uint8_t *buffer_room(struct buffer *, size_t n);
static inline void buffer_grown(struct buffer *b, size_t n) { b->end += n; }
int buffer_append(struct buffer *, const void *, size_t n); /* 0, ERR_FULL or ERR_MEMORY */
void buffer_consume(struct buffer *, size_t n);
void buffer_done(struct buffer *); /* frees the store; the limit stays */
