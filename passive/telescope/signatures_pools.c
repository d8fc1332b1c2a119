#include "passive/telescope/signatures_inner.h"

static bool commutes(enum value_kind kind)
{
	return kind != VALUE_SUBTRACT && kind != VALUE_LEFT && kind != VALUE_RIGHT;
}

static bool value_same(const struct value *x, const struct value *y)
{
	return x->kind == y->kind && x->a == y->a && x->b == y->b && x->splat[0] == y->splat[0];
}

int signature_value(struct signatures *s, enum value_kind kind, unsigned a, unsigned b,
		    uint32_t constant)
{
	/* One order for both, and a constant last: that is where working it out is cheap. */
	if (kind >= VALUE_AND && commutes(kind) &&
	    (s->values[a].kind == VALUE_CONSTANT || (a > b && s->values[b].kind != VALUE_CONSTANT))) {
		unsigned other = a;
		a = b;
		b = other;
	}
	struct value v = {.kind = (uint8_t)kind, .a = (uint16_t)a, .b = (uint16_t)b,
			  .splat = {constant, constant, constant, constant}};
	for (unsigned i = 0; i < s->n.values; i++)
		if (value_same(&s->values[i], &v))
			return (int)i;
	bool computed = kind != VALUE_COLUMN && kind != VALUE_CONSTANT;
	if (s->n.values == VALUES_MAX || (computed && s->n.slots == SLOTS_MAX))
		return ERR_FULL;
	if (computed)
		v.slot = (uint16_t)s->n.slots++;
	s->values[s->n.values] = v;
	return (int)s->n.values++;
}

static int term_add(struct signatures *s, struct term t)
{
	for (unsigned i = 0; i < s->n.terms; i++) {
		const struct term *o = &s->terms[i];
		if (o->kind == t.kind && o->a == t.a && o->b == t.b && o->constant == t.constant)
			return (int)i;
	}
	if (s->n.terms == TERMS_MAX)
		return ERR_FULL;
	s->terms[s->n.terms] = t;
	return (int)s->n.terms++;
}

int signature_term_is(struct signatures *s, unsigned value, uint32_t constant)
{
	const struct value *v = &s->values[value];
	bool column = v->kind == VALUE_COLUMN;
	return term_add(s, (struct term){.kind = column ? TERM_COLUMN : TERM_IS, .a = (uint16_t)value,
					 .b = column ? v->a : 0, .constant = constant});
}

int signature_term_pair(struct signatures *s, enum term_kind kind, unsigned a, unsigned b)
{
	return term_add(s, (struct term){.kind = (uint8_t)kind, .a = (uint16_t)a, .b = (uint16_t)b});
}

int signature_term_within(struct signatures *s, unsigned value, const struct range *ranges,
			  unsigned count)
{
	for (unsigned i = 0; i < s->n.terms; i++) {
		const struct term *o = &s->terms[i];
		if (o->kind == TERM_WITHIN && o->a == value && o->b == count &&
		    !memcmp(&s->ranges[o->constant], ranges, count * sizeof *ranges))
			return (int)i;
	}
	if (s->n.ranges + count > RANGES_MAX)
		return ERR_FULL;
	memcpy(&s->ranges[s->n.ranges], ranges, count * sizeof *ranges);
	int term = term_add(s, (struct term){.kind = TERM_WITHIN, .a = (uint16_t)value,
					     .b = (uint16_t)count, .constant = s->n.ranges});
	if (term >= 0)
		s->n.ranges += count;
	return term;
}

/* What is being emitted: `not` is pushed down to the terms, so that no step needs it. */
struct emission {
	struct signatures *s;
	const struct truth *nodes;
	unsigned first, depth;
	bool full;
};

static void emit(struct emission *, unsigned node, bool negated);

static void step_add(struct emission *e, enum step_kind kind, unsigned term)
{
	if (e->s->n.steps == STEPS_MAX) {
		e->full = true;
		return;
	}
	e->s->steps[e->s->n.steps++] = (struct step){.kind = (uint8_t)kind, .term = (uint16_t)term};
}

/*
 * Jumps that are to lead to the end of a chain hold each other: each names the one before it
 * until the end is known.  Steps are counted from the rule's first, plus one, so that 0 is none.
 */
static void jump_hang(struct emission *e, unsigned *chain)
{
	if (e->full || e->s->n.steps == e->first)
		return;
	struct step *last = &e->s->steps[e->s->n.steps - 1];
	last->jump = (uint16_t)*chain;
	*chain = e->s->n.steps - e->first;
}

static void jump_land(struct emission *e, unsigned chain)
{
	while (chain && !e->full) {
		struct step *step = &e->s->steps[e->first + chain - 1];
		chain = step->jump;
		step->jump = (uint16_t)(e->s->n.steps - e->first);
	}
}

static void emit_every(struct emission *e, unsigned node, bool negated, unsigned *chain)
{
	const struct truth *t = &e->nodes[node];
	if (t->kind == TRUTH_NOT) {
		emit_every(e, t->a, !negated, chain);
		return;
	}
	if (t->kind == (negated ? TRUTH_OR : TRUTH_AND)) {
		emit_every(e, t->a, negated, chain);
		emit_every(e, t->b, negated, chain);
		return;
	}
	emit(e, node, negated);
	jump_hang(e, chain);
}

static void emit_any(struct emission *e, unsigned node, bool negated, unsigned *chain, bool last)
{
	const struct truth *t = &e->nodes[node];
	if (t->kind == TRUTH_NOT) {
		emit_any(e, t->a, !negated, chain, last);
		return;
	}
	if (t->kind == (negated ? TRUTH_AND : TRUTH_OR)) {
		emit_any(e, t->a, negated, chain, false);
		emit_any(e, t->b, negated, chain, last);
		return;
	}
	emit(e, node, negated);
	if (!last) {
		step_add(e, STEP_ELSE, 0);
		jump_hang(e, chain);
	}
}

static void emit(struct emission *e, unsigned node, bool negated)
{
	const struct truth *t = &e->nodes[node];
	unsigned chain = 0;
	if (e->full)
		return;
	if (t->kind == TRUTH_NOT) {
		emit(e, t->a, !negated);
	} else if (t->kind == TRUTH_TERM) {
		step_add(e, negated ? STEP_LACKS : STEP_HAS, t->a);
	} else if ((t->kind == TRUTH_AND) != negated) {
		emit_every(e, node, negated, &chain);
		jump_land(e, chain);
	} else {
		e->full |= ++e->depth > STEP_DEPTH_MAX;
		step_add(e, STEP_OR, 0);
		emit_any(e, node, negated, &chain, true);
		jump_land(e, chain);
		step_add(e, STEP_JOIN, 0);
		e->depth--;
	}
}

int signature_steps(struct signatures *s, const struct truth *nodes, unsigned root, struct rule *rule)
{
	struct emission e = {.s = s, .nodes = nodes, .first = s->n.steps};
	emit(&e, root, false);
	if (e.full)
		return ERR_FULL;
	rule->first = (uint16_t)e.first;
	rule->count = (uint16_t)(s->n.steps - e.first);
	return 0;
}
