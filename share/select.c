#include "share/select.h"
#include "store/store.h"
#include <stdlib.h>

#define SQL_MAX (200u << 10)
#define ANSWER_BYTES_MAX (64u << 20)

struct select {
	struct bus *bus;
	struct selection selection;
	struct select_hooks hooks;
	enum table table;
	struct select_columns columns;
	struct buffer rows;    /* what came of a row that is not complete; of keys: all rows */
	uint64_t page, given;  /* rows of this page; events handed out */
	uint64_t last_us;
	struct event_id last;
	bool enough, failed;
	struct fault fault;
	struct event event;
};

static enum table table_of_selection(const struct selection *s)
{
	bool flows = s->collection && s->collection->kinds == KIND_MASK(EVENT_FLOW_COUNTED);
	return flows ? TABLE_FLOWS : TABLE_EVENTS;
}

static void write_columns(struct writer *w, enum table t)
{
	struct column c;
	for (unsigned i = 0; schema_column(t, i, &c); i++) {
		const char *shape = !strcmp(c.name, "time")			? "toUnixTimestamp(`%s`)"
				    : !strcmp(c.type, "FixedString(16)") ? "lower(hex(`%s`))"
									 : "`%s`";
		write_text(w, i ? ", " : "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		write_fmt(w, shape, c.name);
#pragma GCC diagnostic pop
	}
}

static void write_kinds(struct writer *w, const struct collection *c)
{
	bool first = true;
	if (!c)
		return;
	write_text(w, " AND kind IN (");
	for (int k = 0; k < EVENT_KIND_COUNT; k++)
		if (c->kinds & KIND_MASK(k) && k != EVENT_FLOW_COUNTED) {
			write_fmt(w, "%s'%s'", first ? "" : ",", event_kind_name((enum event_kind)k));
			first = false;
		}
	write_text(w, ")");
}

/* A range is found five times as fast as a list, where it holds little else than what is asked for. */
static void write_seconds(struct writer *w, const struct selection *s)
{
	uint64_t first = UINT64_MAX, last = 0;
	for (size_t i = 0; i < s->keys_count; i++) {
		uint64_t second = s->keys[i].time_us / 1000000;
		first = second < first ? second : first;
		last = second > last ? second : last;
	}
	if (s->keys_count && last - first <= s->keys_count) {
		write_fmt(w, "time >= toDateTime(%llu,'UTC') AND time <= toDateTime(%llu,'UTC')", (unsigned long long)first,
			  (unsigned long long)last);
		return;
	}
	write_text(w, "time IN (");
	for (size_t i = 0; i < s->keys_count; i++)
		write_fmt(w, "%stoDateTime(%llu,'UTC')", i ? "," : "", (unsigned long long)(s->keys[i].time_us / 1000000));
	write_text(w, ")");
}

/* The seconds first: they are the table's order, so that only the rows around each event are read. */
static void write_keys(struct writer *w, const struct selection *s)
{
	char text[EVENT_ID_TEXT];
	write_seconds(w, s);
	write_text(w, " AND id IN (SELECT toFixedString(unhex(arrayJoin(splitByChar(',','");
	for (size_t i = 0; i < s->keys_count; i++)
		write_fmt(w, "%s%s", i ? "," : "", id_format(&s->keys[i].id, text));
	write_text(w, "'))),16))");
}

static void write_range(struct writer *w, const struct selection *s, uint64_t after_us, const struct event_id *after)
{
	char text[EVENT_ID_TEXT];
	unsigned long long seconds = after_us / 1000000, rest = after_us % 1000000, to = s->to_us / 1000000;
	/* DateTime has 32 bits. */
	to = to < UINT32_MAX ? to : UINT32_MAX;
	write_fmt(w, "time >= toDateTime(%llu,'UTC') AND (time > toDateTime(%llu,'UTC') OR time_us > %llu OR (time_us = %llu AND "
		  "id > unhex('%s'))) AND time <= toDateTime(%llu,'UTC') AND (time < toDateTime(%llu,'UTC') OR time_us < %llu)",
		  seconds, seconds, rest, rest, id_format(after, text), to, to, (unsigned long long)(s->to_us % 1000000));
}

void select_question(const struct selection *s, enum table table, uint64_t after_us, const struct event_id *after,
		     uint64_t limit, struct writer *w)
{
	write_text(w, "SELECT ");
	write_columns(w, table);
	write_fmt(w, " FROM %s WHERE ", table_name(table));
	if (s->keys)
		write_keys(w, s);
	else
		write_range(w, s, after_us, after);
	if (table == TABLE_EVENTS)
		write_kinds(w, s->collection);
	if (s->where)
		write_fmt(w, " AND (%s)", s->where);
	if (!s->keys)
		write_text(w, " ORDER BY time, time_us, id");
	write_fmt(w, " LIMIT %llu", (unsigned long long)limit);
}

static void finish(struct select *q, int status, struct bytes why)
{
	const struct select_hooks hooks = q->hooks;
	buffer_done(&q->rows);
	hooks.done(hooks.arg, status, why);
	free(q);
}

static void hand_out(struct select *q, struct bytes row)
{
	q->page++;
	if (q->failed || q->enough)
		return;
	if (select_row_of(&q->columns, row, &q->event, &q->fault)) {
		q->failed = true;
		return;
	}
	q->last_us = q->event.time_us;
	q->last = q->event.id;
	if (q->selection.collection && !collection_has(q->selection.collection, &q->event))
		return;
	q->given++;
	q->enough = !q->hooks.event(q->hooks.arg, &q->event) ||
		    (q->selection.count_max && q->given == q->selection.count_max);
}

/* Whole lines off the front. */
static bool take_lines(struct select *q, struct bytes part)
{
	if (buffer_append(&q->rows, part.at, part.len))
		return false;
	struct bytes all = buffer_bytes(&q->rows);
	size_t taken = 0;
	for (const uint8_t *end; (end = memchr(all.at + taken, '\n', all.len - taken));) {
		struct bytes row = {all.at + taken, (size_t)(end - all.at) - taken};
		taken += row.len + 1;
		hand_out(q, row);
	}
	buffer_consume(&q->rows, taken);
	return true;
}

static int by_id(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;
	return memcmp(x->at, y->at, EVENT_ID_TEXT - 1);
}

/* Rows begin with their id in hex; each key takes its own, in the order of the keys. */
static void hand_out_keys(struct select *q)
{
	struct bytes all = buffer_bytes(&q->rows), *rows = calloc(q->selection.keys_count + 2, sizeof *rows);
	size_t count = 0, at = 0;
	for (const uint8_t *end; rows && count < q->selection.keys_count + 1 && at < all.len &&
				 (end = memchr(all.at + at, '\n', all.len - at));) {
		struct bytes row = {all.at + at, (size_t)(end - all.at) - at};
		at += row.len + 1;
		if (row.len >= EVENT_ID_TEXT - 1)
			rows[count++] = row;
	}
	if (count)
		qsort(rows, count, sizeof *rows, by_id);
	for (size_t i = 0; count && i < q->selection.keys_count; i++) {
		char text[EVENT_ID_TEXT];
		const struct bytes key = {(const uint8_t *)id_format(&q->selection.keys[i].id, text), EVENT_ID_TEXT - 1};
		const struct bytes *row = bsearch(&key, rows, count, sizeof *rows, by_id);
		if (row)
			hand_out(q, *row);
	}
	q->failed |= rows == NULL;
	free(rows);
}

static int ask(struct select *q);

static void answered(void *arg, int status, struct bytes payload, bool more)
{
	struct select *q = arg;
	bool keys = q->selection.keys != NULL;
	if (!status && more) {
		bool taken = keys ? !buffer_append(&q->rows, payload.at, payload.len) : take_lines(q, payload);
		if (!taken && !q->failed) {
			q->failed = true;
			fault_set(&q->fault, ERR_FULL, "a row of the store is too long");
		}
		return;
	}
	if (more)
		return;
	if (!status && keys)
		hand_out_keys(q);
	if (status || q->failed) {
		finish(q, status ? status : ERR_BAD, status ? payload : bytes_of_text(q->fault.text));
		return;
	}
	bool last = keys || q->enough || q->page < SELECTION_PAGE;
	if (last || ask(q))
		finish(q, last ? 0 : ERR_GONE, last ? (struct bytes){0} : BYTES("the store cannot be asked"));
}

static int ask(struct select *q)
{
	char *room = malloc(SQL_MAX);
	if (!room)
		return ERR_MEMORY;
	struct writer w = writer_of(room, SQL_MAX - 1);
	select_question(&q->selection, q->table, q->last_us, &q->last,
			q->selection.keys ? q->selection.keys_count : SELECTION_PAGE, &w);
	room[writer_used(&w)] = '\0';
	q->page = 0;
	int bad = w.bad ? ERR_FULL : store_ask(q->bus, room, ANSWER_TSV, false, answered, q);
	free(room);
	return bad;
}

int select_begin(struct bus *bus, const struct selection *s, const struct select_hooks *hooks, struct fault *fault)
{
	if (s->keys && s->keys_count > SELECTION_KEYS_MAX)
		return fault_set(fault, ERR_FULL, "more than %d events are asked for at once", SELECTION_KEYS_MAX);
	struct select *q = calloc(1, sizeof *q);
	if (!q)
		return fault_set(fault, ERR_MEMORY, "no memory for a selection");
	q->bus = bus;
	q->selection = *s;
	q->hooks = *hooks;
	q->table = table_of_selection(s);
	select_columns_make(&q->columns, q->table);
	q->rows = BUFFER(ANSWER_BYTES_MAX);
	q->last_us = s->from_us;
	q->last = s->after;
	int bad = ask(q);
	if (!bad)
		return 0;
	buffer_done(&q->rows);
	free(q);
	return fault_set(fault, bad, "the store cannot be asked: it is not running, or the question is too long");
}
