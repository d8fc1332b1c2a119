#include "lab/role/known_inner.h"
#include "lab/tlsh.h"
#include <stdlib.h>

#define SLOTS_FIRST 1024
#define DISTANT 1000

struct sample {
	char sha256[65], tlsh[73], campaign[CAMPAIGN_CHARS + 1];
	uint64_t time_us;
	uint32_t traits; /* number of its last one + 1, a list through struct trait_of */
};

struct trait { /* what at least one sample has */
	uint64_t digest;
	const char *shares;
	char *what;
	uint32_t samples; /* number of the last struct trait_of + 1 */
	uint32_t count;
};

struct trait_of { /* one sample has one trait */
	uint32_t sample, trait;
	uint32_t next_of_trait, next_of_sample;
};

struct table { /* open addressing of numbers + 1 */
	uint32_t *slots;
	size_t size;
};

struct known_samples {
	struct arena arena;
	struct sample *samples;
	struct trait *traits;
	struct trait_of *pairs;
	size_t sample_count, sample_room, trait_count, trait_room, pair_count, pair_room;
	struct table by_sha256, by_trait;
};

static uint64_t digest_add(uint64_t h, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		h = (h ^ b.at[i]) * 1099511628211u; /* FNV-1a */
	return h ^ h >> 31;
}

static uint64_t sample_digest(const char *sha256) { return digest_add(1469598103934665603u, bytes_of_text(sha256)); }

static uint64_t trait_digest(const char *shares, struct bytes what)
{
	return digest_add(digest_add(1469598103934665603u, bytes_of_text(shares)), what);
}

int known_samples_open(struct known_samples **out)
{
	struct known_samples *k = calloc(1, sizeof *k);
	if (!k)
		return ERR_MEMORY;
	k->arena = ARENA(256u << 20);
	k->by_sha256 = (struct table){calloc(SLOTS_FIRST, sizeof(uint32_t)), SLOTS_FIRST};
	k->by_trait = (struct table){calloc(SLOTS_FIRST, sizeof(uint32_t)), SLOTS_FIRST};
	*out = k;
	if (k->by_sha256.slots && k->by_trait.slots)
		return 0;
	known_samples_close(k);
	*out = NULL;
	return ERR_MEMORY;
}

void known_samples_close(struct known_samples *k)
{
	if (!k)
		return;
	arena_done(&k->arena);
	free(k->samples);
	free(k->traits);
	free(k->pairs);
	free(k->by_sha256.slots);
	free(k->by_trait.slots);
	free(k);
}

size_t known_samples_count(const struct known_samples *k) { return k->sample_count; }

static struct sample *sample_find(const struct known_samples *k, const char *sha256)
{
	size_t at = (size_t)sample_digest(sha256) & (k->by_sha256.size - 1);
	for (; k->by_sha256.slots[at]; at = (at + 1) & (k->by_sha256.size - 1)) {
		struct sample *s = &k->samples[k->by_sha256.slots[at] - 1];
		if (!strcmp(s->sha256, sha256))
			return s;
	}
	return NULL;
}

static struct trait *trait_find(const struct known_samples *k, uint64_t digest, const char *shares, struct bytes what)
{
	size_t at = (size_t)digest & (k->by_trait.size - 1);
	for (; k->by_trait.slots[at]; at = (at + 1) & (k->by_trait.size - 1)) {
		struct trait *t = &k->traits[k->by_trait.slots[at] - 1];
		if (t->digest == digest && !strcmp(t->shares, shares) && bytes_equal_text(what, t->what))
			return t;
	}
	return NULL;
}

static void put(struct table *t, uint64_t digest, uint32_t number)
{
	size_t at = (size_t)digest & (t->size - 1);
	while (t->slots[at])
		at = (at + 1) & (t->size - 1);
	t->slots[at] = number;
}

/* Twice the room when it is more than half full: everything is put anew. */
static int grow_table(struct known_samples *k, struct table *t, size_t count, bool traits)
{
	if (2 * (count + 1) < t->size)
		return 0;
	struct table larger = {calloc(2 * t->size, sizeof(uint32_t)), 2 * t->size};
	if (!larger.slots)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++)
		put(&larger, traits ? k->traits[i].digest : sample_digest(k->samples[i].sha256), (uint32_t)i + 1);
	free(t->slots);
	*t = larger;
	return 0;
}

static int grow(void **items, size_t *room, size_t count, size_t size)
{
	if (count < *room)
		return 0;
	size_t more = *room ? 2 * *room : 256;
	void *larger = reallocarray(*items, more, size);
	if (!larger)
		return ERR_MEMORY;
	*items = larger;
	*room = more;
	return 0;
}

uint64_t known_samples_time_us(const struct known_samples *k, const char *sha256)
{
	const struct sample *s = sample_find(k, sha256);
	return s ? s->time_us : 0;
}

int known_samples_add(struct known_samples *k, const char *sha256, const char *tlsh, const char *campaign, uint64_t time_us)
{
	struct sample *s = sample_find(k, sha256);
	if (!s) {
		if (k->sample_count == KNOWN_SAMPLES_MAX || strlen(sha256) != 64)
			return k->sample_count == KNOWN_SAMPLES_MAX ? ERR_FULL : ERR_BAD;
		if (grow((void **)&k->samples, &k->sample_room, k->sample_count, sizeof *k->samples) ||
		    grow_table(k, &k->by_sha256, k->sample_count, false))
			return ERR_MEMORY;
		s = &k->samples[k->sample_count++];
		*s = (struct sample){.time_us = time_us};
		snprintf(s->sha256, sizeof s->sha256, "%s", sha256);
		put(&k->by_sha256, sample_digest(sha256), (uint32_t)k->sample_count);
	}
	if (tlsh && tlsh[0])
		snprintf(s->tlsh, sizeof s->tlsh, "%s", tlsh);
	if (campaign && campaign[0])
		snprintf(s->campaign, sizeof s->campaign, "%s", campaign);
	if (time_us > s->time_us)
		s->time_us = time_us;
	return 0;
}

static struct trait *trait_make(struct known_samples *k, const char *shares, struct bytes what)
{
	uint64_t digest = trait_digest(shares, what);
	struct trait *t = trait_find(k, digest, shares, what);
	if (t || k->trait_count == KNOWN_TRAITS_MAX)
		return t;
	char *word = arena_text(&k->arena, bytes_of_text(shares)), *kept = arena_text(&k->arena, what);
	if (!word || !kept || grow((void **)&k->traits, &k->trait_room, k->trait_count, sizeof *k->traits) ||
	    grow_table(k, &k->by_trait, k->trait_count, true))
		return NULL;
	t = &k->traits[k->trait_count++];
	*t = (struct trait){.digest = digest, .shares = word, .what = kept};
	put(&k->by_trait, digest, (uint32_t)k->trait_count);
	return t;
}

int known_samples_trait(struct known_samples *k, const char *sha256, const char *shares, struct bytes what)
{
	struct sample *s = sample_find(k, sha256);
	struct trait *t = s && !memchr(what.at ? what.at : (const uint8_t *)"", 0, what.len) ? trait_make(k, shares, what) : NULL;
	if (!t)
		return s ? ERR_FULL : ERR_MISSING;
	uint32_t number = (uint32_t)(s - k->samples), trait = (uint32_t)(t - k->traits);
	for (uint32_t p = s->traits; p; p = k->pairs[p - 1].next_of_sample)
		if (k->pairs[p - 1].trait == trait)
			return 0;
	if (t->count == KNOWN_TRAIT_SAMPLES_MAX)
		return 0;
	if (grow((void **)&k->pairs, &k->pair_room, k->pair_count, sizeof *k->pairs))
		return ERR_MEMORY;
	k->pairs[k->pair_count++] = (struct trait_of){number, trait, t->samples, s->traits};
	s->traits = t->samples = (uint32_t)k->pair_count;
	t->count++;
	return 0;
}

const char *known_samples_shares(const struct indicator *i)
{
	if (i->confidence < 50 || i->value.len < 4 || i->value.len > 400)
		return NULL;
	switch (i->type) {
	case INDICATOR_WALLET: return "wallet";
	case INDICATOR_MUTEX: return "mutex";
	case INDICATOR_KEY: /* a table's single byte is that of the leaked source: half the world has it */
		return bytes_start_with(i->value, "xor 0x") && i->value.len <= 8 ? NULL : "key";
	case INDICATOR_ADDRESS:
	case INDICATOR_ENDPOINT:
	case INDICATOR_DOMAIN:
	case INDICATOR_URL:
		return i->role == FOR_COMMAND ? "command" : i->role == FOR_DOWNLOAD ? "download" : i->role == FOR_REPORT ? "report" : NULL;
	default: return NULL;
	}
}

struct linking {
	struct known_samples *known;
	struct arena *arena;
	struct sample *self;
	struct sample_link *links;
	uint32_t *members; /* samples of its campaign, as numbers */
	size_t count, member_count;
	bool failed;
};

static void add_link(struct linking *l, const struct sample *other, const char *shares, const char *what, bool together)
{
	uint32_t number = (uint32_t)(other - l->known->samples);
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(l->links[i].sha256, other->sha256) && !strcmp(l->links[i].shares, shares))
			return;
	if (together && l->member_count < KNOWN_LINKS_MAX * 4)
		l->members[l->member_count++] = number;
	if (l->count == KNOWN_LINKS_MAX)
		return;
	char *sha256 = arena_text(l->arena, bytes_of_text(other->sha256)), *kept = arena_text(l->arena, bytes_of_text(what)),
	     *word = arena_text(l->arena, bytes_of_text(shares));
	if (!sha256 || !kept || !word)
		l->failed = true;
	else
		l->links[l->count++] = (struct sample_link){sha256, word, kept};
}

static void link_traits(struct linking *l)
{
	const struct known_samples *k = l->known;
	for (uint32_t p = l->self->traits; p; p = k->pairs[p - 1].next_of_sample) {
		const struct trait *t = &k->traits[k->pairs[p - 1].trait];
		for (uint32_t q = t->samples; q; q = k->pairs[q - 1].next_of_trait) {
			const struct sample *other = &k->samples[k->pairs[q - 1].sample];
			if (other != l->self)
				add_link(l, other, t->shares, t->what, true);
		}
	}
}

static void link_alike(struct linking *l)
{
	if (!l->self->tlsh[0])
		return;
	for (size_t i = 0; i < l->known->sample_count; i++) {
		const struct sample *other = &l->known->samples[i];
		int distance = other != l->self && other->tlsh[0] ? tlsh_distance(l->self->tlsh, other->tlsh) : DISTANT;
		if (distance < 0 || distance > ALIKE_DISTANCE)
			continue;
		char what[32];
		snprintf(what, sizeof what, "distance %d", distance);
		add_link(l, other, "tlsh", what, distance <= SAME_DISTANCE);
	}
}

/* All that bear one of these names bear the oldest one's from now on. */
static void join(struct linking *l, size_t *joined, bool *news)
{
	struct known_samples *k = l->known;
	const struct sample *oldest = l->self;
	char name[CAMPAIGN_CHARS + 1] = "";
	for (size_t i = 0; i < l->member_count; i++) {
		const struct sample *s = &k->samples[l->members[i]];
		if (s->time_us < oldest->time_us)
			oldest = s;
		if (s->campaign[0] && (!name[0] || s == oldest))
			memcpy(name, s->campaign, sizeof name);
	}
	if (!name[0])
		snprintf(name, sizeof name, "c-%.12s", oldest->sha256);
	*news = strcmp(l->self->campaign, name) != 0;
	for (size_t i = 0; i < l->member_count; i++) {
		char old[CAMPAIGN_CHARS + 1];
		struct sample *s = &k->samples[l->members[i]];
		memcpy(old, s->campaign, sizeof old);
		if (!strcmp(old, name))
			continue;
		memcpy(s->campaign, name, sizeof name);
		for (size_t n = 0; old[0] && n < k->sample_count; n++)
			if (!strcmp(k->samples[n].campaign, old))
				memcpy(k->samples[n].campaign, name, sizeof name);
	}
	memcpy(l->self->campaign, name, sizeof name);
	for (size_t n = 0; n < k->sample_count; n++)
		*joined += !strcmp(k->samples[n].campaign, name);
}

int known_samples_link(struct known_samples *k, struct sample_story *story, struct arena *arena, size_t *joined, bool *news)
{
	struct linking l = {.known = k, .arena = arena, .self = sample_find(k, story->findings->sha256),
			    .links = arena_alloc(arena, KNOWN_LINKS_MAX * sizeof *l.links),
			    .members = arena_alloc(arena, 4 * KNOWN_LINKS_MAX * sizeof *l.members)};
	*joined = 0;
	*news = false;
	if (!l.self)
		return ERR_MISSING;
	if (!l.links || !l.members)
		return ERR_MEMORY;
	link_traits(&l);
	link_alike(&l);
	if (l.member_count)
		join(&l, joined, news);
	story->links = l.links;
	story->link_count = l.count;
	story->campaign = l.self->campaign[0] ? arena_text(arena, bytes_of_text(l.self->campaign)) : NULL;
	return l.failed ? ERR_MEMORY : 0;
}
