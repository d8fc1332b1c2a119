/*
 * The tables, made from the vocabulary.
 *
 *   events    the envelope and the HOT fields as columns; all other fields as two
 *             arrays, `field` (names) and `value` (as text, or the bytes themselves)
 *   flows     the events of kind flow.counted, and only they: the envelope without kind and
 *             chain, the addresses and ports, and the FLOW fields as columns; the rest as arrays
 *   private   one row per PRIVATE value (passwords, payloads): id, time, kind, field, value
 *   log       a view of events with ids and addresses as people read them
 *   flow      the same of flows
 *
 * A column is named as its field, with _ for the dot.  When the vocabulary grows, columns
 * are added, with a default that finds the value in the arrays of older rows.  An absent
 * number is 0, an absent address or id is 16 zero bytes.  Types are the subset that every
 * ClickHouse from 18.16 on reads alike; what a flow is packed with (codecs) is no part of its
 * type, and a server of that age simply does without.
 *
 * flows are kept by week, since they are many and go after a while, and lie by hour, then by
 * source: a range of time reads its hours only, a source one place of each hour, and the
 * records of one source lie together, which is what makes them small.
 */
#pragma once
#include "event/event.h"

#define SCHEMA_SQL_MAX 16384
#define SCHEMA_COLUMNS_MAX 64

enum table { TABLE_EVENTS, TABLE_FLOWS, TABLES };
const char *table_name(enum table); /* "events" */
enum table table_of(enum event_kind);

/* In the order of the columns; a statement is empty when there is nothing to do. */
void schema_create(struct writer *, unsigned statement); /* 0 … SCHEMA_STATEMENTS - 1 */
#define SCHEMA_STATEMENTS 8
#define SCHEMA_VIEWS 6 /* from this statement on: they need every column */

/* A column, as a table without it would need it added. */
struct column {
	int field; /* ERR_MISSING: of the envelope, or an array */
	char name[64], type[32];
	char fallback[160]; /* where older rows have the value; empty: nowhere */
	const char *codec;  /* "ZSTD(1)"; empty: as the server thinks best */
};
bool schema_column(enum table, unsigned at, struct column *out); /* false beyond the last one */

/* The statements of a batch, without their data: RowBinary follows. */
void schema_insert(struct writer *, enum table, const char *token);
void schema_insert_private(struct writer *, const char *token);
