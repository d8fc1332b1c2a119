/* Tokens and packets (MS-TDS 2.2.7, 2.2.3). */
#include "base/little.h"
#include "passive/services/mssql/mssql.h"

#define HEADER 8
#define TDS_7_2 0x72000000u
#define WIDE_MAX 4000 /* letters of an nvarchar that is not (max) */

uint16_t mssql_read_u16(struct reader *r)
{
	uint16_t v = read_u16(r);
	return (uint16_t)(v << 8 | v >> 8);
}

uint32_t mssql_read_u32(struct reader *r)
{
	uint32_t low = mssql_read_u16(r);
	return low | (uint32_t)mssql_read_u16(r) << 16;
}

/* The code point at the front of UTF-8; a byte that is none stands for itself. */
static uint32_t code_point(struct bytes *b)
{
	uint8_t c = b->at[0];
	size_t n = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 1;
	uint32_t v = n == 2 ? c & 31 : n == 3 ? c & 15 : c;
	if (n > b->len)
		n = 1, v = c;
	for (size_t i = 1; i < n; i++)
		v = v << 6 | (b->at[i] & 63);
	*b = (struct bytes){b->at + n, b->len - n};
	return v;
}

static size_t letters(struct bytes b)
{
	size_t n = 0;
	for (; b.len; n++)
		code_point(&b);
	return n;
}

void mssql_write_wide(struct writer *w, struct bytes b)
{
	while (b.len)
		write_little(w, code_point(&b), 2);
}

struct bytes mssql_narrow(struct arena *arena, struct bytes wide)
{
	uint8_t *room = arena_alloc(arena, wide.len / 2 * 3 + 1);
	struct writer w = writer_of(room, room ? wide.len / 2 * 3 : 0);
	for (size_t i = 0; i + 1 < wide.len; i += 2) {
		uint32_t c = wide.at[i] | (uint32_t)wide.at[i + 1] << 8;
		if (c < 0x80) {
			write_u8(&w, (uint8_t)c);
		} else if (c < 0x800) {
			write_u8(&w, (uint8_t)(0xc0 | c >> 6));
			write_u8(&w, (uint8_t)(0x80 | (c & 63)));
		} else {
			write_u8(&w, (uint8_t)(0xe0 | c >> 12));
			write_u8(&w, (uint8_t)(0x80 | (c >> 6 & 63)));
			write_u8(&w, (uint8_t)(0x80 | (c & 63)));
		}
	}
	return writer_bytes(&w);
}

/* A text with its count of letters in `width` bytes before it. */
static void write_counted(struct mssql *m, struct bytes b, size_t width)
{
	if (b.len > 250 && width == 1)
		b.len = 250;
	write_little(&m->out, m->narrow ? b.len : letters(b), width);
	if (m->narrow)
		write_span(&m->out, b);
	else
		mssql_write_wide(&m->out, b);
}

void mssql_flush(struct mssql *m)
{
	struct bytes left = writer_bytes(&m->out);
	uint8_t number = 1;
	do {
		uint8_t head[HEADER] = {4};
		size_t n = left.len < MSSQL_PACKET - HEADER ? left.len : MSSQL_PACKET - HEADER;
		head[1] = n == left.len;
		head[2] = (uint8_t)((n + HEADER) >> 8);
		head[3] = (uint8_t)(n + HEADER);
		head[5] = m->phase == MSSQL_READY ? 53 : 0; /* the process that serves the session */
		head[6] = number++;
		session_say_bytes(m->session, (struct bytes){head, HEADER});
		session_say_bytes(m->session, (struct bytes){left.at, n});
		left = (struct bytes){left.at + n, left.len - n};
	} while (left.len);
	m->out.at = m->out.start;
}

void mssql_done(struct mssql *m, uint8_t token, uint16_t status, uint64_t rows)
{
	write_u8(&m->out, token);
	write_little(&m->out, status | (rows ? 0x10 : 0), 2);
	write_little(&m->out, token == 0xfd && rows ? 0xc1 : 0, 2);
	write_little(&m->out, rows, m->tds >= TDS_7_2 ? 8 : 4);
}

/* Fills in the length behind a token's first byte when its content is known. */
static void end_token(struct mssql *m, uint8_t *from)
{
	size_t n = (size_t)(m->out.at - from) - 3;
	if (m->out.bad)
		return;
	from[1] = (uint8_t)n;
	from[2] = (uint8_t)(n >> 8);
}

void mssql_say(struct mssql *m, bool error, int32_t number, uint8_t class, uint8_t state, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	uint8_t *from = m->out.at;
	write_u8(&m->out, error ? 0xaa : 0xab);
	write_little(&m->out, 0, 2);
	write_little(&m->out, (uint32_t)number, 4);
	write_u8(&m->out, state);
	write_u8(&m->out, class);
	write_counted(m, bytes_of_text(text), 2);
	write_counted(m, bytes_of_text(m->host.computer), 1);
	write_counted(m, (struct bytes){0}, 1);
	write_little(&m->out, 1, m->tds >= TDS_7_2 ? 4 : 2);
	end_token(m, from);
}

void mssql_change(struct mssql *m, uint8_t kind, const char *to, const char *from)
{
	uint8_t *at = m->out.at;
	write_u8(&m->out, 0xe3);
	write_little(&m->out, 0, 2);
	write_u8(&m->out, kind);
	if (kind == 7) { /* collation: 1033, case-insensitive */
		write_bytes(&m->out, "\5\x09\x04\xd0\0\x34\0", 7);
	} else {
		write_counted(m, bytes_of_text(to), 1);
		write_counted(m, bytes_of_text(from), 1);
	}
	end_token(m, at);
}

static void write_columns(struct mssql *m, const struct sql_answer *a)
{
	write_u8(&m->out, 0x81);
	write_little(&m->out, a->column_count, 2);
	for (size_t i = 0; i < a->column_count; i++) {
		write_little(&m->out, 0, m->tds >= TDS_7_2 ? 4 : 2);
		write_little(&m->out, 0x21, 2); /* may be NULL, is worked out */
		if (a->columns[i].type == SQL_INTEGER) {
			write_bytes(&m->out, "\x26\4", 2);
		} else {
			write_u8(&m->out, 0xe7);
			write_little(&m->out, 2 * WIDE_MAX, 2);
			write_bytes(&m->out, "\x09\x04\xd0\0\x34", 5);
		}
		write_counted(m, a->columns[i].name, 1);
	}
}

static int64_t number_of(struct bytes b)
{
	uint64_t n = 0;
	bool negative = b.len && b.at[0] == '-';
	bytes_number((struct bytes){b.at + negative, b.len - negative}, INT32_MAX, &n);
	return negative ? -(int64_t)n : (int64_t)n;
}

void mssql_rows(struct mssql *m, const struct sql_answer *a)
{
	if (m->narrow)
		return;
	write_columns(m, a);
	for (const struct sql_row *r = a->rows; r && writer_left(&m->out) > 4096; r = r->next) {
		write_u8(&m->out, 0xd1);
		for (size_t i = 0; i < a->column_count; i++) {
			struct sql_value v = r->values[i];
			bool null = v.type == SQL_NULL;
			v.text.len = v.text.len < WIDE_MAX ? v.text.len : WIDE_MAX;
			if (a->columns[i].type == SQL_INTEGER) {
				write_u8(&m->out, null ? 0 : 4);
				if (!null)
					write_little(&m->out, (uint64_t)number_of(v.text), 4);
			} else if (null) {
				write_little(&m->out, 0xffff, 2);
			} else {
				write_little(&m->out, 2 * letters(v.text), 2);
				mssql_write_wide(&m->out, v.text);
			}
		}
	}
}
