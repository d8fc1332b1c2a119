/*
 * Each connection of a visit, decided by the address that its name resolved to.
 *
 * The same checks as for a look, budgets apart: special ranges, our own addresses, the scope, opt-outs,
 * known scanners.  What is refused is told, so that a page which tries to reach our own network leaves a
 * trace; what is allowed, the process that visits tells when it connects (probe.sent).
 */
#include "control/room_inner.h"

#define DAY_US 86400000000u
#define PACKETS_PER_CONNECTION 3 /* that open one; what follows goes by the visit's bytes */

static void tell_refused(struct control *c, struct visit_lease *l, const struct address *a, uint16_t port, struct bytes host,
			 enum reason reason)
{
	struct event *e = &c->event;
	c->visits.connects_refused++;
	c->totals.by_reason[reason]++;
	bool told = l->refusals == VISIT_REFUSALS_MAX;
	for (size_t i = 0; i < l->refusals && !told; i++)
		told = address_equal(&l->refused[i], a);
	if (told) {
		c->bulk[reason]++;
		return;
	}
	l->refused[l->refusals++] = *a;
	event_begin(e, EVENT_DECISION_MADE);
	e->time_us = c->now_us;
	event_set_text(e, FIELD_SERVICE, "visit");
	event_set_text(e, FIELD_DECISION, "refused");
	event_set_text(e, FIELD_REASON, reason_word(reason));
	event_set_text(e, FIELD_BASIS, basis_name((enum basis)l->basis));
	event_set_id(e, FIELD_LEASE, &l->id);
	event_set_address(e, FIELD_SRC, a);
	event_set_number(e, FIELD_DPORT, port);
	event_set_bytes(e, FIELD_HOST_NAME, host);
	if (event_set_chain(e, &l->id, &l->root, l->depth))
		control_publish(c);
}

static struct visit_address *address_of(struct visit_lease *l, const struct address *a)
{
	for (size_t i = 0; i < l->address_count; i++)
		if (address_equal(&l->addresses[i].address, a))
			return &l->addresses[i];
	return NULL;
}

/* The first connection of a visit to an address counts as a visit there. */
static enum reason count_address(struct control *c, struct visit_lease *l, const struct address *a)
{
	struct visit_counts *counts = &c->visits.counts;
	const uint32_t day = (uint32_t)(c->now_us / DAY_US);
	const uint64_t hash = visit_count_key(counts, VISITS_OF_ADDRESS, (struct bytes){a->b, sizeof a->b});
	if (l->address_count == VISIT_ADDRESSES_MAX || visit_count(counts, hash, day) >= c->settings.active->visits.per_address)
		return REASON_VISIT_BUDGET;
	const struct visit_count *now = visit_count_add(counts, hash, day);
	if (!now)
		return REASON_VISIT_BUDGET;
	state_put_visits(c->state, now->hash, now->day, now->count);
	l->addresses[l->address_count++] = (struct visit_address){*a, true};
	return REASON_OK;
}

static enum reason check(struct control *c, struct visit_lease *l, const struct address *a, uint16_t port)
{
	const struct active_options *o = c->settings.active;
	const struct question q = {
		.target = *a, .evidence = policy_evidence_until(&c->policy, (enum basis)l->basis, l->basis_until_us),
		.ports = 1, .tier = 1, .hold_out = -1, .visit = true,
	};
	const enum reason reason = policy_check_again(&c->policy, &q, c->now_us);
	if (reason != REASON_OK)
		return reason;
	if (!visit_port_is_allowed(&o->visits, port))
		return REASON_PORT;
	/* Sources that are never looked at are not visited either: whose event it was, and who is known from others. */
	if ((address_equal(a, &l->source) || targets_find(c->targets, a)) && policy_is_held_out(&c->policy, a, o->hold_out))
		return REASON_HELD_OUT;
	return pace_take(&c->packets, PACKETS_PER_CONNECTION, c->now_us) ? REASON_OK : REASON_RATE;
}

enum reason control_visit_connect(struct control *c, const struct event_id *lease, const struct address *a, uint16_t port,
				  struct bytes host, uint64_t now_us, struct address *from)
{
	struct visit_lease *l = visits_find(&c->visits, lease);
	c->now_us = now_us;
	*from = (struct address){0};
	c->visits.connects++;
	if (!l || !l->expires_us || l->expires_us <= now_us || ++l->connections > c->settings.active->visits.connections) {
		c->visits.connects_refused++;
		return REASON_NO_LEASE;
	}
	enum reason reason = check(c, l, a, port);
	if (reason == REASON_OK && !address_of(l, a))
		reason = count_address(c, l, a);
	if (reason == REASON_OK)
		*from = policy_source(&c->policy, a);
	else
		tell_refused(c, l, a, port, host, reason);
	return reason;
}

void control_visit_done(struct control *c, const struct event_id *lease)
{
	struct visit_lease *l = visits_find(&c->visits, lease);
	if (!l)
		return;
	c->visits.done++;
	visits_drop(&c->visits, l);
}

void control_visits_opt_outs(struct control *c)
{
	for (size_t i = 0; c->visits.count && c->revoke_visits && i < VISITS_MAX; i++) {
		struct visit_lease *l = &c->visits.items[i];
		for (size_t k = 0; k < l->address_count; k++) {
			struct visit_address *it = &l->addresses[k];
			if (it->allowed && (c->policy.opt_outs_unknown || policy_has_opted_out(&c->policy, &it->address))) {
				it->allowed = false;
				c->revoke_visits(c->arg, &it->address);
			}
		}
	}
}
