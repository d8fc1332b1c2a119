#include "active/identify/giveaway_inner.h"
#include <ctype.h>

/* No signal is longer than a few KiB and no rule has more than a few words: the product is bounded. */
static bool starts_nocase(struct bytes b, const char *word, size_t len)
{
	if (b.len < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (tolower(b.at[i]) != tolower((unsigned char)word[i]))
			return false;
	return true;
}

static bool word_holds(enum giveaway_how how, struct bytes value, const char *word)
{
	switch (how) {
	case GIVEAWAY_EQUALS:
		return bytes_equal_nocase(value, word);
	case GIVEAWAY_STARTS:
		return starts_nocase(value, word, strlen(word));
	case GIVEAWAY_CONTAINS:
		return bytes_find_nocase(value, word) < value.len;
	}
	return false;
}

static const struct giveaway_signal *condition_holds(const struct giveaway_condition *c,
						     const struct giveaway_host *h)
{
	for (size_t i = 0; i < h->signal_count; i++) {
		const struct giveaway_signal *s = &h->signals[i];
		if (!bytes_equal_text(s->key, c->key))
			continue;
		bool all = true;
		for (size_t k = 0; k < c->word_count && all; k++)
			all = word_holds(c->how, s->value, c->words[k]);
		if (all)
			return s;
	}
	return NULL;
}

static bool rule_holds(const struct giveaway_rule *rule, const struct giveaway_host *h, struct writer *detail)
{
	if (rule->structure)
		return structure_holds(rule, h, detail);
	for (size_t i = 0; i < rule->when_count; i++) {
		const struct giveaway_signal *s = condition_holds(&rule->when[i], h);
		if (!s)
			return false;
		write_fmt(detail, "%s%s@%u", i ? ", " : "", rule->when[i].key, (unsigned)s->port);
	}
	return true;
}

/* One sentence of a rule that holds, at the end of what is there. */
static void reason_write(const struct giveaway_rule *rule, struct bytes detail, struct writer *w)
{
	struct writer before = *w;
	if (writer_used(w))
		write_text(w, "; ");
	if (rule->name)
		write_fmt(w, "%s: ", rule->name);
	write_fmt(w, "%s (%.*s, %u)", rule->because, (int)detail.len, detail.len ? (const char *)detail.at : "",
		  rule->weight);
	if (w->bad)
		*w = before; /* the weaker reasons are left out when there are too many */
}

void giveaways_judge(const struct giveaways *g, const struct giveaway_host *h, struct giveaway_verdict *v)
{
	uint8_t held[GIVEAWAY_RULES_MAX] = {0};
	double doubt = 1;
	unsigned named = 0;
	struct writer w = writer_of(v->reasons, sizeof v->reasons - 1);
	uint8_t room[256];
	*v->reasons = *v->name = '\0';
	for (size_t i = 0; i < g->count; i++) {
		struct writer detail = writer_of(room, sizeof room);
		const struct giveaway_rule *rule = g->rules[i];
		held[i] = rule_holds(rule, h, &detail);
		if (!held[i])
			continue;
		doubt *= 1 - rule->weight / 100.0;
		if (rule->name && rule->weight > named) {
			named = rule->weight;
			snprintf(v->name, sizeof v->name, "%s", rule->name);
		}
	}
	for (unsigned weight = 99; weight > 0; weight--)
		for (size_t i = 0; i < g->count; i++) {
			struct writer detail = writer_of(room, sizeof room);
			if (!held[i] || g->rules[i]->weight != weight)
				continue;
			rule_holds(g->rules[i], h, &detail);
			reason_write(g->rules[i], writer_bytes(&detail), &w);
		}
	*w.at = '\0';
	v->score = (unsigned)(100 * (1 - doubt) + 0.5);
}
