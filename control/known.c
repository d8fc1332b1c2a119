#include "control/known_inner.h"
#include "control/seekers_inner.h"

static const struct {
	const char *name;
	enum field_type type;
} attributes[KNOWN_ATTRIBUTE_COUNT] = {
#define X(attribute, word, kind, what) [KNOWN_##attribute] = {word, FIELD_##kind},
	KNOWN_ATTRIBUTES(X)
#undef X
};

const char *known_name(unsigned attribute) { return attributes[attribute].name; }
enum field_type known_type(unsigned attribute) { return attributes[attribute].type; }

static uint64_t number_of(const struct known *k, enum known_attribute a)
{
	const struct source *s = k->source;
	switch (a) {
	case KNOWN_CAMPAIGN_SOURCES:
		return k->campaigns ? campaigns_sources(k->campaigns, s->campaign) : 0;
	case KNOWN_CREDENTIALS:
		return s->counts[COUNT_CREDENTIALS];
	case KNOWN_SESSIONS:
		return s->counts[COUNT_SESSIONS];
	case KNOWN_HUMANS:
		return s->counts[COUNT_HUMANS];
	case KNOWN_BOTS:
		return s->counts[COUNT_BOTS];
	case KNOWN_SERVICES:
		return (uint64_t)__builtin_popcountll(s->services);
	case KNOWN_COMMANDS:
		return s->counts[COUNT_COMMANDS];
	case KNOWN_FILES:
		return s->counts[COUNT_FILES];
	case KNOWN_SCANS:
		return s->counts[COUNT_SCANS];
	case KNOWN_SEEKS:
		return seeker_score(s->signs);
	default:
		return 0;
	}
}

static bool has_list(const struct known *k, struct bytes name)
{
	const struct credentials *c = k->credentials;
	for (size_t i = 0; i < c->count; i++)
		if (bytes_equal_text(name, c->lists[i].name))
			return k->source->matched[i] >= c->lists[i].least;
	return false;
}

static bool has_service(const struct known *k, struct bytes name)
{
	for (unsigned i = 0; i < SOURCE_SERVICES_MAX; i++)
		if (k->source->services & 1ull << i && bytes_equal_text(name, source_service(k->sources, i)))
			return true;
	return false;
}

static bool has_sign(const struct known *k, struct bytes word)
{
	for (unsigned i = 0; i < SEEKER_SIGN_COUNT; i++)
		if (k->source->signs & 1u << i && bytes_equal_text(word, seeker_word((enum seeker_sign)i)))
			return true;
	return false;
}

static bool has_text(const struct known *k, enum known_attribute a, struct bytes text)
{
	const struct source *s = k->source;
	char name[CAMPAIGN_TEXT_MAX];
	switch (a) {
	case KNOWN_CLASS:
		return s->device_class && bytes_equal_nocase(text, source_name(k->sources, s->device_class));
	case KNOWN_TOOL:
		return s->tool && bytes_equal_text(text, source_name(k->sources, s->tool));
	case KNOWN_CAMPAIGN:
		return s->campaign && bytes_equal_text(text, campaign_text(s->campaign, name));
	case KNOWN_LIST:
		return has_list(k, text);
	case KNOWN_SERVICE:
		return has_service(k, text);
	case KNOWN_SIGN:
		return has_sign(k, text);
	default:
		return false;
	}
}

/* The value that holds, or NULL. */
static const struct condition_value *value_held(const struct condition *c, const struct known *k)
{
	enum known_attribute a = (enum known_attribute)c->field;
	for (size_t i = 0; i < c->count; i++) {
		const struct condition_value *v = &c->values[i];
		uint64_t n = c->type == FIELD_NUMBER ? number_of(k, a) : 0;
		if (c->type == FIELD_NUMBER ? n >= v->min && n <= v->max : has_text(k, a, v->text))
			return v;
	}
	return NULL;
}

bool known_matches(const struct rule *rule, const struct known *k)
{
	for (size_t i = 0; i < rule->known_count; i++)
		if (!k || !value_held(&rule->known[i], k))
			return false;
	return true;
}

static void write_signs(const struct known *k, struct writer *w)
{
	const char *between = " (";
	for (unsigned i = 0; i < SEEKER_SIGN_COUNT; i++)
		if (k->source->signs & 1u << i) {
			write_fmt(w, "%s%s", between, seeker_word((enum seeker_sign)i));
			between = ", ";
		}
	write_text(w, *between == ',' ? ")" : "");
}

static void write_matched(const struct known *k, struct bytes list, struct writer *w)
{
	const struct credentials *c = k->credentials;
	for (size_t i = 0; i < c->count; i++)
		if (bytes_equal_text(list, c->lists[i].name))
			write_fmt(w, " (%u of %u tried)", (unsigned)k->source->matched[i],
				  (unsigned)k->source->counts[COUNT_CREDENTIALS]);
}

void known_write_reasons(const struct rule *rule, const struct known *k, struct writer *w)
{
	for (size_t i = 0; i < rule->known_count; i++) {
		const struct condition *c = &rule->known[i];
		const struct condition_value *v = value_held(c, k);
		enum known_attribute a = (enum known_attribute)c->field;
		if (!v)
			continue;
		write_fmt(w, "%s%s ", i ? "; " : "", known_name(a));
		if (c->type == FIELD_NUMBER)
			write_fmt(w, "%llu", (unsigned long long)number_of(k, a));
		else
			write_span(w, v->text);
		if (a == KNOWN_SEEKS)
			write_signs(k, w);
		if (a == KNOWN_LIST)
			write_matched(k, v->text, w);
	}
}
