/*
 * Which persona a source meets on its next visit, and why.
 *
 * Sticky: once decided, only a rule further up, or the same rule when the device turns out to be
 * another, decides anew; the arm of the trial stays in any case.  Deterministic: the arm is a hash
 * of the unit and a seed, so the same unit is in the same arm on every sensor with that seed, after
 * every restart, and whatever the order of events.
 */
#include "control/room_inner.h"

FIELD(field_steer_arm, "steer.arm", TEXT, 0, "arm of the trial of steering: steered, random, held-out");
FIELD(field_steer_unit, "steer.unit", TEXT, 0, "what was drawn for that trial: a source, a prefix, a campaign");

#define SEED_SALT 0x73746565726564u
#define RANDOM_SALT 0x72616e646f6du
#define PERSONA_SALT 0x706572736f6e61u
#define NETWORK_BITS_V4 (96 + 24)
#define NETWORK_BITS_V6 48

static double fraction_of(uint64_t hash) { return (double)(random_mix(hash) >> 11) * 0x1p-53; }

/*
 * The hash of the unit to which a source belongs, and its name.  Of single sources it is that of
 * the looks' hold-out, so that who is never looked at is not steered either.
 */
static uint64_t unit_of(const struct control *c, const struct address *a, const struct known *known,
			char text[STEER_UNIT_MAX + 1])
{
	const struct trial_options *o = &c->settings.control->trial;
	const uint64_t key = o->seed ? random_mix(o->seed ^ SEED_SALT) : c->policy.hold_out_key;
	const uint64_t campaign = known && known->source ? known->source->campaign : 0;
	if (o->unit == TRIAL_CAMPAIGN && campaign) {
		campaign_text(campaign, text);
		return random_mix(campaign ^ key);
	}
	struct prefix network = prefix_of(a, address_is_v4(a) ? NETWORK_BITS_V4 : NETWORK_BITS_V6);
	if (o->unit == TRIAL_SOURCE)
		address_format(a, text);
	else
		prefix_format(&network, text);
	return address_hash(o->unit == TRIAL_SOURCE ? a : &network.base, key);
}

static enum steer_arm arm_of(const struct control *c, uint64_t unit)
{
	if (fraction_of(unit) < c->settings.steering_hold_out)
		return ARM_HELD_OUT;
	return fraction_of(unit ^ RANDOM_SALT) < c->settings.control->trial.random ? ARM_RANDOM : ARM_STEERED;
}

static const char *persona_of(const struct control *c, enum steer_arm arm, uint64_t unit, const char *fitting)
{
	const struct settings *s = &c->settings;
	if (arm == ARM_HELD_OUT)
		return "";
	if (arm == ARM_RANDOM && s->pool_count)
		return s->pool[random_mix(unit ^ PERSONA_SALT) % s->pool_count];
	return fitting;
}

/* The rule's place in the file; one that is no longer there gives way to any. */
static size_t place_of(const struct control *c, const char *rule)
{
	size_t i = 0;
	while (i < c->rules.count && strcmp(c->rules.items[i].name, rule))
		i++;
	return i;
}

static void write_why(const struct event *e, const struct rule *rule, const struct known *known,
		      char why[STEER_WHY_MAX + 1])
{
	struct writer w = writer_of(why, STEER_WHY_MAX);
	char room[512];
	struct writer text = writer_of(room, sizeof room);
	const struct bytes device_class = event_bytes(e, FIELD_DEVICE_CLASS);
	write_text(&text, event_kind_name(e->kind));
	if (!rule->persona && device_class.len) {
		write_text(&text, "; device.class ");
		write_span(&text, device_class);
	}
	if (rule->known_count)
		write_text(&text, "; ");
	known_write_reasons(rule, known, &text);
	struct bytes b = writer_bytes(&text);
	b.len = b.len < STEER_WHY_MAX ? b.len : STEER_WHY_MAX;
	write_span(&w, b);
	why[writer_used(&w)] = '\0';
}

static void tell(struct control *c, const struct event *cause, const struct steer *steer)
{
	struct event *out = &c->event;
	const bool held_out = steer->arm == ARM_HELD_OUT;
	event_begin(out, EVENT_DECISION_MADE);
	out->time_us = c->now_us;
	event_set_address(out, FIELD_SRC, &steer->source);
	event_set_text(out, FIELD_DECISION, held_out ? "not-steered" : "steered");
	event_set_text(out, FIELD_REASON, held_out ? reason_word(REASON_HELD_OUT)
					  : steer->arm == ARM_RANDOM ? "random" : reason_word(REASON_OK));
	event_set_text(out, FIELD_RULE, steer->rule);
	if (!held_out)
		event_set_text(out, FIELD_PERSONA, steer->persona);
	if (cause->kind == EVENT_HOST_IDENTIFIED && event_bytes(cause, FIELD_DEVICE_CLASS).len)
		event_set_bytes(out, FIELD_DEVICE_CLASS, event_bytes(cause, FIELD_DEVICE_CLASS));
	event_set_text(out, field_steer_arm, steer_arm_name(steer->arm));
	event_set_text(out, field_steer_unit, steer->unit);
	event_set_text(out, FIELD_EVIDENCE, steer->why);
	event_set_cause(out, cause);
	c->totals.not_steered += held_out;
	c->totals.steered_at_random += steer->arm == ARM_RANDOM;
	c->totals.steered += steer->arm == ARM_STEERED;
	control_publish(c);
}

static const char *fitting_persona(const struct control *c, const struct event *e, const struct rule *rule,
				   const struct known *known)
{
	struct bytes device_class = event_bytes(e, FIELD_DEVICE_CLASS);
	if (rule->persona)
		return rule->persona;
	if (!device_class.len && known && known->source)
		device_class = bytes_of_text(source_name(known->sources, known->source->device_class));
	return settings_persona_for(&c->settings, device_class); /* NULL: no persona of ours plays such a device */
}

void control_steer(struct control *c, const struct event *e, const struct address *source)
{
	const struct known known = {c->sources ? sources_find(c->sources, source) : NULL, c->sources, c->campaigns,
				    &c->credentials};
	const struct known *what = known.source ? &known : NULL;
	const struct rule *rule = rules_pick(&c->rules, ACTION_STEER, e, what);
	const char *fitting = rule ? fitting_persona(c, e, rule, what) : NULL;
	char unit_text[STEER_UNIT_MAX + 1], why[STEER_WHY_MAX + 1];
	struct steer before;
	if (!fitting)
		return;
	const uint64_t unit = unit_of(c, source, what, unit_text);
	struct steer steer = {.source = *source, .cause = e->id, .rule = rule->name, .unit = unit_text, .why = why,
			      .expires_us = c->now_us + c->settings.control->steering_ms * 1000};
	steer.arm = arm_of(c, unit);
	steer.persona = persona_of(c, steer.arm, unit, fitting);
	if (steers_find(c->steers, source, &before)) {
		if (place_of(c, before.rule) < place_of(c, rule->name))
			return;
		snprintf(unit_text, sizeof unit_text, "%s", before.unit);
		steer.arm = before.arm;
		steer.persona = before.arm == ARM_STEERED ? fitting : before.persona;
	}
	write_why(e, rule, what, why);
	if (steers_set(c->steers, &steer) != 1 || !steers_find(c->steers, source, &steer))
		return;
	state_put_steer(c->state, &steer);
	tell(c, e, &steer);
}
