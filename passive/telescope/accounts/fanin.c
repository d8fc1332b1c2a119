#include "passive/telescope/accounts/fanin.h"
#include "passive/telescope/accounts/index.h"
#include <stdlib.h>

#define ENTRIES (2u * TARGETS_MAX)
#define TTLS (sizeof ((struct target *)0)->ttls / sizeof *((struct target *)0)->ttls)

int fanin_open(struct fanin *t, const uint64_t key[2])
{
	*t = (struct fanin){.counters = calloc(TARGET_COUNTERS, 1),
			      .entries = calloc(ENTRIES, sizeof *t->entries),
			      .key = {key[0], key[1]}};
	if (t->counters && t->entries)
		return 0;
	fanin_close(t);
	return ERR_MEMORY;
}

void fanin_close(struct fanin *t)
{
	free(t->counters);
	free(t->entries);
	*t = (struct fanin){0};
}

uint64_t fanin_bytes(const struct fanin *t)
{
	return TARGET_COUNTERS + t->live * sizeof *t->entries;
}

static uint64_t target_hash(const struct fanin *t, const struct target_key *k)
{
	return hash_mix(k->destination, (uint64_t)k->port << 16 | k->proto << 8 | k->answer, t->key);
}

static bool same_key(const struct target_key *a, const struct target_key *b)
{
	return a->destination == b->destination && a->port == b->port && a->proto == b->proto &&
	       a->answer == b->answer;
}

static struct target *entry_of(const struct fanin *t, const struct target_key *k, uint64_t hash)
{
	uint32_t at = (uint32_t)(hash >> 32) % ENTRIES;
	while (t->entries[at].used && !same_key(&t->entries[at].key, k))
		at = (at + 1) % ENTRIES;
	return &t->entries[at];
}

void fanin_prefetch(const struct fanin *t, const struct target_key *k)
{
	__builtin_prefetch(&t->counters[target_hash(t, k) % TARGET_COUNTERS]);
}

struct target *fanin_find(const struct fanin *t, const struct target_key *k)
{
	uint64_t hash = target_hash(t, k);
	if (t->counters[hash % TARGET_COUNTERS] < TARGET_PROMOTE)
		return NULL;
	struct target *e = entry_of(t, k, hash);
	return e->used ? e : NULL;
}

static void ttl_count(struct target *e, uint8_t ttl)
{
	size_t free_at = TTLS;
	e->counted++;
	for (size_t i = 0; i < TTLS; i++) {
		if (e->ttls[i].count && e->ttls[i].ttl == ttl) {
			e->ttls[i].count++;
			return;
		}
		if (!e->ttls[i].count)
			free_at = i;
	}
	if (free_at < TTLS) {
		e->ttls[free_at].ttl = ttl;
		e->ttls[free_at].count = 1;
		return;
	}
	for (size_t i = 0; i < TTLS; i++)
		e->ttls[i].count--;
}

static bool is_quiet(const struct fanin *t, const struct target *e, uint64_t now_us)
{
	return now_us > e->last_us && now_us - e->last_us > (e->told ? t->quiet_told_us : t->quiet_us);
}

static void target_begin(struct target *e, const struct target_key *k, const struct address *address,
			 uint64_t time_us, uint32_t sources)
{
	*e = (struct target){.key = *k, .address = *address, .first_us = time_us, .last_us = time_us,
			     .sources = sources, .used = true};
}

/*
 * Whether somebody may be new there.  In a first time-out nobody returns; later who has the same
 * bit does, until so many were counted that the bits say nothing.
 */
static bool is_new(const struct fanin *t, struct target *e, uint64_t who, uint64_t time_us)
{
	uint64_t *word = &e->met[who % TARGET_MET_BITS / 64], bit = UINT64_C(1) << who % 64;
	bool met = *word & bit;
	*word |= bit;
	return !met || e->counted > 2 * TARGET_MET_BITS || time_us <= e->first_us + t->quiet_us;
}

void fanin_stay(struct fanin *t, const struct target_key *k, uint64_t time_us)
{
	struct target *e = fanin_find(t, k);
	if (e && time_us > e->last_us)
		e->last_us = time_us;
}

struct target *fanin_meet(struct fanin *t, const struct target_key *k, const struct address *address,
			    uint64_t who, uint8_t ttl, uint64_t time_us)
{
	uint64_t hash = target_hash(t, k);
	uint8_t *counter = &t->counters[hash % TARGET_COUNTERS];
	if (*counter < UINT8_MAX)
		(*counter)++;
	if (*counter < TARGET_PROMOTE)
		return NULL;
	struct target *e = entry_of(t, k, hash);
	if (!e->used) {
		if (t->live == TARGETS_MAX) {
			t->unkept++;
			return NULL;
		}
		t->live++;
		target_begin(e, k, address, time_us, TARGET_PROMOTE - 1);
	} else if (is_quiet(t, e, time_us)) {
		target_begin(e, k, address, time_us, 0);
	}
	if (time_us > e->last_us)
		e->last_us = time_us;
	if (is_new(t, e, who, time_us)) {
		e->sources++;
		ttl_count(e, ttl);
	}
	return e;
}

unsigned target_ttls(const struct target *e, uint8_t *commonest)
{
	uint64_t first = 0, second = 0;
	for (size_t i = 0; i < TTLS; i++) {
		uint64_t n = e->ttls[i].count;
		if (n > first) {
			second = first;
			first = n;
			*commonest = e->ttls[i].ttl;
		} else if (n > second) {
			second = n;
		}
	}
	uint64_t enough = (uint64_t)e->counted * TARGET_TTL_SHARE;
	return first * 100 >= enough ? 1 : (first + second) * 100 >= enough ? 2 : 3;
}

bool target_is_flood(const struct target *e)
{
	uint8_t ttl = 0;
	return !e->key.answer && e->sources >= TARGET_SOURCES && target_ttls(e, &ttl) <= 2;
}

bool target_is_reflection(const struct target *e)
{
	return e->key.answer && e->sources >= TARGET_REFLECTORS;
}

void fanin_age(struct fanin *t, uint64_t now_us)
{
	for (uint32_t i = 0; i < TARGET_COUNTERS; i++)
		t->counters[i] /= 2;
	struct target *old = t->entries, *fresh = calloc(ENTRIES, sizeof *fresh);
	if (!fresh)
		return;
	t->entries = fresh;
	t->live = 0;
	/* Who is forgotten begins anew, not with those who met there long ago. */
	for (uint32_t i = 0; i < ENTRIES; i++)
		if (old[i].used && is_quiet(t, &old[i], now_us))
			t->counters[target_hash(t, &old[i].key) % TARGET_COUNTERS] = 0;
	for (uint32_t i = 0; i < ENTRIES; i++) {
		if (!old[i].used || is_quiet(t, &old[i], now_us))
			continue;
		uint64_t hash = target_hash(t, &old[i].key);
		*entry_of(t, &old[i].key, hash) = old[i];
		/* What is kept must still be found. */
		t->counters[hash % TARGET_COUNTERS] = UINT8_MAX;
		t->live++;
	}
	free(old);
}
