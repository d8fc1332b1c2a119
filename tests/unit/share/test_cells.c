/* Small cells: hidden, and not to be had from what is left and the totals. */
#include "share/anonymise/cells_inner.h"
#include "tests/test.h"
#include <string.h>

#define CELLS 400

struct square {
	uint64_t counts[CELLS];
	bool hidden[CELLS];
	struct cells cells;
};

/* Whoever has all totals knows each line's hidden sum: none alone, and none of few sources where there are others. */
static void check_lines(const struct square *q, unsigned k)
{
	const struct cells *c = &q->cells;
	for (size_t line = 0; line < c->rows + c->columns; line++) {
		const bool row = line < c->rows;
		const size_t n = row ? c->columns : c->rows;
		size_t hidden = 0;
		uint64_t sources = 0, all = 0;
		for (size_t i = 0; i < n; i++) {
			const size_t at = row ? line * c->columns + i : i * c->columns + line - c->rows;
			hidden += c->hidden[at];
			sources += c->hidden[at] ? c->counts[at] : 0;
			all += c->counts[at];
			CHECK(c->hidden[at] || !c->counts[at] || c->counts[at] >= k);
		}
		CHECK(hidden == 0 || hidden == n || (hidden >= 2 && sources >= k));
		CHECK(hidden < n || sources == all);
	}
}

TEST(cells_alone_in_a_line_get_company)
{
	static struct square q;
	static const uint64_t counts[] = {9, 2, 30, 40, 50, 60, 70, 80, 90};
	memcpy(q.counts, counts, sizeof counts);
	q.cells = (struct cells){3, 3, q.counts, q.hidden};
	/* The small one, the smallest of its row and of its column, and the one that closes the square. */
	CHECK(cells_hide(&q.cells, 5) == 4);
	CHECK(q.hidden[0] && q.hidden[1] && q.hidden[3] && q.hidden[4]);
	check_lines(&q, 5);
}

TEST(cells_without_small_ones_stay)
{
	static struct square q;
	static const uint64_t counts[] = {5, 0, 30, 40};
	memcpy(q.counts, counts, sizeof counts);
	q.cells = (struct cells){2, 2, q.counts, q.hidden};
	CHECK(cells_hide(&q.cells, 5) == 0);
}

TEST(cells_are_never_told_by_totals)
{
	static struct square q;
	uint32_t state = 1;
	for (unsigned round = 0; round < 300; round++) {
		q.cells = (struct cells){1 + round % 19, 1 + round % 17, q.counts, q.hidden};
		memset(q.hidden, 0, sizeof q.hidden);
		for (size_t i = 0; i < q.cells.rows * q.cells.columns; i++) {
			state = state * 1664525 + 1013904223;
			q.counts[i] = state >> 24 < 100 ? 0 : (state >> 8) % (1 + round % 40);
		}
		cells_hide(&q.cells, 5);
		check_lines(&q, 5);
	}
}
