/*
 * The tables, made from the vocabulary.
 *
 *   events    the envelope and the HOT fields as columns; all other fields as two
 *             arrays, `field` (names) and `value` (as text, or the bytes themselves)
 *   private   one row per PRIVATE value (passwords, payloads): id, time, kind, field, value
 *   log       a view of events with ids and addresses as people read them
 *
 * A column is named as its field, with _ for the dot.  When the vocabulary grows, columns
 * are added, with a default that finds the value in the arrays of older rows.  An absent
 * number is 0, an absent address or id is 16 zero bytes.  Types are the subset that every
 * ClickHouse from 18.16 on reads alike.
 */
#pragma once
#include "event/event.h"

#define SCHEMA_SQL_MAX 16384
#define SCHEMA_COLUMNS_MAX 64

/* In the order of the columns; a statement is empty when there is nothing to do. */
void schema_create(struct writer *, unsigned statement); /* 0 … SCHEMA_STATEMENTS - 1 */
#define SCHEMA_STATEMENTS 6

/*
 * What one column would need to be added: its definition, or false beyond the last one.
 * `name` has the column's name, for comparing with what a table has.
 */
bool schema_column(unsigned at, char name[64], char type[64], char fallback[160]);

/* The statements of a batch, without their data: RowBinary follows. */
void schema_insert_events(struct writer *, const char *token);
void schema_insert_private(struct writer *, const char *token);

/* Where the values of each field go, worked out once; made anew when field_count() has grown. */
struct row_plan {
	uint16_t fields;
	enum row_place { ROW_ARRAYS, ROW_COLUMN, ROW_PRIVATE } place[FIELDS_MAX];
	struct bytes names[FIELDS_MAX];
	unsigned columns;
	uint16_t column[SCHEMA_COLUMNS_MAX]; /* fields, in the columns' order */
	enum field_type types[SCHEMA_COLUMNS_MAX];
};
void row_plan_make(struct row_plan *);

/* Appends the event's rows as RowBinary: 0, ERR_FULL or ERR_MEMORY.  private_rows counts up. */
int row_write(const struct row_plan *, struct buffer *events, struct buffer *private_values,
	      const struct event *, uint32_t *private_rows);
/* A value as the arrays hold it, and as it is searched for. */
struct bytes value_text(const struct event_value *, char text[64]);
