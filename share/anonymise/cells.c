#include "share/anonymise/cells_inner.h"

struct line { /* a row or a column */
	const struct cells *c;
	size_t first, step, count;
};

static struct line line_of(const struct cells *c, bool row, size_t n)
{
	return row ? (struct line){c, n * c->columns, 1, c->columns} : (struct line){c, n, c->columns, c->rows};
}

static size_t crossing_hidden(const struct cells *c, size_t at, bool row)
{
	const struct line other = line_of(c, !row, row ? at % c->columns : at / c->columns);
	size_t n = 0;
	for (size_t i = 0; i < other.count; i++)
		n += c->hidden[other.first + i * other.step];
	return n;
}

/*
 * The cell to hide next in a line: of those with sources one where the crossing line has hidden ones already, which
 * saves another there, and the smallest, which costs the reader least; cells without sources only where all others are
 * hidden.
 */
static size_t next_cell(const struct line *l, bool row)
{
	size_t best = SIZE_MAX;
	bool best_crosses = false, best_counts = false;
	for (size_t i = 0; i < l->count; i++) {
		const size_t at = l->first + i * l->step;
		if (l->c->hidden[at])
			continue;
		const bool counts = l->c->counts[at] > 0, crosses = crossing_hidden(l->c, at, row) > 0;
		const bool better = best == SIZE_MAX || counts > best_counts ||
				    (counts == best_counts && (crosses > best_crosses ||
				     (crosses == best_crosses && l->c->counts[at] < l->c->counts[best])));
		if (better) {
			best = at;
			best_crosses = crosses;
			best_counts = counts;
		}
	}
	return best;
}

/* One alone is the total without the others, and few sources together are few. */
static size_t line_hide(struct cells *c, bool row, size_t n, unsigned k)
{
	const struct line l = line_of(c, row, n);
	size_t hidden = 0, more = 0;
	uint64_t sources = 0;
	for (size_t i = 0; i < l.count; i++)
		if (c->hidden[l.first + i * l.step]) {
			hidden++;
			sources += c->counts[l.first + i * l.step];
		}
	while (hidden && (hidden < 2 || sources < k)) {
		const size_t at = next_cell(&l, row);
		if (at == SIZE_MAX)
			break;
		c->hidden[at] = true;
		sources += c->counts[at];
		hidden++;
		more++;
	}
	return more;
}

size_t cells_hide(struct cells *c, unsigned k)
{
	size_t hidden = 0, more;
	for (size_t i = 0; i < c->rows * c->columns; i++) {
		c->hidden[i] = c->counts[i] && c->counts[i] < k;
		hidden += c->hidden[i];
	}
	do { /* each round hides at least one, and there is an end of them */
		more = 0;
		for (size_t i = 0; i < c->rows; i++)
			more += line_hide(c, true, i, k);
		for (size_t i = 0; i < c->columns; i++)
			more += line_hide(c, false, i, k);
		hidden += more;
	} while (more);
	return hidden;
}
