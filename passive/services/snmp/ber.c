#include "passive/services/snmp/ber.h"

static size_t length_read(struct reader *r)
{
	uint8_t first = read_u8(r);
	if (first < 0x80)
		return first;
	if (first == 0x80 || first > 0x84)
		r->bad = true;
	return (size_t)read_be(r, first & 7);
}

struct bytes ber_read_any(struct reader *r, uint8_t *tag)
{
	*tag = read_u8(r);
	return read_bytes(r, length_read(r));
}

struct bytes ber_read(struct reader *r, uint8_t tag)
{
	uint8_t got;
	struct bytes content = ber_read_any(r, &got);
	if (got == tag && reader_ok(r))
		return content;
	r->bad = true;
	return (struct bytes){0};
}

struct bytes ber_read_whole(struct reader *r)
{
	const uint8_t *from = r->at;
	uint8_t tag;
	ber_read_any(r, &tag);
	return reader_ok(r) ? (struct bytes){from, (size_t)(r->at - from)} : (struct bytes){0};
}

int64_t ber_read_integer(struct reader *r)
{
	struct bytes b = ber_read(r, BER_INTEGER);
	if (b.len == 0 || b.len > 8) {
		r->bad = true;
		return 0;
	}
	uint64_t v = b.at[0] & 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < b.len; i++)
		v = v << 8 | b.at[i];
	return (int64_t)v;
}

struct ber_writer ber_writer_of(void *p, size_t n)
{
	return (struct ber_writer){p, (uint8_t *)p + n, (uint8_t *)p + n, false};
}

void ber_put(struct ber_writer *w, struct bytes b)
{
	if (w->bad || (size_t)(w->at - w->start) < b.len) {
		w->bad = true;
		return;
	}
	w->at -= b.len;
	if (b.len)
		memcpy(w->at, b.at, b.len);
}

static void byte_put(struct ber_writer *w, uint8_t b) { ber_put(w, (struct bytes){&b, 1}); }

void ber_close(struct ber_writer *w, uint8_t tag, size_t mark)
{
	size_t n = ber_mark(w) - mark, bytes = 0;
	for (size_t left = n; n >= 0x80 && left; left >>= 8, bytes++)
		byte_put(w, (uint8_t)left);
	byte_put(w, (uint8_t)(bytes ? 0x80 | bytes : n));
	byte_put(w, tag);
}

void ber_close_long(struct ber_writer *w, uint8_t tag, size_t mark)
{
	size_t n = ber_mark(w) - mark;
	for (unsigned i = 0; i < 4; i++, n >>= 8)
		byte_put(w, (uint8_t)n);
	byte_put(w, 0x84);
	byte_put(w, tag);
}

void ber_value(struct ber_writer *w, uint8_t tag, struct bytes content)
{
	size_t mark = ber_mark(w);
	ber_put(w, content);
	ber_close(w, tag, mark);
}

void ber_text(struct ber_writer *w, const char *text) { ber_value(w, BER_STRING, bytes_of_text(text)); }

void ber_integer(struct ber_writer *w, uint8_t tag, int64_t v)
{
	uint8_t b[9];
	size_t n = 0;
	do {
		b[8 - n++] = (uint8_t)v;
		v >>= 8;
		/* As few bytes as keep the sign (X.690 8.3.2). */
	} while (n < 8 && !(v == 0 && b[9 - n] < 0x80) && !(v == -1 && b[9 - n] >= 0x80));
	ber_value(w, tag, (struct bytes){b + 9 - n, n});
}
