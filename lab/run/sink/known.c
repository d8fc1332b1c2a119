#include "lab/run/sink/known.h"
#include "base/error.h"
#include <stdlib.h>

int known_open(struct known *k, size_t max)
{
	size_t slots = 64;
	while (slots < max + max / 3 + 1)
		slots *= 2;
	struct known fresh = {.slots = slots, .max = max, .key = siphash_draw()};
	fresh.hashes = calloc(slots, sizeof *fresh.hashes);
	fresh.values = calloc(slots, sizeof *fresh.values);
	if (!fresh.hashes || !fresh.values) {
		known_done(&fresh);
		return ERR_MEMORY;
	}
	*k = fresh;
	return 0;
}

void known_done(struct known *k)
{
	free(k->hashes);
	free(k->values);
	*k = (struct known){0};
}

/* Zero marks a free slot. */
uint64_t known_hash(const struct known *k, struct bytes b)
{
	uint64_t hash = siphash(&k->key, b);
	return hash ? hash : 1;
}

static size_t known_slot(const struct known *k, uint64_t hash)
{
	size_t at = hash & (k->slots - 1);
	while (k->hashes[at] && k->hashes[at] != hash)
		at = (at + 1) & (k->slots - 1);
	return at;
}

uint32_t known_find(const struct known *k, uint64_t hash)
{
	size_t at = known_slot(k, hash);
	return k->hashes[at] ? k->values[at] : KNOWN_NONE;
}

bool known_add(struct known *k, uint64_t hash, uint32_t value, bool *was_new)
{
	size_t at = known_slot(k, hash);
	bool fresh = !k->hashes[at];
	if (was_new)
		*was_new = fresh;
	if (!fresh)
		return true;
	if (k->count == k->max)
		return false;
	k->hashes[at] = hash;
	k->values[at] = value;
	k->count++;
	return true;
}
