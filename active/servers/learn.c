#include "active/servers/learn.h"
#include "event/hello.h"
#include <stdlib.h>

#define BYTES_MAX 512
#define KEY_BYTES 8       /* hellos that begin with so many equal bytes are one */
#define STARTS_MAX 64
#define ENDS_MAX 32
#define TOKEN_LEAST 4     /* shorter parts are met by chance */
#define WEIGHT_LEAST 8    /* of a predicate that is learned */
#define EXAMPLES 3

struct spoken {
	uint16_t asked_len, answered_len;
	uint8_t *bytes; /* asked, then answered */
};

struct side {
	struct spoken *items;
	size_t count, room;
};

struct server_learning {
	struct side sides[2]; /* malicious, benign */
	bool benign;
};

struct group {
	const struct spoken *members[LEARNING_CONVERSATIONS_MAX];
	size_t count;
};

int server_learning_open(struct server_learning **out)
{
	struct server_learning *l = calloc(1, sizeof *l);
	if (!l)
		return ERR_MEMORY;
	*out = l;
	return 0;
}

void server_learning_close(struct server_learning *l)
{
	for (size_t s = 0; l && s < 2; s++) {
		for (size_t i = 0; i < l->sides[s].count; i++)
			free(l->sides[s].items[i].bytes);
		free(l->sides[s].items);
	}
	free(l);
}

void server_learning_side(struct server_learning *l, bool benign) { l->benign = benign; }

static struct bytes asked_of(const struct spoken *s) { return (struct bytes){s->bytes, s->asked_len}; }
static struct bytes answered_of(const struct spoken *s) { return (struct bytes){s->bytes + s->asked_len, s->answered_len}; }

static bool side_grow(struct side *side)
{
	if (side->count < side->room)
		return true;
	const size_t room = side->room ? 2 * side->room : 256;
	struct spoken *larger = realloc(side->items, room * sizeof *larger);
	if (!larger)
		return false;
	side->items = larger;
	side->room = room;
	return true;
}

int server_learning_take(struct server_learning *l, struct bytes asked, struct bytes answered)
{
	struct side *side = &l->sides[l->benign];
	asked.len = asked.len < BYTES_MAX ? asked.len : BYTES_MAX;
	answered.len = answered.len < BYTES_MAX ? answered.len : BYTES_MAX;
	if (answered.len == 0)
		return 0;
	if (side->count == LEARNING_CONVERSATIONS_MAX)
		return ERR_FULL;
	struct spoken s = {(uint16_t)asked.len, (uint16_t)answered.len, malloc(asked.len + answered.len)};
	if (!s.bytes || !side_grow(side)) {
		free(s.bytes);
		return ERR_MEMORY;
	}
	struct writer w = writer_of(s.bytes, asked.len + answered.len);
	hello_neutralise(asked, &w);
	write_span(&w, answered);
	side->items[side->count++] = s;
	return 0;
}

static size_t common_begin(struct bytes a, struct bytes b)
{
	size_t n = 0;
	while (n < a.len && n < b.len && a.at[n] == b.at[n])
		n++;
	return n;
}

static size_t common_end(struct bytes a, struct bytes b)
{
	size_t n = 0;
	while (n < a.len && n < b.len && a.at[a.len - 1 - n] == b.at[b.len - 1 - n])
		n++;
	return n;
}

/* What of each answer lies behind `skip` bytes and before the last `tail`. */
static struct bytes middle_of(const struct spoken *s, size_t skip, size_t tail)
{
	const struct bytes b = answered_of(s);
	return (struct bytes){b.at + skip, b.len - skip - tail};
}

static bool is_in_all(const struct group *g, struct bytes token, size_t skip, size_t tail)
{
	for (size_t i = 1; i < g->count; i++) {
		const struct bytes m = middle_of(g->members[i], skip, tail);
		if (m.len < token.len || !memmem(m.at, m.len, token.at, token.len))
			return false;
	}
	return true;
}

/* The longest part of the first answer from there on that all have; too short: none. */
static struct bytes longest_common(const struct group *g, struct bytes within, size_t skip, size_t tail)
{
	struct bytes best = {0};
	for (size_t at = 0; at < within.len; at++)
		for (size_t len = best.len + 1; at + len <= within.len; len++) {
			const struct bytes token = {within.at + at, len};
			if (!is_in_all(g, token, skip, tail))
				break;
			best = token;
		}
	return best.len < TOKEN_LEAST ? (struct bytes){0} : best;
}

static bool holds_for_all(const struct predicate *p, const struct group *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (!predicate_holds(p, answered_of(g->members[i])))
			return false;
	return true;
}

/* One token after the other, from the left; what does not stand in that order in all answers is left out. */
static void find_tokens(const struct group *g, struct predicate *p)
{
	const size_t skip = p->starts.len, tail = p->ends.len;
	struct bytes rest = middle_of(g->members[0], skip, tail);
	while (p->contains_count < SERVER_TOKENS_MAX) {
		const struct bytes token = longest_common(g, rest, skip, tail);
		if (!token.len)
			return;
		p->contains[p->contains_count++] = token;
		if (!holds_for_all(p, g))
			p->contains_count--;
		const size_t used = (size_t)(token.at - rest.at) + token.len;
		rest = (struct bytes){rest.at + used, rest.len - used};
	}
}

static struct predicate most_special(const struct group *g)
{
	struct predicate p = {.starts = answered_of(g->members[0])};
	size_t shortest = p.starts.len, end = ENDS_MAX;
	bool same_length = true, cut = false;
	for (size_t i = 0; i < g->count; i++) {
		const struct bytes b = answered_of(g->members[i]);
		const size_t e = common_end(answered_of(g->members[0]), b);
		p.starts.len = common_begin(p.starts, b);
		end = e < end ? e : end;
		same_length &= b.len == answered_of(g->members[0]).len;
		shortest = b.len < shortest ? b.len : shortest;
		cut |= b.len == BYTES_MAX;
	}
	p.starts.len = p.starts.len < STARTS_MAX ? p.starts.len : STARTS_MAX;
	if (end > shortest - p.starts.len)
		end = shortest - p.starts.len;
	if (!cut && end) {
		const struct bytes b = answered_of(g->members[0]);
		p.ends = (struct bytes){b.at + b.len - end, end};
	}
	if (same_length && !cut)
		p.length_min = p.length_max = shortest;
	find_tokens(g, &p);
	return p;
}

static bool matches_benign(const struct predicate *p, const struct side *benign)
{
	for (size_t i = 0; i < benign->count; i++)
		if (predicate_holds(p, answered_of(&benign->items[i])))
			return true;
	return false;
}

static size_t weight_of(const struct predicate *p)
{
	size_t bytes = p->starts.len + p->ends.len;
	for (size_t i = 0; i < p->contains_count; i++)
		bytes += p->contains[i].len;
	return bytes;
}

/* What is not needed to tell it from the benign ones would only miss the next variant. */
static void weaken(struct predicate *p, const struct side *benign)
{
	struct predicate less = *p;
	less.length_min = less.length_max = 0;
	if (weight_of(&less) >= WEIGHT_LEAST && !matches_benign(&less, benign))
		*p = less;
	less = *p;
	less.ends = (struct bytes){0};
	if (weight_of(&less) >= WEIGHT_LEAST && !matches_benign(&less, benign))
		*p = less;
}

static struct bytes hello_of(const struct group *g)
{
	struct bytes hello = asked_of(g->members[0]);
	for (size_t i = 1; i < g->count; i++)
		hello.len = common_begin(hello, asked_of(g->members[i]));
	hello.len = hello.len < STARTS_MAX ? hello.len : STARTS_MAX;
	return hello;
}

static void write_quoted(struct writer *w, struct bytes b)
{
	write_text(w, "'");
	write_escaped_bytes(w, b);
	write_text(w, "'");
}

static void write_list(struct writer *w, const char *name, const struct bytes *items, size_t count)
{
	write_fmt(w, "    %s: [", name);
	for (size_t i = 0; i < count; i++) {
		write_text(w, i ? ", " : "");
		write_quoted(w, items[i]);
	}
	write_text(w, "]\n");
}

static void write_part(struct writer *w, const char *name, struct bytes b)
{
	if (!b.len)
		return;
	write_fmt(w, "    %s: ", name);
	write_quoted(w, b);
	write_text(w, "\n");
}

static void write_fingerprint(struct writer *w, const char *name, const char *family, const struct group *g,
			      const struct predicate *p, const struct side *benign)
{
	struct bytes examples[EXAMPLES], others[EXAMPLES];
	size_t n = 0, m = 0;
	for (; n < EXAMPLES && n < g->count; n++)
		examples[n] = answered_of(g->members[n]);
	for (; m < EXAMPLES && m < benign->count; m++)
		others[m] = answered_of(&benign->items[m]);
	write_fmt(w, "  - name: %s\n    family: %s\n", name, family);
	write_part(w, "hello", hello_of(g));
	write_text(w, "    on: answer\n");
	write_part(w, "starts", p->starts);
	if (p->contains_count)
		write_list(w, "contains", p->contains, p->contains_count);
	write_part(w, "ends", p->ends);
	if (p->length_max)
		write_fmt(w, "    length: %llu\n", (unsigned long long)p->length_max);
	write_fmt(w, "    note: learned from %zu conversations; none of %zu benign ones matches\n", g->count, benign->count);
	write_list(w, "examples", examples, n);
	if (m)
		write_list(w, "others", others, m);
}

static bool same_hello(const struct spoken *a, const struct spoken *b)
{
	const struct bytes x = asked_of(a), y = asked_of(b);
	const size_t n = x.len < KEY_BYTES ? x.len : KEY_BYTES;
	return y.len >= n && (x.len >= KEY_BYTES || x.len == y.len) && !memcmp(x.at, y.at, n);
}

/* Takes the first conversation that is in no group yet, and all with its hello. */
static void next_group(const struct side *side, bool *taken, struct group *g)
{
	g->count = 0;
	for (size_t i = 0; i < side->count; i++) {
		if (taken[i] || !side->items[i].asked_len || (g->count && !same_hello(g->members[0], &side->items[i])))
			continue;
		taken[i] = true;
		g->members[g->count++] = &side->items[i];
	}
}

static int write_groups(const struct server_learning *l, const char *name, const char *family, struct writer *w,
			struct server_learnt *told, struct group *g, bool *taken)
{
	const struct side *bad = &l->sides[0], *benign = &l->sides[1];
	char numbered[SERVER_TOKEN_BYTES_MAX];
	write_text(w, "servers:\n");
	for (next_group(bad, taken, g); g->count && told->groups < LEARNING_GROUPS_MAX; next_group(bad, taken, g)) {
		told->groups++;
		struct predicate p = most_special(g);
		if (weight_of(&p) < WEIGHT_LEAST || matches_benign(&p, benign))
			continue;
		weaken(&p, benign);
		snprintf(numbered, sizeof numbered, "%s-%zu", name, ++told->made);
		write_fingerprint(w, numbered, family, g, &p, benign);
	}
	return w->bad ? ERR_FULL : 0;
}

static bool is_word(const char *text)
{
	const size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
	return n > 0 && n < 48 && text[n] == '\0';
}

int server_learning_write(struct server_learning *l, const char *name, const char *family, struct writer *w,
			  struct server_learnt *told, struct fault *fault)
{
	*told = (struct server_learnt){.malicious = l->sides[0].count, .benign = l->sides[1].count};
	if (!is_word(name) || !is_word(family))
		return fault_set(fault, ERR_BAD, "a name or family has letters, digits, - _ and . and is shorter than 48");
	if (!told->malicious)
		return fault_set(fault, ERR_MISSING, "the captures of samples hold no answered conversation");
	if (!told->benign)
		return fault_set(fault, ERR_MISSING, "the captures of benign traffic hold no answered conversation, "
						     "so nothing would tell what is ordinary");
	struct group *g = malloc(sizeof *g);
	bool *taken = calloc(told->malicious, sizeof *taken);
	int bad = g && taken ? write_groups(l, name, family, w, told, g, taken) : ERR_MEMORY;
	free(g);
	free(taken);
	return bad ? fault_set(fault, bad, "there is more than fits") : 0;
}
