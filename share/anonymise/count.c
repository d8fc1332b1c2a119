#include "share/anonymise/count_inner.h"
#include "base/error.h"
#include "base/siphash.h"
#include <stdlib.h>

#define PLACES (COUNT_VALUES_MAX * 2)  /* a power of two; at most half are taken */
#define PAIRS (COUNT_VALUES_MAX * 8)

struct counted {
	uint64_t value; /* its hash, never 0 where it is taken */
	uint32_t sources;
};

struct counts {
	struct siphash_key key; /* drawn, so that nobody can choose values that meet */
	struct counted *values;
	uint64_t *pairs;        /* of value and source */
	size_t value_count, pair_count;
};

int counts_open(struct counts **out)
{
	struct counts *c = calloc(1, sizeof *c);
	if (c) {
		c->key = siphash_draw();
		c->values = calloc(PLACES, sizeof *c->values);
		c->pairs = calloc(PAIRS, sizeof *c->pairs);
	}
	if (!c || !c->values || !c->pairs) {
		counts_close(c);
		return ERR_MEMORY;
	}
	*out = c;
	return 0;
}

void counts_close(struct counts *c)
{
	if (!c)
		return;
	free(c->values);
	free(c->pairs);
	free(c);
}

static uint64_t hash_of(const struct counts *c, uint64_t before, struct bytes b)
{
	const struct siphash_key key = {c->key.low ^ before, c->key.high};
	return siphash(&key, b) | 1;
}

static struct counted *value_at(const struct counts *c, uint64_t hash)
{
	size_t at = hash >> 1 & (PLACES - 1);
	while (c->values[at].value && c->values[at].value != hash)
		at = (at + 1) & (PLACES - 1);
	return &c->values[at];
}

static bool pair_is_new(struct counts *c, uint64_t hash)
{
	size_t at = hash >> 1 & (PAIRS - 1);
	while (c->pairs[at] && c->pairs[at] != hash)
		at = (at + 1) & (PAIRS - 1);
	if (c->pairs[at] || c->pair_count == PAIRS / 2)
		return false;
	c->pairs[at] = hash;
	c->pair_count++;
	return true;
}

void counts_add(struct counts *c, uint16_t field, struct bytes value, struct bytes source, unsigned k)
{
	const uint64_t hash = hash_of(c, field, value);
	struct counted *v = value_at(c, hash);
	if (!v->value) {
		if (c->value_count == COUNT_VALUES_MAX)
			return;
		c->value_count++;
		v->value = hash;
	}
	if (v->sources < k && pair_is_new(c, hash_of(c, hash, source)))
		v->sources++;
}

bool counts_reach(const struct counts *c, uint16_t field, struct bytes value, unsigned k)
{
	return c && value_at(c, hash_of(c, field, value))->sources >= k;
}
