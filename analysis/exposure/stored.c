#include "analysis/exposure/stored_inner.h"
#include <jansson.h>

#define ANSWERS_OF_A_PROBE 4 /* a page, what it led to, its icon */

static const struct {
	const char *column;
	enum field field;
} columns[] = {
	{"proto", FIELD_PROTO}, {"state", FIELD_STATE}, {"probe", FIELD_PROBE}, {"rule", FIELD_RULE},
	{"device_class", FIELD_DEVICE_CLASS}, {"device_vendor", FIELD_DEVICE_VENDOR}, {"device_product", FIELD_DEVICE_PRODUCT},
};
#define COLUMNS (sizeof columns / sizeof *columns)

static void write_since(struct writer *w, uint64_t us)
{
	write_fmt(w, "time >= toDateTime(%llu,'UTC')", (unsigned long long)(us / 1000000));
}

/* Bytes come as hexadecimal digits: they need not be text, and JSON must be. */
void stored_sql(struct writer *w, uint64_t since_us, uint64_t until_us)
{
	write_text(w, "SELECT lower(hex(id)) AS id, kind, lower(hex(src)) AS src, sport, lower(hex(root)) AS root, depth, ");
	for (size_t i = 0; i < COLUMNS; i++)
		write_fmt(w, "%s, ", columns[i].column);
	write_text(w, "field, arrayMap(x -> hex(x), value) AS value FROM events WHERE (kind = 'host.identified' OR "
		      "(kind = 'host.answered' AND state = 'open')) AND ");
	write_since(w, since_us);
	write_fmt(w, " AND time <= toDateTime(%llu,'UTC') ORDER BY id DESC LIMIT %d BY src, kind, sport, probe LIMIT %u",
		  (unsigned long long)(until_us / 1000000 + 1), ANSWERS_OF_A_PROBE, STORED_ROWS_MAX);
}

void stored_found_sql(struct writer *w, uint64_t since_us)
{
	write_text(w, "SELECT lower(hex(src)) AS src, kind, sport, rule, toUInt64(max(time)) AS time FROM events WHERE kind "
		      "IN ('exposure.found', 'host.matched') AND ");
	write_since(w, since_us);
	write_fmt(w, " GROUP BY src, kind, sport, rule ORDER BY time DESC LIMIT %u", STORED_ROWS_MAX);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Into `out`; its length, or -1. */
static int from_hex(const json_t *value, uint8_t *out, size_t max)
{
	const char *text = json_string_value(value);
	size_t n = 0;
	for (; text && text[2 * n] && n < max; n++) {
		int high = digit(text[2 * n]), low = high < 0 ? -1 : digit(text[2 * n + 1]);
		if (low < 0)
			return -1;
		out[n] = (uint8_t)(high * 16 + low);
	}
	return text ? (int)n : -1;
}

static uint64_t number_of(const json_t *value)
{
	uint64_t n = 0;
	if (json_is_integer(value))
		return json_integer_value(value) < 0 ? 0 : (uint64_t)json_integer_value(value);
	if (json_is_string(value))
		bytes_number(bytes_of_text(json_string_value(value)), UINT64_MAX, &n);
	return n;
}

/* Values lie as text, except bytes (store/row.c). */
static void take_value(struct event *e, const char *name, struct bytes value)
{
	int field = field_find(bytes_of_text(name));
	uint64_t number;
	struct address a;
	if (field < 0 || event_get(e, (uint16_t)field))
		return;
	switch (field_definition((uint16_t)field)->type) {
	case FIELD_NUMBER:
		if (bytes_number(value, UINT64_MAX, &number))
			event_set_number(e, (uint16_t)field, number);
		break;
	case FIELD_BOOL: event_set_bool(e, (uint16_t)field, bytes_equal_text(value, "true")); break;
	case FIELD_TIME:
		if (time_parse(value, &number))
			event_set_number(e, (uint16_t)field, number);
		break;
	case FIELD_ADDRESS:
		if (address_parse(value, &a))
			event_set_address(e, (uint16_t)field, &a);
		break;
	case FIELD_ID: break;
	case FIELD_TEXT:
		if (bytes_is_utf8(value))
			event_set_bytes(e, (uint16_t)field, value);
		break;
	case FIELD_BYTES: event_set_bytes(e, (uint16_t)field, value); break;
	}
}

static bool take_row(const json_t *row, struct event *e)
{
	static uint8_t room[EVENT_BYTES_MAX];
	struct event_id id, root;
	struct address a;
	const char *kind = json_string_value(json_object_get(row, "kind"));
	int number = event_kind_find(bytes_of_text(kind ? kind : ""));
	if (number < 0 || from_hex(json_object_get(row, "id"), id.b, sizeof id.b) != sizeof id.b ||
	    from_hex(json_object_get(row, "src"), a.b, sizeof a.b) != sizeof a.b)
		return false;
	event_begin(e, (enum event_kind)number);
	e->id = id;
	e->time_us = id_time_us(&id);
	event_set_address(e, FIELD_SRC, &a);
	uint64_t port = number_of(json_object_get(row, "sport"));
	if (port && port <= 65535)
		event_set_number(e, FIELD_SPORT, port);
	if (from_hex(json_object_get(row, "root"), root.b, sizeof root.b) == sizeof root.b && !id_is_zero(&root)) {
		event_set_id(e, FIELD_ROOT, &root);
		event_set_number(e, FIELD_DEPTH, number_of(json_object_get(row, "depth")));
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *text = json_string_value(json_object_get(row, columns[i].column));
		if (text && text[0])
			event_set_text(e, columns[i].field, text);
	}
	const json_t *names = json_object_get(row, "field"), *values = json_object_get(row, "value"), *name;
	size_t i;
	json_array_foreach(names, i, name) {
		int n = from_hex(json_array_get(values, i), room, sizeof room);
		if (n >= 0 && json_is_string(name))
			take_value(e, json_string_value(name), (struct bytes){room, (size_t)n});
	}
	return true;
}

bool stored_event(struct bytes line, struct event *e)
{
	json_t *row = json_loadb((const char *)line.at, line.len, 0, NULL);
	bool taken = row && take_row(row, e);
	json_decref(row);
	return taken;
}

bool stored_found(struct bytes line, struct address *host, enum event_kind *kind, uint64_t *port, char rule[STORED_RULE_MAX],
		  uint64_t *time_us)
{
	json_t *row = json_loadb((const char *)line.at, line.len, 0, NULL);
	const char *name = json_string_value(json_object_get(row, "rule"));
	const char *what = json_string_value(json_object_get(row, "kind"));
	bool taken = name && from_hex(json_object_get(row, "src"), host->b, sizeof host->b) == sizeof host->b;
	if (taken) {
		snprintf(rule, STORED_RULE_MAX, "%s", name);
		*kind = what && !strcmp(what, "host.matched") ? EVENT_HOST_MATCHED : EVENT_EXPOSURE_FOUND;
		*port = number_of(json_object_get(row, "sport"));
		*time_us = number_of(json_object_get(row, "time")) * 1000000;
	}
	json_decref(row);
	return taken;
}
