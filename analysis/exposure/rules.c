#include "analysis/exposures.h"
#include "event/condition.h"
#include <stddef.h>
#include <stdlib.h>

#define RULES_MEMORY_MAX (32u << 20)
#define CONFIDENCE_DEFAULT "90"

struct rule_entry {
	struct exposure_rule rule;
	struct alternatives alternatives;
	uint16_t evidence[EXPOSURE_FIELDS_MAX];
	size_t evidence_count;
	const struct yaml_node *examples, *not_examples;
};

struct exposure_rules {
	struct arena arena;
	const struct option *fields; /* which of the two kinds of rules they are */
	struct rule_entry *items[EXPOSURE_RULES_MAX];
	size_t count, complaint_count;
	char *complaints[EXPOSURE_COMPLAINTS_MAX];
};

static const char *const severities[] = {"info", "low", "medium", "high", "critical", NULL};

struct rule_option {
	const char *id, *title, *on;
	int severity;
	uint64_t confidence;
	struct option_list evidence, references;
	const struct yaml_node *when, *examples, *not_examples;
};

#define RULE(member) offsetof(struct rule_option, member)
static const struct option rule_fields[] = {
	{"id", OPTION_TEXT, RULE(id), .required = true, .summary = "its name, told with every finding"},
	{"title", OPTION_TEXT, RULE(title), .required = true, .summary = "a sentence for people"},
	{"severity", OPTION_CHOICE, RULE(severity), .choices = severities, .required = true, .summary = "how grave it is"},
	{"confidence", OPTION_NUMBER, RULE(confidence), CONFIDENCE_DEFAULT, .min = 1, .max = 100, .summary = "percent"},
	{"on", OPTION_TEXT, RULE(on), "host.answered", .summary = "kind of event"},
	{"when", OPTION_NODE, RULE(when), .required = true, .summary = "conditions, or a list of alternatives"},
	{"evidence", OPTION_LIST, RULE(evidence), .element = OPTION_TEXT, .summary = "fields that are quoted"},
	{"references", OPTION_LIST, RULE(references), .element = OPTION_TEXT, .summary = "where to read more"},
	{"examples", OPTION_NODE, RULE(examples), .summary = "fields of events that it finds"},
	{"not", OPTION_NODE, RULE(not_examples), .summary = "fields of events that it does not find"},
	{0},
};

static const struct option seek_fields[] = {
	{"name", OPTION_TEXT, RULE(id), .required = true, .summary = "its name, told with every host that matches"},
	{"label", OPTION_TEXT, RULE(title), .required = true, .summary = "what a match means"},
	{"confidence", OPTION_NUMBER, RULE(confidence), CONFIDENCE_DEFAULT, .min = 1, .max = 100, .summary = "percent"},
	{"learned", OPTION_LIST, RULE(references), .element = OPTION_TEXT, .required = true, .summary = "from what it is known"},
	{"on", OPTION_TEXT, RULE(on), "host.answered", .summary = "kind of event"},
	{"when", OPTION_NODE, RULE(when), .required = true, .summary = "conditions, or a list of alternatives"},
	{"evidence", OPTION_LIST, RULE(evidence), .element = OPTION_TEXT, .summary = "fields that are quoted"},
	{"examples", OPTION_NODE, RULE(examples), .summary = "fields of events that it finds"},
	{"not", OPTION_NODE, RULE(not_examples), .summary = "fields of events that it does not find"},
	{0},
};

static const char *const claim_verdicts[] = {"controller", "wrong", "decoy", NULL};

static const struct option claim_fields[] = {
	{"id", OPTION_TEXT, RULE(id), .required = true, .summary = "its name"},
	{"because", OPTION_TEXT, RULE(title), .required = true, .summary = "a sentence for people"},
	{"verdict", OPTION_CHOICE, RULE(severity), .choices = claim_verdicts, .required = true, .summary = "what the answer is of"},
	{"confidence", OPTION_NUMBER, RULE(confidence), CONFIDENCE_DEFAULT, .min = 1, .max = 100, .summary = "percent"},
	{"on", OPTION_TEXT, RULE(on), "record.imported", .summary = "kind of event"},
	{"when", OPTION_NODE, RULE(when), .required = true, .summary = "conditions, or a list of alternatives"},
	{"evidence", OPTION_LIST, RULE(evidence), .element = OPTION_TEXT, .summary = "fields that are quoted"},
	{"references", OPTION_LIST, RULE(references), .element = OPTION_TEXT, .summary = "where to read more"},
	{"examples", OPTION_NODE, RULE(examples), .summary = "fields of events that it finds"},
	{"not", OPTION_NODE, RULE(not_examples), .summary = "fields of events that it does not find"},
	{0},
};

static int open_rules(struct exposure_rules **out, const struct option *fields)
{
	struct exposure_rules *r = calloc(1, sizeof *r);
	if (!r)
		return ERR_MEMORY;
	r->arena = ARENA(RULES_MEMORY_MAX);
	r->fields = fields;
	*out = r;
	return 0;
}

int exposure_rules_open(struct exposure_rules **out) { return open_rules(out, rule_fields); }
int seek_rules_open(struct exposure_rules **out) { return open_rules(out, seek_fields); }
int claim_rules_open(struct exposure_rules **out) { return open_rules(out, claim_fields); }

void exposure_rules_close(struct exposure_rules *r)
{
	if (!r)
		return;
	arena_done(&r->arena);
	free(r);
}

size_t exposure_rules_count(const struct exposure_rules *r) { return r->count; }
const struct exposure_rule *exposure_rules_at(const struct exposure_rules *r, size_t i) { return &r->items[i]->rule; }

const char *exposure_rules_complaint(const struct exposure_rules *r, size_t i)
{
	return i < r->complaint_count ? r->complaints[i] : NULL;
}

static void keep_complaint(struct exposure_rules *r, const struct fault *fault)
{
	if (r->complaint_count == EXPOSURE_COMPLAINTS_MAX)
		return;
	char *kept = arena_text(&r->arena, bytes_of_text(fault->text));
	if (kept)
		r->complaints[r->complaint_count++] = kept;
}

static int read_evidence(const struct condition_reading *c, const struct yaml_node *n, const struct option_list *list,
			 struct rule_entry *rule)
{
	if (list->count > EXPOSURE_FIELDS_MAX)
		return condition_complain(c, n, rule->rule.id, "evidence: at most %d fields", EXPOSURE_FIELDS_MAX);
	for (size_t i = 0; i < list->count; i++) {
		const char *name = ((const char *const *)list->items)[i];
		int field = field_find(bytes_of_text(name));
		if (field < 0)
			return condition_complain(c, n, rule->rule.id, "evidence: there is no field \"%s\"", name);
		rule->evidence[rule->evidence_count++] = (uint16_t)field;
	}
	return 0;
}

static const char *join(struct arena *arena, const struct option_list *list)
{
	char text[2048];
	struct writer w = writer_of(text, sizeof text);
	for (size_t i = 0; i < list->count; i++)
		write_fmt(&w, "%s%s", i ? " " : "", ((const char *const *)list->items)[i]);
	return arena_text(arena, writer_bytes(&w));
}

static const struct rule_entry *find_rule(const struct exposure_rules *r, const char *id)
{
	for (size_t i = 0; i < r->count; i++)
		if (!strcmp(r->items[i]->rule.id, id))
			return r->items[i];
	return NULL;
}

/* A name goes into file names and queries; a label says first what a match means. */
static int check_seek(const struct condition_reading *c, const struct yaml_node *n, const struct rule_option *o)
{
	static const char *const meanings[] = {"infected: ", "taken over: ", "malicious server: "};
	if (strspn(o->id, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(o->id) || !o->id[0])
		return condition_complain(c, n, o->id, "a name has small letters, digits and hyphens");
	if (!o->references.count)
		return condition_complain(c, n, o->id, "learned: from what it is known has to be said");
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (bytes_start_with(bytes_of_text(o->title), meanings[i]))
			return 0;
	return condition_complain(c, n, o->id, "label: it begins with " SEEK_MEANINGS);
}

static int read_rule(struct exposure_rules *r, const struct condition_reading *c, const struct yaml_node *n, size_t index)
{
	char path[64];
	struct rule_option o = {0};
	struct rule_entry *rule = arena_alloc(&r->arena, sizeof *rule);
	snprintf(path, sizeof path, "rule %zu", index + 1);
	const bool seeks = r->fields == seek_fields, claims = r->fields == claim_fields;
	if (!rule)
		return condition_complain(c, n, path, "too many");
	if (n->type != YAML_MAP)
		return condition_complain(c, n, path, "is not a map with %s and when", seeks ? "name, label, learned" : "id, title, severity");
	int bad = options_bind(r->fields, n, c->file, path, &r->arena, &o, c->fault);
	bad = bad || !seeks ? bad : check_seek(c, n, &o);
	if (bad)
		return bad;
	snprintf(path, sizeof path, "%.50s.when", o.id);
	int kind = event_kind_find(bytes_of_text(o.on));
	if (find_rule(r, o.id))
		return condition_complain(c, n, o.id, "another rule has that id, in %s", find_rule(r, o.id)->rule.file);
	if (claims ? kind != EVENT_RECORD_IMPORTED : kind != EVENT_HOST_ANSWERED && kind != EVENT_HOST_IDENTIFIED)
		return condition_complain(c, n, o.id, claims ? "on: record.imported would be right"
							     : "on: host.answered or host.identified would be right");
	rule->rule = (struct exposure_rule){
		.id = o.id, .title = o.title, .severity = seeks ? NULL : claims ? claim_verdicts[o.severity] : severities[o.severity], .references = join(&r->arena, &o.references),
		.file = c->file, .line = n->line, .confidence = (unsigned)o.confidence, .kind = (enum event_kind)kind};
	rule->examples = o.examples;
	rule->not_examples = o.not_examples;
	bad = alternatives_read(c, o.when, path, &rule->alternatives);
	bad = bad ? bad : read_evidence(c, n, &o.evidence, rule);
	if (!bad)
		r->items[r->count++] = rule;
	return bad;
}

void exposure_rules_add(struct exposure_rules *r, struct bytes text, const char *name)
{
	struct fault fault = {0};
	struct yaml_node *root;
	const char *file = arena_text(&r->arena, bytes_of_text(name));
	struct condition_reading c = {file ? file : "?", &r->arena, &fault};
	if (yaml_read(text, c.file, &r->arena, &root, &fault)) {
		keep_complaint(r, &fault);
		return;
	}
	if (root->type != YAML_LIST && (root->type != YAML_SCALAR || root->text.len)) {
		condition_complain(&c, root, "the file", "a list of rules is expected");
		keep_complaint(r, &fault);
		return;
	}
	size_t index = 0;
	YAML_EACH(root, n) {
		if (r->count == EXPOSURE_RULES_MAX) {
			condition_complain(&c, n, "the file", "more than %d rules", EXPOSURE_RULES_MAX);
			keep_complaint(r, &fault);
			return;
		}
		if (read_rule(r, &c, n, index++))
			keep_complaint(r, &fault);
	}
}

/* A value as people read it: what is not printable ASCII or UTF-8 stands as "?". */
static void write_value(struct writer *w, const struct event_value *v)
{
	char text[ADDRESS_TEXT_MAX > TIME_TEXT_MAX ? ADDRESS_TEXT_MAX : TIME_TEXT_MAX];
	struct address a;
	switch (v->type) {
	case FIELD_NUMBER: write_fmt(w, "%llu", (unsigned long long)v->number); break;
	case FIELD_BOOL: write_text(w, v->number ? "true" : "false"); break;
	case FIELD_TIME: write_text(w, time_format(v->number, text)); break;
	case FIELD_ADDRESS:
		memcpy(a.b, v->bytes.at, v->bytes.len < sizeof a.b ? v->bytes.len : sizeof a.b);
		write_text(w, address_format(&a, text));
		break;
	default:
		for (size_t i = 0; i < v->bytes.len && i < 200; i++)
			write_u8(w, v->bytes.at[i] < ' ' || v->bytes.at[i] >= 0x7f ? '?' : v->bytes.at[i]);
	}
}

void exposure_rules_judge(const struct exposure_rules *r, const struct event *e,
			  void (*each)(void *, const struct exposure_rule *, const char *), void *arg)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct rule_entry *rule = r->items[i];
		char evidence[EXPOSURE_EVIDENCE_MAX + 1];
		struct writer w = writer_of(evidence, EXPOSURE_EVIDENCE_MAX);
		if (rule->rule.kind != e->kind || !alternatives_hold(&rule->alternatives, e))
			continue;
		for (size_t f = 0; f < rule->evidence_count; f++) {
			const struct event_value *v = event_get(e, rule->evidence[f]);
			if (!v)
				continue;
			write_fmt(&w, "%s%s: ", writer_used(&w) ? "; " : "", field_definition(rule->evidence[f])->name);
			write_value(&w, v);
		}
		*w.at = '\0';
		each(arg, &rule->rule, evidence);
	}
}

struct checking {
	const struct rule_entry *rule;
	struct exposure_check *out;
	void (*say)(void *, const char *);
	void *arg;
};

static void say_of(const struct checking *c, const struct yaml_node *n, const char *what)
{
	char sentence[512];
	c->out->failed++;
	snprintf(sentence, sizeof sentence, "%.160s:%u: %.80s: %.200s", c->rule->rule.file, n->line, c->rule->rule.id, what);
	c->say(c->arg, sentence);
}

/* An event of an example's fields; false: one of them is no field, or no such value. */
static bool make_event(struct event *e, const struct exposure_rule *rule, const struct yaml_node *fields)
{
	if (fields->type != YAML_MAP)
		return false;
	event_begin(e, rule->kind);
	e->time_us = 1767225600000000u; /* 2026-01-01: an example's certificate has run out or it has not */
	YAML_EACH(fields, n) {
		int field = field_find(bytes_of_text(n->key));
		uint64_t number = 0;
		struct address a;
		if (field < 0 || n->type != YAML_SCALAR)
			return false;
		switch (field_definition((uint16_t)field)->type) {
		case FIELD_NUMBER:
			if (!bytes_number(n->text, UINT64_MAX, &number))
				return false;
			event_set_number(e, (uint16_t)field, number);
			break;
		case FIELD_BOOL: event_set_bool(e, (uint16_t)field, bytes_equal_text(n->text, "true")); break;
		case FIELD_TIME:
			if (!time_parse(n->text, &number))
				return false;
			event_set_number(e, (uint16_t)field, number);
			break;
		case FIELD_ADDRESS:
			if (!address_parse(n->text, &a))
				return false;
			event_set_address(e, (uint16_t)field, &a);
			break;
		case FIELD_ID: return false;
		default: event_set_bytes(e, (uint16_t)field, n->text);
		}
	}
	return true;
}

static void check_examples(const struct checking *c, const struct yaml_node *list, bool must)
{
	static struct event e;
	if (!list)
		return;
	if (list->type != YAML_LIST) {
		say_of(c, list, "examples are a list of maps of fields");
		return;
	}
	YAML_EACH(list, n) {
		c->out->examples++;
		if (!make_event(&e, &c->rule->rule, n))
			say_of(c, n, "an example is a map of fields with values of their types");
		else if (alternatives_hold(&c->rule->alternatives, &e) != must)
			say_of(c, n, must ? "its example is not found" : "what it must not find is found");
	}
}

void exposure_rules_verify(const struct exposure_rules *r, struct exposure_check *out,
			   void (*say)(void *, const char *), void *arg)
{
	*out = (struct exposure_check){.rules = r->count};
	for (size_t i = 0; i < r->count; i++) {
		const struct checking c = {r->items[i], out, say, arg};
		out->without_example += !r->items[i]->examples;
		check_examples(&c, r->items[i]->examples, true);
		check_examples(&c, r->items[i]->not_examples, false);
	}
}
