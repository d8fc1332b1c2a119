/* Messages from the server. */
#include "passive/services/postgresql/postgresql.h"

void postgres_message(struct postgres *p, char type, struct bytes payload)
{
	uint8_t head[5];
	struct writer w = writer_of(head, sizeof head);
	write_u8(&w, (uint8_t)type);
	write_u32(&w, (uint32_t)payload.len + 4);
	session_say_bytes(p->session, writer_bytes(&w));
	session_say_bytes(p->session, payload);
}

static void field(struct writer *w, char type, const char *text)
{
	if (!text)
		return;
	write_u8(w, (uint8_t)type);
	write_text(w, text);
	write_u8(w, 0);
}

void postgres_error(struct postgres *p, const struct postgres_error *e, const char *fmt, ...)
{
	uint8_t room[2048];
	char text[512], number[16];
	struct writer w = writer_of(room, sizeof room);
	const char *severity = e->severity ? e->severity : "ERROR";
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	field(&w, 'S', severity);
	field(&w, 'V', severity);
	field(&w, 'C', e->state);
	field(&w, 'M', text);
	field(&w, 'D', e->detail);
	field(&w, 'H', e->hint);
	snprintf(number, sizeof number, "%u", e->position);
	field(&w, 'P', e->position ? number : NULL);
	field(&w, 'F', e->file);
	snprintf(number, sizeof number, "%u", e->line);
	field(&w, 'L', number);
	field(&w, 'R', e->routine);
	write_u8(&w, 0);
	postgres_message(p, 'E', writer_bytes(&w));
	p->broken = p->in_transaction;
	p->skipping = true;
}

static const struct {
	uint32_t oid;
	int16_t length;
} types[] = {
	[SQL_NULL] = {25, -1},   [SQL_INTEGER] = {23, 4}, [SQL_TEXT] = {25, -1},
	[SQL_BINARY] = {17, -1}, [SQL_BOOLEAN] = {16, 1}, [SQL_TIME] = {1184, 8},
};

void postgres_columns(struct postgres *p, const struct sql_answer *a)
{
	uint8_t room[SQL_COLUMNS_MAX * 90];
	struct writer w = writer_of(room, sizeof room);
	write_u16(&w, (uint16_t)a->column_count);
	for (size_t i = 0; i < a->column_count; i++) {
		struct bytes name = a->columns[i].name;
		name.len = name.len < POSTGRES_USER_MAX ? name.len : POSTGRES_USER_MAX;
		write_span(&w, name);
		write_u8(&w, 0);
		write_u32(&w, a->from.len ? 16384 : 0);
		write_u16(&w, a->from.len ? (uint16_t)(i + 1) : 0);
		write_u32(&w, types[a->columns[i].type].oid);
		write_u16(&w, (uint16_t)types[a->columns[i].type].length);
		write_u32(&w, 0xffffffff);
		write_u16(&w, 0);
	}
	postgres_message(p, 'T', writer_bytes(&w));
}

void postgres_rows(struct postgres *p, const struct sql_answer *a)
{
	for (const struct sql_row *r = a->rows; r; r = r->next) {
		size_t len = 2;
		for (size_t i = 0; i < a->column_count; i++)
			len += 4 + r->values[i].text.len;
		uint8_t *room = arena_alloc(p->sql.scratch, len);
		if (!room)
			return;
		struct writer w = writer_of(room, len);
		write_u16(&w, (uint16_t)a->column_count);
		for (size_t i = 0; i < a->column_count; i++) {
			bool null = r->values[i].type == SQL_NULL;
			write_u32(&w, null ? 0xffffffff : (uint32_t)r->values[i].text.len);
			if (!null)
				write_span(&w, r->values[i].text);
		}
		postgres_message(p, 'D', writer_bytes(&w));
	}
}

void postgres_complete(struct postgres *p, const char *tag)
{
	postgres_message(p, 'C', (struct bytes){(const uint8_t *)tag, strlen(tag) + 1});
}

void postgres_ready(struct postgres *p)
{
	uint8_t state = p->broken ? 'E' : p->in_transaction ? 'T' : 'I';
	postgres_message(p, 'Z', (struct bytes){&state, 1});
}
