/*
 * A hash table of structs that carry their own node; its owner bounds how many.
 *
 *   for (struct table_node *n = table_first(&t, hash); n; n = table_next(n)) ...
 */
#pragma once
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

struct table_node {
	struct table_node *next;
	uint64_t hash; /* keyed by the owner, so that nobody can choose collisions */
};

struct table {
	struct table_node **heads;
	size_t mask, count;
};

int table_open(struct table *, size_t expected); /* 0 or ERR_MEMORY */
void table_add(struct table *, struct table_node *, uint64_t hash);
void table_remove(struct table *, struct table_node *);
struct table_node *table_first(const struct table *, uint64_t hash);
struct table_node *table_next(const struct table_node *); /* of the same hash */
/* Takes any node out; NULL when the table is empty: to free them all. */
struct table_node *table_take_any(struct table *, size_t *from);
void table_done(struct table *); /* frees the heads, not the nodes */

#define TABLE_OWNER(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))
