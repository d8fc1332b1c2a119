/* A seek tried on what is stored: which hosts it would match. */
#include "analysis/exposure/stored_inner.h"
#include "analysis/seeking.h"
#include <stdlib.h>

struct hosts {
	struct address *items;
	size_t count, room;
};

struct seek_trial {
	const struct exposure_rules *rules;
	const struct event *judged;
	struct event event;
	struct hosts answered;
	struct hosts matched[]; /* of each rule */
};

int seek_trial_open(struct seek_trial **out, const struct exposure_rules *rules)
{
	struct seek_trial *t = calloc(1, sizeof *t + exposure_rules_count(rules) * sizeof *t->matched);
	if (!t)
		return ERR_MEMORY;
	t->rules = rules;
	*out = t;
	return 0;
}

void seek_trial_close(struct seek_trial *t)
{
	if (!t)
		return;
	free(t->answered.items);
	for (size_t i = 0; i < exposure_rules_count(t->rules); i++)
		free(t->matched[i].items);
	free(t);
}

void seek_trial_sql(struct writer *w, uint64_t since_us, uint64_t until_us) { stored_sql(w, since_us, until_us); }

static int compare(const void *a, const void *b) { return memcmp(a, b, sizeof(struct address)); }

static void make_distinct(struct hosts *h)
{
	size_t kept = 0;
	if (h->count)
		qsort(h->items, h->count, sizeof *h->items, compare);
	for (size_t i = 0; i < h->count; i++)
		if (!kept || compare(&h->items[kept - 1], &h->items[i]))
			h->items[kept++] = h->items[i];
	h->count = kept;
}

/* Without memory for it a host is not counted. */
static void add(struct hosts *h, const struct address *a)
{
	if (h->count == h->room) {
		size_t room = h->room ? 2 * h->room : 64;
		struct address *more = realloc(h->items, room * sizeof *more);
		if (!more)
			return;
		h->items = more;
		h->room = room;
	}
	h->items[h->count++] = *a;
}

static void matched(void *arg, const struct exposure_rule *rule, const char *evidence)
{
	struct seek_trial *t = arg;
	struct address host;
	(void)evidence;
	if (!event_address(t->judged, FIELD_SRC, &host))
		return;
	for (size_t i = 0; i < exposure_rules_count(t->rules); i++)
		if (exposure_rules_at(t->rules, i) == rule)
			add(&t->matched[i], &host);
}

void seek_trial_judge(struct seek_trial *t, const struct event *e)
{
	struct address host;
	if (!event_address(e, FIELD_SRC, &host))
		return;
	add(&t->answered, &host);
	t->judged = e;
	exposure_rules_judge(t->rules, e, matched, t);
}

void seek_trial_take(struct seek_trial *t, struct bytes line)
{
	if (stored_event(line, &t->event))
		seek_trial_judge(t, &t->event);
}

uint64_t seek_trial_answered(struct seek_trial *t)
{
	make_distinct(&t->answered);
	return t->answered.count;
}

uint64_t seek_trial_matched(struct seek_trial *t, size_t i, struct address shown[SEEK_SHOWN_MAX], size_t *shown_count)
{
	struct hosts *h = &t->matched[i];
	make_distinct(h);
	*shown_count = h->count < SEEK_SHOWN_MAX ? h->count : SEEK_SHOWN_MAX;
	for (size_t k = 0; k < *shown_count; k++)
		shown[k] = h->items[k];
	return h->count;
}
