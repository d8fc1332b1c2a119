#include "control/campaigns_inner.h"
#include "base/error.h"
#include "base/random.h"
#include <stdlib.h>
#include <xxhash.h>

static const struct {
	const char *word, *what;
} kinds[FEATURE_KINDS] = {
#define X(kind, one_word, sentence) [FEATURE_##kind] = {one_word, sentence},
	FEATURES(X)
#undef X
};

struct feature {
	uint64_t hash, campaign, seen_us;
	uint32_t sources; /* that share it; of a campaign's first feature: its sources */
	uint32_t next, older, newer;
	struct address founders[CAMPAIGN_FOUNDERS_MAX - 1];
};

struct campaigns {
	struct feature *entries; /* [0] is nobody */
	uint32_t *buckets;
	size_t bucket_mask;
	uint32_t max, used, oldest, newest;
	unsigned least;
	uint64_t window_us;
};

const char *feature_word(enum feature_kind kind) { return kinds[kind].word; }
const char *feature_what(enum feature_kind kind) { return kinds[kind].what; }

uint64_t feature_hash(enum feature_kind kind, struct bytes value)
{
	uint64_t hash = XXH3_64bits_withSeed(value.at, value.len, 0x63616d70 + (uint64_t)kind);
	return hash ? hash : 1;
}

char *campaign_text(uint64_t campaign, char text[CAMPAIGN_TEXT_MAX])
{
	snprintf(text, CAMPAIGN_TEXT_MAX, "%016llx", (unsigned long long)campaign);
	return text;
}

int campaigns_open(struct campaigns **out, size_t max, unsigned least, uint64_t window_us)
{
	struct campaigns *c = calloc(1, sizeof *c);
	size_t buckets = 16;
	while (buckets < max)
		buckets *= 2;
	if (!c)
		return ERR_MEMORY;
	c->entries = calloc(max + 1, sizeof *c->entries);
	c->buckets = calloc(buckets, sizeof *c->buckets);
	if (!c->entries || !c->buckets) {
		campaigns_close(c);
		return ERR_MEMORY;
	}
	c->bucket_mask = buckets - 1;
	c->max = (uint32_t)max;
	c->least = least;
	c->window_us = window_us;
	*out = c;
	return 0;
}

void campaigns_close(struct campaigns *c)
{
	if (!c)
		return;
	free(c->entries);
	free(c->buckets);
	free(c);
}

static uint32_t *bucket_of(const struct campaigns *c, uint64_t hash)
{
	return &c->buckets[random_mix(hash) & c->bucket_mask];
}

static struct feature *feature_find(const struct campaigns *c, uint64_t hash)
{
	for (uint32_t i = *bucket_of(c, hash); i; i = c->entries[i].next)
		if (c->entries[i].hash == hash)
			return &c->entries[i];
	return NULL;
}

static void order_remove(struct campaigns *c, struct feature *f)
{
	if (f->older)
		c->entries[f->older].newer = f->newer;
	else
		c->oldest = f->newer;
	if (f->newer)
		c->entries[f->newer].older = f->older;
	else
		c->newest = f->older;
}

static void order_append(struct campaigns *c, struct feature *f)
{
	uint32_t i = (uint32_t)(f - c->entries);
	f->older = c->newest;
	f->newer = 0;
	if (c->newest)
		c->entries[c->newest].newer = i;
	else
		c->oldest = i;
	c->newest = i;
}

static struct feature *recycle(struct campaigns *c)
{
	uint32_t i = c->oldest;
	struct feature *f = &c->entries[i];
	uint32_t *at = bucket_of(c, f->hash);
	while (*at != i)
		at = &c->entries[*at].next;
	*at = f->next;
	order_remove(c, f);
	return f;
}

static struct feature *feature_take(struct campaigns *c, uint64_t hash, uint64_t now_us)
{
	struct feature *f = feature_find(c, hash);
	if (f) {
		order_remove(c, f);
		if (f->seen_us + c->window_us < now_us) { /* whoever shared it is long gone */
			f->sources = 0;
			f->campaign = 0;
		}
	} else {
		f = c->used < c->max ? &c->entries[++c->used] : recycle(c);
		uint32_t *bucket = bucket_of(c, hash);
		*f = (struct feature){.hash = hash, .next = *bucket};
		*bucket = (uint32_t)(f - c->entries);
	}
	f->seen_us = now_us;
	order_append(c, f);
	return f;
}

static bool is_founder(const struct feature *f, const struct address *a)
{
	for (uint32_t i = 0; i < f->sources; i++)
		if (address_equal(&f->founders[i], a))
			return true;
	return false;
}

struct sharing campaigns_share(struct campaigns *c, uint64_t hash, const struct address *source, uint64_t own,
			       uint64_t now_us)
{
	struct sharing s = {0};
	struct feature *f = feature_take(c, hash, now_us);
	if (f->campaign || is_founder(f, source)) {
		s.campaign = f->campaign;
		return s;
	}
	if (f->sources + 1 < c->least) {
		f->founders[f->sources++] = *source;
		return s;
	}
	f->campaign = s.campaign = own ? own : hash;
	s.founded = true;
	s.member_count = f->sources;
	memcpy(s.members, f->founders, f->sources * sizeof *f->founders);
	f->sources = 0;
	return s;
}

void campaigns_joined(struct campaigns *c, uint64_t campaign)
{
	struct feature *f = feature_find(c, campaign);
	if (f)
		f->sources++;
}

uint32_t campaigns_sources(const struct campaigns *c, uint64_t campaign)
{
	const struct feature *f = campaign ? feature_find(c, campaign) : NULL;
	return f && f->campaign ? f->sources : 0;
}

void campaigns_forget(struct campaigns *c, const struct address *source)
{
	for (uint32_t i = 1; i <= c->used; i++) {
		struct feature *f = &c->entries[i];
		for (uint32_t k = 0; !f->campaign && k < f->sources; k++)
			if (address_equal(&f->founders[k], source)) {
				f->founders[k] = f->founders[--f->sources];
				f->founders[f->sources] = (struct address){0};
			}
		if (f->campaign) /* they are counted, and no longer named */
			memset(f->founders, 0, sizeof f->founders);
	}
}

void campaigns_each(const struct campaigns *c, void (*each)(void *arg, uint64_t feature, uint64_t campaign,
			uint32_t sources, uint64_t seen_us), void *arg)
{
	for (uint32_t i = c->oldest; i; i = c->entries[i].newer)
		if (c->entries[i].campaign)
			each(arg, c->entries[i].hash, c->entries[i].campaign, c->entries[i].sources,
			     c->entries[i].seen_us);
}

void campaigns_restore(struct campaigns *c, uint64_t hash, uint64_t campaign, uint32_t sources, uint64_t seen_us)
{
	struct feature *f = feature_take(c, hash, seen_us);
	f->campaign = campaign;
	f->sources = sources;
}
