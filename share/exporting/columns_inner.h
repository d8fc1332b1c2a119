/*
 * The columns of tables that hold events: for outputs that must say beforehand which there are.
 *
 * They are chosen and do not follow from the vocabulary, so that a partner's table stays as it is when the
 * vocabulary grows; what has no column is in the last one, `more`, as a JSON object, so nothing is lost.
 */
#pragma once
#include "event/event.h"

#define COLUMNS_MAX 80

enum column_from { COLUMN_KIND, COLUMN_ID, COLUMN_TIME, COLUMN_FIELD, COLUMN_MORE };

struct column {
	const char *name;
	enum column_from from;
	uint16_t field;
	enum field_type type;
};

struct columns {
	size_t count;
	struct column list[COLUMNS_MAX];
	uint8_t of_field[FIELDS_MAX]; /* its column and 1; 0: it is in `more` */
};

void columns_make(struct columns *);
/* For each column the event's value, or NULL; kind, id, time and more are NULL. */
void columns_place(const struct columns *, const struct event *, const struct event_value *row[COLUMNS_MAX]);
/* The object of `more`; nothing when every field has a column. */
void columns_write_more(const struct columns *, const struct event *, struct writer *);
