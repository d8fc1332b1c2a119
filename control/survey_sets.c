#include "control/survey_sets_inner.h"
#include "base/special.h"

static int add_all(struct prefix_set *into, const struct prefix_set *set)
{
	int bad = 0;
	for (size_t i = 0; set && i < set->count && !bad; i++)
		bad = prefix_set_add(into, &set->items[i]);
	return bad;
}

/* Of two prefixes that share an address, one lies within the other. */
static int add_common(struct prefix_set *into, const struct prefix *a, const struct prefix *b)
{
	if (prefix_holds(a, &b->base) && a->bits <= b->bits)
		return prefix_set_add(into, b);
	return prefix_holds(b, &a->base) && b->bits <= a->bits ? prefix_set_add(into, a) : 0;
}

int survey_targets(const struct settings *s, const struct survey *survey, struct prefix_set *out)
{
	struct prefix_set set = {0};
	int bad = 0;
	for (size_t i = 0; i < survey->prefixes.count && !bad; i++)
		for (size_t k = 0; k < s->scope.count && !bad; k++)
			bad = add_common(&set, &survey->prefixes.items[i], &s->scope.items[k]);
	if (bad) {
		prefix_set_done(&set);
		return bad;
	}
	prefix_set_seal(&set);
	*out = set;
	return 0;
}

/* A prefix without what is allowed of it: halved until each half is wholly the one or the other. */
static int add_without(struct prefix_set *into, const struct prefix *p, const struct prefix_set *allowed)
{
	bool overlaps = false;
	for (size_t i = 0; i < allowed->count; i++) {
		if (allowed->items[i].bits <= p->bits && prefix_holds(&allowed->items[i], &p->base))
			return 0;
		overlaps |= prefix_holds(p, &allowed->items[i].base);
	}
	if (!overlaps)
		return prefix_set_add(into, p);
	struct prefix half = {.base = p->base, .bits = (uint8_t)(p->bits + 1)};
	int bad = add_without(into, &half, allowed);
	half.base.b[p->bits / 8] |= (uint8_t)(0x80 >> p->bits % 8);
	return bad ? bad : add_without(into, &half, allowed);
}

int survey_excluded(const struct policy *p, struct prefix_set *out)
{
	const struct settings *s = p->settings;
	struct prefix_set set = {0}, special = {0};
	int bad = special_prefixes(&special);
	for (size_t i = 0; i < special.count && !bad; i++)
		bad = add_without(&set, &special.items[i], &s->special);
	prefix_set_done(&special);
	if (!bad && (add_all(&set, &s->own) || add_all(&set, p->opted_out) || add_all(&set, p->asked_out) ||
		     add_all(&set, &s->known_scanners)))
		bad = ERR_MEMORY;
	if (bad) {
		prefix_set_done(&set);
		return bad;
	}
	prefix_set_seal(&set);
	*out = set;
	return 0;
}
