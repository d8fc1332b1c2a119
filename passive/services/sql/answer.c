/* Answers to statements: columns and rows, within their limits. */
#include "passive/services/sql/sql.h"

void sql_answer_begin(struct sql *q, struct sql_answer *a, const char *verb)
{
	(void)q;
	*a = (struct sql_answer){.outcome = SQL_DONE, .verb = verb};
	a->rows_end = &a->rows;
}

void sql_column_add(struct sql *q, struct sql_answer *a, struct bytes name, enum sql_type type)
{
	if (!a->columns)
		a->columns = arena_alloc(q->scratch, SQL_COLUMNS_MAX * sizeof *a->columns);
	if (a->columns && a->column_count < SQL_COLUMNS_MAX)
		a->columns[a->column_count++] = (struct sql_column){name, type};
	a->outcome = SQL_ROWS;
}

struct sql_value *sql_row_add(struct sql *q, struct sql_answer *a)
{
	struct sql_row *row = a->row_count < SQL_ROWS_MAX ? arena_alloc(q->scratch, sizeof *row) : NULL;
	if (!row || !(row->values = arena_alloc(q->scratch, (a->column_count + 1) * sizeof *row->values)))
		return NULL;
	*a->rows_end = row;
	a->rows_end = &row->next;
	a->row_count++;
	return row->values;
}
