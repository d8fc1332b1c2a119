/* What the configuration lets out of a run: caps, and decoys for what the sample scans. */
#include "lab/role/settings_inner.h"
#include "lab/run.h"

bool lab_egress_is_on(const struct config *c) { return ((const struct lab_options *)config_section(c, "lab"))->egress.on; }

int egress_plan_of(const struct lab_options *o, struct egress_plan *out, struct fault *fault)
{
	const struct lab_decoy *decoys = o->egress.decoys.items;
	*out = (struct egress_plan){.sent_max = o->egress.sent, .received_max = o->egress.received, .netns = -1,
				    .connections_max = (unsigned)o->egress.connections, .per_minute_max = (unsigned)o->egress.connections};
	if (o->egress.decoys.count > EGRESS_DECOYS_MAX)
		return fault_set(fault, ERR_FULL, "lab.egress.decoys: at most %d are possible", EGRESS_DECOYS_MAX);
	for (size_t i = 0; i < o->egress.decoys.count; i++)
		out->decoys[out->decoy_count++] = (struct egress_decoy){
			.scanned = (uint16_t)decoys[i].port, .address = decoys[i].address,
			.port = (uint16_t)(decoys[i].to ? decoys[i].to : decoys[i].port)};
	return egress_check(out, fault);
}

int lab_egress_plan(const struct config *c, const char *name, const struct address *address, uint16_t port,
		    struct arena *arena, const struct egress_plan **out, struct fault *fault)
{
	struct egress_plan *plan = arena_alloc(arena, sizeof *plan);
	if (!lab_egress_is_on(c))
		return fault_set(fault, ERR_DENIED, "lab.egress.on is not set in %s: nothing of a sample leaves", c->file);
	if (!plan)
		return fault_set(fault, ERR_MEMORY, "no memory for an egress");
	int bad = egress_plan_of(config_section(c, "lab"), plan, fault);
	if (bad)
		return bad;
	struct egress_target *t = &plan->targets[plan->target_count++];
	t->address = *address;
	t->port = port;
	if (name && !bytes_copy_text(bytes_of_text(name), t->name, sizeof t->name))
		return fault_set(fault, ERR_BAD, "egress: that name is too long");
	*out = plan;
	return egress_check(plan, fault);
}
