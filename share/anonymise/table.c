/*
 * Tables, a line a row (RFC 4180, and what others make of it): the first line names the columns.
 *
 * A column of a field's name has that field's rule; some names that everybody uses for the same thing count as it.  In
 * every other cell an address becomes what src does (ours: dst), and text is cleaned.
 */
#include "share/anonymise/clean_inner.h"
#include "share/anonymise/generalise_inner.h"
#include "share/anonymise/stream_inner.h"
#include "share/anonymise/view_inner.h"
#include <stdarg.h>
#include <stdlib.h>

#define ROW_MAX (STREAM_WINDOW / 4) /* bytes */
#define COLUMNS_MAX 512
#define CELL_ARENA_MAX (32u << 20)
#define NO_FIELD UINT16_MAX

struct column {
	struct view_rule rule;
	uint16_t field; /* POLICY_TIME: a time; NO_FIELD: by what stands in it */
};

struct cell {
	struct bytes text; /* without quotation marks */
	bool quoted;
};

struct table {
	struct view *view;
	struct stream *s;
	const struct view_file *file;
	struct view_file_counts *counts;
	struct fault *fault;
	uint8_t between;
	size_t column_count, cell_count;
	struct column columns[COLUMNS_MAX];
	struct cell cells[COLUMNS_MAX];
	struct arena arena;
	struct buffer out;
};

static const struct {
	const char *name;
	uint16_t field;
} synonyms[] = {
	{"src_ip", FIELD_SRC}, {"srcip", FIELD_SRC}, {"saddr", FIELD_SRC}, {"src_addr", FIELD_SRC}, {"source_ip", FIELD_SRC},
	{"ip.src", FIELD_SRC}, {"source", FIELD_SRC}, {"ip", FIELD_SRC}, {"attacker", FIELD_SRC}, {"id.orig_h", FIELD_SRC},
	{"dst_ip", FIELD_DST}, {"dstip", FIELD_DST}, {"daddr", FIELD_DST}, {"dst_addr", FIELD_DST}, {"dest_ip", FIELD_DST},
	{"destination_ip", FIELD_DST}, {"ip.dst", FIELD_DST}, {"destination", FIELD_DST}, {"id.resp_h", FIELD_DST},
	{"src_port", FIELD_SPORT}, {"dst_port", FIELD_DPORT}, {"dest_port", FIELD_DPORT}, {"tcp.dstport", FIELD_DPORT},
	{"time", POLICY_TIME}, {"timestamp", POLICY_TIME}, {"ts", POLICY_TIME}, {"date", POLICY_TIME}, {"first", POLICY_TIME},
	{"last", POLICY_TIME}, {"hostname", FIELD_SENSOR}, {"user", FIELD_LOGIN_USER}, {"username", FIELD_LOGIN_USER},
	{"password", FIELD_LOGIN_SECRET}, {"passwd", FIELD_LOGIN_SECRET},
};

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
static int row_next(struct table *t, size_t *len, size_t *whole)
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
static bool cell_read(struct table *t, struct reader *r, struct cell *cell)
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

static int cells_read(struct table *t, struct bytes row)
{
	struct reader r = reader_of_bytes(row);
	t->cell_count = 0;
	arena_done(&t->arena);
	do {
		if (t->cell_count == COLUMNS_MAX)
			return stream_fault(t->s, t->fault, "a row of more cells than any table has");
		if (!cell_read(t, &r, &t->cells[t->cell_count++]))
			return fault_set(t->fault, ERR_MEMORY, "%s: out of memory", t->s->name);
		if (!reader_left(&r))
			return 0;
		read_u8(&r);
		if (!reader_left(&r) && t->cell_count < COLUMNS_MAX)
			t->cells[t->cell_count++] = (struct cell){0};
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

static struct column column_of(struct table *t, struct bytes name)
{
	const struct policy *p = &t->view->policy;
	struct column c = {.field = NO_FIELD};
	const int field = field_find(name);
	if (field >= 0)
		c.field = (uint16_t)field;
	for (size_t i = 0; field < 0 && i < sizeof synonyms / sizeof *synonyms; i++)
		if (bytes_equal_nocase(name, synonyms[i].name))
			c.field = synonyms[i].field;
	if (c.field == POLICY_TIME)
		c.rule = p->rules[POLICY_TIME];
	else if (c.field != NO_FIELD)
		c.rule = policy_rule(p, c.field);
	else
		c.rule = (struct view_rule){.action = VIEW_CLEAN};
	/* What a table's writer calls a sensor or an address of ours is hidden as such, and not missing. */
	return c;
}

static int columns_name(struct table *t)
{
	struct fault why = {0};
	for (size_t i = 0; i < t->cell_count; i++)
		t->columns[i] = column_of(t, bytes_trim(t->cells[i].text));
	t->column_count = t->cell_count;
	for (size_t k = 0; k < t->file->column_count; k++) {
		const struct bytes all = bytes_of_text(t->file->columns[k]);
		const size_t cut = bytes_find(all, "=");
		size_t i = 0;
		while (i < t->cell_count && !bytes_equal(bytes_trim(t->cells[i].text), (struct bytes){all.at, cut}))
			i++;
		if (i == t->cell_count)
			return fault_set(t->fault, ERR_BAD, "%s: there is no column \"%.*s\"", t->s->name, (int)cut, all.at);
		if (cut == all.len || policy_action((struct bytes){all.at + cut + 1, all.len - cut - 1}, &t->columns[i].rule, &why))
			return fault_set(t->fault, ERR_BAD, "column %s: %s", t->file->columns[k],
					 why.text[0] ? why.text : "COLUMN=ACTION would be right");
	}
	for (size_t i = 0; i < t->column_count; i++)
		if (t->columns[i].rule.action == VIEW_K)
			return fault_set(t->fault, ERR_BAD, "%s: column %zu: k counts in a selection of events, not in a file; token would be "
					 "right", t->s->name, i + 1);
	return 0;
}

/* An address by its column's rule where that is one for addresses; ours by dst's. */
static struct view_rule address_rule(const struct table *t, const struct column *c, const struct address *a)
{
	const struct view *v = t->view;
	if (view_is_own(v, a))
		return v->dst;
	return c->field == NO_FIELD && !c->rule.named ? v->src : c->rule;
}

static void hide_row(struct table *t)
{
	struct address a;
	view_hide(t->view);
	for (size_t i = 0; i < t->cell_count && i < t->column_count; i++) {
		if (!address_parse(bytes_trim(t->cells[i].text), &a))
			continue;
		const struct view_rule r = address_rule(t, &t->columns[i], &a);
		if (r.action != VIEW_PASS && r.action != VIEW_CLEAN)
			view_hide_also(t->view, &a, t->columns[i].field == FIELD_DST ? FIELD_DST : FIELD_SRC);
	}
}

static struct bytes format(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static struct bytes format(struct table *t, const char *fmt, ...)
{
	char *room = arena_alloc(&t->arena, 128);
	va_list ap;
	if (!room)
		return (struct bytes){0};
	va_start(ap, fmt);
	const int n = vsnprintf(room, 128, fmt, ap);
	va_end(ap);
	return (struct bytes){(uint8_t *)room, (size_t)(n < 128 ? n : 127)};
}

/* RFC 3339, or seconds since 1970 with what may stand behind a point; what is neither cannot be told. */
static struct bytes see_time(struct table *t, const struct view_rule *r, struct bytes text)
{
	char kept[TIME_TEXT_MAX];
	uint64_t us, seconds;
	const struct bytes trimmed = bytes_trim(text);
	const size_t point = bytes_find(trimmed, ".");
	if (r->action == VIEW_PASS || r->action == VIEW_CLEAN)
		return text;
	if (r->action != VIEW_BUCKET)
		return (struct bytes){0};
	if (time_parse(trimmed, &us))
		return format(t, "%s", time_format(us - us % r->argument, kept));
	if (bytes_number((struct bytes){trimmed.at, point}, UINT32_MAX, &seconds)) {
		us = seconds * 1000000;
		return format(t, "%llu", (unsigned long long)((us - us % r->argument) / 1000000));
	}
	return (struct bytes){0};
}

static struct bytes see_token(struct table *t, const struct column *c, struct bytes text)
{
	uint8_t token[TOKEN_BYTES];
	view_token(t->view, c->field == NO_FIELD ? "cell" : field_definition(c->field)->name, text, token);
	return format(t, "%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x", token[0], token[1], token[2], token[3],
		      token[4], token[5], token[6], token[7], token[8], token[9], token[10], token[11], token[12], token[13],
		      token[14], token[15]);
}

static struct bytes see_text(struct table *t, const struct column *c, struct bytes text)
{
	struct hidden *h = &t->view->hidden;
	uint64_t number;
	if (c->rule.action == VIEW_GENERALISE && bytes_number(bytes_trim(text), UINT64_MAX, &number))
		return format(t, "%llu", (unsigned long long)generalise_number(c->field, number));
	if (c->rule.action == VIEW_GENERALISE)
		text = generalise_text(text);
	h->every = c->rule.action == VIEW_TRUNCATE || c->rule.action == VIEW_CRYPTO_PAN;
	t->view->every = c->rule;
	if (!hidden_nothing(h))
		text = clean_text(h, text, &t->arena);
	h->every = false;
	return text;
}

static struct bytes see_cell(struct table *t, const struct column *c, struct bytes text)
{
	struct address a;
	char kept[ADDRESS_TEXT_MAX];
	if (!text.len)
		return text;
	if (address_parse(bytes_trim(text), &a)) {
		const struct view_rule r = address_rule(t, c, &a);
		if (r.action == VIEW_DROP)
			return (struct bytes){0};
		a = view_address_by(t->view, &a, &r);
		return format(t, "%s", address_format(&a, kept));
	}
	if (c->field == POLICY_TIME)
		return see_time(t, &c->rule, text);
	if (c->rule.action == VIEW_DROP)
		return (struct bytes){0};
	if (c->rule.action == VIEW_BUCKET)
		return see_time(t, &c->rule, text);
	return c->rule.action == VIEW_TOKEN ? see_token(t, c, text) : see_text(t, c, text);
}

static int cell_write(struct table *t, struct bytes text, bool quoted)
{
	for (size_t i = 0; i < text.len && !quoted; i++)
		quoted = text.at[i] == t->between || text.at[i] == '"' || text.at[i] == '\n' || text.at[i] == '\r';
	int bad = quoted ? buffer_append(&t->out, "\"", 1) : 0;
	for (size_t i = 0, from = 0; i <= text.len && !bad; i++)
		if (i == text.len || (quoted && text.at[i] == '"')) {
			bad = buffer_append(&t->out, text.at + from, i - from + (i < text.len)); /* and the mark once more */
			from = i;
		}
	return bad || !quoted ? bad : buffer_append(&t->out, "\"", 1);
}

static int row_write(struct table *t, bool see)
{
	int bad = 0;
	for (size_t i = 0; i < t->cell_count && !bad; i++) {
		static const struct column unknown = {.rule = {.action = VIEW_CLEAN}, .field = NO_FIELD};
		struct bytes text = t->cells[i].text;
		if (see)
			text = see_cell(t, i < t->column_count ? &t->columns[i] : &unknown, text);
		if (i)
			bad = buffer_append(&t->out, &t->between, 1);
		if (!bad)
			bad = cell_write(t, text, t->cells[i].quoted);
	}
	if (!bad)
		bad = buffer_append(&t->out, "\n", 1);
	if (bad)
		return fault_set(t->fault, bad, "%s: out of memory", t->s->name);
	if (buffer_len(&t->out) < 65536)
		return 0;
	bad = stream_add(t->s, buffer_bytes(&t->out), t->fault);
	buffer_consume(&t->out, buffer_len(&t->out));
	return bad;
}

static int rows_view(struct table *t)
{
	size_t len = 0, whole = 0;
	int more, bad = 0;
	while (!bad && (more = row_next(t, &len, &whole)) > 0) {
		struct bytes row = {stream_bytes(t->s), len};
		if (row.len && row.at[row.len - 1] == '\r')
			row.len--;
		const bool first = t->column_count == 0;
		if (first && row.len > 3 && !memcmp(row.at, "\xef\xbb\xbf", 3))
			row = (struct bytes){row.at + 3, row.len - 3};
		if (first)
			t->between = separator_of(row);
		bad = cells_read(t, row);
		if (!bad && first)
			bad = columns_name(t);
		if (!bad && !first)
			hide_row(t);
		if (!bad)
			bad = row_write(t, !first);
		stream_skip(t->s, whole);
		t->counts->rows += !first;
	}
	return bad ? bad : more;
}

int table_view(struct view *v, struct stream *s, const struct view_file *f, struct view_file_counts *counts, struct fault *fault)
{
	struct table *t = calloc(1, sizeof *t);
	if (!t)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", f->name);
	*t = (struct table){.view = v, .s = s, .file = f, .counts = counts, .fault = fault, .arena = ARENA(CELL_ARENA_MAX),
			    .out = BUFFER(8u << 20)};
	int bad = rows_view(t);
	if (!bad)
		bad = stream_add(s, buffer_bytes(&t->out), fault);
	arena_done(&t->arena);
	buffer_done(&t->out);
	free(t);
	return bad;
}
