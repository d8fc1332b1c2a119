#include "passive/sensors/tally.h"
#include <stdlib.h>
#include <xxhash.h>

#define PLACES (2 * TALLY_NAMES)

void tally_add(struct tally *t, struct bytes name)
{
	if (!t->entries)
		t->entries = calloc(PLACES, sizeof *t->entries);
	if (!t->entries) {
		t->others++;
		return;
	}
	size_t len = name.len < TALLY_NAME_MAX ? name.len : TALLY_NAME_MAX;
	size_t at = len ? XXH3_64bits(name.at, len) % PLACES : 0;
	while (t->entries[at].count &&
	       !bytes_equal((struct bytes){name.at, len},
			    (struct bytes){t->entries[at].name, t->entries[at].len}))
		at = (at + 1) % PLACES;
	struct tally_entry *e = &t->entries[at];
	if (!e->count && t->used == TALLY_NAMES) {
		t->others++;
		return;
	}
	if (!e->count++) {
		e->len = (uint8_t)len;
		if (len)
			memcpy(e->name, name.at, len);
		t->used++;
	}
}

static int order(const struct tally_entry *a, const struct tally_entry *b)
{
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return memcmp(a->name, b->name, TALLY_NAME_MAX);
}

size_t tally_top(const struct tally *t, const struct tally_entry **top, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; t->entries && i < PLACES; i++) {
		const struct tally_entry *e = &t->entries[i];
		if (!e->count || (n == max && (!max || order(e, top[n - 1]) > 0)))
			continue;
		size_t at = n < max ? n++ : n - 1;
		for (; at && order(e, top[at - 1]) < 0; at--)
			top[at] = top[at - 1];
		top[at] = e;
	}
	return n;
}

void tally_done(struct tally *t)
{
	free(t->entries);
	*t = (struct tally){0};
}
