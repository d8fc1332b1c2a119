#include "store/schema.h"

#define DATABASE "kansoku"
/* ip('') of a zero address is empty; addr() takes either family. */
#define MAPPED "unhex('00000000000000000000FFFF')"

static const char *const envelope[][2] = {
	{"id", "FixedString(16)"}, {"time", "DateTime('UTC')"}, {"time_us", "UInt32"},
	{"received_us", "UInt64"}, {"kind", "String"},          {"process", "String"},
	{"sequence", "UInt64"},    {"depth", "UInt8"},          {"cut", "UInt8"},
};
#define ENVELOPE (sizeof envelope / sizeof *envelope)

/* Fields that the envelope holds under names of its own. */
static bool is_envelope(uint16_t field)
{
	return field == FIELD_PROCESS || field == FIELD_SEQUENCE || field == FIELD_RECEIVED ||
	       field == FIELD_DEPTH;
}

static bool is_column(uint16_t field)
{
	return field < FIELDS_COMMON && (field_definition(field)->marks & FIELD_HOT);
}

static const char *column_type(enum field_type t)
{
	switch (t) {
	case FIELD_NUMBER:
	case FIELD_TIME:
		return "UInt64";
	case FIELD_BOOL:
		return "UInt8";
	case FIELD_ADDRESS:
	case FIELD_ID:
		return "FixedString(16)";
	case FIELD_TEXT:
	case FIELD_BYTES:
		break;
	}
	return "String";
}

static void column_name(const char *field, char name[64])
{
	snprintf(name, 64, "%s", field);
	for (char *c = name; *c; c++)
		if (*c == '.')
			*c = '_';
}

/* How a column finds its value in the arrays of rows that are older than the column. */
static void column_fallback(const struct field_definition *d, char out[160])
{
	const char *shape = "value[indexOf(field,'%s')]";
	switch (d->type) {
	case FIELD_NUMBER:
		shape = "toUInt64OrZero(value[indexOf(field,'%s')])";
		break;
	case FIELD_BOOL:
		shape = "value[indexOf(field,'%s')] = 'true'";
		break;
	case FIELD_TIME:
		shape = "0 * length('%s')";
		break;
	case FIELD_ADDRESS:
		shape = "IPv6StringToNum(if(has(field,'%1$s'), value[indexOf(field,'%1$s')], '::'))";
		break;
	case FIELD_ID:
		shape = "toFixedString(unhex(value[indexOf(field,'%s')]),16)";
		break;
	case FIELD_TEXT:
	case FIELD_BYTES:
		break;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(out, 160, shape, d->name);
#pragma GCC diagnostic pop
}

bool schema_column(unsigned at, char name[64], char type[64], char fallback[160])
{
	fallback[0] = '\0';
	if (at < ENVELOPE) {
		snprintf(name, 64, "%s", envelope[at][0]);
		snprintf(type, 64, "%s", envelope[at][1]);
		return true;
	}
	at -= ENVELOPE;
	for (uint16_t f = 0; f < FIELDS_COMMON; f++) {
		const struct field_definition *d = field_definition(f);
		if (!is_column(f) || at-- != 0)
			continue;
		column_name(d->name, name);
		snprintf(type, 64, "%s", column_type(d->type));
		column_fallback(d, fallback);
		return true;
	}
	if (at > 1)
		return false;
	snprintf(name, 64, "%s", at ? "value" : "field");
	snprintf(type, 64, "Array(String)");
	return true;
}

/*
 * Merges cost more than inserts: with the usual base of 5 every row is rewritten about five
 * times; 20 halves the work of the whole store and leaves a few dozen parts more.
 * Replaced parts go within seconds, so that what was erased is gone from the disk.
 */
#define ENGINE(order)                                                                             \
	"ENGINE = MergeTree PARTITION BY toYYYYMM(time) ORDER BY " order                          \
	" SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, "       \
	"old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0, "  \
	"max_cleanup_delay_period = 2, fsync_after_insert = 1, fsync_part_directory = 1, "         \
	"merge_tree_clear_old_parts_interval_seconds = 1"

static void create_events(struct writer *w)
{
	char name[64], type[64], fallback[160];
	write_text(w, "CREATE TABLE IF NOT EXISTS " DATABASE ".events (");
	for (unsigned i = 0; schema_column(i, name, type, fallback); i++)
		write_fmt(w, "%s`%s` %s%s%s", i ? ", " : "", name, type, *fallback ? " DEFAULT " : "",
			  fallback);
	write_text(w, ", INDEX by_src src TYPE bloom_filter GRANULARITY 4"
		      ", INDEX by_session session TYPE bloom_filter GRANULARITY 4) "
		      ENGINE("(time, kind, src)"));
}

static void create_log(struct writer *w)
{
	char name[64], type[64], fallback[160];
	write_text(w, "CREATE OR REPLACE VIEW " DATABASE ".log AS SELECT lower(hex(id)) AS id");
	for (unsigned i = 1; schema_column(i, name, type, fallback); i++) {
		const char *shape = ", `%1$s`";
		if (!strcmp(type, "FixedString(16)"))
			shape = field_find(bytes_of_text(name)) >= 0 &&
					field_definition((uint16_t)field_find(bytes_of_text(name)))->type ==
						FIELD_ADDRESS
				? ", ip(`%1$s`) AS `%1$s`"
				: ", if(`%1$s` = toFixedString('',16), '', lower(hex(`%1$s`))) AS `%1$s`";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		write_fmt(w, shape, name);
#pragma GCC diagnostic pop
	}
	write_text(w, " FROM " DATABASE ".events");
}

void schema_create(struct writer *w, unsigned statement)
{
	switch (statement) {
	case 0:
		write_text(w, "CREATE DATABASE IF NOT EXISTS " DATABASE);
		break;
	case 1:
		write_text(w, "CREATE FUNCTION IF NOT EXISTS ip AS (x) -> if(x = toFixedString('',16), '', "
			      "if(startsWith(x, " MAPPED "), substring(IPv6NumToString(x), 8), "
			      "IPv6NumToString(x)))");
		break;
	case 2:
		write_text(w, "CREATE FUNCTION IF NOT EXISTS addr AS (text) -> IPv6StringToNum(text)");
		break;
	case 3:
		create_events(w);
		break;
	case 4:
		write_text(w, "CREATE TABLE IF NOT EXISTS " DATABASE ".private (id FixedString(16), "
			      "time DateTime('UTC'), kind String, field String, value String) "
			      ENGINE("(time, id)"));
		break;
	case 5:
		create_log(w);
		break;
	}
}

void schema_insert_events(struct writer *w, const char *token)
{
	char name[64], type[64], fallback[160];
	write_text(w, "INSERT INTO " DATABASE ".events (");
	for (unsigned i = 0; schema_column(i, name, type, fallback); i++)
		write_fmt(w, "%s`%s`", i ? ", " : "", name);
	write_fmt(w, ") SETTINGS insert_deduplication_token = '%s'", token);
}

void schema_insert_private(struct writer *w, const char *token)
{
	write_fmt(w, "INSERT INTO " DATABASE ".private (id, time, kind, field, value) "
		     "SETTINGS insert_deduplication_token = '%s'", token);
}

struct bytes value_text(const struct event_value *v, char text[64])
{
	struct address address;
	struct event_id id;
	switch (v->type) {
	case FIELD_NUMBER:
		snprintf(text, 64, "%llu", (unsigned long long)v->number);
		return bytes_of_text(text);
	case FIELD_BOOL:
		return bytes_of_text(v->number ? "true" : "false");
	case FIELD_TIME:
		return bytes_of_text(time_format(v->number, text));
	case FIELD_ADDRESS:
		memcpy(address.b, v->bytes.at, sizeof address.b);
		return bytes_of_text(address_format(&address, text));
	case FIELD_ID:
		memcpy(id.b, v->bytes.at, sizeof id.b);
		return bytes_of_text(id_format(&id, text));
	case FIELD_TEXT:
	case FIELD_BYTES:
		break;
	}
	return v->bytes;
}

/* RowBinary: numbers little-endian, a string behind its length as LEB128. */
static void put_number(struct writer *w, uint64_t v, size_t width)
{
	uint8_t b[8];
	for (size_t i = 0; i < sizeof b; i++)
		b[i] = (uint8_t)(v >> 8 * i);
	write_bytes(w, b, width);
}

static void put_length(struct writer *w, size_t n)
{
	for (; n >= 0x80; n >>= 7)
		write_u8(w, (uint8_t)(n | 0x80));
	write_u8(w, (uint8_t)n);
}

static void put_string(struct writer *w, struct bytes b)
{
	put_length(w, b.len);
	write_span(w, b);
}

static void put_column(struct writer *w, enum field_type type, const struct event_value *v)
{
	static const uint8_t zero[16];
	switch (type) {
	case FIELD_NUMBER:
	case FIELD_TIME:
		put_number(w, v ? v->number : 0, 8);
		break;
	case FIELD_BOOL:
		put_number(w, v ? v->number : 0, 1);
		break;
	case FIELD_ADDRESS:
	case FIELD_ID:
		write_bytes(w, v ? v->bytes.at : zero, sizeof zero);
		break;
	case FIELD_TEXT:
	case FIELD_BYTES:
		put_string(w, v ? v->bytes : (struct bytes){0});
	}
}

static uint64_t number_of(const struct event_value *const *by_field, uint16_t field)
{
	return by_field[field] ? by_field[field]->number : 0;
}

static void put_envelope(struct writer *w, const struct event *e,
			 const struct event_value *const *by_field)
{
	write_bytes(w, e->id.b, sizeof e->id.b);
	put_number(w, e->time_us / 1000000, 4);
	put_number(w, e->time_us % 1000000, 4);
	put_number(w, number_of(by_field, FIELD_RECEIVED), 8);
	put_string(w, bytes_of_text(event_kind_name(e->kind)));
	put_string(w, by_field[FIELD_PROCESS] ? by_field[FIELD_PROCESS]->bytes : (struct bytes){0});
	put_number(w, number_of(by_field, FIELD_SEQUENCE), 8);
	put_number(w, number_of(by_field, FIELD_DEPTH), 1);
	put_number(w, e->cut, 1);
}

void row_plan_make(struct row_plan *plan)
{
	*plan = (struct row_plan){.fields = field_count()};
	for (uint16_t f = 0; f < plan->fields; f++) {
		const struct field_definition *d = field_definition(f);
		bool column = is_column(f);
		plan->place[f] = d->marks & FIELD_PRIVATE ? ROW_PRIVATE
				 : column || is_envelope(f) ? ROW_COLUMN
							    : ROW_ARRAYS;
		plan->names[f] = bytes_of_text(d->name);
		if (column) {
			plan->types[plan->columns] = d->type;
			plan->column[plan->columns++] = f;
		}
	}
}

static void put_arrays(struct writer *w, const struct event *e, const struct row_plan *plan)
{
	const struct event_value *kept[EVENT_FIELDS_MAX];
	size_t count = 0;
	for (uint16_t i = 0; i < e->count; i++)
		if (plan->place[e->values[i].field] == ROW_ARRAYS)
			kept[count++] = &e->values[i];
	put_length(w, count);
	for (size_t i = 0; i < count; i++)
		put_string(w, plan->names[kept[i]->field]);
	put_length(w, count);
	char text[64];
	for (size_t i = 0; i < count; i++)
		put_string(w, value_text(kept[i], text));
}

/* Names take at most 64 bytes, texts of numbers 64, and lengths 10: room for any event. */
#define ROW_MAX (EVENT_BYTES_MAX + EVENT_FIELDS_MAX * (64 + 64 + 20) + 2048)

static int private_write(struct buffer *out, const struct event *e, const struct event_value *v)
{
	uint8_t *room = buffer_room(out, ROW_MAX);
	if (!room)
		return ERR_FULL;
	char text[64];
	struct writer w = writer_of(room, ROW_MAX);
	write_bytes(&w, e->id.b, sizeof e->id.b);
	put_number(&w, e->time_us / 1000000, 4);
	put_string(&w, bytes_of_text(event_kind_name(e->kind)));
	put_string(&w, bytes_of_text(field_definition(v->field)->name));
	put_string(&w, value_text(v, text));
	buffer_grown(out, writer_used(&w));
	return w.bad ? ERR_FULL : 0;
}

int row_write(const struct row_plan *plan, struct buffer *events, struct buffer *private_values,
	      const struct event *e, uint32_t *private_rows)
{
	const struct event_value *by_field[FIELDS_COMMON] = {NULL};
	bool has_private = false;
	for (uint16_t i = 0; i < e->count; i++) {
		if (e->values[i].field < FIELDS_COMMON)
			by_field[e->values[i].field] = &e->values[i];
		has_private |= plan->place[e->values[i].field] == ROW_PRIVATE;
	}
	uint8_t *room = buffer_room(events, ROW_MAX);
	if (!room)
		return ERR_FULL;
	struct writer w = writer_of(room, ROW_MAX);
	put_envelope(&w, e, by_field);
	for (unsigned c = 0; c < plan->columns; c++)
		put_column(&w, plan->types[c], by_field[plan->column[c]]);
	put_arrays(&w, e, plan);
	if (w.bad)
		return ERR_FULL;
	for (uint16_t i = 0; has_private && i < e->count; i++) {
		if (plan->place[e->values[i].field] != ROW_PRIVATE)
			continue;
		int bad = private_write(private_values, e, &e->values[i]);
		if (bad)
			return bad;
		++*private_rows;
	}
	buffer_grown(events, writer_used(&w));
	return 0;
}
