/* Groups of payloads that no signature knows, as a table. */
#include "passive/telescope/unknown.h"
#include <stdlib.h>

#define PORTS_SHOWN 3

int unknown_open(struct unknown_payloads *u, unsigned max)
{
	*u = (struct unknown_payloads){.max = max < SIMILAR_GROUPS_MAX ? max : SIMILAR_GROUPS_MAX};
	u->rows = calloc(u->max + 1, sizeof *u->rows);
	return u->rows ? 0 : ERR_MEMORY;
}

void unknown_take(struct unknown_payloads *u, const struct similar_group *g)
{
	if (u->count < u->max)
		u->rows[u->count++] = *g;
}

static const char *ports_text(const struct similar_group *g, char text[64])
{
	char proto[PROTO_TEXT_MAX];
	struct writer w = writer_of(text, 63);
	write_text(&w, proto_text(g->proto, proto));
	for (unsigned i = 0; i < g->port_count && i < PORTS_SHOWN; i++)
		write_fmt(&w, "%s%u", i ? ", " : " ", (unsigned)g->ports[i]);
	if (g->ports_more || g->port_count > PORTS_SHOWN)
		write_text(&w, ", ...");
	text[writer_used(&w)] = '\0';
	return text;
}

static const char *length_text(const struct similar_group *g, char text[32])
{
	const char *more = g->length_max == SIMILAR_SAMPLE ? "+" : "";
	if (g->length_min == g->length_max)
		snprintf(text, 32, "%u%s", (unsigned)g->length_max, more);
	else
		snprintf(text, 32, "%u-%u%s", (unsigned)g->length_min, (unsigned)g->length_max, more);
	return text;
}

void unknown_show(const struct unknown_payloads *u, const struct similar_counts *counts, struct page *p)
{
	static const int widths[PAGE_COLUMNS_MAX] = {-28, 9, 9, 9, -35};
	static const char *const names[] = {"Payloads that are new", "payloads", "sources", "bytes",
					    "have in common"};
	char ports[64], length[32], pattern[SIMILAR_PATTERN_MAX];
	if (!u->count)
		return;
	page_section(p, widths, names);
	for (unsigned i = 0; i < u->count; i++) {
		const struct similar_group *g = &u->rows[i];
		page_text(p, ports_text(g, ports));
		page_number(p, g->count);
		page_number(p, g->sources);
		page_text(p, length_text(g, length));
		similar_pattern(g, pattern);
		page_text(p, pattern[0] ? pattern : "nothing at a fixed place");
	}
	if (counts->groups > u->count)
		page_line(p, "  and %llu more", (unsigned long long)(counts->groups - u->count));
}

void unknown_close(struct unknown_payloads *u)
{
	free(u->rows);
	u->rows = NULL;
}
