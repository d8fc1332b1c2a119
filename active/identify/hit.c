/*
 * The fields of a hit: groups of the pattern, fixed values, and fixed values
 * with {other.field} in them.
 */
#include "active/identify/rules_inner.h"

enum { INTERPOLATION_DEPTH_MAX = 4 };

static struct bytes group_of(const struct identify *id, struct bytes s, unsigned group)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(id->groups);
	/* The bound is that of the match that filled it: groups that took no part are unset. */
	if (group >= pcre2_get_ovector_count(id->groups) || at[2 * group] == PCRE2_UNSET ||
	    at[2 * group + 1] > s.len || at[2 * group] > at[2 * group + 1])
		return (struct bytes){0};
	return (struct bytes){s.at + at[2 * group], at[2 * group + 1] - at[2 * group]};
}

static bool write_param(const struct identify *, const struct rule *, struct bytes banner,
			const struct rule_param *, struct writer *, unsigned depth);

static const struct rule_param *param_named(const struct rule *rule, struct bytes name)
{
	for (size_t i = 0; i < rule->param_count; i++)
		if (bytes_equal_text(name, rule->params[i].name))
			return &rule->params[i];
	return NULL;
}

/* In a CPE an unknown part is `-`; elsewhere an unknown part makes the whole value void. */
static bool write_reference(const struct identify *id, const struct rule *rule,
			    struct bytes s, const struct rule_param *of,
			    struct bytes name, struct writer *w, unsigned depth)
{
	const struct rule_param *other = param_named(rule, name);
	uint8_t *before = w->at;
	if (other && other != of && write_param(id, rule, s, other, w, depth + 1) && w->at > before)
		return true;
	w->at = before;
	if (!strstr(of->name, "cpe23"))
		return false;
	write_u8(w, '-');
	return true;
}

static bool write_param(const struct identify *id, const struct rule *rule,
			struct bytes s, const struct rule_param *param,
			struct writer *w, unsigned depth)
{
	if (depth > INTERPOLATION_DEPTH_MAX)
		return false;
	if (!param->value) {
		struct bytes value = bytes_trim(group_of(id, s, param->group));
		write_span(w, value);
		return value.len > 0 && !w->bad;
	}
	if (param->plain_len) {
		write_bytes(w, param->value, param->plain_len);
		return !w->bad;
	}
	for (const char *at = param->value; *at;) {
		const char *close = *at == '{' ? strchr(at, '}') : NULL;
		if (!close) {
			write_u8(w, (uint8_t)*at++);
			continue;
		}
		struct bytes name = {(const uint8_t *)at + 1, (size_t)(close - at - 1)};
		if (!write_reference(id, rule, s, param, name, w, depth))
			return false;
		at = close + 1;
	}
	return !w->bad;
}

/* Where a rule does not say it, the file does. */
static void fill_protocol(const struct rule *rule, struct writer *w, struct identify_hit *hit)
{
	struct bytes protocol = rule->file->protocol;
	uint8_t *before = w->at;
	if (protocol.len == 0 || hit->count == IDENTIFY_FIELDS_MAX)
		return;
	write_span(w, protocol);
	if (!w->bad)
		hit->fields[hit->count++] = (struct identify_field){
			"service.protocol", (uint16_t)(before - w->start),
			(uint16_t)(w->at - before)};
}

void rule_fill(const struct identify *id, const struct rule *rule, struct bytes s,
	       struct identify_hit *hit)
{
	hit->rule = rule->id;
	hit->description = rule->description;
	hit->certainty = rule->certainty;
	hit->count = 0;
	bool protocol = false;
	struct writer w = writer_of(hit->text, sizeof hit->text);
	for (size_t i = 0; i < rule->param_count; i++) {
		const struct rule_param *p = &rule->params[i];
		uint8_t *before = w.at;
		if (p->hidden)
			continue;
		if (!write_param(id, rule, s, p, &w, 0)) {
			w.at = before;
			w.bad = false;
			continue;
		}
		protocol |= p->protocol && w.at > before;
		hit->fields[hit->count++] = (struct identify_field){
			p->name, (uint16_t)(before - w.start), (uint16_t)(w.at - before)};
	}
	if (!protocol)
		fill_protocol(rule, &w, hit);
}

struct bytes identify_value(const struct identify_hit *hit, const char *name)
{
	for (size_t i = 0; i < hit->count; i++)
		if (strcmp(hit->fields[i].name, name) == 0)
			return (struct bytes){(const uint8_t *)hit->text + hit->fields[i].at,
					      hit->fields[i].len};
	return (struct bytes){0};
}
