/* BSON, both ways. */
#include "passive/services/mongodb/bson.h"
#include "base/little.h"

static struct bytes read_name(struct reader *r)
{
	const uint8_t *nul = reader_left(r) ? memchr(r->at, 0, reader_left(r)) : NULL;
	if (!nul) {
		r->bad = true;
		return (struct bytes){0};
	}
	struct bytes b = read_bytes(r, (size_t)(nul - r->at));
	read_u8(r);
	return b;
}

bool bson_inside(struct bytes document, struct reader *out)
{
	struct reader r = reader_of_bytes(document);
	uint32_t len = read_le32(&r);
	if (r.bad || len < 5 || len > document.len || document.at[len - 1])
		return false;
	*out = reader_of(document.at + 4, len - 5);
	return true;
}

static struct bytes read_value(struct reader *r, uint8_t type)
{
	struct reader ahead = *r;
	struct bytes b;
	uint32_t len;
	switch (type) {
	case BSON_TEXT:
	case 13: /* JavaScript */
	case 14: /* symbol */
		len = read_le32(r);
		b = read_bytes(r, len);
		if (!len || r->bad)
			r->bad = true;
		else
			b.len--;
		return b;
	case BSON_DOCUMENT:
	case BSON_ARRAY:
	case 15: /* JavaScript with scope */
		len = read_le32(&ahead);
		if (len < 5)
			r->bad = true;
		return read_bytes(r, len);
	case BSON_BINARY:
		len = read_le32(r);
		read_u8(r);
		return read_bytes(r, len);
	case BSON_OBJECT_ID:
		return read_bytes(r, 12);
	case BSON_BOOL:
		return read_bytes(r, 1);
	case 11: /* regular expression */
		b = read_name(r);
		read_name(r);
		return b;
	case BSON_INT32:
		return read_bytes(r, 4);
	case BSON_DOUBLE:
	case BSON_DATE:
	case BSON_TIMESTAMP:
	case BSON_INT64:
		return read_bytes(r, 8);
	case 19: /* decimal */
		return read_bytes(r, 16);
	case 6: /* undefined */
	case BSON_NULL:
	case 127:
	case 255:
		return (struct bytes){0};
	default:
		r->bad = true;
		return (struct bytes){0};
	}
}

bool bson_next(struct reader *r, struct bson_element *e)
{
	const uint8_t *from = r->at;
	if (!reader_left(r))
		return false;
	e->type = read_u8(r);
	e->name = read_name(r);
	e->value = read_value(r, e->type);
	e->whole = (struct bytes){from, (size_t)(r->at - from)};
	return reader_ok(r);
}

bool bson_find(struct bytes document, const char *name, struct bson_element *e)
{
	struct reader r;
	if (!bson_inside(document, &r))
		return false;
	while (bson_next(&r, e))
		if (bytes_equal_text(e->name, name))
			return true;
	return false;
}

struct bytes bson_find_text(struct bytes document, const char *name)
{
	struct bson_element e;
	return bson_find(document, name, &e) && e.type == BSON_TEXT ? e.value : (struct bytes){0};
}

int64_t bson_number(const struct bson_element *e)
{
	uint64_t bits = little_get(e->value.at, e->value.len < 8 ? e->value.len : 8);
	double d;
	switch (e->type) {
	case BSON_INT32:
		return (int32_t)bits;
	case BSON_DOUBLE:
		memcpy(&d, &bits, sizeof d);
		return d > -1e15 && d < 1e15 ? (int64_t)d : 0;
	case BSON_INT64:
		return (int64_t)bits;
	default:
		return 0;
	}
}

static void print_text(struct bytes b, struct writer *w)
{
	write_u8(w, '"');
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		if (c == '"' || c == '\\')
			write_fmt(w, "\\%c", c);
		else if (c == '\n')
			write_text(w, "\\n");
		else if (c < ' ')
			write_fmt(w, "\\u%04x", c);
		else
			write_u8(w, c);
	}
	write_u8(w, '"');
}

static void print_document(struct bytes document, bool array, unsigned depth, struct writer *w);

static void print_value(const struct bson_element *e, unsigned depth, struct writer *w)
{
	switch (e->type) {
	case BSON_DOUBLE:
	case BSON_INT32:
	case BSON_INT64:
		write_fmt(w, "%lld", (long long)bson_number(e));
		break;
	case BSON_DOCUMENT:
	case BSON_ARRAY:
		print_document(e->value, e->type == BSON_ARRAY, depth + 1, w);
		break;
	case BSON_BOOL:
		write_text(w, e->value.at[0] ? "true" : "false");
		break;
	case BSON_TEXT:
	case 11:
	case 13:
		print_text(e->value, w);
		break;
	case BSON_NULL:
		write_text(w, "null");
		break;
	default: /* bytes */
		write_u8(w, '"');
		for (size_t i = 0; i < e->value.len && !w->bad; i++)
			write_fmt(w, "%02x", e->value.at[i]);
		write_u8(w, '"');
	}
}

static void print_document(struct bytes document, bool array, unsigned depth, struct writer *w)
{
	struct reader r;
	struct bson_element e;
	bool first = true;
	write_u8(w, array ? '[' : '{');
	if (depth < BSON_DEPTH_MAX && bson_inside(document, &r))
		while (!w->bad && bson_next(&r, &e)) {
			if (!first)
				write_u8(w, ',');
			first = false;
			if (!array) {
				print_text(e.name, w);
				write_u8(w, ':');
			}
			print_value(&e, depth, w);
		}
	write_u8(w, array ? ']' : '}');
}

void bson_print(struct bytes document, struct writer *w)
{
	print_document(document, false, 0, w);
}

static void head(struct bson *b, const char *name, enum bson_type type)
{
	if (!b->depth)
		return;
	write_u8(&b->w, (uint8_t)type);
	if (b->array[b->depth - 1])
		write_fmt(&b->w, "%u", b->index[b->depth - 1]++);
	else
		write_text(&b->w, name);
	write_u8(&b->w, 0);
}

void bson_open(struct bson *b, const char *name, enum bson_type type)
{
	head(b, name, type);
	if (b->depth == BSON_DEPTH_MAX) {
		b->w.bad = true;
		return;
	}
	b->open[b->depth] = b->w.at;
	b->index[b->depth] = 0;
	b->array[b->depth++] = type == BSON_ARRAY;
	write_little(&b->w, 0, 4);
}

void bson_close(struct bson *b)
{
	uint8_t *from = b->open[--b->depth];
	write_u8(&b->w, 0);
	if (b->w.bad)
		return;
	uint32_t len = (uint32_t)(b->w.at - from);
	for (size_t i = 0; i < 4; i++)
		from[i] = (uint8_t)(len >> 8 * i);
}

void bson_int32(struct bson *b, const char *name, int32_t v)
{
	head(b, name, BSON_INT32);
	write_little(&b->w, (uint32_t)v, 4);
}

void bson_int64(struct bson *b, const char *name, int64_t v)
{
	head(b, name, BSON_INT64);
	write_little(&b->w, (uint64_t)v, 8);
}

void bson_double(struct bson *b, const char *name, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	head(b, name, BSON_DOUBLE);
	write_little(&b->w, bits, 8);
}

void bson_bool(struct bson *b, const char *name, bool v)
{
	head(b, name, BSON_BOOL);
	write_u8(&b->w, v);
}

void bson_date(struct bson *b, const char *name, uint64_t time_us)
{
	head(b, name, BSON_DATE);
	write_little(&b->w, time_us / 1000, 8);
}

void bson_text(struct bson *b, const char *name, struct bytes text)
{
	head(b, name, BSON_TEXT);
	write_little(&b->w, text.len + 1, 4);
	write_span(&b->w, text);
	write_u8(&b->w, 0);
}

void bson_words(struct bson *b, const char *name, const char *text)
{
	bson_text(b, name, bytes_of_text(text));
}

void bson_binary(struct bson *b, const char *name, struct bytes bytes)
{
	head(b, name, BSON_BINARY);
	write_little(&b->w, bytes.len, 4);
	write_u8(&b->w, 0);
	write_span(&b->w, bytes);
}

void bson_object_id(struct bson *b, const char *name, uint64_t seed, uint32_t time_s)
{
	head(b, name, BSON_OBJECT_ID);
	write_u32(&b->w, time_s);
	write_u64(&b->w, seed);
}

void bson_raw(struct bson *b, const char *name, enum bson_type type, struct bytes value)
{
	head(b, name, type);
	write_span(&b->w, value);
}
