/* Between UTF-16, in which Windows speaks, and UTF-8, in which we keep. */
#include "passive/services/windows/wide.h"

struct bytes bytes_part(struct bytes b, size_t offset, size_t len, bool *bad)
{
	if (offset > b.len || len > b.len - offset) {
		*bad = true;
		return (struct bytes){b.at, 0};
	}
	return (struct bytes){b.at + offset, len};
}

static void write_unit(struct writer *w, uint32_t point)
{
	if (point < 0x10000) {
		write_le16(w, point);
		return;
	}
	write_le16(w, 0xd800 + ((point - 0x10000) >> 10));
	write_le16(w, 0xdc00 + ((point - 0x10000) & 0x3ff));
}

void write_utf16(struct writer *w, struct bytes b)
{
	bool whole = bytes_is_utf8(b);
	for (size_t i = 0; i < b.len;) {
		uint8_t c = b.at[i++];
		unsigned more = !whole || c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		uint32_t point = more ? c & (0x3fu >> more) : c;
		for (; more; more--)
			point = point << 6 | (b.at[i++] & 0x3f);
		write_unit(w, point);
	}
}

static size_t point_bytes(uint32_t point, uint8_t out[4])
{
	if (point < 0x80) {
		out[0] = (uint8_t)point;
		return 1;
	}
	size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; point >>= 6)
		out[i] = (uint8_t)(0x80 | (point & 0x3f));
	out[0] = (uint8_t)((0xf00u >> n) | point);
	return n;
}

struct bytes utf16_text(struct bytes b, char *out, size_t size)
{
	struct writer w = writer_of(out, size - 1);
	for (size_t i = 0; i + 1 < b.len; i += 2) {
		uint32_t point = (uint32_t)little_get(b.at + i, 2);
		if ((point & 0xfc00) == 0xd800 && i + 3 < b.len &&
		    (little_get(b.at + i + 2, 2) & 0xfc00) == 0xdc00) {
			point = 0x10000 + ((point & 0x3ff) << 10) +
				(uint32_t)(little_get(b.at + i + 2, 2) & 0x3ff);
			i += 2;
		} else if ((point & 0xf800) == 0xd800) {
			point = 0xfffd;
		}
		uint8_t text[4];
		size_t n = point_bytes(point, text);
		if (writer_left(&w) < n)
			break;
		write_bytes(&w, text, n);
	}
	*w.at = '\0';
	return writer_bytes(&w);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool names_equal(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}
