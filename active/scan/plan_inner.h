/* Which probe comes when: positions of a shard, over all passes, and the target and port of each. */
#pragma once
#include "active/scan/permutation_inner.h"
#include "active/scan/scan.h"

struct plan {
	struct permutation permutation;
	const struct scan_targets *targets;
	uint64_t shard, shards, passes;
	uint64_t in_pass, positions; /* of this shard: in one pass, over all */
	uint64_t ports;              /* 1 for ICMP */
};

struct plan plan_make(const struct scan_options *);
static inline uint64_t plan_index(const struct plan *p, uint64_t position)
{
	return permutation_at(&p->permutation, position % p->in_pass * p->shards + p->shard);
}
