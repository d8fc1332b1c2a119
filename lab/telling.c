/* What analysers tell, put into the tables of the analysis: bounded, and each thing once. */
#include "lab/analysis_inner.h"
#include "base/siphash.h"

#define HOW_MAX 256 /* all the ways that one indicator was found */

struct arena *analysis_arena(struct analysis *a)
{
	return &a->arena;
}

void analysis_limit(struct analysis *a, const char *word)
{
	struct findings *f = &a->findings;
	for (size_t i = 0; i < f->limit_count; i++)
		if (!strcmp(a->limits[i], word))
			return;
	if (f->limit_count < ANALYSIS_LIMITS_MAX) {
		const char *kept = arena_text(&a->arena, bytes_of_text(word));
		a->limits[f->limit_count++] = kept ? kept : "memory";
	}
}

static const char *text_keep(struct analysis *a, const char *text)
{
	const char *kept = arena_text(&a->arena, bytes_of_text(text));
	if (!kept)
		analysis_limit(a, "memory");
	return kept ? kept : "";
}

void analysis_architecture(struct analysis *a, const char *architecture)
{
	a->parts[a->now->number].architecture = text_keep(a, architecture);
}

/* Formatted text that may hold pieces from outside: made UTF-8 by spelling out what is not. */
static const char *value_keep(struct analysis *a, const char *fmt, va_list arguments)
{
	char text[FACT_VALUE_MAX], clean[FACT_VALUE_MAX * 4];
	vsnprintf(text, sizeof text, fmt, arguments);
	struct bytes b = bytes_of_text(text);
	bool utf8 = bytes_is_utf8(b);
	struct writer w = writer_of(clean, sizeof clean - 1);
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] < 0x20 || b.at[i] == 0x7f || (b.at[i] >= 0x80 && !utf8))
			write_fmt(&w, "\\x%02x", b.at[i]);
		else
			write_u8(&w, b.at[i]);
	clean[writer_used(&w)] = 0;
	return text_keep(a, clean);
}

void analysis_fact(struct analysis *a, const char *name, const char *fmt, ...)
{
	struct findings *f = &a->findings;
	if (f->fact_count >= ANALYSIS_FACTS_MAX) {
		analysis_limit(a, "facts");
		return;
	}
	va_list arguments;
	va_start(arguments, fmt);
	const char *value = value_keep(a, fmt, arguments);
	va_end(arguments);
	a->facts[f->fact_count++] = (struct fact){text_keep(a, name), value, a->now->number};
}

/* "strings, xor 0x22": the ways are kept in the order in which they were found. */
static void how_add(struct analysis *a, struct indicator *known, const char *how)
{
	char text[HOW_MAX];
	size_t n = strlen(how);
	struct writer w = writer_of(text, sizeof text);
	for (const char *at = known->how; (at = strstr(at, how)); at += n)
		if ((at == known->how || at[-1] == ' ') && (at[n] == 0 || at[n] == ','))
			return;
	write_fmt(&w, "%s, %s", known->how, how);
	write_u8(&w, 0);
	if (!w.bad)
		known->how = text_keep(a, text);
}

static void indicator_merge(struct analysis *a, struct indicator *known, const struct indicator *more)
{
	how_add(a, known, more->how);
	if (known->role == FOR_UNKNOWN || (more->role != FOR_UNKNOWN && more->confidence > known->confidence))
		known->role = more->role;
	if (more->confidence > known->confidence)
		known->confidence = more->confidence;
}

void analysis_indicator(struct analysis *a, const struct indicator *it)
{
	struct findings *f = &a->findings;
	/* Whoever chooses values that collide would have to know the digest of the sample that holds them. */
	struct siphash_key key;
	memcpy(&key, f->sha256, sizeof key);
	if (!it->value.len || it->value.len > INDICATOR_VALUE_MAX || (unsigned)it->type >= INDICATOR_TYPES)
		return;
	size_t slot = (size_t)(siphash(&key, it->value) + it->type) % INDICATOR_SLOTS;
	for (; a->slots[slot]; slot = (slot + 1) % INDICATOR_SLOTS) {
		struct indicator *known = &a->indicators[a->slots[slot] - 1];
		if (known->type == it->type && bytes_equal(known->value, it->value)) {
			indicator_merge(a, known, it);
			return;
		}
	}
	if (f->indicator_count >= ANALYSIS_INDICATORS_MAX) {
		analysis_limit(a, "indicators");
		return;
	}
	struct indicator kept = *it;
	kept.value = arena_copy(&a->arena, it->value);
	kept.how = text_keep(a, it->how);
	kept.part = a->now->number;
	kept.confidence = it->confidence > 100 ? 100 : it->confidence;
	if (!kept.value.at) {
		analysis_limit(a, "memory");
		return;
	}
	a->indicators[f->indicator_count++] = kept;
	a->slots[slot] = (uint16_t)f->indicator_count;
}

void analysis_family(struct analysis *a, const char *family, unsigned points, const char *fmt, ...)
{
	struct findings *f = &a->findings;
	size_t at = 0;
	while (at < f->family_count && strcmp(a->families[at].name, family))
		at++;
	if (at == ANALYSIS_FAMILIES_MAX) {
		analysis_limit(a, "families");
		return;
	}
	va_list arguments;
	va_start(arguments, fmt);
	const char *reason = value_keep(a, fmt, arguments);
	va_end(arguments);
	if (at == f->family_count)
		a->families[f->family_count++] = (struct family){text_keep(a, family), 0, ""};
	struct family *known = &a->families[at];
	if (strstr(known->reasons, reason) || a->family_reasons[at] >= FAMILY_REASONS_MAX)
		return;
	char text[FACT_VALUE_MAX * 2];
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w, "%s%s%s", known->reasons, known->reasons[0] ? "; " : "", reason);
	write_u8(&w, 0);
	if (!w.bad)
		known->reasons = text_keep(a, text);
	known->points += points;
	a->family_reasons[at]++;
}

void analysis_yara(struct analysis *a, const char *space, const char *rule)
{
	struct findings *f = &a->findings;
	char text[256];
	snprintf(text, sizeof text, "%s:%s", space, rule);
	for (size_t i = 0; i < f->yara_count; i++)
		if (!strcmp(a->yara[i], text))
			return;
	if (f->yara_count >= ANALYSIS_YARA_MAX)
		analysis_limit(a, "yara.matches");
	else
		a->yara[f->yara_count++] = text_keep(a, text);
}

static void on_text_found(void *arg, const struct indicator *indicator) { analysis_indicator(arg, indicator); }

void analysis_text(struct analysis *a, struct bytes text, uint64_t offset, const char *how, unsigned confidence)
{
	indicators_find(text, offset, how, confidence, on_text_found, a);
}
