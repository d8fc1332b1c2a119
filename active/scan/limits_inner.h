/*
 * At least so long between two packets to one network, or to one address: exactly, whatever the
 * permutation does.
 *
 * A table of who was sent to within that time.  What may not leave yet waits in a heap until its
 * turn; when table or heap is full, nobody goes on.  Nothing is ever sent because of a full table.
 */
#pragma once
#include "base/address.h"

#define WAITING_MAX 65536
#define LIMIT_ENTRIES_MAX (1u << 21)

struct limit;
/* `entries` is how many keys may be busy at once, at most LIMIT_ENTRIES_MAX. */
int limit_open(struct limit **, uint64_t gap_us, uint64_t entries);
void limit_close(struct limit *);
/* 0: it may leave now.  Else when to ask again; that turn is kept for whoever asks then. */
uint64_t limit_ask(struct limit *, uint64_t key, uint64_t now_us, bool again);
void limit_take(struct limit *, uint64_t key, uint64_t now_us); /* it left */

struct waiting_probe {
	uint64_t due_us, place;
	bool network_kept, target_kept; /* it has a turn with that limit already */
};
struct waiting { /* a heap, the earliest first */
	struct waiting_probe *items;
	size_t count;
};
int waiting_open(struct waiting *);
void waiting_close(struct waiting *);
bool waiting_put(struct waiting *, const struct waiting_probe *); /* false: full */
struct waiting_probe waiting_take(struct waiting *);             /* count > 0 */
