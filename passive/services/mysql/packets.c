/* Packets from the server: OK, ERR, result sets (MySQL's client/server protocol, 4.1 and later). */
#include "base/little.h"
#include "passive/services/mysql/mysql.h"

#define DEPRECATE_EOF (1u << 24)
#define PROTOCOL_41 (1u << 9)
#define EXTENDED_METADATA (1u << 3)
#define CACHE_METADATA (1u << 4)
#define PIECE_MAX 0xffffffu

enum { TYPE_LONG = 3, TYPE_NULL = 6, TYPE_LONGLONG = 8, TYPE_DATETIME = 12, TYPE_BLOB = 252, TYPE_STRING = 253 };
enum { CHARSET_BINARY = 63, CHARSET_UTF8 = 33 };
enum { STATUS_AUTOCOMMIT = 2, STATUS_MORE = 8, STATUS_NO_INDEX = 0x20 };

static void write_length(struct writer *w, uint64_t n)
{
	if (n < 251) {
		write_u8(w, (uint8_t)n);
	} else if (n < 65536) {
		write_u8(w, 0xfc);
		write_little(w, n, 2);
	} else {
		write_u8(w, 0xfd);
		write_little(w, n, 3);
	}
}

static void write_string(struct writer *w, struct bytes b)
{
	write_length(w, b.len);
	write_span(w, b);
}

uint64_t mysql_read_length(struct reader *r)
{
	uint8_t first = read_u8(r);
	size_t n = first == 0xfc ? 2 : first == 0xfd ? 3 : first == 0xfe ? 8 : 0;
	uint64_t v = n ? 0 : first;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)read_u8(r) << 8 * i;
	return v;
}

void mysql_packet(struct mysql *m, struct bytes payload)
{
	uint8_t head[4] = {(uint8_t)payload.len, (uint8_t)(payload.len >> 8), (uint8_t)(payload.len >> 16),
			   m->sequence++};
	session_say_bytes(m->session, (struct bytes){head, sizeof head});
	session_say_bytes(m->session, payload);
}

void mysql_ok(struct mysql *m, uint64_t affected)
{
	uint8_t room[32];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, 0);
	write_length(&w, affected);
	write_u8(&w, 0);
	write_little(&w, STATUS_AUTOCOMMIT | (m->more ? STATUS_MORE : 0), 2);
	write_little(&w, 0, 2);
	mysql_packet(m, writer_bytes(&w));
}

/* Before a peer has told what it speaks, MySQL leaves the SQL state out and MariaDB does not. */
void mysql_error(struct mysql *m, unsigned code, const char *state, const char *fmt, ...)
{
	uint8_t room[640];
	char text[513]; /* MYSQL_ERRMSG_SIZE */
	struct writer w = writer_of(room, sizeof room);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	m->failed = true;
	write_u8(&w, 0xff);
	write_little(&w, code, 2);
	if (m->capabilities & PROTOCOL_41 || m->device->flavour == MYSQL_MARIADB)
		write_fmt(&w, "#%s", state);
	write_text(&w, text);
	mysql_packet(m, writer_bytes(&w));
}

void mysql_end(struct mysql *m)
{
	uint8_t room[16];
	struct writer w = writer_of(room, sizeof room);
	uint64_t status = STATUS_AUTOCOMMIT | (m->more ? STATUS_MORE : 0);
	write_u8(&w, 0xfe);
	write_little(&w, 0, 2); /* EOF: warnings; OK: affected and id */
	write_little(&w, status, 2);
	if (m->capabilities & DEPRECATE_EOF)
		write_little(&w, 0, 2);
	mysql_packet(m, writer_bytes(&w));
}

static void column(struct mysql *m, const struct sql_answer *a, const struct sql_column *c, size_t widest)
{
	uint8_t room[1024];
	struct writer w = writer_of(room, sizeof room);
	bool number = c->type == SQL_INTEGER, table = a->from.len;
	uint8_t type = number ? (widest > 9 ? TYPE_LONGLONG : TYPE_LONG)
		       : c->type == SQL_NULL   ? TYPE_NULL
		       : c->type == SQL_TIME   ? TYPE_DATETIME
		       : c->type == SQL_BINARY ? (table ? TYPE_BLOB : TYPE_STRING)
					       : TYPE_STRING;
	struct bytes name = {c->name.at, c->name.len < 256 ? c->name.len : 256};
	write_string(&w, BYTES("def"));
	write_string(&w, table ? (a->database.len ? a->database : m->sql.database) : (struct bytes){0});
	write_string(&w, a->from);
	write_string(&w, a->from);
	write_string(&w, name);
	write_string(&w, table ? name : (struct bytes){0});
	if (m->extended & EXTENDED_METADATA)
		write_u8(&w, 0);
	write_u8(&w, 12);
	write_little(&w, c->type == SQL_TEXT ? CHARSET_UTF8 : CHARSET_BINARY, 2);
	write_little(&w, c->type == SQL_TEXT ? 3 * widest : widest, 4);
	write_u8(&w, type);
	write_little(&w, number || c->type == SQL_TIME ? 0x81 : c->type == SQL_NULL ? 0x80 : table ? 0 : 1, 2);
	write_u8(&w, c->type == SQL_TEXT && !table ? (m->device->flavour == MYSQL_MARIADB ? 39 : 31) : 0);
	write_little(&w, 0, 2);
	mysql_packet(m, writer_bytes(&w));
}

static void row(struct mysql *m, const struct sql_answer *a, const struct sql_row *r)
{
	size_t len = 0;
	for (size_t i = 0; i < a->column_count; i++)
		len += r->values[i].text.len + 9;
	uint8_t *room = arena_alloc(m->sql.scratch, len + 1);
	if (!room || len > PIECE_MAX)
		return;
	struct writer w = writer_of(room, len);
	for (size_t i = 0; i < a->column_count; i++)
		if (r->values[i].type == SQL_NULL)
			write_u8(&w, 0xfb);
		else
			write_string(&w, r->values[i].text);
	mysql_packet(m, writer_bytes(&w));
}

void mysql_rows(struct mysql *m, const struct sql_answer *a)
{
	const uint8_t count[2] = {(uint8_t)a->column_count, 1}; /* 1: the columns follow */
	mysql_packet(m, (struct bytes){count, m->extended & CACHE_METADATA ? 2 : 1});
	for (size_t i = 0; i < a->column_count; i++) {
		size_t widest = 1;
		for (const struct sql_row *r = a->rows; r; r = r->next)
			widest = r->values[i].text.len > widest ? r->values[i].text.len : widest;
		column(m, a, &a->columns[i], widest);
	}
	if (!(m->capabilities & DEPRECATE_EOF))
		mysql_end(m);
	for (const struct sql_row *r = a->rows; r; r = r->next)
		row(m, a, r);
	mysql_end(m);
}
