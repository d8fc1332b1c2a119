#include "lab/axml_inner.h"
#include "base/little.h"

enum { CHUNK_POOL = 0x0001, CHUNK_XML = 0x0003, CHUNK_RESOURCES = 0x0180, CHUNK_ELEMENT = 0x0102 };
enum { VALUE_STRING = 3, VALUE_DECIMAL = 0x10, VALUE_BOOLEAN = 0x12 };
#define POOL_HEADER 28
#define ATTRIBUTE_SIZE 20

static uint64_t number(struct bytes b, uint64_t at, size_t width) { return at < b.len ? bytes_little(b, (size_t)at, width) : 0; }

static struct bytes chunk_at(const struct axml *x, uint64_t at)
{
	uint64_t size = number(x->content, at + 4, 4);
	if (at >= x->content.len || size < 8)
		return (struct bytes){0};
	/* The last chunk of a damaged file is read as far as it goes. */
	if (size > x->content.len - at)
		size = x->content.len - at;
	return (struct bytes){x->content.at + at, (size_t)size};
}

static void pool_take(struct axml *x, struct bytes chunk)
{
	if (x->pool.len)
		return;
	x->pool = chunk;
	x->string_count = (uint32_t)number(chunk, 8, 4);
	x->utf8 = number(chunk, 16, 4) & 0x100;
	x->strings_start = (uint32_t)number(chunk, 20, 4);
	if (x->string_count > chunk.len / 4)
		x->damaged = true, x->string_count = (uint32_t)(chunk.len / 4);
}

/* What stands before the first element: strings and numbers of resources. */
void axml_open(struct axml *x, struct bytes content)
{
	*x = (struct axml){.content = content};
	x->at = number(content, 0, 2) == CHUNK_XML ? number(content, 2, 2) : 0;
}

bool axml_next(struct axml *x, struct axml_element *e)
{
	for (;;) {
		struct bytes chunk = chunk_at(x, x->at);
		unsigned type = (unsigned)number(chunk, 0, 2);
		if (chunk.len < 8) {
			x->damaged |= x->at < x->content.len;
			return false;
		}
		uint64_t begin = x->at;
		x->at += chunk.len;
		if (type == CHUNK_POOL)
			pool_take(x, chunk);
		if (type == CHUNK_RESOURCES) {
			x->resources = (struct bytes){chunk.at + 8, chunk.len - 8};
			x->resource_count = (uint32_t)(x->resources.len / 4);
		}
		if (type != CHUNK_ELEMENT)
			continue;
		uint8_t room[AXML_STRING_MAX];
		struct bytes name = axml_string(x, (uint32_t)number(chunk, 20, 4), room);
		if (name.len > sizeof e->name_room)
			name.len = sizeof e->name_room;
		memcpy(e->name_room, room, name.len);
		e->name = (struct bytes){e->name_room, name.len};
		e->attributes = begin + 16 + number(chunk, 24, 2);
		e->attribute_size = (unsigned)number(chunk, 26, 2);
		e->attribute_count = (unsigned)number(chunk, 28, 2);
		if (e->attribute_size < ATTRIBUTE_SIZE)
			e->attribute_count = 0;
		return true;
	}
}

/* One or two units of length: the highest bit says that a second follows. */
static size_t length_read(struct reader *r, bool utf8)
{
	size_t n = utf8 ? read_u8(r) : read_le16(r);
	if (utf8 && n & 0x80)
		return (n & 0x7f) << 8 | read_u8(r);
	if (!utf8 && n & 0x8000)
		return (n & 0x7fff) << 16 | read_le16(r);
	return n;
}

static void put_utf8(struct writer *w, uint32_t c)
{
	uint8_t b[3];
	if (c < 0x80)
		write_u8(w, (uint8_t)c);
	else if (c < 0x800)
		b[0] = (uint8_t)(0xc0 | c >> 6), b[1] = (uint8_t)(0x80 | (c & 63)), write_bytes(w, b, 2);
	else if (c < 0xd800 || c > 0xdfff)
		b[0] = (uint8_t)(0xe0 | c >> 12), b[1] = (uint8_t)(0x80 | (c >> 6 & 63)), b[2] = (uint8_t)(0x80 | (c & 63)), write_bytes(w, b, 3);
	else
		write_u8(w, '?');
}

struct bytes axml_string(const struct axml *x, uint32_t index, uint8_t room[AXML_STRING_MAX])
{
	uint64_t at = x->strings_start + number(x->pool, POOL_HEADER + 4ull * index, 4);
	if (index >= x->string_count || at >= x->pool.len)
		return (struct bytes){room, 0};
	struct reader r = reader_of(x->pool.at + at, x->pool.len - at);
	struct writer w = writer_of(room, AXML_STRING_MAX);
	size_t n = length_read(&r, x->utf8);
	if (x->utf8) {
		n = length_read(&r, true); /* the first is in characters, the second in bytes */
		struct bytes text = read_bytes(&r, n < AXML_STRING_MAX ? n : AXML_STRING_MAX);
		if (bytes_is_utf8(text))
			write_span(&w, text);
		return writer_bytes(&w);
	}
	for (size_t i = 0; i < n && !w.bad; i++) {
		uint16_t c = read_le16(&r);
		if (!reader_ok(&r))
			break;
		put_utf8(&w, c);
	}
	return writer_bytes(&w);
}

bool axml_attribute_find(const struct axml *x, const struct axml_element *e, uint32_t resource, const char *name,
			 struct axml_attribute *out)
{
	uint8_t room[AXML_STRING_MAX];
	for (unsigned i = 0; i < e->attribute_count; i++) {
		uint64_t at = e->attributes + (uint64_t)i * e->attribute_size;
		uint32_t index = (uint32_t)number(x->content, at + 4, 4);
		if (at + ATTRIBUTE_SIZE > x->content.len)
			return false;
		bool numbered = index < x->resource_count;
		bool same = numbered && resource ? number(x->resources, 4ull * index, 4) == resource
						 : bytes_equal_text(axml_string(x, index, room), name);
		if (!same)
			continue;
		*out = (struct axml_attribute){.raw = (uint32_t)number(x->content, at + 8, 4),
					       .type = (unsigned)number(x->content, at + 15, 1),
					       .data = (uint32_t)number(x->content, at + 16, 4)};
		return true;
	}
	return false;
}

void axml_value_text(const struct axml *x, const struct axml_attribute *at, char *text, size_t size)
{
	uint8_t room[AXML_STRING_MAX];
	struct bytes b;
	switch (at->type) {
	case VALUE_STRING:
		b = axml_string(x, at->data, room);
		snprintf(text, size, "%.*s", (int)b.len, (const char *)b.at);
		break;
	case VALUE_BOOLEAN:
		snprintf(text, size, "%s", at->data ? "true" : "false");
		break;
	case VALUE_DECIMAL:
		snprintf(text, size, "%d", (int)at->data);
		break;
	default:
		b = axml_string(x, at->raw, room);
		if (b.len)
			snprintf(text, size, "%.*s", (int)b.len, (const char *)b.at);
		else
			snprintf(text, size, "%s0x%x", at->type == 1 ? "@" : "", at->data);
	}
}
