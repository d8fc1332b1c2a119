#include "store/schema.h"

#define DATABASE "kansoku"
/* ip('') of a zero address is empty; addr() takes either family. */
#define MAPPED "unhex('00000000000000000000FFFF')"

/* Columns that are no fields, or that hold fields under a name and type of their own. */
static const struct envelope {
	const char *name, *type, *codec;
	unsigned tables; /* bit of each enum table */
} envelope[] = {
	{"id", "FixedString(16)", "ZSTD(1)", 3},
	{"time", "DateTime('UTC')", "", 3},
	{"time_us", "UInt32", "", 3},
	{"received_us", "UInt64", "", 3},
	{"kind", "String", "", 1},
	{"process", "String", "", 3},
	{"sequence", "UInt64", "", 3},
	{"depth", "UInt8", "", 1},
	{"cut", "UInt8", "", 3},
};
#define ENVELOPE (sizeof envelope / sizeof *envelope)

static const char *const names[TABLES] = {"events", "flows"};

const char *table_name(enum table t) { return names[t]; }

enum table table_of(enum event_kind kind)
{
	return kind == EVENT_FLOW_COUNTED ? TABLE_FLOWS : TABLE_EVENTS;
}

/* Of the HOT fields those that say who met whom; what led to a flow is never asked by column. */
static bool is_meeting(uint16_t field)
{
	static const enum field meeting[] = {FIELD_SENSOR, FIELD_SRC,   FIELD_SPORT,   FIELD_DST,
					     FIELD_DPORT,  FIELD_PROTO, FIELD_SERVICE, FIELD_STATE};
	for (size_t i = 0; i < sizeof meeting / sizeof *meeting; i++)
		if (field == meeting[i])
			return true;
	return false;
}

static bool is_column(enum table t, uint16_t field)
{
	if (field >= FIELDS_COMMON)
		return false;
	unsigned marks = field_definition(field)->marks;
	return t == TABLE_EVENTS ? marks & FIELD_HOT : (marks & FIELD_FLOW) || is_meeting(field);
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

/*
 * A flow's numbers are small and stand in 64 bits: T64 takes away the bits that none of a block
 * needs.  Over synthetic dark traffic (bench/store.c) that is 42 bytes a row, against 44 with ZSTD
 * alone, 52 with T64 and LZ4, and 62 as the server packs by itself, for a tenth of the speed.
 */
static const char *field_codec(enum field_type t)
{
	return t == FIELD_NUMBER ? "T64, ZSTD(1)" : "ZSTD(1)";
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

static bool envelope_column(enum table t, unsigned *at, struct column *out)
{
	for (size_t i = 0; i < ENVELOPE; i++) {
		const struct envelope *e = &envelope[i];
		if (!(e->tables & 1u << t) || (*at)-- != 0)
			continue;
		snprintf(out->name, sizeof out->name, "%s", e->name);
		snprintf(out->type, sizeof out->type, "%s", e->type);
		out->codec = t == TABLE_FLOWS ? e->codec : "";
		return true;
	}
	return false;
}

static bool field_column(enum table t, unsigned *at, struct column *out)
{
	for (uint16_t f = 0; f < FIELDS_COMMON; f++) {
		const struct field_definition *d = field_definition(f);
		if (!is_column(t, f) || (*at)-- != 0)
			continue;
		out->field = f;
		column_name(d->name, out->name);
		snprintf(out->type, sizeof out->type, "%s", column_type(d->type));
		column_fallback(d, out->fallback);
		out->codec = t == TABLE_FLOWS ? field_codec(d->type) : "";
		return true;
	}
	return false;
}

bool schema_column(enum table t, unsigned at, struct column *out)
{
	*out = (struct column){.field = ERR_MISSING, .codec = ""};
	if (envelope_column(t, &at, out) || field_column(t, &at, out))
		return true;
	if (at > 1)
		return false;
	snprintf(out->name, sizeof out->name, "%s", at ? "value" : "field");
	snprintf(out->type, sizeof out->type, "Array(String)");
	return true;
}

/*
 * Merges cost more than inserts: with the usual base of 5 every row is rewritten about five
 * times; 20 halves the work of the whole store and leaves a few dozen parts more.
 * Replaced parts go within seconds, so that what was erased is gone from the disk.
 */
#define ENGINE(partition, order)                                                                  \
	"ENGINE = MergeTree PARTITION BY " partition " ORDER BY " order                           \
	" SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, "       \
	"old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0, "  \
	"max_cleanup_delay_period = 2, fsync_after_insert = 1, fsync_part_directory = 1, "         \
	"merge_tree_clear_old_parts_interval_seconds = 1"

static void create_table(struct writer *w, enum table t)
{
	struct column c;
	write_fmt(w, "CREATE TABLE IF NOT EXISTS " DATABASE ".%s (", names[t]);
	for (unsigned i = 0; schema_column(t, i, &c); i++)
		write_fmt(w, "%s`%s` %s%s%s%s%s%s", i ? ", " : "", c.name, c.type,
			  *c.fallback ? " DEFAULT " : "", c.fallback, *c.codec ? " CODEC(" : "", c.codec,
			  *c.codec ? ")" : "");
	if (t == TABLE_EVENTS)
		write_text(w, ", INDEX by_src src TYPE bloom_filter GRANULARITY 4"
			      ", INDEX by_session session TYPE bloom_filter GRANULARITY 4) "
			      ENGINE("toYYYYMM(time)", "(time, kind, src)"));
	else
		write_text(w, ") " ENGINE("toMonday(time)", "(toStartOfHour(time), src, time)"));
}

static void create_view(struct writer *w, const char *name, enum table t)
{
	struct column c;
	write_fmt(w, "CREATE OR REPLACE VIEW " DATABASE ".%s AS SELECT lower(hex(id)) AS id", name);
	for (unsigned i = 1; schema_column(t, i, &c); i++) {
		if (strcmp(c.type, "FixedString(16)"))
			write_fmt(w, ", `%s`", c.name);
		else if (c.field >= 0 && field_definition((uint16_t)c.field)->type == FIELD_ADDRESS)
			write_fmt(w, ", ip(`%s`) AS `%s`", c.name, c.name);
		else
			write_fmt(w, ", if(`%s` = toFixedString('',16), '', lower(hex(`%s`))) AS `%s`", c.name,
				  c.name, c.name);
	}
	write_fmt(w, " FROM " DATABASE ".%s", names[t]);
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
		create_table(w, TABLE_EVENTS);
		break;
	case 4:
		create_table(w, TABLE_FLOWS);
		break;
	case 5:
		write_text(w, "CREATE TABLE IF NOT EXISTS " DATABASE ".private (id FixedString(16), "
			      "time DateTime('UTC'), kind String, field String, value String) "
			      ENGINE("toYYYYMM(time)", "(time, id)"));
		break;
	case SCHEMA_VIEWS:
		create_view(w, "log", TABLE_EVENTS);
		break;
	case SCHEMA_VIEWS + 1:
		create_view(w, "flow", TABLE_FLOWS);
		break;
	}
}

/* The times of events are what sensors say they are: any number of months may meet in one batch. */
#define INSERT_SETTINGS " SETTINGS max_partitions_per_insert_block = 0, insert_deduplication_token = '%s'"

void schema_insert(struct writer *w, enum table t, const char *token)
{
	struct column c;
	write_fmt(w, "INSERT INTO " DATABASE ".%s (", names[t]);
	for (unsigned i = 0; schema_column(t, i, &c); i++)
		write_fmt(w, "%s`%s`", i ? ", " : "", c.name);
	write_fmt(w, ")" INSERT_SETTINGS, token);
}

void schema_insert_private(struct writer *w, const char *token)
{
	write_fmt(w, "INSERT INTO " DATABASE ".private (id, time, kind, field, value)" INSERT_SETTINGS, token);
}
