#include "store/row.h"

struct bytes value_text(const struct event_value *v, char text[64])
{
	struct address address;
	struct event_id id;
	switch (v->type) {
	case FIELD_NUMBER:
		snprintf(text, 64, "%llu", (unsigned long long)v->number);
		return bytes_of_text(text);
	case FIELD_BOOL:
		return bytes_of_text(v->number ? "true" : "false");
	case FIELD_TIME:
		return bytes_of_text(time_format(v->number, text));
	case FIELD_ADDRESS:
		memcpy(address.b, v->bytes.at, sizeof address.b);
		return bytes_of_text(address_format(&address, text));
	case FIELD_ID:
		memcpy(id.b, v->bytes.at, sizeof id.b);
		return bytes_of_text(id_format(&id, text));
	case FIELD_TEXT:
	case FIELD_BYTES:
		break;
	}
	return v->bytes;
}

/* RowBinary: numbers little-endian, a string behind its length as LEB128. */
static void put_number(struct writer *w, uint64_t v, size_t width)
{
	uint8_t b[8];
	for (size_t i = 0; i < sizeof b; i++)
		b[i] = (uint8_t)(v >> 8 * i);
	write_bytes(w, b, width);
}

static void put_length(struct writer *w, size_t n)
{
	for (; n >= 0x80; n >>= 7)
		write_u8(w, (uint8_t)(n | 0x80));
	write_u8(w, (uint8_t)n);
}

static void put_string(struct writer *w, struct bytes b)
{
	put_length(w, b.len);
	write_span(w, b);
}

static void put_column(struct writer *w, enum field_type type, const struct event_value *v)
{
	static const uint8_t zero[16];
	switch (type) {
	case FIELD_NUMBER:
	case FIELD_TIME:
		put_number(w, v ? v->number : 0, 8);
		break;
	case FIELD_BOOL:
		put_number(w, v ? v->number : 0, 1);
		break;
	case FIELD_ADDRESS:
	case FIELD_ID:
		write_bytes(w, v ? v->bytes.at : zero, sizeof zero);
		break;
	case FIELD_TEXT:
	case FIELD_BYTES:
		put_string(w, v ? v->bytes : (struct bytes){0});
	}
}

static uint64_t number_of(const struct event_value *const *by_field, uint16_t field)
{
	return by_field[field] ? by_field[field]->number : 0;
}

/* In the order of the envelope in schema.c: a flow has neither kind nor depth. */
static void put_envelope(struct writer *w, enum table t, const struct event *e,
			 const struct event_value *const *by_field)
{
	write_bytes(w, e->id.b, sizeof e->id.b);
	put_number(w, e->time_us / 1000000, 4);
	put_number(w, e->time_us % 1000000, 4);
	put_number(w, number_of(by_field, FIELD_RECEIVED), 8);
	if (t == TABLE_EVENTS)
		put_string(w, bytes_of_text(event_kind_name(e->kind)));
	put_string(w, by_field[FIELD_PROCESS] ? by_field[FIELD_PROCESS]->bytes : (struct bytes){0});
	put_number(w, number_of(by_field, FIELD_SEQUENCE), 8);
	if (t == TABLE_EVENTS)
		put_number(w, number_of(by_field, FIELD_DEPTH), 1);
	put_number(w, e->cut, 1);
}

/* Fields that the envelope holds under names of its own. */
static bool is_envelope(enum table t, uint16_t field)
{
	return field == FIELD_PROCESS || field == FIELD_SEQUENCE || field == FIELD_RECEIVED ||
	       (field == FIELD_DEPTH && t == TABLE_EVENTS);
}

void row_plan_make(struct row_plan *plan)
{
	*plan = (struct row_plan){.fields = field_count()};
	for (uint16_t f = 0; f < plan->fields; f++)
		plan->names[f] = bytes_of_text(field_definition(f)->name);
	for (enum table t = 0; t < TABLES; t++) {
		struct table_plan *p = &plan->tables[t];
		struct column c;
		for (uint16_t f = 0; f < plan->fields; f++)
			p->place[f] = field_definition(f)->marks & FIELD_PRIVATE ? ROW_PRIVATE
				      : is_envelope(t, f)			 ? ROW_COLUMN
										 : ROW_ARRAYS;
		for (unsigned i = 0; schema_column(t, i, &c); i++) {
			if (c.field < 0)
				continue;
			p->place[c.field] = ROW_COLUMN;
			p->types[p->columns] = field_definition((uint16_t)c.field)->type;
			p->column[p->columns++] = (uint16_t)c.field;
		}
	}
}

static void put_arrays(struct writer *w, const struct event *e, const struct row_plan *plan,
		       const struct table_plan *p)
{
	const struct event_value *kept[EVENT_FIELDS_MAX];
	size_t count = 0;
	for (uint16_t i = 0; i < e->count; i++)
		if (p->place[e->values[i].field] == ROW_ARRAYS)
			kept[count++] = &e->values[i];
	put_length(w, count);
	for (size_t i = 0; i < count; i++)
		put_string(w, plan->names[kept[i]->field]);
	put_length(w, count);
	char text[64];
	for (size_t i = 0; i < count; i++)
		put_string(w, value_text(kept[i], text));
}

/* Names take at most 64 bytes, texts of numbers 64, and lengths 10: room for any event. */
#define ROW_MAX (EVENT_BYTES_MAX + EVENT_FIELDS_MAX * (64 + 64 + 20) + 2048)

static int private_write(struct buffer *out, const struct event *e, const struct event_value *v)
{
	uint8_t *room = buffer_room(out, ROW_MAX);
	if (!room)
		return ERR_FULL;
	char text[64];
	struct writer w = writer_of(room, ROW_MAX);
	write_bytes(&w, e->id.b, sizeof e->id.b);
	put_number(&w, e->time_us / 1000000, 4);
	put_string(&w, bytes_of_text(event_kind_name(e->kind)));
	put_string(&w, bytes_of_text(field_definition(v->field)->name));
	put_string(&w, value_text(v, text));
	buffer_grown(out, writer_used(&w));
	return w.bad ? ERR_FULL : 0;
}

int row_write(const struct row_plan *plan, struct rows *rows, const struct event *e)
{
	const enum table t = table_of(e->kind);
	const struct table_plan *p = &plan->tables[t];
	const struct event_value *by_field[FIELDS_COMMON] = {NULL};
	bool has_private = false;
	for (uint16_t i = 0; i < e->count; i++) {
		if (e->values[i].field < FIELDS_COMMON)
			by_field[e->values[i].field] = &e->values[i];
		has_private |= p->place[e->values[i].field] == ROW_PRIVATE;
	}
	uint8_t *room = buffer_room(&rows->tables[t], ROW_MAX);
	if (!room)
		return ERR_FULL;
	struct writer w = writer_of(room, ROW_MAX);
	put_envelope(&w, t, e, by_field);
	for (unsigned c = 0; c < p->columns; c++)
		put_column(&w, p->types[c], by_field[p->column[c]]);
	put_arrays(&w, e, plan, p);
	if (w.bad)
		return ERR_FULL;
	for (uint16_t i = 0; has_private && i < e->count; i++) {
		if (p->place[e->values[i].field] != ROW_PRIVATE)
			continue;
		int bad = private_write(&rows->private_values, e, &e->values[i]);
		if (bad)
			return bad;
		rows->private_count++;
	}
	buffer_grown(&rows->tables[t], writer_used(&w));
	rows->counts[t]++;
	return 0;
}
