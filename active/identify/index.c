/*
 * Which rules of a key may match a banner at all: one pass over it finds the
 * literals of all rules.
 *
 * Every literal is entered under three of its bytes, chosen where the fewest
 * others are; the banner is walked byte by byte, and three of its bytes lead to
 * the literals that may stand there.  A banner that matches nothing costs a
 * few nanoseconds a byte however many rules there are.
 */
#include "active/identify/rules_inner.h"

enum { BUCKET_BITS = 14, GRAM = RULE_LITERAL_MIN };

struct index_entry {
	const struct index_entry *next;
	struct bytes literal;
	uint32_t rule; /* position in the key's rules */
	uint32_t gram; /* where in the literal the three bytes stand */
};

struct rule_index {
	const struct index_entry *buckets[1 << BUCKET_BITS];
	uint16_t sizes[1 << BUCKET_BITS];
	/* One byte a rule: tried on every banner, on every banner with a digit; found in this one. */
	uint8_t *always, *always_digit, *found;
};

static uint32_t bucket_of(const uint8_t *gram)
{
	uint32_t v = (uint32_t)gram[0] | (uint32_t)gram[1] << 8 | (uint32_t)gram[2] << 16;
	return v * 2654435761u >> (32 - BUCKET_BITS);
}

/* The emptiest of the buckets that the literal could stand in. */
static uint32_t gram_choose(const struct rule_index *index, struct bytes literal)
{
	uint32_t best = 0;
	for (uint32_t i = 0; i + GRAM <= literal.len; i++)
		if (index->sizes[bucket_of(literal.at + i)] <
		    index->sizes[bucket_of(literal.at + best)])
			best = i;
	return best;
}

static int literal_enter(struct identify *id, struct rule_index *index, struct bytes literal,
			 uint32_t rule)
{
	struct index_entry *e = arena_alloc(&id->arena, sizeof *e);
	if (!e)
		return ERR_MEMORY;
	e->literal = literal;
	e->rule = rule;
	e->gram = gram_choose(index, literal);
	uint32_t bucket = bucket_of(literal.at + e->gram);
	e->next = index->buckets[bucket];
	index->buckets[bucket] = e;
	index->sizes[bucket]++;
	return 0;
}

static int rules_order(struct identify *id, struct rule_key *key)
{
	size_t n = 0;
	for (const struct rule_file *f = key->files; f; f = f->next)
		for (const struct rule *r = f->first; r; r = r->next)
			n++;
	key->rules = arena_alloc(&id->arena, (n + 1) * sizeof *key->rules);
	if (!key->rules)
		return ERR_MEMORY;
	for (const struct rule_file *f = key->files; f; f = f->next)
		for (struct rule *r = f->first; r; r = r->next)
			key->rules[key->rule_count++] = r;
	return 0;
}

int rule_index_make(struct identify *id, struct rule_key *key)
{
	struct rule_index *index = arena_alloc(&id->arena, sizeof *index);
	if (!index || rules_order(id, key) != 0)
		return ERR_MEMORY;
	key->index = index;
	index->always = arena_alloc(&id->arena, key->rule_count + 1);
	index->always_digit = arena_alloc(&id->arena, key->rule_count + 1);
	index->found = arena_alloc(&id->arena, key->rule_count + 1);
	if (!index->always || !index->always_digit || !index->found)
		return ERR_MEMORY;
	for (uint32_t i = 0; i < key->rule_count; i++) {
		const struct rule *r = key->rules[i];
		if (r->literal_count == 0) {
			index->always_digit[i] = RULE_ALWAYS;
			index->always[i] = r->needs_digit ? 0 : RULE_ALWAYS;
		}
		for (size_t l = 0; l < r->literal_count; l++)
			if (literal_enter(id, index, r->literals[l], i) != 0)
				return ERR_MEMORY;
	}
	return 0;
}

static bool stands_at(const struct index_entry *e, struct bytes text, size_t gram_at)
{
	return gram_at >= e->gram && text.len - (gram_at - e->gram) >= e->literal.len &&
	       memcmp(text.at + gram_at - e->gram, e->literal.at, e->literal.len) == 0;
}

static bool has_digit(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] >= '0' && text.at[i] <= '9')
			return true;
	return false;
}

void rule_index_seek(const struct rule_key *key, const struct rule_subject *s)
{
	const struct rule_index *index = key->index;
	memcpy(index->found, has_digit(s->lower) ? index->always_digit : index->always,
	       key->rule_count);
	for (size_t i = 0; i + GRAM <= s->lower.len; i++) {
		const struct index_entry *e = index->buckets[bucket_of(s->lower.at + i)];
		for (; e; e = e->next)
			if (index->found[e->rule] < e->literal.len && stands_at(e, s->lower, i))
				index->found[e->rule] = (uint8_t)e->literal.len;
	}
}

size_t rule_index_next(const struct rule_key *key, size_t at, uint8_t *found)
{
	const uint8_t *all = key->index->found;
	uint64_t eight;
	while (at < key->rule_count && !all[at]) {
		at++;
		while (at + sizeof eight <= key->rule_count &&
		       (memcpy(&eight, all + at, sizeof eight), eight == 0))
			at += sizeof eight;
	}
	*found = at < key->rule_count ? all[at] : 0;
	return at;
}
