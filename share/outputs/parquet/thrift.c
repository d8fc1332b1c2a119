#include "share/outputs/parquet/thrift_inner.h"

void write_leb128(struct writer *w, uint64_t v)
{
	for (; v > 127; v >>= 7)
		write_u8(w, (uint8_t)(v | 128));
	write_u8(w, (uint8_t)v);
}

static void write_zigzag(struct writer *w, int64_t v)
{
	write_leb128(w, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

/* Ours are never more than 15 apart, so the short form always does. */
static void field_begin(struct thrift *t, int16_t field, enum thrift_type type)
{
	write_u8(t->w, (uint8_t)((field - t->last[t->depth]) << 4 | type));
	t->last[t->depth] = field;
}

void thrift_number(struct thrift *t, int16_t field, enum thrift_type type, int64_t v)
{
	field_begin(t, field, type);
	if (type == THRIFT_I8)
		write_u8(t->w, (uint8_t)v);
	else
		write_zigzag(t->w, v);
}

void thrift_bool(struct thrift *t, int16_t field, bool b) { field_begin(t, field, b ? THRIFT_TRUE : THRIFT_FALSE); }

void thrift_item_text(struct thrift *t, struct bytes b)
{
	write_leb128(t->w, b.len);
	write_span(t->w, b);
}

void thrift_text(struct thrift *t, int16_t field, struct bytes b)
{
	field_begin(t, field, THRIFT_BINARY);
	thrift_item_text(t, b);
}

void thrift_item(struct thrift *t)
{
	if (t->depth + 1 < THRIFT_DEPTH_MAX)
		t->last[++t->depth] = 0;
	else
		t->w->bad = true;
}

void thrift_begin(struct thrift *t, int16_t field)
{
	field_begin(t, field, THRIFT_STRUCT);
	thrift_item(t);
}

void thrift_list(struct thrift *t, int16_t field, enum thrift_type of, size_t count)
{
	field_begin(t, field, THRIFT_LIST);
	write_u8(t->w, (uint8_t)((count < 15 ? count : 15) << 4 | of));
	if (count >= 15)
		write_leb128(t->w, count);
}

void thrift_item_number(struct thrift *t, int64_t v) { write_zigzag(t->w, v); }

void thrift_end(struct thrift *t)
{
	write_u8(t->w, 0);
	t->depth -= t->depth > 0;
}
