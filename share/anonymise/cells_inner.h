/*
 * Small cells of a table, and what must be hidden beside them so that totals do not tell what they were.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cells {
	size_t rows, columns;
	const uint64_t *counts; /* row by row; sources */
	bool *hidden;           /* the same places; all false before */
};

/* How many it hid.  Nothing is hidden in a cell without sources, which says nothing of anybody, unless it has to be. */
size_t cells_hide(struct cells *, unsigned k);
