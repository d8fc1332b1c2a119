/* The conditions of a rule: how they are read, and whether they hold. */
#include "control/known_inner.h"
#include "control/rules_reading_inner.h"

int rule_complain(const struct rule_reading *r, const struct yaml_node *n, const char *path,
		  const char *fmt, ...)
{
	char what[280];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return fault_set(r->fault, ERR_BAD, "%s:%u: %s: %s", r->file, n->line, path, what);
}

const char *name_nearer(const char *name, const char *candidate, const char *best)
{
	size_t distance = option_edits(name, candidate);
	size_t beaten = best ? option_edits(name, best) : OPTION_EDITS_MAX + 1;
	return distance < beaten ? candidate : best;
}

static int find_field(const struct rule_reading *r, const struct yaml_node *n, const char *path,
		      struct condition *out)
{
	int field = field_find(bytes_of_text(n->key));
	if (field >= 0) {
		out->field = (uint16_t)field;
		out->type = field_definition((uint16_t)field)->type;
		return 0;
	}
	const char *best = NULL;
	for (uint16_t f = 0; f < field_count(); f++)
		best = name_nearer(n->key, field_definition(f)->name, best);
	if (best)
		return rule_complain(r, n, path, "there is no such field, did you mean \"%s\"?", best);
	return rule_complain(r, n, path, "there is no such field, `kansoku describe fields` lists them");
}

static int read_range(const struct rule_reading *r, const struct yaml_node *n, const char *path,
		      const struct condition *c, struct condition_value *v)
{
	if (c->type != FIELD_NUMBER)
		return rule_complain(r, n, path, "min and max compare numbers, this field is none");
	v->max = UINT64_MAX;
	YAML_EACH(n, it) {
		bool is_min = !strcmp(it->key, "min");
		if (!is_min && strcmp(it->key, "max"))
			return rule_complain(r, it, path, "\"%s\" is not min or max", it->key);
		if (it->type != YAML_SCALAR ||
		    !bytes_number(it->text, UINT64_MAX, is_min ? &v->min : &v->max))
			return rule_complain(r, it, path, "%s is not a number", it->key);
	}
	if (n->count == 0 || v->min > v->max)
		return rule_complain(r, n, path, "no number lies between min and max");
	return 0;
}

static int read_bool(const struct rule_reading *r, const struct yaml_node *n, const char *path,
		     struct condition_value *v)
{
	v->min = bytes_equal_text(n->text, "true") || bytes_equal_text(n->text, "yes");
	v->max = v->min;
	if (!v->min && !bytes_equal_text(n->text, "false") && !bytes_equal_text(n->text, "no"))
		return rule_complain(r, n, path, "true or false would be right here");
	return 0;
}

static int read_value(const struct rule_reading *r, const struct yaml_node *n, const char *path,
		      const struct condition *c, struct condition_value *v)
{
	if (n->type != YAML_SCALAR)
		return rule_complain(r, n, path, "a single value is expected here");
	switch (c->type) {
	case FIELD_TEXT:
	case FIELD_BYTES:
		v->text = arena_copy(r->arena, n->text);
		return n->text.len && !v->text.at ? rule_complain(r, n, path, "the rules are too large") : 0;
	case FIELD_BOOL:
		return read_bool(r, n, path, v);
	case FIELD_NUMBER:
		if (!bytes_number(n->text, UINT64_MAX, &v->min))
			return rule_complain(r, n, path, "a number is expected, this field holds numbers");
		v->max = v->min;
		return 0;
	case FIELD_ADDRESS:
		return prefix_parse(n->text, &v->prefix)
			       ? 0
			       : rule_complain(r, n, path, "an address or a prefix such as 192.0.2.0/24 is expected");
	default:
		return rule_complain(r, n, path, "times and ids cannot be compared in a rule");
	}
}

/* The values to compare with; `out` knows its type. */
static int read_values(const struct rule_reading *r, const struct yaml_node *n, const char *path,
			  struct condition *out)
{
	int bad = 0;
	size_t count = n->type == YAML_LIST ? n->count : 1;
	if (count == 0 || count > CONDITION_VALUES_MAX)
		return rule_complain(r, n, path, "a list of 1 to %d values is expected", CONDITION_VALUES_MAX);
	struct condition_value *values = arena_alloc(r->arena, count * sizeof *values);
	if (!values)
		return rule_complain(r, n, path, "the rules are too large");
	size_t i = 0;
	if (n->type == YAML_MAP)
		bad = read_range(r, n, path, out, &values[0]);
	else if (n->type == YAML_SCALAR)
		bad = read_value(r, n, path, out, &values[0]);
	else
		for (const struct yaml_node *it = n->first; it && !bad; it = it->next)
			bad = read_value(r, it, path, out, &values[i++]);
	out->values = values;
	out->count = count;
	return bad;
}

int rule_read_conditions(const struct rule_reading *r, const struct yaml_node *when,
			 const char *path, struct rule *rule)
{
	if (!when)
		return 0;
	if (when->type != YAML_MAP)
		return rule_complain(r, when, path, "is not a map of fields and values");
	YAML_EACH(when, it) {
		char at[RULE_PATH_MAX];
		snprintf(at, sizeof at, "%.32s.%.96s", path, it->key);
		if (rule->condition_count == CONDITIONS_MAX)
			return rule_complain(r, it, at, "a rule has at most %d conditions", CONDITIONS_MAX);
		struct condition *c = &rule->conditions[rule->condition_count++];
		int bad = find_field(r, it, at, c);
		bad = bad ? bad : read_values(r, it, at, c);
		if (bad)
			return bad;
	}
	return 0;
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
		return rule_complain(r, n, path, "no such thing is known of a source, did you mean \"%s\"?", best);
	return rule_complain(r, n, path, "no such thing is known of a source; docs/steering.md lists what is");
}

int rule_read_known(const struct rule_reading *r, const struct yaml_node *known, const char *path,
		    struct rule *rule)
{
	if (!known)
		return 0;
	if (known->type != YAML_MAP || known->count == 0)
		return rule_complain(r, known, path, "is not a map of what is known and values");
	YAML_EACH(known, it) {
		char at[RULE_PATH_MAX];
		snprintf(at, sizeof at, "%.32s.%.96s", path, it->key);
		if (rule->known_count == CONDITIONS_MAX)
			return rule_complain(r, it, at, "a rule has at most %d conditions", CONDITIONS_MAX);
		struct condition *c = &rule->known[rule->known_count++];
		int bad = find_attribute(r, it, at, c);
		bad = bad ? bad : read_values(r, it, at, c);
		if (bad)
			return bad;
	}
	return 0;
}

static bool value_matches(const struct condition *c, const struct condition_value *v,
			  const struct event_value *value)
{
	struct address a;
	switch (c->type) {
	case FIELD_TEXT:
	case FIELD_BYTES:
		return bytes_equal(v->text, value->bytes);
	case FIELD_ADDRESS:
		if (value->bytes.len != sizeof a.b)
			return false;
		memcpy(a.b, value->bytes.at, sizeof a.b);
		return prefix_holds(&v->prefix, &a);
	default:
		return value->number >= v->min && value->number <= v->max;
	}
}

static bool condition_holds(const struct condition *c, const struct event *e)
{
	const struct event_value *value = event_get(e, c->field);
	for (size_t i = 0; value && i < c->count; i++)
		if (value_matches(c, &c->values[i], value))
			return true;
	return false;
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
