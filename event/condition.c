#include "event/condition.h"
#include <ctype.h>
#include <stddef.h>

int condition_complain(const struct condition_reading *r, const struct yaml_node *n, const char *path,
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

static int find_name(const struct condition_reading *r, const struct yaml_node *n, const char *path,
		     const char *name, uint16_t *out)
{
	int field = field_find(bytes_of_text(name));
	if (field >= 0) {
		*out = (uint16_t)field;
		return 0;
	}
	const char *best = NULL;
	for (uint16_t f = 0; f < field_count(); f++)
		best = name_nearer(name, field_definition(f)->name, best);
	if (best)
		return condition_complain(r, n, path, "there is no such field, did you mean \"%s\"?", best);
	return condition_complain(r, n, path, "there is no such field, `kansoku describe fields` lists them");
}

static int read_range(const struct condition_reading *r, const struct yaml_node *n, const char *path,
		      const struct condition *c, struct condition_value *v)
{
	if (c->type != FIELD_NUMBER)
		return condition_complain(r, n, path, "min and max compare numbers, this field is none");
	v->max = UINT64_MAX;
	YAML_EACH(n, it) {
		bool is_min = !strcmp(it->key, "min");
		if (!is_min && strcmp(it->key, "max"))
			return condition_complain(r, it, path, "\"%s\" is not min or max", it->key);
		if (it->type != YAML_SCALAR ||
		    !bytes_number(it->text, UINT64_MAX, is_min ? &v->min : &v->max))
			return condition_complain(r, it, path, "%s is not a number", it->key);
	}
	if (n->count == 0 || v->min > v->max)
		return condition_complain(r, n, path, "no number lies between min and max");
	return 0;
}

static int read_bool(const struct condition_reading *r, const struct yaml_node *n, const char *path,
		     struct condition_value *v)
{
	v->min = bytes_equal_text(n->text, "true") || bytes_equal_text(n->text, "yes");
	v->max = v->min;
	if (!v->min && !bytes_equal_text(n->text, "false") && !bytes_equal_text(n->text, "no"))
		return condition_complain(r, n, path, "true or false would be right here");
	return 0;
}

static int read_value(const struct condition_reading *r, const struct yaml_node *n, const char *path,
		      const struct condition *c, struct condition_value *v)
{
	if (n->type != YAML_SCALAR)
		return condition_complain(r, n, path, "a single value is expected here");
	switch (c->type) {
	case FIELD_TEXT:
	case FIELD_BYTES:
		v->text = arena_copy(r->arena, n->text);
		return n->text.len && !v->text.at ? condition_complain(r, n, path, "the rules are too large") : 0;
	case FIELD_BOOL:
		return read_bool(r, n, path, v);
	case FIELD_NUMBER:
		if (!bytes_number(n->text, UINT64_MAX, &v->min))
			return condition_complain(r, n, path, "a number is expected, this field holds numbers");
		v->max = v->min;
		return 0;
	case FIELD_ADDRESS:
		return prefix_parse(n->text, &v->prefix)
			       ? 0
			       : condition_complain(r, n, path, "an address or a prefix such as 192.0.2.0/24 is expected");
	default:
		return condition_complain(r, n, path, "times and ids cannot be compared in a rule");
	}
}

int condition_read_values(const struct condition_reading *r, const struct yaml_node *n, const char *path,
			  struct condition *out)
{
	int bad = 0;
	size_t count = n->type == YAML_LIST ? n->count : 1;
	if (count == 0 || count > CONDITION_VALUES_MAX)
		return condition_complain(r, n, path, "a list of 1 to %d values is expected", CONDITION_VALUES_MAX);
	struct condition_value *values = arena_alloc(r->arena, count * sizeof *values);
	if (!values)
		return condition_complain(r, n, path, "the rules are too large");
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

/* The words that begin a map which is no range. */
static const struct {
	const char *word;
	enum condition_test test;
} tests[] = {
	{"contains", CONDITION_CONTAINS}, {"starts", CONDITION_STARTS}, {"ends", CONDITION_ENDS},
	{"absent", CONDITION_ABSENT},     {"present", CONDITION_PRESENT}, {"same_as", CONDITION_SAME_AS},
	{"times", CONDITION_TIMES_OF},    {"of", CONDITION_TIMES_OF},   {"before", CONDITION_BEFORE},
};

static int test_of(const char *word)
{
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		if (!strcmp(word, tests[i].word))
			return tests[i].test;
	return ERR_MISSING;
}

struct test_option {
	const char *same_as, *of;
	uint64_t times, before_ms;
	bool absent, present;
	const struct yaml_node *contains, *starts, *ends;
};

#define TEST_OPTION(member) offsetof(struct test_option, member)
static const struct option test_fields[] = {
	{"contains", OPTION_NODE, TEST_OPTION(contains), .summary = "a word, or several"},
	{"starts", OPTION_NODE, TEST_OPTION(starts), .summary = "a word, or several"},
	{"ends", OPTION_NODE, TEST_OPTION(ends), .summary = "a word, or several"},
	{"absent", OPTION_BOOL, TEST_OPTION(absent), .summary = "the field is not there"},
	{"present", OPTION_BOOL, TEST_OPTION(present), .summary = "the field is there"},
	{"same_as", OPTION_TEXT, TEST_OPTION(same_as), .summary = "another field of the same value"},
	{"times", OPTION_NUMBER, TEST_OPTION(times), "1", .min = 1, .max = 1000000, .summary = "at least so many times …"},
	{"of", OPTION_TEXT, TEST_OPTION(of), .summary = "… another field"},
	{"before", OPTION_DURATION, TEST_OPTION(before_ms), .summary = "earlier than the event and so long"},
	{0},
};

static int read_words(const struct condition_reading *r, const struct yaml_node *n, const char *path,
		      struct condition *c)
{
	if (c->type != FIELD_TEXT && c->type != FIELD_BYTES)
		return condition_complain(r, n, path, "contains, starts and ends look into text, this field is none");
	return n->type == YAML_MAP ? condition_complain(r, n, path, "a word or a list of words is expected here")
				   : condition_read_values(r, n, path, c);
}

static int read_other(const struct condition_reading *r, const struct yaml_node *n, const char *path,
		      const char *name, struct condition *c)
{
	int bad = name ? find_name(r, n, path, name, &c->other)
		       : condition_complain(r, n, path, "{times: 3, of: bytes.out} would be right");
	enum field_type other = bad ? c->type : field_definition(c->other)->type;
	bool both_text = c->type <= FIELD_BYTES && other <= FIELD_BYTES;
	if (other != c->type && !both_text)
		return condition_complain(r, n, path, "\"%s\" holds something else, they cannot be compared", name);
	return bad;
}

static int read_test(const struct condition_reading *r, const struct yaml_node *n, const char *path,
		     struct condition *c)
{
	struct test_option o = {0};
	bool pair = n->count == 2 && c->test == CONDITION_TIMES_OF;
	int bad = options_bind(test_fields, n, r->file, path, r->arena, &o, r->fault);
	if (bad)
		return bad;
	if (n->count != 1 && !pair)
		return condition_complain(r, n, path, "one test at a time, such as {contains: word}");
	c->number = c->test == CONDITION_TIMES_OF ? o.times : o.before_ms * 1000;
	switch (c->test) {
	case CONDITION_CONTAINS:
	case CONDITION_STARTS:
	case CONDITION_ENDS:
		return read_words(r, n->first, path, c);
	case CONDITION_SAME_AS:
		return read_other(r, n, path, o.same_as, c);
	case CONDITION_TIMES_OF:
		return c->type == FIELD_NUMBER ? read_other(r, n, path, o.of, c)
					       : condition_complain(r, n, path, "times compares numbers, this field is none");
	case CONDITION_BEFORE:
		return c->type == FIELD_TIME ? 0 : condition_complain(r, n, path, "before compares times, this field is none");
	default:
		return o.absent || o.present ? 0 : condition_complain(r, n, path, "only true says something here");
	}
}

static int read_condition(const struct condition_reading *r, const struct yaml_node *n, const char *path,
			  struct condition *c)
{
	int bad = find_name(r, n, path, n->key, &c->field);
	if (bad)
		return bad;
	c->type = field_definition(c->field)->type;
	int test = n->type == YAML_MAP && n->first ? test_of(n->first->key) : ERR_MISSING;
	if (test < 0)
		return condition_read_values(r, n, path, c);
	c->test = (enum condition_test)test;
	return read_test(r, n, path, c);
}

int conditions_read(const struct condition_reading *r, const struct yaml_node *when, const char *path,
		    struct condition *out, size_t max, size_t *count)
{
	if (!when)
		return 0;
	if (when->type != YAML_MAP)
		return condition_complain(r, when, path, "is not a map of fields and values");
	YAML_EACH(when, it) {
		char at[CONDITION_PATH_MAX];
		snprintf(at, sizeof at, "%.32s.%.96s", path, it->key);
		if (*count == max)
			return condition_complain(r, it, at, "a rule has at most %zu conditions", max);
		struct condition *c = &out[(*count)++];
		*c = (struct condition){0};
		int bad = read_condition(r, it, at, c);
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

static bool holds_word(enum condition_test test, struct bytes text, struct bytes word)
{
	if (word.len > text.len)
		return false;
	size_t last = test == CONDITION_STARTS ? 0 : text.len - word.len;
	for (size_t at = test == CONDITION_ENDS ? last : 0; at <= last; at++) {
		size_t i = 0;
		while (i < word.len && tolower(text.at[at + i]) == tolower(word.at[i]))
			i++;
		if (i == word.len)
			return true;
	}
	return false;
}

static bool value_passes(const struct condition *c, const struct event_value *value)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->test == CONDITION_IS ? value_matches(c, &c->values[i], value)
					    : holds_word(c->test, value->bytes, c->values[i].text))
			return true;
	return false;
}

static bool other_passes(const struct condition *c, const struct event_value *value, const struct event_value *other)
{
	if (!other)
		return false;
	if (c->test == CONDITION_TIMES_OF)
		return other->number <= UINT64_MAX / c->number && value->number >= other->number * c->number;
	return value->number == other->number && bytes_equal(value->bytes, other->bytes);
}

bool condition_holds(const struct condition *c, const struct event *e)
{
	const struct event_value *value = event_get(e, c->field);
	switch (c->test) {
	case CONDITION_ABSENT:
		return !value;
	case CONDITION_PRESENT:
		return value;
	case CONDITION_SAME_AS:
	case CONDITION_TIMES_OF:
		return value && other_passes(c, value, event_get(e, c->other));
	case CONDITION_BEFORE:
		return value && value->number < e->time_us + c->number;
	default:
		return value && value_passes(c, value);
	}
}

int alternatives_read(const struct condition_reading *r, const struct yaml_node *when, const char *path,
		      struct alternatives *out)
{
	size_t count = when->type == YAML_LIST ? when->count : 1, i = 0;
	if (count == 0 || count > CONDITION_ALTERNATIVES_MAX)
		return condition_complain(r, when, path, "1 to %d alternatives are expected", CONDITION_ALTERNATIVES_MAX);
	struct alternative *all = arena_alloc(r->arena, count * sizeof *all);
	if (!all)
		return condition_complain(r, when, path, "the rules are too large");
	for (const struct yaml_node *n = when->type == YAML_LIST ? when->first : when; i < count; n = n->next, i++) {
		int bad = conditions_read(r, n, path, all[i].conditions, CONDITION_TOGETHER_MAX, &all[i].count);
		if (!bad && all[i].count == 0)
			bad = condition_complain(r, n, path, "without a condition it would find everything");
		if (bad)
			return bad;
	}
	*out = (struct alternatives){all, count};
	return 0;
}

bool alternatives_hold(const struct alternatives *a, const struct event *e)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct alternative *it = &a->items[i];
		size_t held = 0;
		while (held < it->count && condition_holds(&it->conditions[held], e))
			held++;
		if (held == it->count)
			return true;
	}
	return false;
}
