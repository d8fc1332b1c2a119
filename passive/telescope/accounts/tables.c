/* Finding and beginning accounts and sources. */
#include "passive/telescope/accounts/accounts_inner.h"

uint64_t source_hash(const struct telescope *t, const struct address *a)
{
	uint64_t half[2];
	memcpy(half, a->b, sizeof half);
	return hash_mix(half[0], half[1], t->key);
}

uint64_t account_hash(const struct telescope *t, const struct account_key *k)
{
	return hash_mix(k->source, (uint64_t)k->port << 16 | k->proto << 8 | k->flags, t->key);
}

static bool same_source(const void *of, uint32_t item, const void *key)
{
	const struct source *s = pool_item(&((const struct telescope *)of)->sources, item);
	return !memcmp(&s->address, key, sizeof s->address);
}

static bool same_account(const void *of, uint32_t item, const void *key)
{
	const struct account *a = pool_item(&((const struct telescope *)of)->accounts, item);
	const struct account_key *k = key;
	return a->source == k->source && a->port == k->port && a->proto == k->proto &&
	       a->flags == k->flags;
}

uint32_t source_find(const struct telescope *t, const struct address *a, uint64_t hash)
{
	return index_find(&t->source_index, hash, same_source, t, a);
}

uint32_t account_find(const struct telescope *t, const struct account_key *k, uint64_t hash)
{
	return index_find(&t->account_index, hash, same_account, t, k);
}

static bool source_index_grow(struct telescope *t)
{
	struct index larger;
	if (index_open(&larger, index_next_size(&t->source_index)) < 0)
		return false;
	for (uint32_t i = 1; i <= t->sources.high; i++) {
		const struct source *s = pool_item(&t->sources, i);
		if (s->packets)
			index_put(&larger, source_hash(t, &s->address), i);
	}
	index_close(&t->source_index);
	t->source_index = larger;
	return true;
}

static bool account_index_grow(struct telescope *t)
{
	struct index larger;
	if (index_open(&larger, index_next_size(&t->account_index)) < 0)
		return false;
	for (uint32_t i = 1; i <= t->accounts.high; i++) {
		const struct account *a = pool_item(&t->accounts, i);
		struct account_key k = {a->source, a->port, a->proto, a->flags};
		if (a->packets)
			index_put(&larger, account_hash(t, &k), i);
	}
	index_close(&t->account_index);
	t->account_index = larger;
	return true;
}

uint32_t source_begin(struct telescope *t, const struct address *a, uint64_t hash, uint64_t time_us)
{
	if (index_tight(&t->source_index) && !source_index_grow(t))
		return 0;
	uint32_t item = pool_take(&t->sources);
	if (!item)
		return 0;
	index_put(&t->source_index, hash, item);
	sketch_add(t->sources_sketch, SOURCES_SKETCH_BITS, hash);
	struct source *s = pool_item(&t->sources, item);
	s->address = *a;
	s->first_s = s->last_s = (uint32_t)(time_us / 1000000);
	return item;
}

uint32_t account_begin(struct telescope *t, const struct account_key *k, uint64_t hash)
{
	if (index_tight(&t->account_index) && !account_index_grow(t))
		return 0;
	uint32_t item = pool_take(&t->accounts);
	if (!item)
		return 0;
	index_put(&t->account_index, hash, item);
	struct account *a = pool_item(&t->accounts, item);
	a->source = k->source;
	a->port = k->port;
	a->proto = k->proto;
	a->flags = k->flags;
	return item;
}
