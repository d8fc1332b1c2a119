/*
 * Databases and tables as the device remembers them.
 *
 * A session begins with what was there then; of two that go on at once, the later to write has the
 * last word.  What is beyond the room is left out: a table whole, or its last rows.
 */
#include "passive/service.h"
#include "passive/services/sql/sql.h"

#define MEMORY_MAX (60u << 10)

static void text_write(struct writer *w, struct bytes b)
{
	write_u32(w, (uint32_t)b.len);
	write_span(w, b);
}

static struct bytes text_read(struct sql *q, struct reader *r)
{
	struct bytes b = read_bytes(r, read_u32(r));
	return b.len ? arena_copy(q->arena, b) : b;
}

/* With a byte before each part, and one at the end, for which there is always room. */
static void part_end(struct writer *w, struct writer before)
{
	if (w->bad || writer_left(w) < 4)
		*w = before;
}

static void table_write(const struct sql_table *t, struct writer *w)
{
	struct writer before = *w;
	write_u8(w, 1);
	text_write(w, t->database);
	text_write(w, t->name);
	write_u8(w, (uint8_t)t->column_count);
	for (uint32_t i = 0; i < t->column_count; i++) {
		text_write(w, t->columns[i].name);
		write_u8(w, (uint8_t)t->columns[i].type);
	}
	for (const struct sql_row *row = t->rows; row && !w->bad; row = row->next) {
		struct writer row_before = *w;
		write_u8(w, 1);
		for (uint32_t i = 0; i < t->column_count; i++) {
			write_u8(w, (uint8_t)row->values[i].type);
			text_write(w, row->values[i].text);
		}
		part_end(w, row_before);
	}
	write_u8(w, 0);
	if (w->bad || writer_left(w) < 2)
		*w = before;
}

static bool row_read(struct sql *q, struct sql_table *t, struct reader *r)
{
	struct sql_row *row = q->row_count < SQL_ROWS_MAX ? arena_alloc(q->arena, sizeof *row) : NULL;
	if (row)
		row->values = arena_alloc(q->arena, (t->column_count + 1) * sizeof *row->values);
	if (!row || !row->values)
		return false;
	for (uint32_t i = 0; i < t->column_count; i++) {
		uint8_t type = read_u8(r);
		row->values[i] = (struct sql_value){type <= SQL_TIME ? type : SQL_NULL, text_read(q, r)};
	}
	if (!reader_ok(r))
		return false;
	*t->rows_end = row;
	t->rows_end = &row->next;
	t->row_count++;
	q->row_count++;
	return true;
}

static bool table_read(struct sql *q, struct reader *r, struct sql_table ***end)
{
	struct sql_table *t = q->table_count < SQL_TABLES_MAX ? arena_alloc(q->arena, sizeof *t) : NULL;
	if (!t || !(t->columns = arena_alloc(q->arena, SQL_COLUMNS_MAX * sizeof *t->columns)))
		return false;
	t->database = text_read(q, r);
	t->name = text_read(q, r);
	t->rows_end = &t->rows;
	uint8_t columns = read_u8(r);
	for (; t->column_count < columns && columns <= SQL_COLUMNS_MAX; t->column_count++) {
		struct sql_column *c = &t->columns[t->column_count];
		c->name = text_read(q, r);
		uint8_t type = read_u8(r);
		c->type = type <= SQL_TIME ? type : SQL_TEXT;
	}
	if (!reader_ok(r))
		return false;
	**end = t;
	*end = &t->next;
	q->table_count++;
	while (read_u8(r) == 1)
		if (!row_read(q, t, r))
			return false;
	return reader_ok(r);
}

void sql_recall(struct session *s, struct sql *q, const char *name)
{
	struct reader r = reader_of_bytes(session_recall(s, name));
	q->kept = q->edits;
	if (!reader_left(&r))
		return;
	uint8_t databases = read_u8(&r);
	for (q->database_count = 0; q->database_count < databases && databases <= SQL_DATABASES_MAX;)
		q->databases[q->database_count++] = text_read(q, &r);
	struct sql_table **end = &q->tables;
	while (read_u8(&r) == 1 && table_read(q, &r, &end))
		;
}

void sql_remember(struct session *s, struct sql *q, const char *name)
{
	uint8_t room[MEMORY_MAX];
	struct writer w = writer_of(room, sizeof room);
	if (q->kept == q->edits)
		return;
	q->kept = q->edits;
	write_u8(&w, (uint8_t)q->database_count);
	for (size_t i = 0; i < q->database_count; i++)
		text_write(&w, q->databases[i]);
	for (const struct sql_table *t = q->tables; t; t = t->next)
		table_write(t, &w);
	write_u8(&w, 0);
	if (!w.bad)
		session_remember(s, name, writer_bytes(&w));
}
