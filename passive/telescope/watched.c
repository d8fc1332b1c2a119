#include "base/error.h"
#include "passive/telescope/packet_inner.h"
#include <math.h>
#include <stdlib.h>

#define MAPPED_BITS 96
#define NET_BITS (MAPPED_BITS + 16)
#define SUBNET_BITS (MAPPED_BITS + 24)

/* The page or leaf that entry stands for, made when it is the first in there. */
static struct watched_page *page_of(struct watched *w, uint32_t *entry)
{
	if (*entry == WATCHED_NONE)
		*entry = (uint32_t)w->pages_count++ + 2;
	return &w->pages[*entry - 2];
}

static struct watched_leaf *leaf_of(struct watched *w, uint32_t *entry)
{
	if (*entry == WATCHED_NONE)
		*entry = (uint32_t)w->leaves_count++ + 2;
	return &w->leaves[*entry - 2];
}

/* The prefixes of a sealed set are disjoint, so nothing that is marked whole is met again. */
static void mark(struct watched *w, const struct prefix *p)
{
	uint32_t first = address_to_v4(&p->base);
	uint64_t count = UINT64_C(1) << (128 - p->bits);
	if (p->bits <= NET_BITS) {
		for (uint64_t i = 0; i < count; i += 65536)
			w->nets[(first + i) >> 16] = WATCHED_WHOLE;
		return;
	}
	struct watched_page *page = page_of(w, &w->nets[first >> 16]);
	if (p->bits <= SUBNET_BITS) {
		for (uint64_t i = 0; i < count; i += 256)
			page->of[(first + i) >> 8 & 0xff] = WATCHED_WHOLE;
		return;
	}
	struct watched_leaf *leaf = leaf_of(w, &page->of[first >> 8 & 0xff]);
	for (uint64_t i = 0; i < count; i++) {
		uint32_t at = first + (uint32_t)i;
		leaf->bits[at >> 6 & 3] |= UINT64_C(1) << (at & 63);
	}
}

static bool holds_all_v4(const struct prefix_set *set)
{
	static const struct address first = {{[10] = 0xff, [11] = 0xff}};
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].bits <= MAPPED_BITS && prefix_holds(&set->items[i], &first))
			return true;
	return set->count == 0;
}

int watched_open(struct watched **out, const struct prefix *prefixes, size_t count)
{
	struct watched *w = calloc(1, sizeof *w);
	if (!w)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++)
		if (prefix_set_add(&w->prefixes, &prefixes[i]) < 0)
			goto memory;
	prefix_set_seal(&w->prefixes);
	count = w->prefixes.count;
	w->pages = calloc(count + 1, sizeof *w->pages);
	w->leaves = calloc(count + 1, sizeof *w->leaves);
	if (!w->pages || !w->leaves)
		goto memory;
	for (size_t i = 0; i < count; i++) {
		const struct prefix *p = &w->prefixes.items[i];
		w->size += ldexp(1, 128 - p->bits);
		if (p->bits > MAPPED_BITS && address_is_v4(&p->base))
			mark(w, p);
	}
	/* A prefix such as ::/0 holds the mapped addresses as well. */
	if (holds_all_v4(&w->prefixes))
		for (unsigned i = 0; i < 65536; i++)
			w->nets[i] = WATCHED_WHOLE;
	if (count == 0)
		w->size = ldexp(1, 32);
	*out = w;
	return 0;
memory:
	watched_close(w);
	return ERR_MEMORY;
}

bool watched_holds(const struct watched *w, const struct address *a)
{
	if (address_is_v4(a))
		return watched_holds_v4(w, address_to_v4(a));
	return w->prefixes.count == 0 || prefix_set_holds(&w->prefixes, a);
}

double watched_size(const struct watched *w) { return w->size; }

void watched_close(struct watched *w)
{
	if (!w)
		return;
	free(w->pages);
	free(w->leaves);
	prefix_set_done(&w->prefixes);
	free(w);
}
