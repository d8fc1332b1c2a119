#include "passive/telescope/accounts/pool.h"
#include <string.h>
#include <sys/mman.h>

int pool_open(struct pool *p, uint32_t size, uint32_t capacity)
{
	size_t bytes = ((size_t)capacity + 1) * size;
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return ERR_MEMORY;
	/* Every packet touches a few items at random: small pages would cost a table walk each. */
	(void)madvise(at, bytes, MADV_HUGEPAGE);
	*p = (struct pool){.items = at, .size = size, .capacity = capacity};
	return 0;
}

uint32_t pool_take(struct pool *p)
{
	uint32_t item = p->free;
	if (item) {
		uint32_t *words = pool_item(p, item);
		p->free = words[1];
		memset(words, 0, p->size);
	} else if (p->high < p->capacity) {
		item = ++p->high;
	} else {
		return 0;
	}
	p->live++;
	return item;
}

void pool_give(struct pool *p, uint32_t item)
{
	uint32_t *words = pool_item(p, item);
	words[0] = 0;
	words[1] = p->free;
	p->free = item;
	p->live--;
}

void pool_close(struct pool *p)
{
	if (p->items)
		munmap(p->items, ((size_t)p->capacity + 1) * p->size);
	*p = (struct pool){0};
}
