/*
 * What it costs to see whether a log-in's word is one of a million tokens: ours by two keyed hashes, and a
 * hash table of all of them, which is how a list would be asked.
 *
 *   make build/plain/program/bench/bait && build/plain/program/bench/bait
 */
#include "bait/token.h"
#include "base/clock.h"
#include "base/random.h"
#include <stdio.h>
#include <stdlib.h>

#define TOKENS 1000000u
#define ROUNDS 5

struct word {
	char text[BAIT_PASSWORD_CHARS];
};

static struct word *words;   /* tokens */
static struct word *strange; /* words of the same shape that are none */
static uint32_t *table;      /* numbers of words from 1, open addressing */
#define SLOTS (1u << 21)

static size_t slot_of(const struct siphash_key *key, const struct word *w)
{
	return siphash(key, (struct bytes){(const uint8_t *)w->text, sizeof w->text}) & (SLOTS - 1);
}

static bool listed(const struct siphash_key *key, const struct word *w)
{
	for (size_t at = slot_of(key, w); table[at]; at = (at + 1) & (SLOTS - 1))
		if (!memcmp(words[table[at] - 1].text, w->text, sizeof w->text))
			return true;
	return false;
}

static void fill(const struct bait_secret *secret, const struct siphash_key *key)
{
	for (uint32_t i = 0; i < TOKENS; i++) {
		const struct bait_token t = {BAIT_ENTRY, i + 1, i % 9};
		struct writer w = writer_of(words[i].text, sizeof words[i].text);
		bait_write(secret, &t, BAIT_PASSWORD, &w);
		for (size_t k = 0; k < BAIT_PASSWORD_CHARS; k++)
			strange[i].text[k] = "abcdefghijkmnopqrstuvwxyzABCDEFG23456789"[random_mix(i * 31u + k) % 40];
		size_t at = slot_of(key, &words[i]);
		while (table[at])
			at = (at + 1) & (SLOTS - 1);
		table[at] = i + 1;
	}
}

static double ns_each(uint64_t from_us) { return (double)(clock_mono_us() - from_us) * 1000 / TOKENS; }

int main(void)
{
	uint8_t bytes[BAIT_SECRET_BYTES] = {1, 2, 3};
	const struct bait_secret secret = bait_secret_of(bytes);
	const struct siphash_key key = siphash_draw();
	words = calloc(TOKENS, sizeof *words);
	strange = calloc(TOKENS, sizeof *strange);
	table = calloc(SLOTS, sizeof *table);
	if (!words || !strange || !table)
		return 1;
	fill(&secret, &key);
	for (int round = 0; round < ROUNDS; round++) {
		struct bait_token t;
		enum bait_shape shape;
		size_t hits = 0, misses = 0, listed_hits = 0;
		uint64_t from = clock_mono_us();
		for (uint32_t i = 0; i < TOKENS; i++)
			hits += bait_read(&secret, (struct bytes){(uint8_t *)words[i * 7919u % TOKENS].text, BAIT_PASSWORD_CHARS}, &t, &shape);
		double hit_ns = ns_each(from);
		from = clock_mono_us();
		for (uint32_t i = 0; i < TOKENS; i++)
			misses += !bait_read(&secret, (struct bytes){(uint8_t *)strange[i].text, BAIT_PASSWORD_CHARS}, &t, &shape);
		double miss_ns = ns_each(from);
		from = clock_mono_us();
		for (uint32_t i = 0; i < TOKENS; i++)
			listed_hits += listed(&key, &words[i * 7919u % TOKENS]);
		double list_ns = ns_each(from);
		printf("of %u tokens: a token known in %.0f ns, another word refused in %.0f ns, a list asked in %.0f ns; ratio %.2f; "
		       "%zu, %zu, %zu right\n", TOKENS, hit_ns, miss_ns, list_ns, list_ns / hit_ns, hits, misses, listed_hits);
	}
	free(words);
	free(strange);
	free(table);
	return 0;
}
