/* Pools that use again what was given back, and an index over them that grows and forgets. */
#include "base/random.h"
#include "passive/telescope/accounts/index.h"
#include "tests/test.h"
#include <stdlib.h>

struct item {
	uint32_t used, next_free;
	uint64_t key;
};

TEST(pool_uses_again_what_was_given_back)
{
	struct pool p;
	CHECK(pool_open(&p, sizeof(struct item), 1000) == 0);
	for (uint32_t i = 1; i <= 1000; i++) {
		CHECK(pool_take(&p) == i);
		struct item *it = pool_item(&p, i);
		CHECK(it->used == 0 && it->key == 0);
		*it = (struct item){.used = 1, .next_free = ~0u, .key = ~UINT64_C(0)};
	}
	CHECK(pool_take(&p) == 0 && p.live == 1000 && pool_bytes(&p) == 1000 * sizeof(struct item));
	for (uint32_t i = 10; i <= 1000; i += 10)
		pool_give(&p, i);
	CHECK(p.live == 900);
	for (uint32_t i = 1000; i >= 10; i -= 10) { /* last given, first taken */
		CHECK(((struct item *)pool_item(&p, i))->used == 0);
		CHECK(pool_take(&p) == i);
		struct item *it = pool_item(&p, i);
		CHECK(it->used == 0 && it->next_free == 0 && it->key == 0);
	}
	CHECK(pool_take(&p) == 0 && p.high == 1000);
	pool_close(&p);
	pool_close(&p);
}

static bool same_item(const void *of, uint32_t item, const void *key)
{
	return ((const struct item *)pool_item(of, item))->key == *(const uint64_t *)key;
}

static uint32_t look(const struct index *x, const struct pool *p, uint64_t key, uint64_t hash)
{
	return index_find(x, hash, same_item, p, &key);
}

static void grow(struct index *x, const struct pool *p, uint64_t (*hash)(uint64_t))
{
	struct index larger;
	CHECK(index_open(&larger, index_next_size(x)) == 0);
	for (uint32_t i = 1; i <= p->high; i++) {
		const struct item *it = pool_item(p, i);
		if (it->used)
			index_put(&larger, hash(it->key), i);
	}
	CHECK(larger.live == x->live && larger.used == larger.live);
	index_close(x);
	*x = larger;
}

/* Puts and drops at random; `numbers` says where each key must be found. */
static void churn(uint64_t (*hash)(uint64_t), unsigned keys, unsigned rounds, uint64_t most_slots)
{
	struct pool p;
	struct index x;
	struct random r = random_seeded(keys);
	uint32_t *numbers = calloc(keys, sizeof *numbers);
	CHECK(numbers && pool_open(&p, sizeof(struct item), keys) == 0 && index_open(&x, 64) == 0);
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t key = random_below(&r, keys);
		CHECK(look(&x, &p, key, hash(key)) == numbers[key]);
		if (numbers[key]) {
			index_drop(&x, hash(key), numbers[key]);
			pool_give(&p, numbers[key]);
			numbers[key] = 0;
			continue;
		}
		if (index_tight(&x))
			grow(&x, &p, hash);
		numbers[key] = pool_take(&p);
		CHECK(numbers[key]);
		*(struct item *)pool_item(&p, numbers[key]) = (struct item){.used = 1, .key = key};
		index_put(&x, hash(key), numbers[key]);
	}
	uint64_t live = 0;
	for (unsigned key = 0; key < keys; key++) {
		CHECK(look(&x, &p, key, hash(key)) == numbers[key]);
		live += numbers[key] != 0;
	}
	CHECK(x.live == live && p.live == live && x.used >= live && x.mask + 1 <= most_slots);
	free(numbers);
	index_close(&x);
	pool_close(&p);
}

static uint64_t mixed(uint64_t key) { return random_mix(key); }
static uint64_t crowded(uint64_t key) { return key % 5; }            /* one row, no tags */
static uint64_t at_the_end(uint64_t key) { return ~UINT64_C(0) - key % 3; } /* the row goes round */

TEST(index_finds_what_is_there_and_nothing_else)
{
	/* Half of the keys are there at a time, so gravestones must not make it grow for ever. */
	churn(mixed, 20000, 1000000, 65536);
	churn(crowded, 60, 20000, 256);
	churn(at_the_end, 60, 20000, 256);
}

TEST(index_of_gravestones_keeps_its_size)
{
	struct pool p;
	struct index x;
	CHECK(pool_open(&p, sizeof(struct item), 10) == 0 && index_open(&x, 64) == 0);
	for (uint64_t key = 1; key < 100000; key++) {
		if (index_tight(&x))
			grow(&x, &p, mixed);
		uint32_t n = pool_take(&p);
		*(struct item *)pool_item(&p, n) = (struct item){.used = 1, .key = key};
		index_put(&x, mixed(key), n);
		CHECK(look(&x, &p, key, mixed(key)) == n);
		index_drop(&x, mixed(key), n);
		pool_give(&p, n);
		CHECK(look(&x, &p, key, mixed(key)) == 0);
	}
	CHECK(x.mask + 1 == 64 && x.live == 0);
	index_close(&x);
	pool_close(&p);
}
