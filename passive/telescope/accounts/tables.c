/* Finding and beginning accounts and sources. */
#include "passive/telescope/accounts/accounts_inner.h"

uint64_t source_hash(const struct telescope *t, const struct address *a)
{
	uint64_t half[2];
	memcpy(half, a->b, sizeof half);
	return hash_mix(half[0], half[1], t->key);
}

static bool mapped_v4(const struct address *a)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 2.5.5.2 */
	return !memcmp(a->b, prefix, sizeof prefix);
}

static uint32_t v4_of(const struct address *a)
{
	return (uint32_t)a->b[12] << 24 | (uint32_t)a->b[13] << 16 | (uint32_t)a->b[14] << 8 | a->b[15];
}

struct address source_address(const struct telescope *t, const struct source *s)
{
	if (!(s->bits & SOURCE_V6))
		return address_v4(s->address);
	return *(const struct address *)pool_item(&t->addresses6, s->address);
}

uint64_t account_hash(const struct telescope *t, const struct account_key *k)
{
	return hash_mix(k->source, (uint64_t)k->port << 16 | k->proto << 8 | k->flags, t->key);
}

static bool same_source(const void *of, uint32_t item, const void *key)
{
	const struct telescope *t = of;
	const struct source *s = pool_item(&t->sources, item);
	const struct address *a = key;
	if (mapped_v4(a))
		return s->address == v4_of(a) && !(s->bits & SOURCE_V6);
	return s->bits & SOURCE_V6 && !memcmp(pool_item(&t->addresses6, s->address), a, sizeof *a);
}

bool account_is(const struct telescope *t, uint32_t item, const struct account_key *k)
{
	const struct account *a = pool_item(&t->accounts, item);
	return a->packets && a->source == k->source && a->port == k->port && a->proto == k->proto &&
	       a->flags == k->flags;
}

static bool same_account(const void *of, uint32_t item, const void *key)
{
	return account_is(of, item, key);
}

bool source_is(const struct telescope *t, uint32_t item, const struct address *a)
{
	return same_source(t, item, a);
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
		struct address a = source_address(t, s);
		if (s->packets)
			index_put(&larger, source_hash(t, &a), i);
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
		struct account_key k = {a->source, a->port, a->proto, a->flags, account_answers(a)};
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
	uint32_t six = item && !mapped_v4(a) ? pool_take(&t->addresses6) : 0; /* as many as sources: there is one */
	if (!item)
		return 0;
	index_put(&t->source_index, hash, item);
	sketch_add(t->sources_sketch, SOURCES_SKETCH_BITS, hash);
	struct source *s = pool_item(&t->sources, item);
	s->address = six ? six : v4_of(a);
	if (six) {
		memcpy(pool_item(&t->addresses6, six), a, sizeof *a);
		s->bits = SOURCE_V6;
	}
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
	a->bits = k->answer ? ACCOUNT_ANSWERS : 0;
	return item;
}
