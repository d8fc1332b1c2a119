/*
 * From an event to a decision.
 *
 * One trigger makes at most one decision about a look and one about steering.  Each decision
 * is an event before anything is done about it; when the journal cannot take it, nothing is
 * done.  Who triggers again and again is told once, then counted: triggers of the very session
 * that led to a look are part of the same attack and only add up; others are told together
 * when their window is over.
 */
#include "control/room_inner.h"

#define HOUR_US 3600000000u

struct trigger {
	const struct event *event; /* NULL: asked by hand, or by the study */
	const struct rule *rule;   /* NULL likewise */
	struct question question;
	const struct followed_cause *earlier; /* of the study: what its look follows from */
	const char *why;                      /* likewise */
	const uint32_t *ports;
	uint64_t delay_min_us, delay_max_us;
	uint32_t session;
	unsigned worker;
	bool check; /* of a command server */
};

uint32_t control_session_mark(const struct event *e)
{
	struct event_id session;
	if (!event_id_of(e, FIELD_SESSION, &session))
		return 0;
	struct reader r = reader_of(session.b + 8, 8);
	uint32_t maker = read_u32(&r), count = read_u32(&r);
	return (maker ^ count * 0x9e3779b9u) | 1;
}

static uint16_t rule_number(const struct control *c, const struct rule *rule)
{
	return rule ? (uint16_t)(rule - c->rules.items) : LOOK_RULE_NONE;
}

/* False: the chain of causes is too long, it must be a loop of ours. */
static bool decision_begin(struct control *c, const struct trigger *t, const char *decision,
			   enum reason reason)
{
	struct event *e = &c->event;
	event_begin(e, EVENT_DECISION_MADE);
	e->time_us = c->now_us;
	e->id = id_make(&c->ids, c->now_us);
	event_set_address(e, FIELD_SRC, &t->question.target);
	event_set_text(e, FIELD_DECISION, decision);
	event_set_text(e, FIELD_REASON, reason_word(reason));
	event_set_text(e, FIELD_BASIS, basis_name(t->question.evidence.basis));
	event_set_number(e, FIELD_TIER, t->question.tier);
	event_set_id(e, FIELD_LEASE, &e->id);
	if (t->rule)
		event_set_text(e, FIELD_RULE, t->rule->name);
	if (t->earlier) {
		event_set_text(e, FIELD_DETAIL, t->why);
		return event_set_chain(e, &t->earlier->id, &t->earlier->root, t->earlier->depth);
	}
	if (!t->event)
		return true;
	struct event_id session;
	if (event_id_of(t->event, FIELD_SESSION, &session))
		event_set_id(e, FIELD_SESSION, &session);
	if (!address_is_zero(&t->question.evidence.decoy))
		event_set_address(e, FIELD_DST, &t->question.evidence.decoy);
	return event_set_cause(e, t->event);
}

static void target_remember(struct target *target, const struct event *decision)
{
	target->decision = target->root = decision->id;
	event_id_of(decision, FIELD_ROOT, &target->root);
	target->depth = (uint8_t)event_number(decision, FIELD_DEPTH, 0);
}

static bool is_counted_in_window(const struct target *target, enum reason reason)
{
	return target->window_us && target->reason == reason;
}

/* Opens a window; what the one before counted is told first. */
static void window_open(struct control *c, const struct trigger *t, struct target *target,
			enum reason reason)
{
	control_window_tell(c, target);
	target->reason = (uint8_t)reason;
	target->rule = rule_number(c, t->rule);
	targets_count_from(c->targets, target, c->now_us);
}

static void explain(struct control *c, const struct trigger *t, enum reason reason, struct look_answer *answer)
{
	struct writer w = writer_of(answer->detail, sizeof answer->detail - 1);
	policy_explain(&c->policy, &t->question, reason, c->now_us, &w);
	*w.at = '\0';
}

static void refuse(struct control *c, const struct trigger *t, struct target *target,
		   enum reason reason, struct look_answer *answer)
{
	bool held_out = reason == REASON_HELD_OUT || reason == REASON_SILENT_DECOY;
	const char *decision = held_out ? "held-out" : "refused";
	bool looked = reason == REASON_TARGET_BUDGET && target && target->looked_us;
	*answer = (struct look_answer){.decision = decision, .reason = reason};
	explain(c, t, reason, answer);
	c->totals.by_reason[reason]++;
	if (held_out)
		c->totals.held_out++;
	else
		c->totals.refused++;
	if (looked && t->session && t->session == target->session) {
		c->totals.merged++;
		return;
	}
	if (target && t->event && (is_counted_in_window(target, reason) || looked)) {
		if (!is_counted_in_window(target, reason))
			window_open(c, t, target, reason);
		target->repeats++;
		c->totals.repeated++;
		return;
	}
	if (!target || (!held_out && t->event && !pace_take(&c->refusals, 1, c->now_us))) {
		c->bulk[reason]++;
		return;
	}
	if (t->event)
		window_open(c, t, target, reason);
	if (!decision_begin(c, t, decision, reason)) {
		c->totals.too_deep++;
		return;
	}
	if (answer->detail[0] && !t->why)
		event_set_text(&c->event, FIELD_DETAIL, answer->detail);
	if (control_publish(c))
		return;
	answer->id = c->event.id;
	if (t->event)
		target_remember(target, &c->event);
}

static bool sensor_is_over_budget(struct control *c, unsigned worker)
{
	uint64_t most = c->settings.active->looks_per_sensor;
	struct sensor_budget *b = &c->sensors[worker % SENSORS_MAX];
	if (c->now_us / HOUR_US != b->hour_us)
		*b = (struct sensor_budget){.hour_us = c->now_us / HOUR_US};
	return most && b->looks >= most;
}

void control_keep_look(struct control *c, const struct look *l)
{
	struct state_look kept = {.look = *l};
	const struct target *target = targets_find(c->targets, &l->lease.target);
	kept.session = target ? target->session : 0;
	if (l->rule != LOOK_RULE_NONE)
		snprintf(kept.rule, sizeof kept.rule, "%s", c->rules.items[l->rule].name);
	state_put_look(c->state, &kept);
}

static struct look look_of(struct control *c, const struct trigger *t, uint64_t delay_us)
{
	const struct event *e = &c->event;
	const struct active_options *o = c->settings.active;
	struct look l = {.rule = rule_number(c, t->rule), .sensor = (uint8_t)t->worker, .check = t->check};
	l.basis_until_us = policy_basis_until(&c->policy, &t->question.evidence);
	l.lease = (struct lease){
		.id = e->id,
		.root = e->id,
		.depth = event_number(e, FIELD_DEPTH, 0),
		.target = t->question.target,
		.from = policy_source(&c->policy, &t->question.target),
		.port_count = (uint8_t)t->question.ports,
		.tier = (uint8_t)t->question.tier,
		.basis = (uint8_t)t->question.evidence.basis,
		.packets_max = (uint16_t)(t->question.ports * o->packets_per_port),
		.not_before_us = c->now_us + delay_us,
		.trigger_us = c->now_us,
	};
	event_id_of(e, FIELD_CAUSE, &l.lease.cause);
	event_id_of(e, FIELD_ROOT, &l.lease.root);
	memcpy(l.lease.ports, t->ports, t->question.ports * sizeof *t->ports);
	if (t->event)
		l.lease.trigger_us = event_number(t->event, FIELD_RECEIVED, t->event->time_us);
	l.lease.expires_us = l.lease.not_before_us + o->lease_ms * 1000;
	return l;
}

static uint64_t draw_delay(struct control *c, const struct trigger *t)
{
	return t->delay_min_us + random_below(&c->random, t->delay_max_us - t->delay_min_us + 1);
}

static enum reason reason_to_wait(struct control *c, const struct trigger *t, uint64_t delay_us)
{
	if (delay_us)
		return REASON_OK;
	if (looks_network_busy(c->looks, &t->question.target))
		return REASON_NETWORK_BUSY;
	double packets = (double)(t->question.ports * c->settings.active->packets_per_port);
	return pace_has(&c->packets, packets, c->now_us) ? REASON_OK : REASON_RATE;
}

static void allow(struct control *c, const struct trigger *t, struct target *target,
		  struct look_answer *answer)
{
	uint64_t opens_us = policy_opens_us(&c->policy, &t->question.target, t->question.leave_us);
	uint64_t delay_us = opens_us > c->now_us ? opens_us - c->now_us : 0;
	enum reason reason = reason_to_wait(c, t, delay_us);
	control_window_tell(c, target);
	targets_count_stop(c->targets, target);
	if (!decision_begin(c, t, "allowed", reason)) {
		c->totals.too_deep++;
		*answer = (struct look_answer){.decision = "refused", .reason = REASON_NO_BASIS};
		return;
	}
	event_set_number(&c->event, FIELD_DELAY, delay_us);
	if (control_publish(c)) {
		*answer = (struct look_answer){.decision = "refused", .reason = REASON_QUEUE_FULL};
		return;
	}
	const struct look l = look_of(c, t, delay_us);
	target_remember(target, &c->event);
	target->session = t->session;
	target->reason = REASON_OK;
	target->rule = l.rule;
	targets_looked(c->targets, target, c->now_us);
	c->sensors[t->worker % SENSORS_MAX].looks += t->event != NULL;
	c->totals.allowed++;
	c->totals.by_reason[reason]++;
	control_keep_look(c, looks_add(c->looks, &l));
	*answer = (struct look_answer){.decision = "allowed", .reason = reason, .id = l.lease.id,
				      .not_before_us = l.lease.not_before_us};
}

static void decide(struct control *c, struct trigger *t, struct look_answer *answer)
{
	struct target *target = targets_find(c->targets, &t->question.target);
	t->question.leave_us = c->now_us + draw_delay(c, t);
	enum reason reason = policy_check(&c->policy, &t->question, c->targets, target, c->now_us);
	if (reason == REASON_OK && t->event && sensor_is_over_budget(c, t->worker))
		reason = REASON_SENSOR_BUDGET;
	target = targets_take(c->targets, &t->question.target, c->now_us);
	if (reason == REASON_OK && (!target || looks_full(c->looks)))
		reason = REASON_QUEUE_FULL;
	if (reason == REASON_OK)
		allow(c, t, target, answer);
	else
		refuse(c, t, target, reason, answer);
}

static void decide_dry(struct control *c, const struct trigger *t, struct look_answer *answer)
{
	struct target *target = targets_find(c->targets, &t->question.target);
	enum reason reason = policy_check(&c->policy, &t->question, c->targets, target, c->now_us);
	*answer = (struct look_answer){.decision = reason == REASON_OK ? "allowed" : "refused", .reason = reason};
	explain(c, t, reason, answer);
}

void control_ask(struct control *c, const struct look_ask *ask, uint64_t now_us,
		 struct look_answer *answer)
{
	c->now_us = now_us;
	struct trigger t = {
		.question = {.target = ask->target, .evidence = {.basis = ask->basis, .time_us = now_us},
			     .ports = ask->port_count, .udp = ports_hold_udp(ask->ports, ask->port_count),
			     .tier = ask->tier, .hold_out = -1},
		.ports = ask->ports,
		.earlier = ask->why[0] ? &ask->record : NULL,
		.why = ask->why,
	};
	evidence_heed(&t.question.evidence, bytes_of_text(ask->pap));
	if (ask->dry)
		decide_dry(c, &t, answer);
	else
		decide(c, &t, answer);
}

void control_look_at_hit(struct control *c, const struct event *hit, const uint32_t *ports, size_t count,
			 uint64_t tier, struct look_answer *answer)
{
	struct trigger t = {
		.event = hit,
		.question = {.evidence = {.basis = BASIS_SURVEY, .time_us = c->now_us}, .ports = count,
			     .udp = ports_hold_udp(ports, count), .tier = tier, .hold_out = -1},
		.ports = ports,
		.worker = SENSORS_MAX - 1,
	};
	event_address(hit, FIELD_SRC, &t.question.target);
	decide(c, &t, answer);
}

void control_look_of_study(struct control *c, const struct question *q, const uint32_t *ports,
			   const struct followed_cause *earlier, const char *why, struct look_answer *answer)
{
	struct trigger t = {.question = *q, .ports = ports, .earlier = earlier, .why = why};
	decide(c, &t, answer);
}

void control_look_of_check(struct control *c, const struct event *e, const struct rule *rule, const struct question *q,
			   const uint32_t *ports, const struct followed_cause *earlier, const char *why,
			   unsigned worker, struct look_answer *answer)
{
	struct trigger t = {.event = e, .rule = rule, .question = *q, .ports = ports, .earlier = earlier, .why = why,
			    .worker = worker, .check = true};
	if (rule && e) {
		t.delay_min_us = rule->delay_min_us;
		t.delay_max_us = rule->delay_max_us;
	}
	if (rule && rule->basis != BASIS_NONE && q->evidence.basis != rule->basis)
		t.question.evidence.basis = BASIS_NONE;
	decide(c, &t, answer);
}

static void event_probe(struct control *c, const struct event *e, const struct rule *rule,
			const struct address *source, const char *role, unsigned worker)
{
	struct look_answer answer;
	struct trigger t = {
		.event = e,
		.rule = rule,
		.question = {.target = *source, .evidence = evidence_of(e, role),
			     .ports = rule->port_count,
			     .udp = ports_hold_udp(rule->ports, rule->port_count), .tier = rule->tier, .hold_out = rule->hold_out},
		.ports = rule->ports,
		.delay_min_us = rule->delay_min_us,
		.delay_max_us = rule->delay_max_us,
		.session = control_session_mark(e),
		.worker = worker,
	};
	if (rule->basis != BASIS_NONE && t.question.evidence.basis != rule->basis)
		t.question.evidence.basis = BASIS_NONE;
	decide(c, &t, &answer);
	control_follow_attack(c, e, &t.question, &answer);
}

void control_event(struct control *c, const struct event *e, unsigned worker, uint64_t now_us)
{
	char role[32] = "";
	struct address source;
	c->now_us = now_us;
	bytes_copy_text(event_bytes(e, FIELD_PROCESS), role, sizeof role);
	if (!((c->rules.kinds | control_learns_from(c) | control_follow_kinds(c)) & KIND_MASK(e->kind)))
		return;
	const bool has_source = event_address(e, FIELD_SRC, &source);
	if (has_source && prefix_set_holds(&c->settings.probers, &source)) {
		c->totals.from_probers++;
		return;
	}
	if (event_number(e, FIELD_DEPTH, 0) >= EVENT_DEPTH_MAX) {
		c->totals.too_deep++;
		return;
	}
	control_hand_over(c, e);
	control_visit(c, e, role, worker);
	if (!has_source)
		return;
	control_follow_hear(c, &source, role);
	control_learn(c, e, &source, role);
	const struct rule *probe = rules_pick(&c->rules, ACTION_PROBE, e, NULL);
	if (probe)
		event_probe(c, e, probe, &source, role, worker);
	const struct rule *check = rules_pick(&c->rules, ACTION_CHECK, e, NULL);
	if (check)
		control_check_event(c, e, check, &source, role, worker);
	if (rules_pick(&c->rules, ACTION_LEAK, e, NULL))
		control_leak_event(c, e, &source, role);
	control_steer(c, e, &source);
}
