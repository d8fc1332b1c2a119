#include "bus/process.h"
#include "control/errands_inner.h"
#include "control/known_inner.h"
#include "control/rules_reading_inner.h"
#include <stddef.h>

/*
 * A login that was accepted, a file left behind, an instruction given: those are intruders.
 * Who merely connects is not looked at unless the operator says so.
 */
static const char default_rules[] =
	"- {name: intruder, on: login.tried, when: {login.accepted: true}, do: probe}\n"
	"- {name: loader, on: file.captured, do: probe}\n"
	"- {name: instructed, on: session.closed, when: {commands: {min: 1}}, do: probe}\n"
	"- {name: identified, on: host.identified, when: {confidence: {min: 50}}, do: steer}\n";

static const char *const action_choices[] = {"probe", "steer", "visit", "analyse", "import", "notify", "check", "leak", NULL};

const char *rule_action_name(enum action action) { return action_choices[action]; }

struct rule_option {
	const char *name, *on, *basis, *persona;
	int action;
	const struct yaml_node *when, *known, *delay_node;
	struct option_list ports;
	uint64_t tier;
	double hold_out;
};

#define RULE(member) offsetof(struct rule_option, member)

static const struct option rule_fields[] = {
	{"on", OPTION_TEXT, RULE(on), .summary = "kind of event; with `known` it may be left out"},
	{"do", OPTION_CHOICE, RULE(action), .choices = action_choices, .required = true,
	 .summary = "what to do about it"},
	{"when", OPTION_NODE, RULE(when), .summary = "conditions on its fields"},
	{"known", OPTION_NODE, RULE(known), .summary = "conditions on what is known of its source, of steer"},
	{"name", OPTION_TEXT, RULE(name), .summary = "name of the rule, told with every decision"},
	{"ports", OPTION_LIST, RULE(ports), "[23, 80]", .element = OPTION_TEXT,
	 .summary = "ports to look at; 161/udp asks over UDP, which needs tier 2"},
	{"tier", OPTION_NUMBER, RULE(tier), "1", .max = TIER_MAX, .summary = "tier of the look"},
	{"delay", OPTION_NODE, RULE(delay_node), .summary = "{min: 30s, max: 10m}, or one time"},
	{"basis", OPTION_TEXT, RULE(basis), .summary = "act only on this basis"},
	{"hold_out", OPTION_FRACTION, RULE(hold_out), .summary = "share never looked at, for this rule"},
	{"persona", OPTION_TEXT, RULE(persona), .summary = "steer to this one, whatever the device"},
	{0},
};

static int read_kind(const struct rule_reading *r, const struct yaml_node *n, const char *path,
		     const struct rule_option *o, struct rule *rule)
{
	const char *name = o->on;
	if (!name && o->known) {
		rule->any_kind = true;
		return 0;
	}
	if (!name)
		return condition_complain(&r->base, n, path, "a kind of event is missing; {on: login.tried, do: probe} would be right");
	int kind = event_kind_find(bytes_of_text(name));
	if (kind >= 0) {
		rule->kind = (enum event_kind)kind;
		return 0;
	}
	const char *best = NULL;
	for (int k = 0; k < EVENT_KIND_COUNT; k++)
		best = name_nearer(name, event_kind_name((enum event_kind)k), best);
	if (best)
		return condition_complain(&r->base, n, path, "there is no kind of event \"%s\", did you mean \"%s\"?", name, best);
	return condition_complain(&r->base, n, path, "there is no kind of event \"%s\", `kansoku describe kinds` lists them", name);
}

/* The evidence of a look that leaves later than this is stale by then. */
static uint64_t delay_limit_ms(const struct settings *s, enum event_kind kind)
{
	const struct active_options *o = s->active;
	if (kind == EVENT_INDICATOR_FOUND || kind == EVENT_RECORD_IMPORTED)
		return o->indicator_age_ms;
	return kind == EVENT_SCAN_SEEN ? o->cookie_age_ms : o->handshake_age_ms;
}

static int read_delay(const struct rule_reading *r, const struct yaml_node *n,
		      const struct yaml_node *rule_node, const char *path, struct rule *rule)
{
	struct delay_option delay = r->settings->delay;
	if (n && options_bind(delay_fields, n, r->base.file, path, r->base.arena, &delay, r->base.fault))
		return ERR_BAD;
	if (n && n->type == YAML_SCALAR)
		delay.max_ms = delay.min_ms;
	const struct yaml_node *at = n ? n : rule_node;
	if (delay.min_ms > delay.max_ms)
		return condition_complain(&r->base, at, path, "min is above max");
	uint64_t limit = delay_limit_ms(r->settings, rule->kind);
	if (delay.max_ms > limit)
		return condition_complain(&r->base, at, path, "%llu ms is longer than the basis of such a look lasts (%llu ms)",
				(unsigned long long)delay.max_ms, (unsigned long long)limit);
	rule->delay_min_us = delay.min_ms * 1000;
	rule->delay_max_us = delay.max_ms * 1000;
	return 0;
}

static int read_ports(const struct rule_reading *r, const struct yaml_node *n, const char *path,
		      const struct option_list *list, struct rule *rule)
{
	const char *const *ports = list->items;
	uint64_t most = r->settings->active->ports_max;
	if (list->count == 0 || list->count > most)
		return condition_complain(&r->base, n, path, "%zu ports, 1 to %llu would be right (active.ports_max)",
				list->count, (unsigned long long)most);
	for (size_t i = 0; i < list->count; i++)
		if (!port_parse(bytes_of_text(ports[i]), &rule->ports[i]))
			return condition_complain(&r->base, n, path, "\"%s\" is not a port, 23 or 161/udp would be right",
					     ports[i]);
	rule->port_count = (uint8_t)list->count;
	return 0;
}

static int read_action(const struct rule_reading *r, const struct yaml_node *n, const char *path,
		       const struct rule_option *o, struct rule *rule)
{
	rule->action = (enum action)o->action;
	const char *role = errand_role(rule->action);
	if (role && !role_find(role))
		return condition_complain(&r->base, n, path, "\"%s\" is not built in this version: it has no process \"%s\"",
				action_choices[o->action], role);
	if (rule->action == ACTION_NOTIFY && !role_find(role)->workers(r->settings->config))
		return condition_complain(&r->base, n, path, "nobody would be told, notify.ways is empty; "
				"notify: {ways: [{name: duty, way: webhook, to: \"https://chat.example.org/hook\"}]} would be right");
	if (rule->action == ACTION_CHECK && (rule->any_kind || rule->kind != EVENT_INDICATOR_FOUND))
		return condition_complain(&r->base, n, path,
				"only indicator.found names a command server; {on: indicator.found, when: {indicator.role: command}, do: check} would be right");
	if (rule->action == ACTION_LEAK && (rule->any_kind || rule->kind != EVENT_TOKEN_LEAKED))
		return condition_complain(&r->base, n, path, "only token.leaked has bait to send; {on: token.leaked, do: leak} would be right");
	if (rule->action != ACTION_STEER && o->persona)
		return condition_complain(&r->base, n, path, "a persona is for steer alone");
	bool classed = o->known && o->known->type == YAML_MAP && yaml_child(o->known, known_name(KNOWN_CLASS));
	if (rule->action == ACTION_STEER && !o->persona && !classed &&
	    (rule->any_kind || rule->kind != EVENT_HOST_IDENTIFIED))
		return condition_complain(&r->base, n, path,
				"only host.identified names a device; another kind needs a persona to steer to");
	if (rule->action != ACTION_STEER && o->known)
		return condition_complain(&r->base, n, path, "known is for steer; all else goes by the event itself");
	rule->persona = o->persona;
	return 0;
}

static int read_basis(const struct rule_reading *r, const struct yaml_node *n, const char *path,
		      const struct rule_option *o, struct rule *rule)
{
	int basis = o->basis ? basis_find(bytes_of_text(o->basis)) : BASIS_NONE;
	if (basis < 0 || (o->basis && basis == BASIS_NONE))
		return condition_complain(&r->base, n, path, "\"%s\" is not a basis; handshake, cookie, sample and record are",
				o->basis);
	rule->basis = (enum basis)basis;
	return 0;
}

static int read_rule(const struct rule_reading *r, const struct yaml_node *n, size_t index,
		     struct rule *rule)
{
	char at[RULE_PATH_MAX], path[32];
	struct rule_option o = {0};
	snprintf(path, sizeof path, "rules[%zu]", index);
	if (n->type != YAML_MAP)
		return condition_complain(&r->base, n, path, "is not a map; {on: login.tried, do: probe} would be right");
	int bad = options_bind(rule_fields, n, r->base.file, path, r->base.arena, &o, r->base.fault);
#define STEP(member, call)                                                     \
	do {                                                                   \
		snprintf(at, sizeof at, "%s.%s", path, member);                \
		bad = bad ? bad : (call);                                      \
	} while (0)
	STEP("on", read_kind(r, n, at, &o, rule));
	STEP("do", read_action(r, n, at, &o, rule));
	STEP("when", rule_read_conditions(r, o.when, at, rule));
	STEP("known", rule_read_known(r, o.known, at, rule));
	STEP("ports", read_ports(r, n, at, &o.ports, rule));
	STEP("basis", read_basis(r, n, at, &o, rule));
	if (rule->action == ACTION_PROBE || rule->action == ACTION_VISIT || rule->action == ACTION_CHECK)
		STEP("delay", read_delay(r, o.delay_node, n, at, rule));
#undef STEP
	if (bad)
		return bad;
	rule->tier = (uint8_t)o.tier;
	rule->hold_out = yaml_child(n, "hold_out") ? o.hold_out : -1;
	snprintf(at, sizeof at, "%s/%s", o.on ? o.on : "known", action_choices[o.action]);
	rule->name = arena_text(r->base.arena, bytes_of_text(o.name ? o.name : at));
	return rule->name ? 0 : condition_complain(&r->base, n, path, "the rules are too large");
}

int rules_read(const struct settings *s, struct rules *out, struct fault *fault)
{
	struct rules rules = {.arena = ARENA(RULES_MEMORY_MAX)};
	struct rule_reading r = {s, {s->config->file, &rules.arena, fault}};
	const struct yaml_node *list = s->rules;
	struct yaml_node *defaults;
	int bad = 0;
	if (!list) {
		r.base.file = "default rules";
		bad = yaml_read(BYTES(default_rules), r.base.file, &rules.arena, &defaults, fault);
		list = defaults;
	}
	bool empty = !bad && list->type == YAML_SCALAR && list->text.len == 0;
	size_t count = bad || empty ? 0 : list->count;
	if (!bad && !empty && list->type != YAML_LIST)
		bad = condition_complain(&r.base, list, "rules", "is not a list of rules");
	if (!bad && count > RULES_MAX)
		bad = condition_complain(&r.base, list, "rules", "more than %d rules", RULES_MAX);
	struct rule *items = bad ? NULL : arena_alloc(&rules.arena, (count + 1) * sizeof *items);
	if (!bad && !items)
		bad = condition_complain(&r.base, list, "rules", "the rules are too large");
	const struct yaml_node *it = count ? list->first : NULL;
	for (size_t i = 0; i < count && !bad; i++, it = it->next) {
		bad = read_rule(&r, it, i, &items[i]);
		rules.kinds |= bad || items[i].any_kind ? 0 : KIND_MASK(items[i].kind);
		rules.known |= !bad && (items[i].known_count || items[i].kind == EVENT_CAMPAIGN_FOUND);
	}
	if (bad) {
		arena_done(&rules.arena);
		return bad;
	}
	rules.items = items;
	rules.count = count;
	*out = rules;
	return 0;
}

void rules_done(struct rules *rules)
{
	arena_done(&rules->arena);
	*rules = (struct rules){0};
}
