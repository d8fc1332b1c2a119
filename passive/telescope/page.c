/* Sections with aligned columns, and a rate as blocks. */
#include "passive/telescope/page.h"
#include <stdlib.h>

#define SPARKS 80

bool locale_is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (int i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return bytes_find_nocase(bytes_of_text(value), "utf-8") < strlen(value) ||
			       bytes_find_nocase(bytes_of_text(value), "utf8") < strlen(value);
	}
	return false;
}

void page_line(struct page *p, const char *fmt, ...)
{
	char text[PAGE_WIDTH + 1];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	struct writer *w = lines_room(&p->lines);
	write_text(w, text);
	write_u8(w, '\n');
	p->begun = true;
}

static void spaces(struct writer *w, int n)
{
	for (; n > 0; n--)
		write_u8(w, ' ');
}

static void cell(struct page *p, const char *text)
{
	struct writer *w = lines_room(&p->lines);
	int width = p->widths[p->column], room = abs(width), len = (int)strlen(text);
	bool last = p->column + 1 == PAGE_COLUMNS_MAX || p->widths[p->column + 1] == 0;
	if (len > room)
		for (len = room; len && (text[len] & 0xc0) == 0x80;) /* not within a character */
			len--;
	spaces(w, p->column && (len || !last) ? 2 : 0);
	spaces(w, width > 0 ? room - len : 0);
	write_bytes(w, text, (size_t)len);
	spaces(w, width < 0 && !last ? room - len : 0);
	p->column++;
	if (last) {
		write_u8(w, '\n');
		p->column = 0;
	}
}

void page_section(struct page *p, const int widths[PAGE_COLUMNS_MAX], const char *const *names)
{
	if (p->begun)
		write_u8(lines_room(&p->lines), '\n');
	p->begun = true;
	p->column = 0;
	memcpy(p->widths, widths, sizeof p->widths);
	for (int i = 0; i < PAGE_COLUMNS_MAX && widths[i]; i++)
		cell(p, names[i]);
}

void page_text(struct page *p, const char *text)
{
	char shown[PAGE_WIDTH + 1];
	snprintf(shown, sizeof shown, "%s%s", p->column ? "" : "  ", text);
	for (char *at = shown; *at; at++) /* an operator's signature file may hold anything */
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	cell(p, shown);
}

char *grouped_text(uint64_t v, char text[GROUPED_TEXT_MAX])
{
	struct writer w = writer_of(text, GROUPED_TEXT_MAX - 1);
	write_grouped(&w, v);
	*w.at = '\0';
	return text;
}

void page_number(struct page *p, uint64_t v)
{
	char text[GROUPED_TEXT_MAX];
	cell(p, grouped_text(v, text));
}

void page_share(struct page *p, uint64_t part, uint64_t whole)
{
	char text[16];
	snprintf(text, sizeof text, "%.1f %%", whole ? 100.0 * (double)part / (double)whole : 0.0);
	cell(p, text);
}

char *duration_text(uint64_t us, char text[DURATION_TEXT_MAX])
{
	unsigned long long s = us / 1000000;
	if (s < 60)
		snprintf(text, DURATION_TEXT_MAX, "%.3g s", (double)us / 1e6);
	else if (s < 3600)
		snprintf(text, DURATION_TEXT_MAX, "%llu min %llu s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, DURATION_TEXT_MAX, "%llu h %llu min", s / 3600, s / 60 % 60);
	else
		snprintf(text, DURATION_TEXT_MAX, "%llu d %llu h", s / 86400, s / 3600 % 24);
	return text;
}

void page_rate(struct page *p, const struct rate *r)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const plain[] = {" ", ".", ":", "-", "=", "+", "*", "%", "#"};
	unsigned each = (r->used + SPARKS - 1) / SPARKS;
	uint64_t sums[SPARKS] = {0}, most = 0;
	char width[DURATION_TEXT_MAX], peak[GROUPED_TEXT_MAX];
	if (r->used < 2)
		return;
	for (unsigned i = 0; i < r->used; i++) {
		sums[i / each] += r->bins[i];
		if (sums[i / each] > most)
			most = sums[i / each];
	}
	struct writer *w = lines_room(&p->lines);
	write_text(w, "\n  ");
	for (unsigned i = 0; i < (r->used + each - 1) / each; i++) {
		uint64_t level = most ? (sums[i] * 8 + most - 1) / most : 0;
		write_text(w, (p->utf8 ? blocks : plain)[level]);
	}
	write_u8(w, '\n');
	uint64_t wide_us = r->width_us * each;
	page_line(p, "  one mark is %s; the highest is %s packets/s", duration_text(wide_us, width),
		  grouped_text((uint64_t)((double)most * 1e6 / (double)wide_us), peak));
}
