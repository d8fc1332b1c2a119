#include "passive/telescope/accounts/index.h"
#include <sys/mman.h>

int index_open(struct index *x, uint64_t slots)
{
	void *at = mmap(NULL, slots * sizeof(uint32_t), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return ERR_MEMORY;
	(void)madvise(at, slots * sizeof(uint32_t), MADV_HUGEPAGE);
	*x = (struct index){.slots = at, .mask = slots - 1};
	return 0;
}

void index_close(struct index *x)
{
	if (x->slots)
		munmap(x->slots, (x->mask + 1) * sizeof(uint32_t));
	*x = (struct index){0};
}

uint64_t index_next_size(const struct index *x)
{
	/* Much of what is used may be gone; then the same size will do. */
	uint64_t slots = x->mask + 1;
	while (x->live * 16 >= slots * 9)
		slots *= 2;
	return slots;
}

void index_put(struct index *x, uint64_t hash, uint32_t item)
{
	uint64_t at = hash & x->mask;
	while (x->slots[at] & INDEX_ITEM_MAX)
		at = (at + 1) & x->mask;
	x->used += !x->slots[at];
	x->live++;
	x->slots[at] = index_tag(hash) | item;
}

void index_drop(struct index *x, uint64_t hash, uint32_t item)
{
	for (uint64_t at = hash & x->mask; x->slots[at]; at = (at + 1) & x->mask) {
		if ((x->slots[at] & INDEX_ITEM_MAX) != item)
			continue;
		/* Where the row ends here anyway, nobody needs a sign that it goes on. */
		bool last = !x->slots[(at + 1) & x->mask];
		x->slots[at] = last ? 0 : INDEX_GONE;
		x->used -= last;
		x->live--;
		return;
	}
}
