/*
 * Tables, a line a row: the first line names the columns.
 *
 * A column of a field's name has that field's rule; some names that everybody uses for the same thing count as it.  In
 * every other cell an address becomes what src does (ours: dst), and text is cleaned.
 */
#include "share/anonymise/clean_inner.h"
#include "share/anonymise/generalise_inner.h"
#include "share/anonymise/rows_inner.h"
#include "share/anonymise/view_inner.h"
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define NO_FIELD UINT16_MAX

struct column {
	struct view_rule rule;
	uint16_t field; /* POLICY_TIME: a time; NO_FIELD: by what stands in it */
};

struct table {
	struct view *view;
	const struct view_file *file;
	struct view_file_counts *counts;
	struct fault *fault;
	struct rows rows;
	size_t column_count, source_column; /* SIZE_MAX: none names sources */
	struct counts *sums;                /* of columns with k: how many sources had a value */
	bool counting;                      /* the first of two readings */
	struct column columns[COLUMNS_MAX];
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
	return c;
}

static int columns_name(struct table *t)
{
	struct fault why = {0};
	struct address a;
	for (size_t i = 0; i < t->rows.count; i++)
		if (address_parse(bytes_trim(t->rows.cells[i].text), &a))
			return fault_set(t->fault, ERR_BAD, "%s: the first line holds an address; one that names the columns would be "
					 "right", t->file->name);
	for (size_t i = 0; i < t->rows.count; i++)
		t->columns[i] = column_of(t, bytes_trim(t->rows.cells[i].text));
	t->column_count = t->rows.count;
	for (size_t k = 0; k < t->file->column_count; k++) {
		const struct bytes all = bytes_of_text(t->file->columns[k]);
		const size_t cut = bytes_find(all, "=");
		size_t i = 0;
		while (i < t->rows.count && !bytes_equal(bytes_trim(t->rows.cells[i].text), (struct bytes){all.at, cut}))
			i++;
		if (i == t->rows.count)
			return fault_set(t->fault, ERR_BAD, "%s: there is no column \"%.*s\"", t->file->name, (int)cut, all.at);
		if (cut == all.len || policy_action((struct bytes){all.at + cut + 1, all.len - cut - 1}, &t->columns[i].rule, &why))
			return fault_set(t->fault, ERR_BAD, "column %s: %s", t->file->columns[k],
					 why.text[0] ? why.text : "COLUMN=ACTION would be right");
	}
	for (size_t i = 0; i < t->column_count; i++) {
		t->counting |= t->columns[i].rule.action == VIEW_K && !t->sums;
		if (t->columns[i].field == FIELD_SRC)
			t->source_column = i;
	}
	if (t->counting && counts_open(&t->sums))
		return fault_set(t->fault, ERR_MEMORY, "%s: out of memory", t->file->name);
	if (t->counting && t->source_column == SIZE_MAX)
		return fault_set(t->fault, ERR_BAD, "%s: k counts sources; a column that names them, such as src, would be right",
				 t->file->name);
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

/* A column of text may hold one by chance; then it is text in which one stands. */
static bool rules_address(const struct table *t, const struct column *c, const struct address *a)
{
	const enum view_action action = address_rule(t, c, a).action;
	return action == VIEW_PASS || action == VIEW_DROP || action == VIEW_TRUNCATE || action == VIEW_CRYPTO_PAN || action == VIEW_TOKEN;
}

static void hide_row(struct table *t)
{
	struct address a;
	view_hide(t->view);
	for (size_t i = 0; i < t->rows.count && i < t->column_count; i++) {
		if (!address_parse(bytes_trim(t->rows.cells[i].text), &a))
			continue;
		const struct view_rule r = address_rule(t, &t->columns[i], &a);
		if (r.action != VIEW_PASS && rules_address(t, &t->columns[i], &a))
			view_hide_also(t->view, &a, &r);
	}
}

static struct bytes format(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static struct bytes format(struct table *t, const char *fmt, ...)
{
	char *room = arena_alloc(&t->rows.arena, 128);
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
		text = clean_text(h, text, &t->rows.arena);
	h->every = false;
	return text;
}

/* The column stands for the field: two of one name are still two. */
static uint16_t sum_of_column(const struct table *t, const struct column *c) { return (uint16_t)(c - t->columns); }

static void count_row(struct table *t)
{
	if (t->source_column >= t->rows.count)
		return;
	for (size_t i = 0; i < t->rows.count && i < t->column_count; i++)
		if (t->columns[i].rule.action == VIEW_K)
			counts_add(t->sums, sum_of_column(t, &t->columns[i]), t->rows.cells[i].text,
				   bytes_trim(t->rows.cells[t->source_column].text), (unsigned)t->columns[i].rule.argument);
}

static struct bytes see_cell(struct table *t, const struct column *c, struct bytes text)
{
	struct address a;
	char kept[ADDRESS_TEXT_MAX];
	if (!text.len)
		return text;
	if (c->rule.action == VIEW_K && !counts_reach(t->sums, sum_of_column(t, c), text, (unsigned)c->rule.argument))
		return see_token(t, c, text);
	if (address_parse(bytes_trim(text), &a) && rules_address(t, c, &a)) {
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

static int row_view(struct table *t, bool names)
{
	static const struct column unknown = {.rule = {.action = VIEW_CLEAN}, .field = NO_FIELD};
	int bad = 0;
	for (size_t i = 0; i < t->rows.count && !bad; i++) {
		const struct bytes text = see_cell(t, !names && i < t->column_count ? &t->columns[i] : &unknown, t->rows.cells[i].text);
		bad = rows_put(&t->rows, text, t->rows.cells[i].quoted, i == 0);
	}
	return bad ? bad : rows_end_line(&t->rows);
}

static int rows_view(struct table *t)
{
	int more, bad = 0;
	while (!bad && (more = rows_next(&t->rows)) > 0) {
		const bool first = t->column_count == 0;
		if (first)
			bad = columns_name(t);
		if (!bad && t->counting) {
			if (!first)
				count_row(t);
			continue;
		}
		hide_row(t);
		if (!bad)
			bad = row_view(t, first);
		t->counts->rows += !first;
	}
	return bad ? bad : more;
}

/* What only enough sources had is known at the end, so such a table is read twice. */
static int read_again(struct table *t, struct stream *s)
{
	if (lseek(s->in, 0, SEEK_SET))
		return fault_set(t->fault, ERR_BAD, "%s: with k a table is read twice; a file would be right", t->file->name);
	s->done = s->at = s->end = 0;
	s->place = 0;
	s->ended = false;
	rows_close(&t->rows);
	rows_open(&t->rows, s, t->fault);
	t->column_count = 0;
	t->counting = false;
	return rows_view(t);
}

int table_view(struct view *v, struct stream *s, const struct view_file *f, struct view_file_counts *counts, struct fault *fault)
{
	struct table *t = calloc(1, sizeof *t);
	if (!t)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", f->name);
	t->view = v;
	t->file = f;
	t->counts = counts;
	t->fault = fault;
	rows_open(&t->rows, s, fault);
	t->source_column = SIZE_MAX;
	int bad = rows_view(t);
	if (!bad && t->counting)
		bad = read_again(t, s);
	if (!bad)
		bad = rows_flush(&t->rows);
	rows_close(&t->rows);
	counts_close(t->sums);
	free(t);
	return bad;
}
