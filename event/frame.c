#include "event/frame.h"

#define FLAG_CUT 1

static void write_value_header(struct writer *w, const struct event_value *v, size_t len)
{
	uint8_t h[5] = {(uint8_t)(v->field >> 8), (uint8_t)v->field, (uint8_t)v->type,
			(uint8_t)(len >> 8), (uint8_t)len};
	write_bytes(w, h, sizeof h);
}

void frame_encode(const struct event *e, struct writer *w)
{
	uint8_t *start = w->at;
	write_u32(w, 0);
	write_u16(w, (uint16_t)e->kind);
	write_u16(w, e->cut ? FLAG_CUT : 0);
	write_bytes(w, e->id.b, sizeof e->id.b);
	write_u64(w, e->time_us);
	for (uint16_t i = 0; i < e->count; i++) {
		const struct event_value *v = &e->values[i];
		switch (v->type) {
		case FIELD_NUMBER:
		case FIELD_TIME:
			write_value_header(w, v, 8);
			write_u64(w, v->number);
			break;
		case FIELD_BOOL:
			write_value_header(w, v, 1);
			write_u8(w, v->number != 0);
			break;
		default:
			write_value_header(w, v, v->bytes.len);
			write_span(w, v->bytes);
		}
	}
	if (w->bad)
		return;
	struct writer length = writer_of(start, 4);
	write_u32(&length, (uint32_t)(w->at - start));
}

void dictionary_write(struct writer *w)
{
	write_u16(w, EVENT_KIND_COUNT);
	for (int k = 0; k < EVENT_KIND_COUNT; k++) {
		write_u8(w, (uint8_t)strlen(event_kind_name((enum event_kind)k)));
		write_text(w, event_kind_name((enum event_kind)k));
	}
	write_u16(w, field_count());
	for (uint16_t f = 0; f < field_count(); f++) {
		const struct field_definition *d = field_definition(f);
		write_u8(w, (uint8_t)d->type);
		write_u8(w, (uint8_t)strlen(d->name));
		write_text(w, d->name);
	}
}

int dictionary_read(struct bytes from, struct dictionary *out)
{
	struct reader r = reader_of_bytes(from);
	struct dictionary d = {.same = true};
	d.kinds_count = read_u16(&r);
	if (d.kinds_count > sizeof d.kinds / sizeof *d.kinds)
		return ERR_BAD;
	for (uint16_t i = 0; i < d.kinds_count; i++) {
		int kind = event_kind_find(read_bytes(&r, read_u8(&r)));
		d.kinds[i] = kind < 0 ? KIND_UNKNOWN : (uint16_t)kind;
		d.same &= d.kinds[i] == i;
	}
	d.fields_count = read_u16(&r);
	if (!reader_ok(&r) || d.fields_count > FIELDS_MAX)
		return ERR_BAD;
	for (uint16_t i = 0; i < d.fields_count; i++) {
		enum field_type type = read_u8(&r);
		struct bytes name = read_bytes(&r, read_u8(&r));
		int field = reader_ok(&r) ? field_learn(name, type) : ERR_BAD;
		if (field < 0)
			return ERR_BAD;
		d.fields[i] = (uint16_t)field;
		d.same &= d.fields[i] == i;
	}
	if (!reader_ok(&r) || reader_left(&r))
		return ERR_BAD;
	*out = d;
	return 0;
}

int frame_take(struct reader *r, struct bytes *frame)
{
	struct reader peek = *r;
	if (reader_left(&peek) < FRAME_HEADER)
		return ERR_GONE;
	uint32_t length = read_u32(&peek);
	if (length < FRAME_HEADER || length > FRAME_MAX)
		return ERR_BAD;
	if (reader_left(r) < length)
		return ERR_GONE;
	*frame = read_bytes(r, length);
	return 0;
}

int frame_kind(struct bytes frame, const struct dictionary *d)
{
	struct reader r = reader_of_bytes(frame);
	read_u32(&r);
	uint16_t kind = read_u16(&r);
	if (!reader_ok(&r))
		return ERR_BAD;
	if (d && kind >= d->kinds_count)
		return ERR_BAD;
	if (d)
		kind = d->kinds[kind];
	return kind < EVENT_KIND_COUNT ? kind : ERR_MISSING;
}

void frame_id(struct bytes frame, struct event_id *out)
{
	memcpy(out->b, frame.at + 8, sizeof out->b);
}

static int decode_value(struct reader *r, const struct dictionary *d, struct event *e)
{
	uint16_t field = read_u16(r);
	enum field_type type = read_u8(r);
	struct bytes b = read_bytes(r, read_u16(r));
	if (!reader_ok(r) || (d && field >= d->fields_count))
		return ERR_BAD;
	if (d)
		field = d->fields[field];
	const struct field_definition *definition = field_definition(field);
	if (!definition || definition->type != type || e->count == EVENT_FIELDS_MAX ||
	    event_get(e, field))
		return ERR_BAD;

	struct reader number = reader_of_bytes(b);
	switch (type) {
	case FIELD_NUMBER:
	case FIELD_TIME:
		event_set_number(e, field, read_u64(&number));
		return reader_ok(&number) && !reader_left(&number) ? 0 : ERR_BAD;
	case FIELD_BOOL:
		event_set_bool(e, field, read_u8(&number) != 0);
		return reader_ok(&number) && !reader_left(&number) ? 0 : ERR_BAD;
	case FIELD_TEXT:
		if (!bytes_is_utf8(b))
			return ERR_BAD;
		break;
	case FIELD_ADDRESS:
	case FIELD_ID:
		if (b.len != 16)
			return ERR_BAD;
		break;
	case FIELD_BYTES:
		break;
	}
	if (b.len > sizeof e->store - e->stored)
		return ERR_BAD;
	struct event_value *v = &e->values[e->count++];
	*v = (struct event_value){.field = field, .type = type};
	v->bytes = (struct bytes){e->store + e->stored, b.len};
	if (b.len)
		memcpy(e->store + e->stored, b.at, b.len);
	e->stored += b.len;
	return 0;
}

int frame_decode(struct bytes frame, const struct dictionary *d, struct event *e)
{
	int kind = frame_kind(frame, d);
	if (kind < 0)
		return kind;
	struct reader r = reader_of_bytes(frame);
	if (read_u32(&r) != frame.len)
		return ERR_BAD;
	read_u16(&r);
	uint16_t flags = read_u16(&r);
	event_begin(e, (enum event_kind)kind);
	struct bytes id = read_bytes(&r, sizeof e->id.b);
	e->time_us = read_u64(&r);
	if (!reader_ok(&r))
		return ERR_BAD;
	memcpy(e->id.b, id.at, id.len);
	e->cut = flags & FLAG_CUT;
	while (reader_left(&r)) {
		int bad = decode_value(&r, d, e);
		if (bad)
			return bad;
	}
	return 0;
}
