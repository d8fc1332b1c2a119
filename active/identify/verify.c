/*
 * Examples as tests: each must match its own rule, give the values in its
 * attributes, and not be taken by an earlier rule of its file.
 */
#include "active/identify/prefilter_inner.h"

struct verification {
	const struct identify *id;
	struct identify_check *out;
	void (*say)(void *, const char *);
	void *context;
};

static void say(const struct verification *v, const struct rule *rule, unsigned line,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void say(const struct verification *v, const struct rule *rule, unsigned line,
		const char *fmt, ...)
{
	char text[768];
	struct writer w = writer_of(text, sizeof text - 1);
	write_fmt(&w, "%s:%u: %s: ", rule->path, line, rule->id);
	int used = (int)writer_used(&w);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text + used, sizeof text - (size_t)used, fmt, ap);
	va_end(ap);
	if (v->say)
		v->say(v->context, text);
}

static bool values_right(const struct verification *v, const struct rule *rule,
			 const struct rule_example *e)
{
	struct bytes s = banner_cut(e->text);
	struct identify_hit hit;
	if (!fingerprint_matches(v->id, rule, s)) {
		say(v, rule, e->line, "the example does not match the pattern: %.80s",
		    (const char *)e->text.at);
		return false;
	}
	rule_fill(v->id, rule, s, &hit);
	for (size_t i = 0; i < e->expected_count; i++) {
		const char *name = e->expected[2 * i], *value = e->expected[2 * i + 1];
		struct bytes got = identify_value(&hit, name);
		if (bytes_equal_text(got, value))
			continue;
		say(v, rule, e->line, "%s is \"%.*s\" and the example says \"%s\"", name,
		    (int)got.len, got.len ? (const char *)got.at : "", value);
		return false;
	}
	return true;
}

static void check_example(const struct verification *v, const struct rule_file *file,
			  const struct rule *rule, const struct rule_example *e)
{
	v->out->examples++;
	if (!values_right(v, rule, e)) {
		v->out->failed++;
		return;
	}
	/* The way of a real banner, through the prefilter, to the first match within this file. */
	struct bytes s = banner_cut(e->text);
	struct rule_key *k = file->key;
	prefilter_seek(v->id, k, s);
	for (size_t i = 0; (i = prefilter_next(k, i)) < k->rule_count; i++) {
		const struct rule *r = k->rules[i];
		if (r->file != file || !fingerprint_matches(v->id, r, s))
			continue;
		if (r != rule) {
			say(v, rule, e->line, "%s comes first and takes the example: %.80s", r->id,
			    (const char *)e->text.at);
			v->out->shadowed++;
		}
		return;
	}
	say(v, rule, e->line, "the prefilter lost the example: %.80s", (const char *)e->text.at);
	v->out->failed++;
}

void identify_verify(const struct identify *id, struct identify_check *out,
		     void (*say_to)(void *context, const char *sentence), void *context)
{
	struct verification v = {id, out, say_to, context};
	*out = (struct identify_check){0};
	for (const struct rule_key *k = id->keys; k; k = k->next)
		for (const struct rule_file *f = k->files; f; f = f->next)
			for (const struct rule *r = f->first; r; r = r->next) {
				out->rules++;
				out->without_example += r->example_count == 0;
				for (size_t i = 0; i < r->example_count; i++)
					check_example(&v, f, r, &r->examples[i]);
			}
}
