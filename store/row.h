/*
 * Events as rows of the tables, in RowBinary, in the order of schema_column().
 *
 * A value goes to its column, to the two arrays, or, when it is private, to a row of its own.
 */
#pragma once
#include "store/schema.h"

enum row_place { ROW_ARRAYS, ROW_COLUMN, ROW_PRIVATE };

/* Where the values of each field go, worked out once; made anew when field_count() has grown. */
struct row_plan {
	uint16_t fields;
	struct bytes names[FIELDS_MAX];
	struct table_plan {
		uint8_t place[FIELDS_MAX]; /* enum row_place */
		unsigned columns;
		uint16_t column[SCHEMA_COLUMNS_MAX]; /* fields, in the columns' order */
		enum field_type types[SCHEMA_COLUMNS_MAX];
	} tables[TABLES];
};
void row_plan_make(struct row_plan *);

struct rows {
	struct buffer tables[TABLES], private_values;
	uint32_t counts[TABLES], private_count;
};

/* Appends the event's rows: 0, ERR_FULL or ERR_MEMORY. */
int row_write(const struct row_plan *, struct rows *, const struct event *);
/* A value as the arrays hold it, and as it is searched for. */
struct bytes value_text(const struct event_value *, char text[64]);
