#include "active/scan/plan_inner.h"

struct plan plan_make(const struct scan_options *o)
{
	struct plan p = {.targets = o->targets, .shard = o->shard, .shards = o->shards ? o->shards : 1,
			 .passes = o->passes ? o->passes : 1};
	p.ports = o->protocol == SCAN_ICMP || !o->port_count ? 1 : o->port_count;
	const uint64_t count = scan_targets_count(o->targets) * p.ports;
	p.permutation = permutation_make(count, o->seed);
	p.in_pass = p.shard < count ? (count - p.shard + p.shards - 1) / p.shards : 0;
	p.positions = p.in_pass * p.passes;
	return p;
}

uint64_t scan_plan_positions(const struct scan_options *o) { return plan_make(o).positions; }

void scan_plan_at(const struct scan_options *o, uint64_t position, struct address *a, uint16_t *port)
{
	const struct plan p = plan_make(o);
	const uint64_t index = plan_index(&p, position);
	*a = scan_targets_at(o->targets, index / p.ports);
	*port = o->port_count ? o->ports[index % p.ports] : 0;
}

bool scan_place_of(const struct scan_options *o, const struct address *a, uint16_t port, uint64_t *position)
{
	const struct plan p = plan_make(o);
	uint64_t number, index = 0;
	if (!scan_targets_find(o->targets, a, &number))
		return false;
	while (o->protocol != SCAN_ICMP && index < o->port_count && o->ports[index] != port)
		index++;
	if (index >= p.ports)
		return false;
	const uint64_t place = permutation_place(&p.permutation, number * p.ports + index);
	if (place % p.shards != p.shard)
		return false;
	*position = place / p.shards;
	return true;
}
