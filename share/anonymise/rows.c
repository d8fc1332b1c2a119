#include "share/anonymise/rows_inner.h"

#define ROW_MAX (STREAM_WINDOW / 4) /* bytes */
#define ROW_ARENA_MAX (32u << 20)
#define OUT_MAX (8u << 20)
#define OUT_ENOUGH 65536            /* is written */

void rows_open(struct rows *t, struct stream *s, struct fault *fault)
{
	*t = (struct rows){.s = s, .fault = fault, .arena = ARENA(ROW_ARENA_MAX), .out = BUFFER(OUT_MAX)};
}

void rows_close(struct rows *t)
{
	arena_done(&t->arena);
	buffer_done(&t->out);
}

/* Where the row ends, its line end not counted; marks may hold line ends.  ROW_MAX: nowhere in what is there. */
static size_t row_length(const uint8_t *t, size_t len)
{
	bool inside = false;
	for (size_t i = 0; i < len; i++) {
		inside ^= t[i] == '"';
		if (t[i] == '\n' && !inside)
			return i;
	}
	return ROW_MAX;
}

/* 1: a row of that length stands at the stream's place, the end not counted; 0: the end. */
static int row_next(struct rows *t, size_t *len, size_t *whole)
{
	size_t want = 4096;
	for (;;) {
		const int more = stream_need(t->s, want, t->fault);
		if (more < 0)
			return more;
		const size_t have = stream_left(t->s);
		*len = row_length(stream_bytes(t->s), have < ROW_MAX ? have : ROW_MAX);
		*whole = *len + 1;
		if (*len < ROW_MAX)
			return 1;
		if (more == 0 && have < ROW_MAX) {
			*len = *whole = have;
			return have > 0;
		}
		if (want == ROW_MAX)
			return stream_fault(t->s, t->fault, "a row without an end; quotation marks may not be even");
		want = want * 4 < ROW_MAX ? want * 4 : ROW_MAX;
	}
}

/* Two marks within marks are one (RFC 4180 2.7). */
static bool cell_read(struct rows *t, struct reader *r, struct cell *cell)
{
	uint8_t *room = arena_alloc(&t->arena, reader_left(r) + 1);
	size_t n = 0;
	if (!room)
		return false;
	cell->quoted = reader_left(r) && *r->at == '"';
	bool inside = cell->quoted;
	if (inside)
		read_u8(r);
	while (reader_left(r) && (inside || *r->at != t->between)) {
		const uint8_t c = read_u8(r);
		if (c != '"' || !cell->quoted)
			room[n++] = c;
		else if (inside && reader_left(r) && *r->at == '"')
			room[n++] = read_u8(r);
		else
			inside = !inside;
	}
	cell->text = (struct bytes){room, n};
	return true;
}

static int cells_read(struct rows *t, struct bytes row)
{
	struct reader r = reader_of_bytes(row);
	t->count = 0;
	arena_done(&t->arena);
	do {
		if (t->count == COLUMNS_MAX)
			return stream_fault(t->s, t->fault, "a row of more cells than any table has");
		if (!cell_read(t, &r, &t->cells[t->count++]))
			return fault_set(t->fault, ERR_MEMORY, "%s: out of memory", t->s->name);
		if (!reader_left(&r))
			return 0;
		read_u8(&r);
		if (!reader_left(&r) && t->count < COLUMNS_MAX)
			t->cells[t->count++] = (struct cell){0};
	} while (reader_left(&r));
	return 0;
}

static uint8_t separator_of(struct bytes row)
{
	static const char choices[] = ",;\t|";
	size_t most = 0;
	uint8_t best = ',';
	for (const char *c = choices; *c; c++) {
		size_t n = 0;
		for (size_t i = 0; i < row.len; i++)
			n += row.at[i] == (uint8_t)*c;
		if (n > most) {
			most = n;
			best = (uint8_t)*c;
		}
	}
	return best;
}

int rows_next(struct rows *t)
{
	size_t len = 0, whole = 0;
	const int more = row_next(t, &len, &whole);
	if (more <= 0)
		return more;
	struct bytes row = {stream_bytes(t->s), len};
	if (row.len && row.at[row.len - 1] == '\r')
		row.len--;
	if (!t->between && row.len > 3 && !memcmp(row.at, "\xef\xbb\xbf", 3))
		row = (struct bytes){row.at + 3, row.len - 3};
	if (!t->between)
		t->between = separator_of(row);
	const int bad = cells_read(t, row);
	stream_skip(t->s, whole);
	return bad ? bad : 1;
}

int rows_put(struct rows *t, struct bytes text, bool quoted, bool first)
{
	for (size_t i = 0; i < text.len && !quoted; i++)
		quoted = text.at[i] == t->between || text.at[i] == '"' || text.at[i] == '\n' || text.at[i] == '\r';
	int bad = first ? 0 : buffer_append(&t->out, &t->between, 1);
	if (quoted && !bad)
		bad = buffer_append(&t->out, "\"", 1);
	for (size_t i = 0, from = 0; i <= text.len && !bad; i++)
		if (i == text.len || (quoted && text.at[i] == '"')) {
			bad = buffer_append(&t->out, text.at + from, i - from + (i < text.len)); /* and the mark once more */
			from = i;
		}
	if (!bad && quoted)
		bad = buffer_append(&t->out, "\"", 1);
	return bad ? fault_set(t->fault, bad, "%s: out of memory", t->s->name) : 0;
}

int rows_end_line(struct rows *t)
{
	const int bad = buffer_append(&t->out, "\n", 1);
	if (bad)
		return fault_set(t->fault, bad, "%s: out of memory", t->s->name);
	return buffer_len(&t->out) < OUT_ENOUGH ? 0 : rows_flush(t);
}

int rows_flush(struct rows *t)
{
	const int bad = stream_add(t->s, buffer_bytes(&t->out), t->fault);
	buffer_consume(&t->out, buffer_len(&t->out));
	return bad;
}
