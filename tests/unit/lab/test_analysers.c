/* Every analyser's specimens: what is said to come of each part does, whole or cut anywhere without harm. */
#include "lab/lab.h"
#include "tests/test.h"
#include <stdlib.h>

#define LINE_MAX_BYTES 1024

static bool indicator_told(const struct findings *f, const char *line)
{
	char text[LINE_MAX_BYTES * 4];
	for (size_t i = 0; i < f->indicator_count; i++) {
		const struct indicator *it = &f->indicators[i];
		/* Of several ways any may be named. */
		snprintf(text, sizeof text, "%s %.*s ", indicator_type_name(it->type), (int)it->value.len,
			 (const char *)it->value.at);
		size_t n = strlen(text);
		if (!strncmp(text, line, n) && strstr(it->how, line + n))
			return true;
	}
	return false;
}

static bool fact_told(const struct findings *f, const char *line)
{
	char text[LINE_MAX_BYTES * 4];
	for (size_t i = 0; i < f->fact_count; i++) {
		snprintf(text, sizeof text, "%s %s", f->facts[i].name, f->facts[i].value);
		if (!strcmp(text, line))
			return true;
	}
	return false;
}

static bool part_told(const struct findings *f, const char *line)
{
	char text[LINE_MAX_BYTES * 4];
	for (size_t i = 1; i < f->part_count; i++) {
		snprintf(text, sizeof text, "%s %s", f->parts[i].type, f->parts[i].name);
		if (!strcmp(text, line))
			return true;
	}
	return false;
}

static bool limit_told(const struct findings *f, const char *line)
{
	for (size_t i = 0; i < f->limit_count; i++)
		if (!strcmp(f->limits[i], line))
			return true;
	return false;
}

static bool family_told(const struct findings *f, const char *line)
{
	for (size_t i = 0; i < f->family_count; i++)
		if (!strcmp(f->families[i].name, line))
			return true;
	return false;
}

static bool told(const struct findings *f, const char *line)
{
	static const struct {
		const char *word;
		bool (*told)(const struct findings *, const char *);
	} kinds[] = {{"indicator ", indicator_told}, {"fact ", fact_told}, {"part ", part_told}, {"limit ", limit_told},
		     {"family ", family_told}};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strncmp(line, kinds[i].word, strlen(kinds[i].word)))
			return kinds[i].told(f, line + strlen(kinds[i].word));
	return false;
}

static void specimen_check(const struct analyser *it, const struct lab_specimen *s)
{
	struct analysis *a;
	struct fault fault;
	char line[LINE_MAX_BYTES];
	CHECK(lab_analyse(&a, s->content, NULL, &fault) == 0);
	for (const char *at = s->found; *at;) {
		size_t n = strcspn(at, "\n");
		snprintf(line, sizeof line, "%.*s", (int)n, at);
		CHECK_SAY(told(analysis_findings(a), line), "%s, %s: %s is not told", it->name, s->title, line);
		at += at[n] ? n + 1 : n;
	}
	analysis_free(a);
	/* Cut anywhere; a copy of just that size lets a sanitizer see what reads beyond it. */
	size_t step = s->content.len / 64 + 1;
	for (size_t n = 0; n < s->content.len; n += step) {
		uint8_t *cut = malloc(n ? n : 1);
		CHECK(cut);
		memcpy(cut, s->content.at, n);
		CHECK(lab_analyse(&a, (struct bytes){cut, n}, NULL, &fault) == 0);
		analysis_free(a);
		free(cut);
	}
}

TEST(lab_specimens_give_what_they_say)
{
	size_t seen = 0;
	ANALYSERS_EACH(it)
		for (const struct lab_specimen *s = (*it)->specimens; s && s->title; s++, seen++)
			specimen_check(*it, s);
	CHECK(seen > 0);
}

TEST(lab_analysers_describe_themselves)
{
	ANALYSERS_EACH(it) {
		CHECK((*it)->name && (*it)->summary && (*it)->reference && (*it)->analyse);
		CHECK((*it)->phase < 4);
		ANALYSERS_EACH(other)
			CHECK(*other == *it || strcmp((*other)->name, (*it)->name));
	}
}
