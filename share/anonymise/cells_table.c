/* Small cells of a table in a file: read whole, then written with what must be hidden. */
#include "share/anonymise/cells_inner.h"
#include "share/anonymise/rows_inner.h"
#include <stdlib.h>

#define CELLS_MAX (1u << 20)
#define TEXT_MAX (16u << 20)

struct cell_kept {
	struct bytes text;
	bool quoted;
};

struct table {
	struct rows rows;
	struct arena arena;
	struct cell_kept *cells; /* all, with names and totals */
	size_t row_count, column_count, kept, room;
	bool total_row[65536], total_column[COLUMNS_MAX];
};

static bool is_total(struct bytes name)
{
	name = bytes_trim(name);
	return bytes_equal_nocase(name, "total") || bytes_equal_nocase(name, "sum") || bytes_equal_nocase(name, "all");
}

static int keep_row(struct table *t, const char *name, struct fault *fault)
{
	if (!t->row_count)
		t->column_count = t->rows.count;
	if (t->rows.count != t->column_count || t->column_count < 2)
		return fault_set(fault, ERR_BAD, "%s: row %zu has %zu cells; as many as the first line names, two at least, would be right",
				 name, t->row_count + 1, t->rows.count);
	if (t->row_count == sizeof t->total_row / sizeof *t->total_row || t->kept + t->column_count > CELLS_MAX)
		return fault_set(fault, ERR_FULL, "%s: more than %u cells", name, CELLS_MAX);
	if (t->kept + t->column_count > t->room) {
		t->room = 2 * t->room + t->column_count;
		struct cell_kept *more = realloc(t->cells, t->room * sizeof *more);
		if (!more)
			return fault_set(fault, ERR_MEMORY, "%s: out of memory", name);
		t->cells = more;
	}
	for (size_t i = 0; i < t->column_count; i++) {
		const struct bytes text = t->rows.cells[i].text;
		const struct bytes copy = text.len ? arena_copy(&t->arena, text) : text;
		if (text.len && !copy.at)
			return fault_set(fault, ERR_MEMORY, "%s: more than %u bytes", name, TEXT_MAX);
		t->cells[t->kept++] = (struct cell_kept){copy, t->rows.cells[i].quoted};
	}
	t->total_row[t->row_count] = is_total(t->cells[t->kept - t->column_count].text);
	t->row_count++;
	return 0;
}

static bool is_inner(const struct table *t, size_t row, size_t column)
{
	return row && column && !t->total_row[row] && !t->total_column[column];
}

static int find_numbers(const struct table *t, const char *name, struct cells *c, uint64_t *counts, struct fault *fault)
{
	size_t n = 0;
	for (size_t column = 1; column < t->column_count; column++)
		c->columns += !t->total_column[column];
	for (size_t row = 1; row < t->row_count; row++) {
		c->rows += !t->total_row[row];
		for (size_t column = 1; column < t->column_count; column++) {
			const struct bytes text = bytes_trim(t->cells[row * t->column_count + column].text);
			if (!is_inner(t, row, column))
				continue;
			if (text.len && !bytes_number(text, INT64_MAX, &counts[n]))
				return fault_set(fault, ERR_BAD, "%s: row %zu, column %zu: is no count", name, row + 1, column + 1);
			n++;
		}
	}
	return 0;
}

static int write_all(struct table *t, const struct cells *c)
{
	int bad = 0;
	size_t n = 0;
	for (size_t row = 0; row < t->row_count && !bad; row++) {
		for (size_t column = 0; column < t->column_count && !bad; column++) {
			const struct cell_kept *cell = &t->cells[row * t->column_count + column];
			const bool hidden = is_inner(t, row, column) && c->hidden[n++];
			bad = rows_put(&t->rows, hidden ? BYTES("*") : cell->text, cell->quoted, column == 0);
		}
		if (!bad)
			bad = rows_end_line(&t->rows);
	}
	return bad ? bad : rows_flush(&t->rows);
}

static int hide_and_write(struct table *t, const struct view_file *f, unsigned k, struct view_file_counts *counts, struct fault *fault)
{
	struct cells c = {0};
	uint64_t *numbers = calloc(t->kept + 1, sizeof *numbers);
	bool *hidden = calloc(t->kept + 1, sizeof *hidden);
	int bad = numbers && hidden ? 0 : fault_set(fault, ERR_MEMORY, "%s: out of memory", f->name);
	for (size_t i = 1; i < t->column_count; i++)
		t->total_column[i] = is_total(t->cells[i].text);
	if (!bad)
		bad = find_numbers(t, f->name, &c, numbers, fault);
	c.counts = numbers;
	c.hidden = hidden;
	if (!bad) {
		counts->left_out = cells_hide(&c, k);
		counts->rows = t->row_count - 1;
		bad = write_all(t, &c);
	}
	free(numbers);
	free(hidden);
	return bad;
}

int view_cells(const struct view_file *f, unsigned k, struct view_file_counts *counts, struct fault *fault)
{
	struct stream s;
	struct table *t = calloc(1, sizeof *t);
	*counts = (struct view_file_counts){0};
	if (!t)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", f->name);
	int more = 0, bad = stream_open(&s, f, fault);
	if (!bad) {
		rows_open(&t->rows, &s, fault);
		t->arena = ARENA(TEXT_MAX);
		while (!bad && (more = rows_next(&t->rows)) > 0)
			bad = keep_row(t, f->name, fault);
		bad = bad ? bad : more;
		if (!bad && !t->row_count)
			bad = fault_set(fault, ERR_BAD, "%s: holds nothing", f->name);
		if (!bad)
			bad = hide_and_write(t, f, k, counts, fault);
		rows_close(&t->rows);
		arena_done(&t->arena);
		stream_close(&s);
	}
	free(t->cells);
	free(t);
	return bad;
}
