#include "analysis/banners.h"
#include "base/base64.h"
#include <ctype.h>
#include <stdlib.h>

enum { ALIKE_PERCENT = 60 };

/* A run of letters, a run of digits, or one other character. */
struct piece {
	uint16_t at, len;
	bool number;
};

struct pieces {
	struct bytes text;
	struct piece items[BANNER_PIECES_MAX];
	size_t count;
	bool cut; /* there is more */
};

struct group {
	struct banner_group shown; /* first: what the caller sees */
	struct pieces leader;
	bool shared[BANNER_PIECES_MAX];     /* every member has this piece of the leader */
	bool gap[BANNER_PIECES_MAX + 1];    /* some member has more before this piece */
	bool shifting[BANNER_PIECES_MAX];   /* a number that is not the same in all */
};

struct banner_groups {
	/* [i][j]: how many pieces the ends from i and j on have in common. */
	uint8_t best[BANNER_PIECES_MAX + 1][BANNER_PIECES_MAX + 1];
	struct group *items;
	size_t count;
	bool sorted;
};

static int kind_of(uint8_t c) { return isdigit(c) ? 1 : isalpha(c) || c >= 0x80 ? 2 : 0; }

static void pieces_cut(struct bytes text, struct pieces *p)
{
	p->text = text;
	p->count = 0;
	size_t at = 0;
	while (at < text.len && at < UINT16_MAX && p->count < BANNER_PIECES_MAX) {
		size_t end = at + 1;
		int kind = kind_of(text.at[at]);
		while (kind && end < text.len && end < UINT16_MAX && kind_of(text.at[end]) == kind)
			end++;
		p->items[p->count++] = (struct piece){(uint16_t)at, (uint16_t)(end - at), kind == 1};
		at = end;
	}
	p->cut = at < text.len;
}

static bool same_bytes(const struct pieces *a, size_t i, const struct pieces *b, size_t j)
{
	const struct piece *x = &a->items[i], *y = &b->items[j];
	return x->len == y->len && memcmp(a->text.at + x->at, b->text.at + y->at, x->len) == 0;
}

static bool same_piece(const struct pieces *a, size_t i, const struct pieces *b, size_t j)
{
	return a->items[i].number ? b->items[j].number : !b->items[j].number && same_bytes(a, i, b, j);
}

/* The longest common run in order; match[i] is where the leader's piece i stands in the other, or -1. */
static size_t align(struct banner_groups *all, const struct pieces *a, const struct pieces *b,
		    int16_t match[BANNER_PIECES_MAX])
{
	uint8_t(*best)[BANNER_PIECES_MAX + 1] = all->best;
	for (size_t i = a->count + 1; i-- > 0;)
		for (size_t j = b->count + 1; j-- > 0;) {
			if (i == a->count || j == b->count)
				best[i][j] = 0;
			else if (same_piece(a, i, b, j))
				best[i][j] = (uint8_t)(best[i + 1][j + 1] + 1);
			else
				best[i][j] = best[i + 1][j] > best[i][j + 1] ? best[i + 1][j] : best[i][j + 1];
		}
	size_t i = 0, j = 0;
	while (i < a->count) {
		match[i] = -1;
		if (j < b->count && same_piece(a, i, b, j))
			match[i++] = (int16_t)j++;
		else if (j < b->count && best[i][j + 1] >= best[i + 1][j])
			j++;
		else
			i++;
	}
	return best[0][0];
}

/* Banners of very different length cannot be alike, and comparing them would be the most work. */
static bool may_be_alike(const struct pieces *a, const struct pieces *b)
{
	size_t less = a->count < b->count ? a->count : b->count;
	return less * 200 >= ALIKE_PERCENT * (a->count + b->count);
}

/* What joins a leader weakens what all members share. */
static void group_join(struct group *g, const struct pieces *p, const int16_t match[])
{
	size_t next = 0;
	for (size_t i = 0; i < g->leader.count; i++) {
		if (match[i] < 0) {
			g->shared[i] = false;
			continue;
		}
		size_t j = (size_t)match[i];
		g->gap[i] |= j > next;
		g->shifting[i] |= g->leader.items[i].number && !same_bytes(&g->leader, i, p, j);
		next = j + 1;
	}
	g->gap[g->leader.count] |= next < p->count || p->cut;
}

static void group_count(struct group *g, const struct banner_seen *b)
{
	g->shown.members++;
	g->shown.hosts += b->hosts;
	g->shown.attackers += b->attackers;
	if (g->shown.example_count < BANNER_EXAMPLES_MAX)
		g->shown.examples[g->shown.example_count++] = b->text;
}

static struct group *group_for(struct banner_groups *all, const char *key, const struct pieces *p)
{
	int16_t match[BANNER_PIECES_MAX];
	for (size_t i = 0; i < all->count; i++) {
		struct group *g = &all->items[i];
		if (strcmp(g->shown.key, key) != 0 || !may_be_alike(&g->leader, p))
			continue;
		if (align(all, &g->leader, p, match) * 200 < ALIKE_PERCENT * (g->leader.count + p->count))
			continue;
		group_join(g, p, match);
		return g;
	}
	return NULL;
}

int banner_groups_add(struct banner_groups *all, const struct banner_seen *b)
{
	struct pieces p;
	pieces_cut(b->text, &p);
	struct group *g = group_for(all, b->key, &p);
	if (!g) {
		if (all->count == BANNER_GROUPS_MAX)
			return ERR_FULL;
		g = &all->items[all->count++];
		*g = (struct group){.shown.key = b->key, .leader = p};
		memset(g->shared, true, sizeof g->shared);
		g->gap[p.count] = p.cut;
	}
	group_count(g, b);
	all->sorted = false;
	return 0;
}

static int by_weight(const void *a, const void *b)
{
	const struct banner_group *x = a, *y = b;
	if (x->attackers != y->attackers)
		return x->attackers < y->attackers ? 1 : -1;
	if (x->hosts != y->hosts)
		return x->hosts < y->hosts ? 1 : -1;
	return x->members < y->members ? 1 : x->members > y->members ? -1 : 0;
}

size_t banner_groups_count(const struct banner_groups *all) { return all->count; }

const struct banner_group *banner_group_at(struct banner_groups *all, size_t i)
{
	if (!all->sorted)
		qsort(all->items, all->count, sizeof *all->items, by_weight);
	all->sorted = true;
	return i < all->count ? &all->items[i].shown : NULL;
}

/* As it stands in a pattern: only letters, digits and blanks are sure to mean themselves. */
static void literal_write(struct bytes b, struct writer *w)
{
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		if (isalnum(c) || c == ' ' || c == '_' || c == '-' || c == ',' || c == ':' || c == '/' || c == '=' ||
		    c == '"' || c == ';' || c == '@' || c == '<' || c == '>' || c == '!' || c == '%' || c == '&' || c == '\'')
			write_u8(w, c);
		else if (c > 0x20 && c < 0x7f)
			write_fmt(w, "\\%c", c);
		else
			write_fmt(w, "\\x%02x", c);
	}
}

static void piece_write(const struct group *g, size_t i, struct writer *w)
{
	const struct piece *p = &g->leader.items[i];
	if (g->shifting[i])
		write_text(w, "\\d+");
	else
		literal_write((struct bytes){g->leader.text.at + p->at, p->len}, w);
}

/* Where something is missing or more in some members, anything may stand. */
void banner_group_pattern(const struct banner_group *shown, struct writer *w)
{
	const struct group *g = (const struct group *)shown;
	bool open = false;
	write_u8(w, '^');
	for (size_t i = 0; i < g->leader.count; i++) {
		open |= g->gap[i] || !g->shared[i];
		if (!g->shared[i])
			continue;
		if (open)
			write_text(w, "(?m:.*?)");
		open = false;
		piece_write(g, i, w);
	}
	if (!open && !g->gap[g->leader.count])
		write_u8(w, '$');
}

static void xml_write(struct bytes b, struct writer *w)
{
	for (size_t i = 0; i < b.len; i++) {
		const char *as = b.at[i] == '&' ? "&amp;" : b.at[i] == '<' ? "&lt;" : b.at[i] == '>' ? "&gt;"
			       : b.at[i] == '"' ? "&quot;" : NULL;
		if (as)
			write_text(w, as);
		else
			write_u8(w, b.at[i]);
	}
}

static bool is_plain(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if ((b.at[i] < 0x20 && b.at[i] != '\n' && b.at[i] != '\t') || b.at[i] == 0x7f)
			return false;
	return bytes_is_utf8(b);
}

void banner_group_rule(const struct banner_group *g, struct writer *w)
{
	char room[BANNER_PATTERN_MAX];
	struct writer pattern = writer_of(room, sizeof room);
	banner_group_pattern(g, &pattern);
	write_text(w, "  <fingerprint pattern=\"");
	xml_write(writer_bytes(&pattern), w);
	write_text(w, "\">\n    <description>what it is</description>\n");
	for (size_t i = 0; i < g->example_count; i++) {
		bool plain = is_plain(g->examples[i]);
		write_text(w, plain ? "    <example>" : "    <example _encoding=\"base64\">");
		(plain ? xml_write : base64_encode)(g->examples[i], w);
		write_text(w, "</example>\n");
	}
	write_text(w, "    <param pos=\"0\" name=\"hw.vendor\" value=\"its maker\"/>\n"
		      "    <param pos=\"0\" name=\"hw.product\" value=\"its model\"/>\n"
		      "    <param pos=\"0\" name=\"hw.device\" value=\"its class\"/>\n  </fingerprint>\n");
}

int banner_groups_open(struct banner_groups **out)
{
	struct banner_groups *all = calloc(1, sizeof *all);
	if (all)
		all->items = calloc(BANNER_GROUPS_MAX, sizeof *all->items);
	if (!all || !all->items) {
		free(all);
		return ERR_MEMORY;
	}
	*out = all;
	return 0;
}

void banner_groups_close(struct banner_groups *all)
{
	if (all)
		free(all->items);
	free(all);
}
