/*
 * Readable pages: sections with aligned columns, 100 wide at most, and a rate as blocks.
 */
#pragma once
#include "passive/telescope/ranking.h"
#include "passive/telescope/text.h"

#define PAGE_WIDTH 100
#define PAGE_COLUMNS_MAX 8

struct page {
	struct lines lines;
	bool utf8;       /* the locale says so; else ASCII */
	bool begun;      /* a section has been written: the next leaves a line free */
	int widths[PAGE_COLUMNS_MAX]; /* of the section: negative is aligned left; 0 ends */
	int column;
};

bool locale_is_utf8(void);
/* One sentence or line, cut at PAGE_WIDTH. */
void page_line(struct page *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Title and names of its columns; the first column has the title. */
void page_section(struct page *, const int widths[PAGE_COLUMNS_MAX], const char *const *names);
/* Cells of a row, one after the other; the last ends the line. */
void page_text(struct page *, const char *);
void page_number(struct page *, uint64_t);
void page_share(struct page *, uint64_t part, uint64_t whole); /* "12.3 %" */
void page_rate(struct page *, const struct rate *);
/* "3 d 4 h", "2 h 5 min", "7.25 s". */
#define DURATION_TEXT_MAX 48
char *duration_text(uint64_t us, char text[DURATION_TEXT_MAX]);
#define GROUPED_TEXT_MAX 28
char *grouped_text(uint64_t, char text[GROUPED_TEXT_MAX]);
