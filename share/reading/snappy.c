#include "share/reading/snappy_inner.h"

enum { TAG_LITERAL, TAG_COPY_1, TAG_COPY_2, TAG_COPY_4 };

static bool read_size(struct reader *r, uint64_t *size)
{
	*size = 0;
	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t b = read_u8(r);
		*size |= (uint64_t)(b & 127) << shift;
		if (!(b & 128))
			return reader_ok(r);
	}
	return false;
}

static uint32_t read_little(struct reader *r, unsigned width)
{
	struct bytes b = read_bytes(r, width);
	uint32_t v = 0;
	for (size_t i = b.len; i-- > 0;)
		v = v << 8 | b.at[i];
	return v;
}

bool snappy_size(struct bytes packed, size_t max, size_t *size)
{
	struct reader r = reader_of_bytes(packed);
	uint64_t n;
	if (!read_size(&r, &n) || n > max)
		return false;
	*size = (size_t)n;
	return true;
}

static void copy_back(struct writer *w, size_t back, size_t n)
{
	if (!back || back > writer_used(w) || n > writer_left(w)) {
		w->bad = true;
		return;
	}
	for (; n; n--, w->at++) /* byte by byte: what is copied may be what was just copied */
		*w->at = *(w->at - back);
}

static void take_literal(struct reader *r, struct writer *w, uint8_t tag)
{
	uint64_t n = tag >> 2;
	if (n >= 60)
		n = read_little(r, (unsigned)n - 59);
	write_span(w, read_bytes(r, (size_t)n + 1));
}

bool snappy_decode(struct bytes packed, uint8_t *out, size_t size)
{
	struct reader r = reader_of_bytes(packed);
	struct writer w = writer_of(out, size);
	uint64_t said;
	if (!read_size(&r, &said) || said != size)
		return false;
	while (reader_left(&r) && !w.bad && reader_ok(&r)) {
		uint8_t tag = read_u8(&r);
		if ((tag & 3) == TAG_LITERAL)
			take_literal(&r, &w, tag);
		else if ((tag & 3) == TAG_COPY_1)
			copy_back(&w, (size_t)(tag >> 5) << 8 | read_u8(&r), (tag >> 2 & 7) + 4u);
		else
			copy_back(&w, read_little(&r, (tag & 3) == TAG_COPY_2 ? 2 : 4), (tag >> 2) + 1u);
	}
	return reader_ok(&r) && !w.bad && writer_used(&w) == size;
}
