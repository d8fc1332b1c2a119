/* What a group has in common, as a pattern, as an entry of a signature file, and in JSON. */
#include "event/event.h"
#include "passive/telescope/similar.h"
#include "passive/telescope/text.h"

#define PROTO_TCP 6
#define PROTO_UDP 17
#define TEXT_LEAST 3 /* fewer letters in a row are shorter in hex than between bars */
#define SAME_LEAST 3 /* from here on "00*3" is shorter */

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

/* What needs no escape, neither in a pattern nor between the single quotes of YAML. */
static bool is_plain(const struct similar_group *g, size_t i)
{
	uint8_t c = g->example[i];
	return g->constant[i] && c >= ' ' && c <= '~' && c != '|' && c != '\\' && c != '\'';
}

static size_t plain_run(const struct similar_group *g, size_t at, size_t end)
{
	size_t n = 0;
	while (at + n < end && is_plain(g, at + n))
		n++;
	return n;
}

/* The same byte, or any byte, again and again. */
static size_t same_run(const struct similar_group *g, size_t at, size_t end)
{
	size_t n = 1;
	while (at + n < end && g->constant[at + n] == g->constant[at] &&
	       (!g->constant[at] || g->example[at + n] == g->example[at]))
		n++;
	return n;
}

/* From `at` on, what stands between two bars; where it ends. */
static size_t write_bars(const struct similar_group *g, size_t at, size_t end, struct writer *w)
{
	const char *space = "";
	write_u8(w, '|');
	while (at < end && plain_run(g, at, end) < TEXT_LEAST) {
		size_t same = same_run(g, at, end);
		write_text(w, space);
		if (g->constant[at])
			write_fmt(w, "%02x", g->example[at]);
		else
			write_text(w, "??");
		if (same >= SAME_LEAST)
			write_fmt(w, "*%zu", same);
		at += same >= SAME_LEAST ? same : 1;
		space = " ";
	}
	write_u8(w, '|');
	return at;
}

char *similar_pattern(const struct similar_group *g, char text[SIMILAR_PATTERN_MAX])
{
	struct writer w = writer_of(text, SIMILAR_PATTERN_MAX - 1);
	size_t end = constant_end(g), at = 0;
	while (at < end) {
		size_t plain = plain_run(g, at, end);
		if (plain < TEXT_LEAST) {
			at = write_bars(g, at, end, &w);
			continue;
		}
		write_bytes(&w, g->example + at, plain);
		at += plain;
	}
	text[writer_used(&w)] = '\0';
	return text;
}

static void write_ports(const struct similar_group *g, struct writer *w)
{
	write_text(w, ", ports: [");
	for (size_t i = 0; i < g->port_count; i++)
		write_fmt(w, "%s%u", i ? ", " : "", (unsigned)g->ports[i]);
	write_text(w, "]");
}

char *similar_suggestion(const struct similar_group *g, char text[SIMILAR_SUGGESTION_MAX])
{
	char pattern[SIMILAR_PATTERN_MAX];
	struct writer w = writer_of(text, SIMILAR_SUGGESTION_MAX - 1);
	bool ports = g->port_count && !g->ports_more; /* a port of many is no part of what it is */
	for (size_t i = 0; i < g->port_count; i++)
		ports &= g->ports[i] != 0;            /* nor is 0, which stands for none */
	text[0] = '\0';
	similar_pattern(g, pattern);
	if ((g->proto != PROTO_TCP && g->proto != PROTO_UDP) || (!pattern[0] && !ports))
		return text;
	write_fmt(&w, "- {name: unnamed, proto: %s", g->proto == PROTO_TCP ? "tcp" : "udp");
	if (ports)
		write_ports(g, &w);
	if (pattern[0])
		write_fmt(&w, ", starts: '%s'", pattern);
	if (g->length_min == g->length_max && g->length_max < SIMILAR_SAMPLE)
		write_fmt(&w, ", length: '%u'", (unsigned)g->length_min);
	write_text(&w, "}");
	text[writer_used(&w)] = '\0';
	return text;
}

static void write_number(struct writer *w, const char *name, uint64_t n)
{
	write_fmt(w, ",\"%s\":", name);
	write_decimal(w, n);
}

static void write_string(struct writer *w, const char *name, struct bytes text)
{
	write_fmt(w, ",\"%s\":", name);
	write_json_string(w, text);
}

static void write_time(struct writer *w, const char *name, uint64_t time_us)
{
	struct moments moments = {0};
	write_fmt(w, ",\"%s\":\"", name);
	write_moment(w, &moments, time_us);
	write_u8(w, '"');
}

void similar_write_json(const struct similar_group *g, struct writer *w)
{
	char proto[PROTO_TEXT_MAX], pattern[SIMILAR_PATTERN_MAX], suggestion[SIMILAR_SUGGESTION_MAX];
	write_fmt(w, "{\"type\":\"new_payload\",\"proto\":\"%s\",\"ports\":[", proto_text(g->proto, proto));
	for (unsigned i = 0; i < g->port_count; i++)
		write_fmt(w, "%s%u", i ? "," : "", (unsigned)g->ports[i]);
	write_fmt(w, "],\"more_ports\":%s", g->ports_more ? "true" : "false");
	write_number(w, "payloads", g->count);
	write_number(w, "sources", g->sources);
	write_number(w, "variants", g->distinct);
	write_number(w, "length_min", g->length_min);
	write_number(w, "length_max", g->length_max);
	write_time(w, "first", g->first_us);
	write_time(w, "last", g->last_us);
	write_string(w, "example", (struct bytes){g->example, g->length_example});
	write_string(w, "pattern", bytes_of_text(similar_pattern(g, pattern)));
	write_string(w, "signature", bytes_of_text(similar_suggestion(g, suggestion)));
	write_u8(w, '}');
}

void similar_write_counts(const struct similar_counts *c, struct writer *w)
{
	write_text(w, "{\"groups\":");
	write_decimal(w, c->groups);
	write_number(w, "payloads", c->taken);
	write_number(w, "groups_forgotten", c->forgotten);
	write_number(w, "left_out", c->left_out);
	write_u8(w, '}');
}
