/*
 * Working conditions out, a batch at a time.
 *
 * A column is eight vectors of four lanes, which every x86-64 and ARM64 has; a comparison ends as
 * one bit a lane, so that and, or, not are one instruction for the whole batch and a rule is left
 * as soon as nobody is a candidate.
 */
#include "passive/telescope/signatures_inner.h"

#define VECTORS (PACKET_BATCH / 4)

typedef uint32_t lanes __attribute__((vector_size(16)));
/* Columns stand where the batch puts them, which need not be aligned for a vector. */
typedef uint32_t loose_lanes __attribute__((vector_size(16), aligned(4), may_alias));

struct evaluation {
	const struct signatures *s;
	const struct packet_batch *batch;
	uint64_t values_done[SLOTS_MAX / 64];
	uint64_t terms_done[TERMS_MAX / 64];
	uint32_t term[TERMS_MAX];
	lanes slot[SLOTS_MAX][VECTORS];
};

/* Lanes of a value: `step` is 0 for a constant, whose one vector stands for all. */
struct operand {
	const loose_lanes *at;
	unsigned step;
};

static const lanes bits[VECTORS] = {
	{1u << 0, 1u << 1, 1u << 2, 1u << 3},     {1u << 4, 1u << 5, 1u << 6, 1u << 7},
	{1u << 8, 1u << 9, 1u << 10, 1u << 11},   {1u << 12, 1u << 13, 1u << 14, 1u << 15},
	{1u << 16, 1u << 17, 1u << 18, 1u << 19}, {1u << 20, 1u << 21, 1u << 22, 1u << 23},
	{1u << 24, 1u << 25, 1u << 26, 1u << 27}, {1u << 28, 1u << 29, 1u << 30, 1u << 31},
};

static struct operand value_of(struct evaluation *, unsigned value);

static void fill_time(struct evaluation *e, lanes *out)
{
	for (unsigned i = 0; i < VECTORS; i++)
		for (unsigned k = 0; k < 4; k++)
			out[i][k] = (uint32_t)(e->batch->time_us[4 * i + k] / 1000000);
}

#define COMPUTE(operation)                                                     \
	for (unsigned i = 0; i < VECTORS; i++) {                               \
		lanes x = a.at[i * a.step], y = b.at[i * b.step];              \
		out[i] = operation;                                            \
	}                                                                      \
	break

static void compute(struct evaluation *e, const struct value *v, lanes *out)
{
	if (v->kind == VALUE_TIME) {
		fill_time(e, out);
		return;
	}
	struct operand a = value_of(e, v->a);
	bool shift = v->kind == VALUE_LEFT || v->kind == VALUE_RIGHT;
	struct operand b = shift ? (struct operand){(const loose_lanes *)v->splat, 0} : value_of(e, v->b);
	switch (v->kind) {
	case VALUE_AND: COMPUTE(x & y);
	case VALUE_OR: COMPUTE(x | y);
	case VALUE_XOR: COMPUTE(x ^ y);
	case VALUE_ADD: COMPUTE(x + y);
	case VALUE_SUBTRACT: COMPUTE(x - y);
	case VALUE_MULTIPLY: COMPUTE(x * y);
	case VALUE_LEFT: COMPUTE(x << y[0]);
	case VALUE_RIGHT: COMPUTE(x >> y[0]);
	}
}

static struct operand value_of(struct evaluation *e, unsigned value)
{
	const struct value *v = &e->s->values[value];
	if (v->kind == VALUE_COLUMN)
		return (struct operand){(const loose_lanes *)e->batch->column[v->a], 1};
	if (v->kind == VALUE_CONSTANT)
		return (struct operand){(const loose_lanes *)v->splat, 0};
	uint64_t *done = &e->values_done[v->slot / 64], bit = 1ull << v->slot % 64;
	if (!(*done & bit)) {
		compute(e, v, e->slot[v->slot]);
		*done |= bit;
	}
	return (struct operand){(const loose_lanes *)e->slot[v->slot], 1};
}

static inline uint32_t gather(lanes hit)
{
	return hit[0] | hit[1] | hit[2] | hit[3];
}

static uint32_t lanes_is(const loose_lanes *v, uint32_t constant)
{
	lanes want = {constant, constant, constant, constant}, hit = {0};
	for (unsigned i = 0; i < VECTORS; i++)
		hit |= (lanes)(v[i] == want) & bits[i];
	return gather(hit);
}

static uint32_t lanes_within(const loose_lanes *v, const struct range *ranges, unsigned count)
{
	lanes hit = {0};
	for (unsigned r = 0; r < count; r++) {
		uint32_t f = ranges[r].from, s = ranges[r].span;
		lanes from = {f, f, f, f}, span = {s, s, s, s};
		for (unsigned i = 0; i < VECTORS; i++)
			hit |= (lanes)(v[i] - from <= span) & bits[i];
	}
	return gather(hit);
}

static uint32_t lanes_pair(enum term_kind kind, struct operand a, struct operand b)
{
	lanes hit = {0};
	if (kind == TERM_EQUAL)
		for (unsigned i = 0; i < VECTORS; i++)
			hit |= (lanes)(a.at[i * a.step] == b.at[i * b.step]) & bits[i];
	else
		for (unsigned i = 0; i < VECTORS; i++)
			hit |= (lanes)(a.at[i * a.step] < b.at[i * b.step]) & bits[i];
	return gather(hit);
}

static uint32_t work_out(struct evaluation *e, const struct term *t)
{
	struct operand a = value_of(e, t->a);
	switch (t->kind) {
	case TERM_IS:
		return lanes_is(a.at, t->constant);
	case TERM_WITHIN:
		return lanes_within(a.at, &e->s->ranges[t->constant], t->b);
	default:
		return lanes_pair(t->kind, a, value_of(e, t->b));
	}
}

static inline uint32_t truth(struct evaluation *e, unsigned term)
{
	uint64_t *done = &e->terms_done[term / 64], bit = 1ull << term % 64;
	if (!(*done & bit)) {
		e->term[term] = work_out(e, &e->s->terms[term]);
		*done |= bit;
	}
	return e->term[term];
}

/* Who of `m` fulfils the rule. */
static uint32_t rule_run(struct evaluation *e, const struct rule *rule, uint32_t m)
{
	const struct step *steps = &e->s->steps[rule->first];
	struct { uint32_t candidates, taken; } kept[STEP_DEPTH_MAX];
	unsigned depth = 0;
	for (unsigned i = 0; i < rule->count;) {
		const struct step *step = &steps[i++];
		switch (step->kind) {
		case STEP_HAS:
			m &= truth(e, step->term);
			break;
		case STEP_LACKS:
			m &= ~truth(e, step->term);
			break;
		case STEP_OR:
			kept[depth].candidates = m;
			kept[depth++].taken = 0;
			break;
		case STEP_ELSE:
			kept[depth - 1].taken |= m;
			m = kept[depth - 1].candidates & ~kept[depth - 1].taken;
			break;
		case STEP_JOIN:
			m |= kept[--depth].taken;
			break;
		}
		if (!m && step->jump)
			i = step->jump;
	}
	return m;
}

void signatures_match(const struct signatures *s, const struct packet_batch *batch,
		      uint8_t number[PACKET_BATCH])
{
	struct evaluation e;
	e.s = s;
	e.batch = batch;
	memset(e.values_done, 0, sizeof e.values_done);
	memset(e.terms_done, 0, sizeof e.terms_done);
	memset(number, 0, PACKET_BATCH);
	unsigned count = batch->count < PACKET_BATCH ? batch->count : PACKET_BATCH;
	uint32_t left = count == 32 ? UINT32_MAX : (1u << count) - 1;
	for (unsigned r = 0; r < s->n.rules && left; r++) {
		uint32_t hits = rule_run(&e, &s->rules[r], left);
		left &= ~hits;
		for (; hits; hits &= hits - 1)
			number[__builtin_ctz(hits)] = (uint8_t)(r + 1);
	}
}
