#include "passive/telescope/similar.h"
#include "base/random.h"
#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#define DIGESTS 8192 /* payloads known to the byte; a power of two */
#define LANES 32     /* of a MinHash: a Jaccard index within 0.5 / sqrt(32) */
#define REGISTERS 256
#define GRAM 3
/*
 * Members of a family keep their magic, version and kind and change identifiers, lengths and
 * names: more than half stays.  Unrelated binary payloads agree in one byte of 256.
 */
#define PLACES_ALIKE 0.6
#define GRAMS_ALIKE 0.5
#define GRAMS_LEAST 12 /* fewer bytes have too few triples for a Jaccard index to mean much */

struct group {
	struct similar_group told;
	uint8_t lanes[LANES];
	uint8_t registers[REGISTERS];
	uint64_t mark; /* changes when the group makes room for another */
};

struct digest {
	uint64_t hash, mark;
	uint16_t group;
};

struct similar {
	struct group *groups;
	struct digest *digests;
	uint16_t *order;
	uint64_t key, marks;
	struct similar_counts counts;
};

int similar_open(struct similar **out, uint64_t key)
{
	struct similar *s = calloc(1, sizeof *s);
	if (!s)
		return ERR_MEMORY;
	s->key = key;
	s->groups = calloc(SIMILAR_GROUPS_MAX, sizeof *s->groups);
	s->digests = calloc(DIGESTS, sizeof *s->digests);
	s->order = calloc(SIMILAR_GROUPS_MAX, sizeof *s->order);
	if (!s->groups || !s->digests || !s->order) {
		similar_close(s);
		return ERR_MEMORY;
	}
	*out = s;
	return 0;
}

void similar_close(struct similar *s)
{
	if (!s)
		return;
	free(s->groups);
	free(s->digests);
	free(s->order);
	free(s);
}

struct similar_counts similar_counts(const struct similar *s) { return s->counts; }

/* Of each lane's permutation of all triples the least, of which a byte is kept. */
static void minhash(struct bytes b, uint8_t lanes[LANES])
{
	uint32_t least[LANES];
	memset(least, 0xff, sizeof least);
	for (size_t i = 0; i + GRAM <= b.len; i++) {
		uint32_t gram = (uint32_t)b.at[i] << 16 | (uint32_t)b.at[i + 1] << 8 | b.at[i + 2];
		uint64_t mixed = random_mix(gram);
		uint32_t step = (uint32_t)(mixed >> 32) | 1, at = (uint32_t)mixed;
		/* Double hashing: each lane's value of one triple, from two independent halves. */
		for (size_t lane = 0; lane < LANES; lane++, at += step) {
			uint32_t value = (at ^ at >> 15) * 0x2c1b3c6du;
			least[lane] = value < least[lane] ? value : least[lane];
		}
	}
	for (size_t lane = 0; lane < LANES; lane++)
		lanes[lane] = (uint8_t)(least[lane] * 0x9e3779b1u >> 24);
}

static double grams_alike(const uint8_t a[LANES], const uint8_t b[LANES])
{
	unsigned same = 0;
	for (size_t i = 0; i < LANES; i++)
		same += a[i] == b[i];
	return (double)same / LANES;
}

typedef uint8_t places __attribute__((vector_size(16)));

/*
 * The share of places with the same byte; zeros, which fill any format, say nothing.  Both are
 * filled up with zeros.  This is done for each group, so sixteen places at a time.
 */
static double places_alike(const uint8_t a[SIMILAR_SAMPLE], const uint8_t b[SIMILAR_SAMPLE])
{
	places same = {0}, filling = {0}; /* a comparison gives -1 where it holds */
	unsigned same_count = 0, filling_count = 0;
	for (size_t i = 0; i < SIMILAR_SAMPLE; i += sizeof(places)) {
		places x, y;
		memcpy(&x, a + i, sizeof x);
		memcpy(&y, b + i, sizeof y);
		same -= (places)((x == y) & (x != 0));
		filling -= (places)((x | y) == 0);
	}
	for (size_t i = 0; i < sizeof(places); i++) {
		same_count += same[i];
		filling_count += filling[i];
	}
	return filling_count == SIMILAR_SAMPLE ? 1 : (double)same_count / (SIMILAR_SAMPLE - filling_count);
}

static int length_class(size_t n) { return n < 2 ? 0 : 64 - __builtin_clzll(n - 1); }

/* `b` is followed by zeros up to SIMILAR_SAMPLE. */
static bool belongs(const struct group *g, const struct similar_payload *p, struct bytes b,
		    const uint8_t lanes[LANES])
{
	const struct similar_group *t = &g->told;
	if (t->proto != p->proto || abs(length_class(b.len) - length_class(t->length_example)) > 1)
		return false;
	if (b.len < SIMILAR_SHORTEST || t->length_example < SIMILAR_SHORTEST)
		return b.len == t->length_example && !memcmp(b.at, t->example, b.len);
	return (b.len >= GRAMS_LEAST && t->length_example >= GRAMS_LEAST &&
		grams_alike(g->lanes, lanes) >= GRAMS_ALIKE) ||
	       places_alike(t->example, b.at) >= PLACES_ALIKE;
}

static struct group *group_find(struct similar *s, const struct similar_payload *p, struct bytes b,
				const uint8_t lanes[LANES])
{
	for (size_t i = 0; i < s->counts.groups; i++)
		if (belongs(&s->groups[i], p, b, lanes))
			return &s->groups[i];
	return NULL;
}

static struct group *group_place(struct similar *s)
{
	if (s->counts.groups < SIMILAR_GROUPS_MAX)
		return &s->groups[s->counts.groups++];
	struct group *least = &s->groups[0];
	for (size_t i = 1; i < SIMILAR_GROUPS_MAX; i++) {
		const struct similar_group *g = &s->groups[i].told, *l = &least->told;
		if (g->count < l->count || (g->count == l->count && g->last_us < l->last_us))
			least = &s->groups[i];
	}
	s->counts.forgotten++;
	s->counts.forgotten_count += least->told.count;
	return least;
}

static struct group *group_lead(struct similar *s, const struct similar_payload *p, struct bytes b,
				const uint8_t lanes[LANES])
{
	struct group *g = group_place(s);
	struct similar_group *t = &g->told;
	*g = (struct group){.mark = ++s->marks};
	memcpy(g->lanes, lanes, LANES);
	memcpy(t->example, b.at, b.len);
	memset(t->constant, true, b.len);
	t->length_example = t->length_min = t->length_max = (uint16_t)b.len;
	t->proto = p->proto;
	t->first_us = p->first_us;
	t->last_us = p->last_us;
	return g;
}

static void narrow(struct similar_group *t, struct bytes b)
{
	for (size_t i = 0; i < t->length_example; i++)
		t->constant[i] = t->constant[i] && i < b.len && b.at[i] == t->example[i];
	t->length_min = b.len < t->length_min ? (uint16_t)b.len : t->length_min;
	t->length_max = b.len > t->length_max ? (uint16_t)b.len : t->length_max;
	t->distinct++;
}

static void note_port(struct similar_group *t, uint16_t port)
{
	for (size_t i = 0; i < t->port_count; i++)
		if (t->ports[i] == port)
			return;
	if (t->port_count < SIMILAR_PORTS_MAX)
		t->ports[t->port_count++] = port;
	else
		t->ports_more = true;
}

/* HyperLogLog, Flajolet et al. 2007. */
static void note_source(struct group *g, uint64_t hash)
{
	uint64_t rest = hash >> 8;
	uint8_t rank = (uint8_t)(rest ? __builtin_clzll(rest) - 8 + 1 : 57);
	uint8_t *r = &g->registers[hash & (REGISTERS - 1)];
	*r = rank > *r ? rank : *r;
}

static uint32_t count_sources(const struct group *g)
{
	double sum = 0;
	unsigned empty = 0;
	for (size_t i = 0; i < REGISTERS; i++) {
		sum += ldexp(1, -g->registers[i]);
		empty += !g->registers[i];
	}
	double all = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS * REGISTERS / sum;
	if (all <= 2.5 * REGISTERS && empty)
		all = REGISTERS * log((double)REGISTERS / empty);
	return (uint32_t)(all + 0.5);
}

void similar_take(struct similar *s, const struct similar_payload *p)
{
	uint8_t lanes[LANES], sample[SIMILAR_SAMPLE] = {0};
	struct bytes b = {sample, p->payload.len < SIMILAR_SAMPLE ? p->payload.len : SIMILAR_SAMPLE};
	if (b.len == 0)
		return;
	memcpy(sample, p->payload.at, b.len);
	uint64_t hash = XXH3_64bits_withSeed(b.at, b.len, s->key ^ p->proto);
	struct digest *d = &s->digests[hash & (DIGESTS - 1)];
	bool known = d->mark && d->hash == hash && s->groups[d->group].mark == d->mark;
	struct group *g = known ? &s->groups[d->group] : NULL;
	if (!known) {
		minhash(b, lanes);
		g = group_find(s, p, b, lanes);
		if (!g)
			g = group_lead(s, p, b, lanes);
		narrow(&g->told, b);
		*d = (struct digest){hash, g->mark, (uint16_t)(g - s->groups)};
	}
	struct similar_group *t = &g->told;
	t->count += p->count;
	t->first_us = p->first_us < t->first_us ? p->first_us : t->first_us;
	t->last_us = p->last_us > t->last_us ? p->last_us : t->last_us;
	note_port(t, p->port);
	note_source(g, address_hash(&p->source, s->key));
	s->counts.taken++;
	s->counts.repeated += known;
}

void similar_take_some(struct similar *s, const struct similar_payload *p, uint64_t seen)
{
	if (s->counts.taken - s->counts.repeated < SIMILAR_COMPARED + seen / SIMILAR_SHARE)
		similar_take(s, p);
	else
		s->counts.left_out++;
}

static int group_order(const void *a, const void *b, void *groups)
{
	const struct group *all = groups;
	const struct similar_group *x = &all[*(const uint16_t *)a].told, *y = &all[*(const uint16_t *)b].told;
	if (x->sources != y->sources)
		return x->sources > y->sources ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return memcmp(x->example, y->example, sizeof x->example);
}

void similar_each(struct similar *s, size_t max, void (*each)(void *arg, const struct similar_group *),
		  void *arg)
{
	for (size_t i = 0; i < s->counts.groups; i++) {
		s->groups[i].told.sources = count_sources(&s->groups[i]);
		s->order[i] = (uint16_t)i;
	}
	qsort_r(s->order, s->counts.groups, sizeof *s->order, group_order, s->groups);
	for (size_t i = 0; i < s->counts.groups && i < max; i++)
		each(arg, &s->groups[s->order[i]].told);
}
