/* Taking in a request's body. */
#include "passive/services/http/body.h"

#define CHUNK_LINE_MAX 256 /* of a chunk's size with its extensions, or of a trailer's line */
#define FIRST_ROOM 1024

enum state {
	STATE_LENGTH,
	STATE_CHUNK_SIZE,
	STATE_CHUNK,
	STATE_CHUNK_END,
	STATE_TRAILER,
	STATE_DONE
};

void body_begin(struct body *b, const struct request *r)
{
	b->len = 0;
	b->seen = 0;
	b->cut = false;
	b->left = r->chunked ? 0 : r->length;
	b->state = r->chunked ? STATE_CHUNK_SIZE : r->length ? STATE_LENGTH : STATE_DONE;
}

/* Makes room for n more, by doubling: what the old room cost is at most as much again. */
static bool make_room(struct body *b, struct arena *arena, size_t n)
{
	if (b->capacity - b->len >= n)
		return true;
	size_t capacity = b->capacity ? b->capacity : FIRST_ROOM;
	while (capacity < b->len + n)
		capacity *= 2;
	uint8_t *grown = arena_alloc(arena, capacity);
	if (!grown)
		return false;
	if (b->len)
		memcpy(grown, b->kept, b->len);
	b->kept = grown;
	b->capacity = capacity;
	return true;
}

static void take_content(struct body *b, struct arena *arena, size_t keep_max, struct reader *in)
{
	size_t n = reader_left(in) < b->left ? reader_left(in) : (size_t)b->left;
	struct bytes content = read_bytes(in, n);
	b->left -= n;
	b->seen += n;
	size_t keep = b->len < keep_max ? keep_max - b->len : 0;
	keep = keep < n ? keep : n;
	if (keep && make_room(b, arena, keep)) {
		memcpy(b->kept + b->len, content.at, keep);
		b->len += keep;
	} else {
		keep = 0;
	}
	b->cut |= keep < n;
}

/* A size in hexadecimal, then perhaps extensions (RFC 9112 7.1). */
static bool read_chunk_size(struct bytes line, uint64_t *size)
{
	uint64_t v = 0;
	size_t n = 0;
	line = bytes_trim(line);
	for (; n < line.len; n++) {
		uint8_t c = line.at[n], low = c | 0x20;
		unsigned digit = c >= '0' && c <= '9'       ? c - '0'
				 : low >= 'a' && low <= 'f' ? low - 'a' + 10
							    : 16;
		if (digit == 16)
			break;
		if (v >> 56)
			return false;
		v = v << 4 | digit;
	}
	*size = v;
	return n > 0 && (n == line.len || line.at[n] == ';' || line.at[n] == ' ');
}

/* One line of the framing; BODY_MORE when it is not complete. */
static enum body_next take_line(struct body *b, struct reader *in)
{
	struct bytes line;
	if (!read_line(in, &line))
		return reader_left(in) > CHUNK_LINE_MAX ? BODY_BAD : BODY_MORE;
	if (b->state == STATE_CHUNK_SIZE) {
		if (!read_chunk_size(line, &b->left))
			return BODY_BAD;
		b->state = b->left ? STATE_CHUNK : STATE_TRAILER;
	} else if (b->state == STATE_CHUNK_END) {
		if (line.len)
			return BODY_BAD;
		b->state = STATE_CHUNK_SIZE;
	} else if (line.len == 0) {
		b->state = STATE_DONE;
	}
	return BODY_DONE;
}

enum body_next body_feed(struct body *b, struct arena *arena, size_t keep_max, struct reader *in)
{
	while (b->state != STATE_DONE) {
		if (b->state == STATE_LENGTH || b->state == STATE_CHUNK) {
			take_content(b, arena, keep_max, in);
			if (b->left)
				return BODY_MORE;
			b->state = b->state == STATE_LENGTH ? STATE_DONE : STATE_CHUNK_END;
			continue;
		}
		enum body_next next = take_line(b, in);
		if (next != BODY_DONE)
			return next;
	}
	return BODY_DONE;
}
