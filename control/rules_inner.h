/*
 * What to do about an event: the rules of the configuration, bound to kinds and fields.
 *
 *   rules:
 *     - {on: login.tried, when: {login.accepted: true, dport: [23, 2323]}, do: probe,
 *        ports: [23, 80], tier: 1, delay: {min: 30s, max: 10m}, hold_out: 0.1, name: intruder}
 *     - {on: host.identified, when: {confidence: {min: 50}}, do: steer}
 *     - {known: {credentials.list: mirai, sessions.human: 0}, do: steer, persona: dvr}
 *
 * event/condition.h says how conditions of `when` are written; all must hold.  `known` asks what is known of the
 * source (control/known_inner.h); with it `on` may be left out: any event of that source.  For one event the first rule
 * of each action that matches is the one that acts.
 */
#pragma once
#include "bus/bus.h"
#include "control/settings_inner.h"
#include "event/condition.h"

#define RULES_MAX 256
#define CONDITIONS_MAX 16 /* of a rule */
#define RULES_MEMORY_MAX (4u << 20)

enum action { ACTION_PROBE, ACTION_STEER, ACTION_VISIT, ACTION_ANALYSE, ACTION_IMPORT, ACTION_NOTIFY, ACTION_CHECK, ACTION_LEAK, ACTIONS };

struct rule {
	const char *name;
	enum event_kind kind;
	enum action action;
	struct condition conditions[CONDITIONS_MAX];
	size_t condition_count;
	struct condition known[CONDITIONS_MAX]; /* their `field` is an enum known_attribute */
	size_t known_count;
	bool any_kind; /* no `on`: whatever was learned of the source */
	uint32_t ports[LEASE_PORTS_MAX];
	uint8_t port_count, tier;
	enum basis basis;        /* the look must have this one; BASIS_NONE: any */
	uint64_t delay_min_us, delay_max_us;
	double hold_out;         /* negative: the configured share */
	const char *persona;     /* of steer; NULL: by the device's class */
};

struct rules {
	struct arena arena;
	const struct rule *items;
	size_t count;
	kind_mask kinds; /* what to subscribe to */
	bool known;      /* some rule asks what is known of a source */
};

const char *rule_action_name(enum action); /* as in the configuration */
/* event_start() was called: modules' own fields may be named. */
int rules_read(const struct settings *, struct rules *, struct fault *);
void rules_done(struct rules *);
bool rule_matches(const struct rule *, const struct event *);
/* The first rule of that action that matches, or NULL.  `known` NULL: nothing is known of the source. */
struct known;
const struct rule *rules_pick(const struct rules *, enum action, const struct event *, const struct known *);
