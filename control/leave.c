/*
 * How an allowed look leaves: checked once more, paced, given to the prober, done.
 *
 * A look whose fate is not known (the prober died with it, or never said that it was done) is
 * not given again: a second round within the day would break the promise to its target.
 */
#include "control/room_inner.h"

#define RETRY_US 1000000    /* after the prober gave a look back */
#define LEASE_GRACE_US 5000000 /* between the end of a lease and giving up on its answer */

static bool look_event_begin(struct control *c, const struct look *l, const char *decision,
			     enum reason reason)
{
	struct event *e = &c->event;
	event_begin(e, EVENT_DECISION_MADE);
	e->time_us = c->now_us;
	event_set_address(e, FIELD_SRC, &l->lease.target);
	event_set_text(e, FIELD_DECISION, decision);
	event_set_text(e, FIELD_REASON, reason_word(reason));
	event_set_text(e, FIELD_BASIS, basis_name((enum basis)l->lease.basis));
	event_set_number(e, FIELD_TIER, l->lease.tier);
	event_set_id(e, FIELD_LEASE, &l->lease.id);
	event_set_text(e, FIELD_DETAIL, reason_what(reason));
	if (l->rule != LOOK_RULE_NONE)
		event_set_text(e, FIELD_RULE, c->rules.items[l->rule].name);
	return event_set_chain(e, &l->lease.id, &l->lease.root, l->lease.depth);
}

static void tell_withdrawn(struct control *c, const struct look *l, enum reason reason)
{
	c->totals.withdrawn++;
	c->totals.by_reason[reason]++;
	if (look_event_begin(c, l, "withdrawn", reason))
		control_publish(c);
}

static void forget(struct control *c, struct look *l, bool packet_may_have_left)
{
	struct target *target = targets_find(c->targets, &l->lease.target);
	uint64_t looked_us = packet_may_have_left ? c->now_us : 0;
	state_put_done(c->state, &l->lease.id, looked_us);
	if (target && id_equal(&target->decision, &l->lease.id))
		targets_looked(c->targets, target, looked_us);
	if (packet_may_have_left)
		control_follow_looked(c, l);
	looks_remove(c->looks, l);
}

void control_withdraw(struct control *c, struct look *l, enum reason reason, bool packet_may_have_left)
{
	if (!l->withdrawn)
		tell_withdrawn(c, l, reason);
	forget(c, l, packet_may_have_left);
}

static enum reason check_again(struct control *c, const struct look *l)
{
	const struct question q = {
		.target = l->lease.target,
		.evidence = policy_evidence_until(&c->policy, (enum basis)l->lease.basis,
						  l->basis_until_us),
		.ports = l->lease.port_count,
		.udp = ports_hold_udp(l->lease.ports, l->lease.port_count),
		.tier = l->lease.tier,
	};
	return policy_check_again(&c->policy, &q, c->now_us);
}

/* The budget of the autonomous system that the address lies in; NULL: none, or it is not known. */
static struct pace *pace_of_system(struct control *c, const struct address *target)
{
	uint32_t as = c->systems ? atlas_as(c->atlas, target) : 0;
	return as ? &c->systems[random_mix(as) & (AS_PACES - 1)] : NULL;
}

/* When it may leave: now, or when its window opens or its system has packets again. */
static uint64_t ready_us(struct control *c, const struct look *l)
{
	struct pace *system = pace_of_system(c, &l->lease.target);
	uint64_t opens_us = policy_opens_us(&c->policy, &l->lease.target, c->now_us);
	if (opens_us > c->now_us || !system || pace_has(system, l->lease.packets_max, c->now_us))
		return opens_us;
	c->totals.by_reason[REASON_AS_RATE]++;
	return c->now_us + pace_wait_us(system, l->lease.packets_max);
}

static void refund(struct control *c, const struct look *l, double packets)
{
	struct pace *system = pace_of_system(c, &l->lease.target);
	pace_refund(&c->packets, packets);
	if (system)
		pace_refund(system, packets);
}

struct look *control_next(struct control *c, uint64_t now_us)
{
	c->now_us = now_us;
	looks_advance(c->looks, now_us);
	for (struct look *l; (l = looks_first(c->looks));) {
		enum reason reason = check_again(c, l);
		if (reason != REASON_OK) {
			control_withdraw(c, l, reason, false);
			continue;
		}
		uint64_t ready = ready_us(c, l);
		if (ready > now_us) {
			looks_return(c->looks, l, ready); /* others need not wait behind it */
			continue;
		}
		if (looks_count(c->looks, LOOK_GIVEN) >= c->settings.active->looks_at_once ||
		    !pace_take(&c->packets, l->lease.packets_max, now_us))
			return NULL;
		struct pace *system = pace_of_system(c, &l->lease.target);
		if (system)
			pace_take(system, l->lease.packets_max, now_us);
		return l;
	}
	return NULL;
}

uint64_t control_wake_us(struct control *c, uint64_t now_us)
{
	const struct look *first = looks_first(c->looks);
	uint64_t wake = looks_wake_us(c->looks);
	if (first && looks_count(c->looks, LOOK_GIVEN) < c->settings.active->looks_at_once) {
		uint64_t packets = now_us + pace_wait_us(&c->packets, first->lease.packets_max);
		wake = packets < wake ? packets : wake;
	}
	return wake;
}

void control_given(struct control *c, struct look *l, uint64_t now_us)
{
	l->lease.not_before_us = now_us;
	l->lease.expires_us = now_us + c->settings.active->lease_ms * 1000;
	state_put_given(c->state, &l->lease.id, l->lease.expires_us);
	looks_give(c->looks, l, l->lease.expires_us + LEASE_GRACE_US);
}

void control_return(struct control *c, struct look *l, uint64_t now_us)
{
	refund(c, l, l->lease.packets_max);
	looks_return(c->looks, l, now_us + RETRY_US);
	control_keep_look(c, l);
}

void control_unsent(struct control *c, struct look *l, uint64_t now_us)
{
	c->now_us = now_us;
	if (!l->withdrawn && ++l->tries < LOOK_TRIES_MAX) {
		control_return(c, l, now_us);
		return;
	}
	refund(c, l, l->lease.packets_max);
	control_withdraw(c, l, REASON_UNSENT, false);
}

void control_done(struct control *c, const struct event_id *id, uint64_t packets, uint64_t now_us)
{
	struct look *l = looks_find(c->looks, id);
	if (!l || l->state != LOOK_GIVEN)
		return; /* of a life before this one */
	if (packets == 0) {
		control_unsent(c, l, now_us);
		return;
	}
	c->now_us = now_us;
	uint64_t allowed = l->lease.packets_max;
	if (packets < allowed)
		refund(c, l, (double)(allowed - packets));
	c->totals.looks_done++;
	c->totals.packets_sent += packets;
	forget(c, l, true);
}

void control_overdue(struct control *c, uint64_t now_us)
{
	c->now_us = now_us;
	for (struct look *l; (l = looks_overdue(c->looks, now_us));)
		control_withdraw(c, l, REASON_OVERDUE, true);
}

static void lose_if_given(void *arg, struct look *l)
{
	if (l->state == LOOK_GIVEN)
		control_withdraw(arg, l, REASON_PROBER_GONE, true);
}

void control_prober_gone(struct control *c, uint64_t now_us)
{
	c->now_us = now_us;
	looks_each(c->looks, lose_if_given, c);
}

static void withdraw_if_opted_out(void *arg, struct look *l)
{
	struct control *c = arg;
	if (!policy_has_opted_out(&c->policy, &l->lease.target))
		return;
	if (l->state != LOOK_GIVEN) {
		control_withdraw(c, l, REASON_OPTED_OUT, false);
		return;
	}
	c->revoke(c->arg, &l->lease.target);
	if (!l->withdrawn)
		tell_withdrawn(c, l, REASON_OPTED_OUT);
	l->withdrawn = true;
}

void control_opt_outs_changed(struct control *c, uint64_t now_us)
{
	c->now_us = now_us;
	c->policy.opt_outs_unknown = c->optout.file && !c->optout.known;
	looks_each(c->looks, withdraw_if_opted_out, c);
	control_follow_opt_outs(c);
	control_visits_opt_outs(c);
}
