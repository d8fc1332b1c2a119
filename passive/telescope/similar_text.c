/* What a group has in common, as text that a signature can begin with. */
#include "passive/telescope/similar.h"

#define PROTO_TCP 6
#define PROTO_UDP 17

size_t similar_prefix(const struct similar_group *g)
{
	size_t n = 0;
	while (n < g->length_min && g->constant[n])
		n++;
	return n;
}

static size_t constant_end(const struct similar_group *g)
{
	size_t end = g->length_min < g->length_example ? g->length_min : g->length_example;
	while (end && !g->constant[end - 1])
		end--;
	return end;
}

char *similar_pattern(const struct similar_group *g, char text[SIMILAR_PATTERN_MAX])
{
	struct writer w = writer_of(text, SIMILAR_PATTERN_MAX - 1);
	size_t end = constant_end(g);
	for (size_t i = 0; i < end; i++) {
		if (i)
			write_u8(&w, ' ');
		if (g->constant[i])
			write_fmt(&w, "%02x", g->example[i]);
		else
			write_text(&w, "??");
	}
	text[writer_used(&w)] = '\0';
	return text;
}

static void write_ports(const struct similar_group *g, struct writer *w)
{
	if (g->ports_more || !g->port_count)
		return; /* a port of many is no part of what it is */
	write_text(w, "    ports: [");
	for (size_t i = 0; i < g->port_count; i++)
		write_fmt(w, "%s%u", i ? ", " : "", (unsigned)g->ports[i]);
	write_text(w, "]\n");
}

char *similar_suggestion(const struct similar_group *g, char text[SIMILAR_SUGGESTION_MAX])
{
	char pattern[SIMILAR_PATTERN_MAX];
	struct writer w = writer_of(text, SIMILAR_SUGGESTION_MAX - 1);
	write_text(&w, "  - payload: unnamed\n");
	if (g->proto == PROTO_TCP || g->proto == PROTO_UDP)
		write_fmt(&w, "    proto: %s\n", g->proto == PROTO_TCP ? "tcp" : "udp");
	write_ports(g, &w);
	if (g->length_min == g->length_max && g->length_max < SIMILAR_SAMPLE)
		write_fmt(&w, "    length: %u\n", (unsigned)g->length_min);
	write_fmt(&w, "    pattern: \"%s\"\n", similar_pattern(g, pattern));
	text[writer_used(&w)] = '\0';
	return text;
}
