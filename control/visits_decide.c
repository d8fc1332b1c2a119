/*
 * From an event that names a page to a decision about visiting it.
 *
 * The URL alone says little: its name may lead anywhere, and does so anew each time.  What is decided
 * here is whether that page may be visited at all, on whose word, how often; every connection of the
 * visit is then decided by its address (visits_connect.c).  Who names a page need not own what answers
 * there, so the budgets are small, and one page is visited once a day.
 */
#include "base/url.h"
#include "control/room_inner.h"
#include <stdlib.h>

#define DAY_US 86400000000u

struct wanted { /* a visit that is being decided */
	const struct event *event; /* NULL: asked by hand */
	const struct rule *rule;   /* likewise */
	struct evidence evidence;
	struct address source;
	struct url url;
	char text[URL_TEXT_MAX];
	uint64_t delay_us;
	bool here;
};

static uint32_t day_of(uint64_t time_us) { return (uint32_t)(time_us / DAY_US); }

/* The URL that an event is about, as it was written; empty: none. */
static struct bytes url_in(const struct event *e)
{
	if (e->kind == EVENT_INDICATOR_FOUND)
		return bytes_equal_text(event_bytes(e, FIELD_INDICATOR_TYPE), "url") ? event_bytes(e, FIELD_INDICATOR_VALUE)
										       : (struct bytes){0};
	static const enum field whole[] = {FIELD_FILE_URL}, within[] = {FIELD_COMMAND_LINE, FIELD_TARGET, FIELD_BODY};
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
		struct bytes url = event_bytes(e, whole[i]);
		if (url.len)
			return url;
	}
	for (size_t i = 0; i < sizeof within / sizeof *within; i++) {
		struct bytes url = url_find(event_bytes(e, within[i]));
		if (url.len)
			return url;
	}
	return (struct bytes){0};
}

static struct question question_of(const struct wanted *w, uint64_t leave_us)
{
	return (struct question){
		.target = w->url.address, .evidence = w->evidence, .ports = 1, .tier = 1, .hold_out = -1,
		.leave_us = leave_us, .visit = true, .nameless = !w->url.numeric,
	};
}

static enum reason check_budgets(const struct control *c, const struct wanted *w)
{
	const struct visit_counts *counts = &c->visits.counts;
	const struct visits_option *o = &c->settings.active->visits;
	const uint32_t day = day_of(c->now_us);
	const uint64_t page = visit_count_key(counts, VISITS_OF_PAGE, bytes_of_text(w->text));
	const uint64_t host = visit_count_key(counts, VISITS_OF_HOST, bytes_of_text(w->url.host));
	const uint64_t all = visit_count_key(counts, VISITS_OF_DAY, BYTES("all"));
	/* By hand it may be looked at again: a person asks. */
	if (w->event && !o->again && visit_count(counts, page, day))
		return REASON_VISITED;
	if (visit_count(counts, host, day) >= o->per_host || visit_count(counts, all, day) >= o->per_day)
		return REASON_VISIT_BUDGET;
	return REASON_OK;
}

static enum reason check(struct control *c, const struct wanted *w)
{
	const struct question q = question_of(w, c->now_us + w->delay_us);
	enum reason reason = policy_check(&c->policy, &q, c->targets, NULL, c->now_us);
	if (reason == REASON_OK && !visit_port_is_allowed(&c->settings.active->visits, w->url.port))
		reason = REASON_PORT;
	if (reason == REASON_OK && w->url.numeric && address_equal(&w->url.address, &w->source) &&
	    policy_is_held_out(&c->policy, &w->source, c->settings.active->hold_out))
		reason = REASON_HELD_OUT;
	if (reason == REASON_OK)
		reason = check_budgets(c, w);
	return reason == REASON_OK && c->visits.count >= VISITS_MAX ? REASON_QUEUE_FULL : reason;
}

static void count_one(struct control *c, enum visit_counted kind, struct bytes what)
{
	const uint64_t hash = visit_count_key(&c->visits.counts, kind, what);
	const struct visit_count *now = visit_count_add(&c->visits.counts, hash, day_of(c->now_us));
	if (now)
		state_put_visits(c->state, now->hash, now->day, now->count);
}

static bool decision_begin(struct control *c, const struct wanted *w, const char *decision, enum reason reason)
{
	struct event *e = &c->event;
	event_begin(e, EVENT_DECISION_MADE);
	e->time_us = c->now_us;
	e->id = id_make(&c->ids, c->now_us);
	event_set_text(e, FIELD_SERVICE, "visit");
	event_set_text(e, FIELD_DECISION, decision);
	event_set_text(e, FIELD_REASON, reason_word(reason));
	event_set_text(e, FIELD_BASIS, basis_name(w->evidence.basis));
	event_set_number(e, FIELD_TIER, 1);
	event_set_id(e, FIELD_LEASE, &e->id);
	if (w->text[0])
		event_set_bytes(e, FIELD_PAGE_URL, bytes_of_text(w->text));
	if (w->url.numeric)
		event_set_address(e, FIELD_SRC, &w->url.address);
	if (w->url.port)
		event_set_number(e, FIELD_DPORT, w->url.port);
	if (w->rule)
		event_set_text(e, FIELD_RULE, w->rule->name);
	if (!w->event)
		return true;
	struct event_id session;
	if (event_id_of(w->event, FIELD_SESSION, &session))
		event_set_id(e, FIELD_SESSION, &session);
	return event_set_cause(e, w->event);
}

static void refuse(struct control *c, const struct wanted *w, enum reason reason, struct visit_answer *answer)
{
	const bool held_out = reason == REASON_HELD_OUT || reason == REASON_SILENT_DECOY;
	const char *decision = held_out ? "held-out" : "refused";
	struct writer detail = writer_of(answer->detail, sizeof answer->detail - 1);
	const struct question q = question_of(w, c->now_us);
	answer->decision = decision;
	answer->reason = reason;
	if (w->url.numeric)
		policy_explain(&c->policy, &q, reason, c->now_us, &detail);
	*detail.at = '\0';
	c->visits.refused++;
	c->totals.by_reason[reason]++;
	/* Every visitor of a campaign names the same page: that is told as a number. */
	if (w->event && (reason == REASON_VISITED || !pace_take(&c->refusals, 1, c->now_us))) {
		c->bulk[reason]++;
		return;
	}
	if (!decision_begin(c, w, decision, reason)) {
		c->totals.too_deep++;
		return;
	}
	if (answer->detail[0])
		event_set_text(&c->event, FIELD_DETAIL, answer->detail);
	if (control_publish(c) == 0)
		answer->id = c->event.id;
}

/* The errand is the decision itself: the receiver reads page.url and lease from it. */
static bool hand_over(struct control *c, struct visit_lease *l)
{
	static const struct rule by_hand = {.name = "operator"};
	struct event *e = &c->event;
	event_begin(e, EVENT_DECISION_MADE);
	e->id = l->id;
	e->time_us = id_time_us(&l->id);
	event_set_text(e, FIELD_SERVICE, "visit");
	event_set_text(e, FIELD_BASIS, basis_name((enum basis)l->basis));
	event_set_id(e, FIELD_LEASE, &l->id);
	event_set_bytes(e, FIELD_PAGE_URL, bytes_of_text(l->url));
	if (!id_is_zero(&l->cause) && l->depth)
		event_set_chain(e, &l->cause, &l->root, l->depth - 1);
	const struct rule *rule = l->rule == LOOK_RULE_NONE ? &by_hand : &c->rules.items[l->rule];
	return errands_add(&c->errands, ACTION_VISIT, rule, e) == 0;
}

static void begin(struct control *c, struct visit_lease *l, bool here)
{
	l->expires_us = c->now_us + c->settings.active->visits.lease_ms * 1000;
	if (!here && !hand_over(c, l))
		visits_drop(&c->visits, l);
}

static void allow(struct control *c, const struct wanted *w, struct visit_answer *answer)
{
	struct address target = w->url.address;
	const uint64_t leave_us = c->now_us + w->delay_us, opens_us = policy_opens_us(&c->policy, &target, leave_us);
	char *url = strdup(w->text);
	struct visit_lease *l = url ? visits_take(&c->visits) : NULL;
	if (!l || !decision_begin(c, w, "allowed", REASON_OK)) {
		if (l)
			c->visits.count--; /* still free: it has no id */
		free(url);
		*answer = (struct visit_answer){.decision = "refused", .reason = REASON_QUEUE_FULL};
		return;
	}
	event_set_number(&c->event, FIELD_DELAY, opens_us - c->now_us);
	if (control_publish(c)) {
		c->visits.count--;
		free(url);
		*answer = (struct visit_answer){.decision = "refused", .reason = REASON_QUEUE_FULL};
		return;
	}
	*l = (struct visit_lease){
		.id = c->event.id, .root = c->event.id, .depth = event_number(&c->event, FIELD_DEPTH, 0),
		.basis = (uint8_t)w->evidence.basis, .rule = w->rule ? (uint16_t)(w->rule - c->rules.items) : LOOK_RULE_NONE,
		.basis_until_us = policy_basis_until(&c->policy, &w->evidence), .due_us = opens_us, .source = w->source, .url = url,
	};
	event_id_of(&c->event, FIELD_CAUSE, &l->cause);
	event_id_of(&c->event, FIELD_ROOT, &l->root);
	count_one(c, VISITS_OF_PAGE, bytes_of_text(w->text));
	count_one(c, VISITS_OF_HOST, bytes_of_text(w->url.host));
	count_one(c, VISITS_OF_DAY, BYTES("all"));
	c->visits.allowed++;
	c->totals.by_reason[REASON_OK]++;
	*answer = (struct visit_answer){.decision = "allowed", .reason = REASON_OK, .id = l->id, .not_before_us = l->due_us};
	if (l->due_us <= c->now_us)
		begin(c, l, w->here);
}

static void decide(struct control *c, struct wanted *w, struct bytes named, bool dry, struct visit_answer *answer)
{
	*answer = (struct visit_answer){.decision = "refused", .reason = REASON_NO_PAGE};
	enum reason reason = REASON_NO_PAGE;
	if (url_parse(named, NULL, &w->url) == 0 && strlen(url_format(&w->url, w->text)) < VISIT_URL_KEPT_MAX)
		reason = check(c, w);
	else
		w->text[0] = '\0';
	if (dry)
		*answer = (struct visit_answer){.decision = reason == REASON_OK ? "allowed" : "refused", .reason = reason};
	else if (reason == REASON_OK)
		allow(c, w, answer);
	else
		refuse(c, w, reason, answer);
}

void control_visit(struct control *c, const struct event *e, const char *role, unsigned worker)
{
	const struct rule *rule = rules_pick(&c->rules, ACTION_VISIT, e, NULL);
	const struct bytes named = rule ? url_in(e) : (struct bytes){0};
	struct visit_answer answer;
	(void)worker;
	if (!named.len)
		return;
	struct wanted w = {.event = e, .rule = rule, .evidence = evidence_of(e, role)};
	event_address(e, FIELD_SRC, &w.source);
	if (rule->basis != BASIS_NONE && w.evidence.basis != rule->basis)
		w.evidence.basis = BASIS_NONE;
	w.delay_us = rule->delay_min_us + random_below(&c->random, rule->delay_max_us - rule->delay_min_us + 1);
	decide(c, &w, named, false, &answer);
}

void control_visit_ask(struct control *c, struct bytes url, bool here, bool dry, uint64_t now_us, struct visit_answer *answer)
{
	c->now_us = now_us;
	struct wanted w = {.evidence = {.basis = BASIS_OPERATOR, .time_us = now_us}, .here = here};
	decide(c, &w, url, dry, answer);
}

/* Waited for its time: is it still allowed? */
static void come_due(struct control *c, struct visit_lease *l)
{
	struct wanted w = {.evidence = policy_evidence_until(&c->policy, (enum basis)l->basis, l->basis_until_us)};
	enum reason reason = REASON_NO_PAGE;
	if (url_parse(bytes_of_text(l->url), NULL, &w.url) == 0) {
		const struct question q = question_of(&w, c->now_us);
		reason = policy_check_again(&c->policy, &q, c->now_us);
	}
	if (reason == REASON_OK) {
		begin(c, l, false);
		return;
	}
	struct event *e = &c->event;
	event_begin(e, EVENT_DECISION_MADE);
	e->time_us = c->now_us;
	event_set_text(e, FIELD_SERVICE, "visit");
	event_set_text(e, FIELD_DECISION, "withdrawn");
	event_set_text(e, FIELD_REASON, reason_word(reason));
	event_set_bytes(e, FIELD_PAGE_URL, bytes_of_text(l->url));
	event_set_id(e, FIELD_LEASE, &l->id);
	if (event_set_chain(e, &l->id, &l->root, l->depth))
		control_publish(c);
	visits_drop(&c->visits, l);
}

void control_visits_tick(struct control *c, uint64_t now_us)
{
	c->now_us = now_us;
	for (size_t i = 0; c->visits.count && i < VISITS_MAX; i++) {
		struct visit_lease *l = &c->visits.items[i];
		if (id_is_zero(&l->id))
			continue;
		if (l->expires_us && l->expires_us <= now_us)
			visits_drop(&c->visits, l);
		else if (!l->expires_us && l->due_us <= now_us)
			come_due(c, l);
	}
}
