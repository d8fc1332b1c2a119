#include "passive/room/table.h"
#include <stdlib.h>

int table_open(struct table *t, size_t expected)
{
	size_t size = 64;
	while (size < expected)
		size *= 2;
	struct table_node **heads = calloc(size, sizeof *heads);
	if (!heads)
		return ERR_MEMORY;
	*t = (struct table){.heads = heads, .mask = size - 1};
	return 0;
}

void table_add(struct table *t, struct table_node *n, uint64_t hash)
{
	struct table_node **head = &t->heads[hash & t->mask];
	*n = (struct table_node){*head, hash};
	*head = n;
	t->count++;
}

void table_remove(struct table *t, struct table_node *n)
{
	struct table_node **link = &t->heads[n->hash & t->mask];
	while (*link && *link != n)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = n->next;
	t->count--;
}

static struct table_node *same_hash(struct table_node *n, uint64_t hash)
{
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct table_node *table_first(const struct table *t, uint64_t hash)
{
	return t->heads ? same_hash(t->heads[hash & t->mask], hash) : NULL;
}

struct table_node *table_next(const struct table_node *n)
{
	return same_hash(n->next, n->hash);
}

struct table_node *table_take_any(struct table *t, size_t *from)
{
	for (; t->heads && *from <= t->mask; ++*from) {
		struct table_node *n = t->heads[*from];
		if (n) {
			t->heads[*from] = n->next;
			t->count--;
			return n;
		}
	}
	return NULL;
}

void table_done(struct table *t)
{
	free(t->heads);
	*t = (struct table){0};
}
