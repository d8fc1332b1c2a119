/* The room's beginning: what it remembers of its life before, and how that is written anew. */
#include "base/error.h"
#include "control/room_inner.h"
#include <stdlib.h>

#define HOLD_OUT_NONE 0
#define WISHES_PER_SECOND 10 /* of the operator's programs; a file serves for more */
#define WISHES_AT_ONCE 1000
#define VISITORS_PER_SECOND 2
#define VISITORS_AT_ONCE 60

static void restore_key(void *arg, uint64_t key) { ((struct control *)arg)->policy.hold_out_key = key; }

static uint16_t rule_named(const struct control *c, const char *name)
{
	for (size_t i = 0; i < c->rules.count; i++)
		if (!strcmp(c->rules.items[i].name, name))
			return (uint16_t)i;
	return LOOK_RULE_NONE;
}

static void remember_recent(struct control *c, const struct look *l)
{
	if (!c->recent)
		c->recent = calloc(RETOLD_MAX, sizeof *c->recent);
	if (c->recent)
		c->recent[c->recent_count++ % RETOLD_MAX] = *l;
}

static void retell(struct control *c, const struct look *l)
{
	struct event *e = &c->event;
	uint64_t decided_us = id_time_us(&l->lease.id);
	event_begin(e, EVENT_DECISION_MADE);
	e->id = l->lease.id;
	e->time_us = decided_us;
	event_set_address(e, FIELD_SRC, &l->lease.target);
	event_set_text(e, FIELD_DECISION, "allowed");
	event_set_text(e, FIELD_REASON, reason_word(REASON_OK));
	event_set_text(e, FIELD_BASIS, basis_name((enum basis)l->lease.basis));
	event_set_number(e, FIELD_TIER, l->lease.tier);
	event_set_id(e, FIELD_LEASE, &e->id);
	if (l->rule != LOOK_RULE_NONE)
		event_set_text(e, FIELD_RULE, c->rules.items[l->rule].name);
	if (l->lease.not_before_us >= decided_us)
		event_set_number(e, FIELD_DELAY, l->lease.not_before_us - decided_us);
	if (!id_is_zero(&l->lease.cause) && l->lease.depth)
		event_set_chain(e, &l->lease.cause, &l->lease.root, l->lease.depth - 1);
	control_publish(c);
}

void control_retell(struct control *c, uint64_t now_us)
{
	size_t count = c->recent_count < RETOLD_MAX ? c->recent_count : RETOLD_MAX;
	uint64_t newest_us = 0;
	c->now_us = now_us;
	for (size_t i = 0; i < count; i++) {
		uint64_t decided_us = id_time_us(&c->recent[i].lease.id);
		newest_us = decided_us > newest_us ? decided_us : newest_us;
	}
	for (size_t i = 0; i < count; i++)
		if (id_time_us(&c->recent[i].lease.id) + RETOLD_US > newest_us)
			retell(c, &c->recent[i]);
	free(c->recent);
	c->recent = NULL;
	c->recent_count = 0;
}

static void restore_look(void *arg, const struct state_look *s)
{
	struct control *c = arg;
	struct look l = s->look, *known = looks_find(c->looks, &l.lease.id);
	if (known)
		looks_remove(c->looks, known); /* written anew when it came back unsent */
	struct target *target = targets_take(c->targets, &l.lease.target, c->now_us);
	l.rule = rule_named(c, s->rule);
	if (l.tries == 0)
		remember_recent(c, &l);
	if (!target || !looks_add(c->looks, &l))
		return; /* the limits were lowered */
	target->decision = l.lease.id;
	target->root = l.lease.root;
	target->depth = (uint8_t)l.lease.depth;
	target->session = s->session;
	targets_looked(c->targets, target, c->now_us);
}

/* The prober may still be at it, if only control died. */
static void restore_given(void *arg, const struct event_id *id, uint64_t expires_us)
{
	struct control *c = arg;
	struct look *known = looks_find(c->looks, id);
	if (!known)
		return;
	struct look l = *known;
	l.lease.expires_us = expires_us;
	looks_remove(c->looks, known);
	looks_add_given(c->looks, &l);
}

static void restore_done(void *arg, const struct event_id *id, uint64_t looked_us)
{
	struct control *c = arg;
	struct look *l = looks_find(c->looks, id);
	if (!l)
		return;
	struct target *target = targets_find(c->targets, &l->lease.target);
	if (target && id_equal(&target->decision, id))
		targets_looked(c->targets, target, looked_us);
	looks_remove(c->looks, l);
}

static void restore_target(void *arg, const struct address *a, const struct event_id *decision,
			   const struct event_id *root, uint64_t looked_us)
{
	struct control *c = arg;
	if (looked_us + c->settings.active->round_ms * 1000 <= c->now_us)
		return;
	struct target *target = targets_take(c->targets, a, c->now_us);
	if (!target)
		return;
	target->decision = *decision;
	target->root = *root;
	targets_looked(c->targets, target, looked_us);
}

static void restore_steer(void *arg, const struct steer *steer)
{
	struct control *c = arg;
	if (steer->expires_us > c->now_us)
		steers_set(c->steers, steer);
}

static void restore_source(void *arg, struct reader *r)
{
	struct control *c = arg;
	if (c->sources)
		source_read(c->sources, r, c->now_us);
}

static void restore_feature(void *arg, uint64_t feature, uint64_t campaign, uint32_t sources, uint64_t seen_us)
{
	struct control *c = arg;
	if (c->campaigns)
		campaigns_restore(c->campaigns, feature, campaign, sources, seen_us < c->now_us ? seen_us : c->now_us);
}

static void restore_survey(void *arg, const struct state_survey *s) { control_survey_restore(arg, s); }

static void restore_follow(void *arg, uint64_t study, const struct followed *f) { control_follow_restore(arg, study, f); }

static void restore_approval(void *arg, struct reader *r) { approvals_read(&((struct control *)arg)->approvals, r); }

static void restore_visits(void *arg, uint64_t hash, uint32_t day, uint32_t count)
{
	visit_count_restore(&((struct control *)arg)->visits.counts, hash, day, count);
}

static void keep_visits(struct control *c)
{
	const uint32_t day = (uint32_t)(c->now_us / 86400000000u);
	for (size_t i = 0; i < VISIT_COUNTS; i++) {
		const struct visit_count *it = &c->visits.counts.items[i];
		if (it->hash && it->day == day)
			state_put_visits(c->state, it->hash, it->day, it->count);
	}
}

static void restore_server(void *arg, struct reader *r) { servers_read(&((struct control *)arg)->servers, r); }

static void keep_target(void *arg, const struct target *t)
{
	struct control *c = arg;
	if (!looks_find(c->looks, &t->decision))
		state_put_target(c->state, &t->address, &t->decision, &t->root, t->looked_us);
}

static void keep_look(void *arg, struct look *l)
{
	struct control *c = arg;
	control_keep_look(c, l);
	if (l->state == LOOK_GIVEN)
		state_put_given(c->state, &l->lease.id, l->lease.expires_us);
}

static void keep_steer(void *arg, const struct steer *steer)
{
	state_put_steer(((struct control *)arg)->state, steer);
}

int control_compact(struct control *c, struct fault *fault)
{
	int bad = state_compact_begin(c->state, fault);
	if (bad)
		return bad;
	state_put_key(c->state, c->policy.hold_out_key);
	targets_each_looked(c->targets, keep_target, c);
	looks_each(c->looks, keep_look, c);
	steers_each(c->steers, keep_steer, c);
	control_retain_learned(c);
	control_survey_retain(c);
	control_follow_retain(c);
	control_approval_retain(c);
	keep_visits(c);
	control_check_retain(c);
	return state_compact_end(c->state, fault);
}

static void target_leaves(void *arg, struct target *target) { control_window_tell(arg, target); }

static int open_tables(struct control *c)
{
	const struct active_options *o = c->settings.active;
	const struct control_options *k = c->settings.control;
	uint64_t round_us = o->round_ms * 1000;
	int bad = targets_open(&c->targets, k->targets_max, round_us, random_secret(), target_leaves, c);
	if (!bad)
		bad = looks_open(&c->looks, o->queue_max, o->network_looks, random_secret());
	if (!bad)
		bad = steers_open(&c->steers, k->steering_max, random_secret(), c->now_us);
	if (!bad && c->settings.follow.on)
		bad = followeds_open(&c->followeds, o->follow.hosts_max, random_secret());
	if (!bad)
		bad = visits_open(&c->visits, 0);
	if (bad || !(c->rules.known || k->campaigns || k->trial.unit == TRIAL_CAMPAIGN))
		return bad;
	bad = sources_open(&c->sources, k->sources_max, random_secret());
	if (!bad)
		bad = campaigns_open(&c->campaigns, k->features_max, (unsigned)k->campaign_sources,
				     k->campaign_window_ms * 1000);
	if (!bad)
		bad = credentials_open(&c->credentials, &k->credential_lists);
	return bad;
}

/* Without a file of autonomous systems there is no limit by them; check-config says so. */
static int open_atlas(struct control *c, struct fault *fault)
{
	const struct active_options *o = c->settings.active;
	if (!o->as_file && !o->country_file)
		return 0;
	int bad = atlas_open(&c->atlas, o->as_file, o->country_file, c->settings.windows.asks_target, fault);
	if (!bad && o->as_file && o->as_rate && !(c->systems = calloc(AS_PACES, sizeof *c->systems)))
		bad = fault_set(fault, ERR_MEMORY, "control: no memory for the rates of autonomous systems");
	for (size_t i = 0; c->systems && i < AS_PACES; i++)
		c->systems[i] = pace_of((double)o->as_rate, (double)o->as_rate);
	c->policy.atlas = c->atlas;
	return bad;
}

int control_open(struct control *c, const char *directory, uint64_t now_us, struct fault *fault)
{
	const struct active_options *o = c->settings.active;
	const struct state_reader reader = {
		.arg = c, .key = restore_key, .look = restore_look, .given = restore_given, .done = restore_done,
		.target = restore_target, .steer = restore_steer, .source = restore_source, .feature = restore_feature,
		.survey = restore_survey, .follow = restore_follow, .approval = restore_approval, .visits = restore_visits,
		.server = restore_server,
	};
	c->now_us = now_us;
	c->policy.settings = &c->settings;
	c->policy.opted_out = &c->optout.set;
	c->policy.opt_outs_unknown = c->optout.file && !c->optout.known;
	c->policy.asked_out = &c->asked_out.set;
	c->wishes = pace_of(WISHES_PER_SECOND, WISHES_AT_ONCE);
	c->visitors_wishes = pace_of(VISITORS_PER_SECOND, VISITORS_AT_ONCE);
	c->packets = pace_of((double)o->rate, (double)(o->burst ? o->burst : o->rate));
	c->refusals = pace_of((double)c->settings.control->refusals_per_second,
			      (double)c->settings.control->refusals_per_second);
	c->random = random_seeded(random_secret());
	c->ids = id_maker_new();
	int bad = rules_read(&c->settings, &c->rules, fault);
	if (!bad && open_tables(c))
		bad = fault_set(fault, ERR_MEMORY, "control: no memory for its tables, lower control.targets_max");
	if (!bad)
		bad = open_atlas(c, fault);
	if (!bad)
		bad = register_open(&c->asked_out, directory, fault);
	if (!bad)
		bad = state_open(&c->state, directory, &reader, fault);
	while (!bad && c->policy.hold_out_key == HOLD_OUT_NONE)
		c->policy.hold_out_key = random_secret();
	c->visits.counts.key = c->policy.hold_out_key;
	/* On a full disk this fails, and state_flush() says so until it works: nothing leaves. */
	if (!bad)
		control_compact(c, NULL);
	if (bad)
		control_close(c);
	return bad;
}

void control_close(struct control *c)
{
	atlas_close(c->atlas);
	free(c->systems);
	c->atlas = NULL;
	c->systems = NULL;
	free(c->recent);
	c->recent = NULL;
	state_close(c->state);
	steers_close(c->steers);
	followeds_close(c->followeds);
	sources_close(c->sources);
	campaigns_close(c->campaigns);
	credentials_close(&c->credentials);
	looks_close(c->looks);
	targets_close(c->targets);
	rules_done(&c->rules);
	optout_done(&c->optout);
	register_close(&c->asked_out);
	errands_done(&c->errands);
	visits_done(&c->visits);
	approvals_done(&c->approvals);
	servers_done(&c->servers);
	c->state = NULL;
	c->steers = NULL;
	c->followeds = NULL;
	c->sources = NULL;
	c->campaigns = NULL;
	c->looks = NULL;
	c->targets = NULL;
}
