#include "share/anonymise/policy_inner.h"
#include "share/exchange_inner.h"
#include "share/view.h"
#include <stddef.h>

#define AT(member) offsetof(struct policy_options, member)

const struct option policy_fields[] = {
	{.name = "name", .type = OPTION_TEXT, .offset = AT(name), .required = true,
	 .summary = "as grants and commands call it; \"default\" replaces the one that is there without"},
	{.name = "fields", .type = OPTION_NODE, .offset = AT(fields),
	 .summary = "what happens to a field, by its name: pass, drop, truncate, crypto-pan, token, generalise, {bucket: 1h}, "
		    "{k: 5}, clean; `time` is the event's own; \"record.*\" is all that begin so"},
	{.name = "default", .type = OPTION_TEXT, .offset = AT(otherwise), .fallback = "clean",
	 .summary = "what happens to the others: clean, token, drop or pass"},
	{.name = "period", .type = OPTION_DURATION, .offset = AT(period_ms), .fallback = "90d",
	 .summary = "how long tokens and addresses stay the same for a recipient; 0: for ever"},
	{0},
};

static const char *const action_names[] = {
	[VIEW_PASS] = "pass",	[VIEW_DROP] = "drop",		  [VIEW_TRUNCATE] = "truncate",
	[VIEW_CRYPTO_PAN] = "crypto-pan", [VIEW_TOKEN] = "token", [VIEW_GENERALISE] = "generalise",
	[VIEW_BUCKET] = "bucket", [VIEW_K] = "k",		  [VIEW_CLEAN] = "clean",
};

/* What tells of us rather than of who attacked; bait would be known by it. */
static bool is_of_ours(uint16_t field)
{
	switch (field) {
	case FIELD_SENSOR: case FIELD_DST: case FIELD_PROCESS: case FIELD_SEQUENCE: case FIELD_RECEIVED:
	case FIELD_LEASE: case FIELD_TABLE_VERSION: case FIELD_CONFIG_VERSION: case FIELD_BAIT_ID:
	case FIELD_BAIT_NAME: case FIELD_BAIT_PATH: case FIELD_BAIT_ENTRY: case FIELD_BAIT_RUN:
		return true;
	default:
		return false;
	}
}

static bool is_text(enum field_type type) { return type == FIELD_TEXT || type == FIELD_BYTES; }

static bool action_fits(enum view_action action, enum field_type type)
{
	switch (action) {
	case VIEW_PASS: case VIEW_DROP:
		return true;
	case VIEW_TRUNCATE: case VIEW_CRYPTO_PAN:
		return type == FIELD_ADDRESS || is_text(type);
	case VIEW_TOKEN:
		return type != FIELD_BOOL && type != FIELD_TIME;
	case VIEW_GENERALISE:
		return type == FIELD_NUMBER || is_text(type);
	case VIEW_BUCKET:
		return type == FIELD_TIME;
	case VIEW_K:
		return type == FIELD_NUMBER || is_text(type);
	case VIEW_CLEAN:
		return is_text(type);
	}
	return false;
}

/* What is not hidden and not named: a number has nothing to clean. */
struct view_rule policy_rule(const struct policy *p, uint16_t field)
{
	const struct field_definition *d = field_definition(field);
	if (!d || d->marks & FIELD_PRIVATE)
		return (struct view_rule){.action = VIEW_DROP};
	if (p->rules[field].named)
		return p->rules[field];
	if (is_of_ours(field))
		return (struct view_rule){.action = VIEW_DROP};
	/* A recipient who must not know when would be told by any other time. */
	if (d->type == FIELD_TIME && p->rules[POLICY_TIME].named)
		return p->rules[POLICY_TIME];
	if (d->type == FIELD_ID)
		return (struct view_rule){.action = p->otherwise.action == VIEW_DROP ? VIEW_DROP : VIEW_TOKEN};
	return action_fits(p->otherwise.action, d->type) ? p->otherwise : (struct view_rule){.action = VIEW_PASS};
}

static bool word_number(struct bytes word, uint64_t max, uint64_t *out) { return bytes_number(word, max, out); }

/* 1h, 30m, 7d: as durations stand in the configuration. */
static bool word_duration(struct bytes word, uint64_t *us)
{
	static const struct {
		char unit;
		uint64_t us;
	} units[] = {{'s', 1000000}, {'m', 60000000}, {'h', UINT64_C(3600000000)}, {'d', UINT64_C(86400000000)}};
	uint64_t n;
	for (size_t i = 0; i < sizeof units / sizeof *units && word.len > 1; i++)
		if (word.at[word.len - 1] == units[i].unit &&
		    bytes_number((struct bytes){word.at, word.len - 1}, 100000, &n) && n) {
			*us = n * units[i].us;
			return true;
		}
	return false;
}

static bool word_bits(struct bytes word, struct view_rule *r)
{
	const size_t cut = bytes_find(word, "/");
	r->argument = TRUNCATE_V4;
	r->argument6 = TRUNCATE_V6;
	if (!word.len)
		return true;
	return word_number((struct bytes){word.at, cut}, 32, &r->argument) &&
	       (cut == word.len || word_number((struct bytes){word.at + cut + 1, word.len - cut - 1}, 128, &r->argument6));
}

static int rule_read(struct bytes action, struct bytes argument, struct view_rule *r, struct fault *fault)
{
	*r = (struct view_rule){.named = true};
	size_t i = 0;
	while (i < sizeof action_names / sizeof *action_names && !bytes_equal_text(action, action_names[i]))
		i++;
	if (i == sizeof action_names / sizeof *action_names)
		return fault_set(fault, ERR_BAD, "\"%.*s\" is nothing that can happen to a field; pass, drop, truncate, crypto-pan, "
				 "token, generalise, bucket, k or clean would be right", (int)(action.len < 64 ? action.len : 64), action.at);
	r->action = (enum view_action)i;
	if (r->action == VIEW_BUCKET && !word_duration(argument, &r->argument))
		return fault_set(fault, ERR_BAD, "bucket: a length such as {bucket: 1h} would be right");
	if (r->action == VIEW_K && !(word_number(argument, POLICY_K_MAX, &r->argument) && r->argument > 1))
		return fault_set(fault, ERR_BAD, "k: a number of sources from 2 to %d such as {k: 5} would be right", POLICY_K_MAX);
	if (r->action == VIEW_TRUNCATE && !word_bits(argument, r))
		return fault_set(fault, ERR_BAD, "truncate: bits that are kept, such as {truncate: 24} or {truncate: 24/48} would be "
				 "right");
	return 0;
}

static int set_one(struct policy *p, uint16_t field, const struct view_rule *r, struct fault *fault)
{
	const bool time = field == POLICY_TIME;
	const struct field_definition *d = time ? NULL : field_definition(field);
	if (d && d->marks & FIELD_PRIVATE && r->action != VIEW_DROP)
		return fault_set(fault, ERR_BAD, "%s is private and in no view", d->name);
	if (!action_fits(r->action, time ? FIELD_TIME : d->type))
		return fault_set(fault, ERR_BAD, "%s: %s cannot happen to a field of its type", time ? "time" : d->name,
				 action_names[r->action]);
	p->rules[field] = *r;
	p->counts |= r->action == VIEW_K;
	return 0;
}

/* "record.*": of those, all that it can happen to. */
static int set_all(struct policy *p, struct bytes begin, const struct view_rule *r, struct fault *fault)
{
	size_t n = 0;
	for (uint16_t i = 0; i < field_count(); i++) {
		const struct field_definition *d = field_definition(i);
		if (strncmp(d->name, (const char *)begin.at, begin.len) || d->marks & FIELD_PRIVATE ||
		    !action_fits(r->action, d->type))
			continue;
		set_one(p, i, r, NULL);
		n++;
	}
	return n ? 0 : fault_set(fault, ERR_BAD, "there is no field \"%.*s*\" to which that can happen", (int)begin.len, begin.at);
}

static int rule_set(struct policy *p, struct bytes name, const struct view_rule *r, struct fault *fault)
{
	if (bytes_equal_text(name, "default")) {
		if (r->action != VIEW_PASS && r->action != VIEW_DROP && r->action != VIEW_TOKEN && r->action != VIEW_CLEAN)
			return fault_set(fault, ERR_BAD, "default: clean, token, drop or pass would be right");
		p->otherwise = *r;
		return 0;
	}
	if (bytes_equal_text(name, "time"))
		return set_one(p, POLICY_TIME, r, fault);
	if (name.len > 1 && name.at[name.len - 1] == '*')
		return set_all(p, (struct bytes){name.at, name.len - 1}, r, fault);
	int field = field_find(name);
	if (field < 0)
		return fault_set(fault, ERR_BAD, "there is no field \"%.*s\"; docs/events.md lists them",
				 (int)(name.len < 64 ? name.len : 64), name.at);
	return set_one(p, (uint16_t)field, r, fault);
}

/* "bucket:1h" in two. */
int policy_action(struct bytes text, struct view_rule *r, struct fault *fault)
{
	const size_t cut = bytes_find(text, ":");
	struct bytes argument = {text.at + cut, 0};
	if (cut < text.len)
		argument = (struct bytes){text.at + cut + 1, text.len - cut - 1};
	return rule_read((struct bytes){text.at, cut}, argument, r, fault);
}

int policy_add(struct policy *p, const char *text, struct fault *fault)
{
	const struct bytes all = bytes_of_text(text);
	const size_t cut = bytes_find(all, "=");
	struct view_rule r;
	if (cut == all.len)
		return fault_set(fault, ERR_BAD, "\"%s\": FIELD=ACTION such as src=crypto-pan would be right", text);
	int bad = policy_action((struct bytes){all.at + cut + 1, all.len - cut - 1}, &r, fault);
	return bad ? bad : rule_set(p, (struct bytes){all.at, cut}, &r, fault);
}

static int node_rule(const struct yaml_node *n, struct view_rule *r, struct fault *fault)
{
	if (n->type == YAML_SCALAR)
		return policy_action(n->text, r, fault);
	if (n->type != YAML_MAP || n->count != 1 || n->first->type != YAML_SCALAR)
		return fault_set(fault, ERR_BAD, "a word such as drop, or a map of one such as {bucket: 1h} would be right");
	return rule_read(bytes_of_text(n->first->key), n->first->text, r, fault);
}

static int fill(struct policy *p, const struct policy_options *o, const char *file, struct fault *fault)
{
	struct fault why = {0};
	struct view_rule r;
	*p = (struct policy){.period_us = o->period_ms * 1000};
	int bad = policy_action(bytes_of_text(o->otherwise), &r, &why);
	if (!bad)
		bad = rule_set(p, BYTES("default"), &r, &why);
	if (bad)
		return fault_set(fault, bad, "%s: exchange.policies: %s: default: %s", file, o->name, why.text);
	if (!o->fields)
		return 0;
	if (o->fields->type != YAML_MAP)
		return fault_set(fault, ERR_BAD, "%s:%u: exchange.policies: %s: fields: is no map", file, o->fields->line, o->name);
	YAML_EACH(o->fields, n) {
		bad = node_rule(n, &r, &why);
		if (!bad)
			bad = rule_set(p, bytes_of_text(n->key), &r, &why);
		if (bad)
			return fault_set(fault, bad, "%s:%u: exchange.policies: %s: %s: %s", file, n->line, o->name, n->key, why.text);
	}
	return 0;
}

int policies_check(const struct config *c, struct fault *fault)
{
	struct policy policy;
	const struct exchange_options *x = config_section(c, "exchange");
	const struct policy_options *all = x->policies.items;
	if (x->policies.count > POLICIES_MAX)
		return fault_set(fault, ERR_FULL, "%s: exchange.policies: more than %d", c->file, POLICIES_MAX);
	for (size_t i = 0; i < x->policies.count; i++) {
		const size_t len = strlen(all[i].name);
		if (!len || len > POLICY_NAME_MAX)
			return fault_set(fault, ERR_BAD, "%s: exchange.policies[%zu].name: 1 to %d letters would be right", c->file, i,
					 POLICY_NAME_MAX);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(all[k].name, all[i].name))
				return fault_set(fault, ERR_BAD, "%s: exchange.policies[%zu].name: \"%s\" is taken by another", c->file, i,
						 all[i].name);
		int bad = fill(&policy, &all[i], c->file, fault);
		if (bad)
			return bad;
	}
	return 0;
}

int policy_read(struct policy *p, const struct config *c, const char *name, struct fault *fault)
{
	static const struct policy_options built_in = {.name = "default", .otherwise = "clean", .period_ms = 7776000000};
	const struct exchange_options *x = c ? config_section(c, "exchange") : NULL;
	const struct policy_options *all = x ? x->policies.items : NULL;
	for (size_t i = 0; x && i < x->policies.count; i++)
		if (!strcmp(all[i].name, name))
			return fill(p, &all[i], c->file, fault);
	if (strcmp(name, built_in.name))
		return fault_set(fault, ERR_MISSING, "there is no policy \"%s\"; exchange.policies names them", name);
	return fill(p, &built_in, "", fault);
}
