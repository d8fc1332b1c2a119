/* The conditions of a rule: how they are read, and whether they hold. */
#include "control/known_inner.h"
#include "control/rules_reading_inner.h"

int rule_read_conditions(const struct rule_reading *r, const struct yaml_node *when,
			 const char *path, struct rule *rule)
{
	return conditions_read(&r->base, when, path, rule->conditions, CONDITIONS_MAX, &rule->condition_count);
}

static int find_attribute(const struct rule_reading *r, const struct yaml_node *n, const char *path,
			  struct condition *out)
{
	const char *best = NULL;
	for (unsigned i = 0; i < KNOWN_ATTRIBUTE_COUNT; i++) {
		if (!strcmp(n->key, known_name(i))) {
			out->field = (uint16_t)i;
			out->type = known_type(i);
			return 0;
		}
		best = name_nearer(n->key, known_name(i), best);
	}
	if (best)
		return condition_complain(&r->base, n, path, "no such thing is known of a source, did you mean \"%s\"?", best);
	return condition_complain(&r->base, n, path, "no such thing is known of a source; docs/steering.md lists what is");
}

int rule_read_known(const struct rule_reading *r, const struct yaml_node *known, const char *path,
		    struct rule *rule)
{
	if (!known)
		return 0;
	if (known->type != YAML_MAP || known->count == 0)
		return condition_complain(&r->base, known, path, "is not a map of what is known and values");
	YAML_EACH(known, it) {
		char at[RULE_PATH_MAX];
		snprintf(at, sizeof at, "%.32s.%.96s", path, it->key);
		if (rule->known_count == CONDITIONS_MAX)
			return condition_complain(&r->base, it, at, "a rule has at most %d conditions", CONDITIONS_MAX);
		struct condition *c = &rule->known[rule->known_count++];
		int bad = find_attribute(r, it, at, c);
		bad = bad ? bad : condition_read_values(&r->base, it, at, c);
		if (bad)
			return bad;
	}
	return 0;
}

bool rule_matches(const struct rule *rule, const struct event *e)
{
	if (rule->kind != e->kind && !rule->any_kind)
		return false;
	for (size_t i = 0; i < rule->condition_count; i++)
		if (!condition_holds(&rule->conditions[i], e))
			return false;
	return true;
}

const struct rule *rules_pick(const struct rules *rules, enum action action, const struct event *e,
			      const struct known *known)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];
		if (rule->action == action && rule_matches(rule, e) && known_matches(rule, known))
			return rule;
	}
	return NULL;
}
