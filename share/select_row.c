/* Rows of the store's tables, tab-separated, back into events. */
#include "share/select.h"
#include <stdlib.h>

#define NUMBER_TEXT_MAX 24

/* ClickHouse writes other bytes as they are. */
static uint8_t unescaped(uint8_t c)
{
	static const char from[] = "bfnrt0", to[] = "\b\f\n\r\t";
	const char *at = c ? strchr(from, c) : NULL;
	return at ? (uint8_t)to[at - from] : c;
}

/* In place of its own bytes: `out` has as much room as the text. */
static struct bytes unescape(struct bytes text, uint8_t *out)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		bool escape = text.at[i] == '\\' && i + 1 < text.len;
		i += escape;
		out[n++] = escape ? unescaped(text.at[i]) : text.at[i];
	}
	return (struct bytes){out, n};
}

static bool read_number(struct bytes text, uint64_t *out)
{
	char digits[NUMBER_TEXT_MAX], *end;
	if (!text.len || !bytes_copy_text(text, digits, sizeof digits) || *digits < '0' || *digits > '9')
		return false;
	*out = strtoull(digits, &end, 10);
	return !*end;
}

/* 16 bytes in hex, as the question asks for addresses and ids; zeros: absent. */
static bool set_hex(struct event *e, uint16_t field, struct bytes text)
{
	struct event_id id;
	struct address address;
	if (!id_parse(text, &id))
		return false;
	if (id_is_zero(&id))
		return true;
	memcpy(address.b, id.b, sizeof address.b);
	if (field_definition(field)->type == FIELD_ID)
		event_set_id(e, field, &id);
	else
		event_set_address(e, field, &address);
	return true;
}

/* An absent number is 0 in a column; of a login it matters that it was not let in. */
static bool set_number(struct event *e, uint16_t field, bool is_bool, struct bytes text)
{
	uint64_t n;
	if (!read_number(text, &n))
		return false;
	if (is_bool && (n || (field == FIELD_LOGIN_ACCEPTED && e->kind == EVENT_LOGIN_TRIED)))
		event_set_bool(e, field, n);
	else if (!is_bool && n)
		event_set_number(e, field, n);
	return true;
}

static bool set_column(struct event *e, uint16_t field, struct bytes text)
{
	switch (field_definition(field)->type) {
	case FIELD_NUMBER:
	case FIELD_TIME:
		return set_number(e, field, false, text);
	case FIELD_BOOL:
		return set_number(e, field, true, text);
	case FIELD_ADDRESS:
	case FIELD_ID:
		return set_hex(e, field, text);
	case FIELD_TEXT:
	case FIELD_BYTES:
		break;
	}
	if (text.len)
		event_set_bytes(e, field, text);
	return true;
}

/* As value_text() of the store wrote it into the arrays. */
static bool set_value(struct event *e, uint16_t field, struct bytes text)
{
	struct address address;
	struct event_id id;
	uint64_t n;
	bool ok = true;
	switch (field_definition(field)->type) {
	case FIELD_NUMBER:
		ok = read_number(text, &n);
		if (ok)
			event_set_number(e, field, n);
		break;
	case FIELD_TIME:
		ok = time_parse(text, &n);
		if (ok)
			event_set_number(e, field, n);
		break;
	case FIELD_BOOL:
		event_set_bool(e, field, bytes_equal_text(text, "true"));
		break;
	case FIELD_ADDRESS:
		ok = address_parse(text, &address);
		if (ok)
			event_set_address(e, field, &address);
		break;
	case FIELD_ID:
		ok = id_parse(text, &id);
		if (ok)
			event_set_id(e, field, &id);
		break;
	case FIELD_TEXT:
	case FIELD_BYTES:
		event_set_bytes(e, field, text);
	}
	return ok;
}

struct envelope { /* what stands beside the fields */
	uint64_t seconds, microseconds;
};

static bool set_envelope(struct event *e, const char *name, struct bytes text, struct envelope *envelope)
{
	uint64_t n = 0;
	if (!strcmp(name, "id"))
		return id_parse(text, &e->id);
	if (!strcmp(name, "kind")) {
		int kind = event_kind_find(text);
		e->kind = kind >= 0 ? (enum event_kind)kind : e->kind;
		return kind >= 0;
	}
	if (!strcmp(name, "process")) {
		event_set_bytes(e, FIELD_PROCESS, text);
		return true;
	}
	if (!read_number(text, &n))
		return false;
	if (!strcmp(name, "time"))
		envelope->seconds = n;
	else if (!strcmp(name, "time_us"))
		envelope->microseconds = n;
	else if (!strcmp(name, "received_us"))
		event_set_number(e, FIELD_RECEIVED, n);
	else if (!strcmp(name, "sequence"))
		event_set_number(e, FIELD_SEQUENCE, n);
	else if (!strcmp(name, "depth") && n)
		event_set_number(e, FIELD_DEPTH, n);
	else if (!strcmp(name, "cut"))
		e->cut = n;
	return true;
}

/* One element of ['a','b'] off the text; false: it is none. */
static bool take_element(struct bytes *text, struct bytes *out)
{
	if (text->len < 2 || text->at[0] != '\'')
		return false;
	size_t end = 1;
	while (end < text->len && text->at[end] != '\'')
		end += text->at[end] == '\\' ? 2 : 1;
	if (end >= text->len)
		return false;
	*out = (struct bytes){text->at + 1, end - 1};
	*text = (struct bytes){text->at + end + 1, text->len - end - 1};
	return true;
}

static bool take_mark(struct bytes *text, char mark)
{
	if (!text->len || text->at[0] != (uint8_t)mark)
		return false;
	*text = (struct bytes){text->at + 1, text->len - 1};
	return true;
}

/* A field that this program does not know is passed over: another release wrote it. */
static bool set_arrays(struct event *e, struct bytes names, struct bytes values, uint8_t *room)
{
	struct bytes name, value;
	bool ok = take_mark(&names, '[') && take_mark(&values, '[');
	for (bool first = true; ok && names.len > 1; first = false) {
		ok = (first || (take_mark(&names, ',') && take_mark(&values, ','))) && take_element(&names, &name) &&
		     take_element(&values, &value);
		int field = ok ? field_find(name) : ERR_MISSING;
		if (field >= 0)
			ok = set_value(e, (uint16_t)field, unescape(value, room));
	}
	return ok && take_mark(&names, ']') && take_mark(&values, ']') && !names.len && !values.len;
}

static bool take_cell(struct bytes *row, struct bytes *cell)
{
	if (!row->at)
		return false;
	const uint8_t *tab = row->len ? memchr(row->at, '\t', row->len) : NULL;
	size_t n = tab ? (size_t)(tab - row->at) : row->len;
	*cell = (struct bytes){row->at, n};
	*row = tab ? (struct bytes){row->at + n + 1, row->len - n - 1} : (struct bytes){NULL, 0};
	return true;
}

void select_columns_make(struct select_columns *columns, enum table table)
{
	columns->table = table;
	columns->count = 0;
	while (columns->count < SCHEMA_COLUMNS_MAX && schema_column(table, columns->count, &columns->list[columns->count]))
		columns->count++;
}

int select_row_of(const struct select_columns *columns, struct bytes row, struct event *e, struct fault *fault)
{
	uint8_t room[SELECT_ROW_MAX];
	struct envelope envelope = {0};
	struct bytes cell, names = {0}, values = {0};
	bool ok = row.len <= sizeof room;
	event_begin(e, columns->table == TABLE_FLOWS ? EVENT_FLOW_COUNTED : EVENT_SENSOR_CHANGED);
	for (unsigned i = 0; ok && i < columns->count; i++) {
		const struct column *c = &columns->list[i];
		ok = take_cell(&row, &cell);
		if (ok && !strcmp(c->name, "field"))
			names = cell;
		else if (ok && !strcmp(c->name, "value"))
			values = cell;
		else if (ok && c->field < 0)
			ok = set_envelope(e, c->name, unescape(cell, room), &envelope);
		else if (ok)
			ok = set_column(e, (uint16_t)c->field, unescape(cell, room));
		if (!ok)
			return fault_set(fault, ERR_BAD, "the store answered a row whose %s cannot be read", c->name);
	}
	e->time_us = envelope.seconds * 1000000 + envelope.microseconds;
	if (!ok || !set_arrays(e, names, values, room))
		return fault_set(fault, ERR_BAD, "the store answered a row whose fields cannot be read");
	return 0;
}

int select_row(enum table table, struct bytes row, struct event *e, struct fault *fault)
{
	struct select_columns columns;
	select_columns_make(&columns, table);
	return select_row_of(&columns, row, e, fault);
}
