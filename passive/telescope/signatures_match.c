/*
 * Working conditions out, a batch at a time.
 *
 * A column is eight vectors of four lanes, which every x86-64 and ARM64 has; a comparison ends as
 * one bit a lane, so that and, or, not are one instruction for the whole batch and a rule is left
 * as soon as nobody is a candidate.
 */
#include "passive/telescope/signatures_inner.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define VECTORS (PACKET_BATCH / 4)

typedef uint32_t lanes __attribute__((vector_size(16)));
typedef int32_t signed_lanes __attribute__((vector_size(16)));
/* Columns stand where the batch puts them, which need not be aligned for a vector. */
typedef uint32_t loose_lanes __attribute__((vector_size(16), aligned(4), may_alias));

struct evaluation {
	const struct signatures *s;
	const struct packet_batch *batch;
	uint8_t slots_done[SLOTS_MAX], terms_done[TERMS_MAX];
	uint32_t term[TERMS_MAX];
	lanes slot[SLOTS_MAX][VECTORS];
};

/* Lanes of a value: eight vectors, or one that stands for all. */
struct operand {
	const loose_lanes *at;
	bool constant;
};

/* Written out, since gcc leaves a loop of eight a loop; without it a comparison costs three times as much. */
#define EACH_VECTOR(step, ...)                                                 \
	step(0, __VA_ARGS__) step(1, __VA_ARGS__) step(2, __VA_ARGS__) step(3, __VA_ARGS__) \
	step(4, __VA_ARGS__) step(5, __VA_ARGS__) step(6, __VA_ARGS__) step(7, __VA_ARGS__)

/* One bit for each lane that is all ones; the others are 0. */
static inline uint32_t gather(const lanes hit[VECTORS])
{
#ifdef __SSE2__
	const __m128i *v = (const __m128i *)hit;
	__m128i low = _mm_packs_epi16(_mm_packs_epi32(v[0], v[1]), _mm_packs_epi32(v[2], v[3]));
	__m128i high = _mm_packs_epi16(_mm_packs_epi32(v[4], v[5]), _mm_packs_epi32(v[6], v[7]));
	return (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
#else
	static const lanes bits[VECTORS] = {
		{1u << 0, 1u << 1, 1u << 2, 1u << 3},     {1u << 4, 1u << 5, 1u << 6, 1u << 7},
		{1u << 8, 1u << 9, 1u << 10, 1u << 11},   {1u << 12, 1u << 13, 1u << 14, 1u << 15},
		{1u << 16, 1u << 17, 1u << 18, 1u << 19}, {1u << 20, 1u << 21, 1u << 22, 1u << 23},
		{1u << 24, 1u << 25, 1u << 26, 1u << 27}, {1u << 28, 1u << 29, 1u << 30, 1u << 31},
	};
	lanes all = {0};
	for (unsigned i = 0; i < VECTORS; i++)
		all |= hit[i] & bits[i];
	return all[0] | all[1] | all[2] | all[3];
#endif
}

static inline struct operand value_of(struct evaluation *, unsigned value);

static void fill_time(struct evaluation *e, lanes *out)
{
	for (unsigned i = 0; i < VECTORS; i++)
		for (unsigned k = 0; k < 4; k++)
			out[i][k] = (uint32_t)(e->batch->time_us[4 * i + k] / 1000000);
}

static void fill_constant(uint32_t constant, lanes *out)
{
	for (unsigned i = 0; i < VECTORS; i++)
		out[i] = (lanes){constant, constant, constant, constant};
}

/* A column with a column, or with a constant, which stays in a register. */
#define WITH_COLUMN(i, operation) { lanes x = a.at[i], y = b.at[i]; out[i] = operation; }
#define WITH_CONSTANT(i, operation) { lanes x = a.at[i]; out[i] = operation; }
#define COMPUTE(operation)                                                     \
	if (b.constant) {                                                      \
		const lanes y = b.at[0];                                       \
		EACH_VECTOR(WITH_CONSTANT, operation)                          \
	} else {                                                               \
		EACH_VECTOR(WITH_COLUMN, operation)                            \
	}                                                                      \
	break

static void compute_operation(enum value_kind kind, struct operand a, struct operand b, lanes *out)
{
	switch (kind) {
	case VALUE_AND: COMPUTE(x & y);
	case VALUE_OR: COMPUTE(x | y);
	case VALUE_XOR: COMPUTE(x ^ y);
	case VALUE_ADD: COMPUTE(x + y);
	case VALUE_SUBTRACT: COMPUTE(x - y);
	case VALUE_MULTIPLY: COMPUTE(x * y);
	case VALUE_LEFT: COMPUTE(x << y[0]);
	case VALUE_RIGHT: COMPUTE(x >> y[0]);
	default: break;
	}
}

static void compute(struct evaluation *e, const struct value *v, lanes *out)
{
	lanes constant[VECTORS];
	if (v->kind == VALUE_TIME) {
		fill_time(e, out);
		return;
	}
	bool shift = v->kind == VALUE_LEFT || v->kind == VALUE_RIGHT;
	struct operand a = value_of(e, v->a);
	struct operand b = shift ? (struct operand){(const loose_lanes *)v->splat, true} : value_of(e, v->b);
	if (a.constant) {
		fill_constant(a.at[0][0], constant);
		a.at = (const loose_lanes *)constant;
	}
	compute_operation(v->kind, a, b, out);
}

static __attribute__((noinline)) const loose_lanes *computed(struct evaluation *e, const struct value *v)
{
	if (!e->slots_done[v->slot]) {
		compute(e, v, e->slot[v->slot]);
		e->slots_done[v->slot] = 1;
	}
	return (const loose_lanes *)e->slot[v->slot];
}

static inline struct operand value_of(struct evaluation *e, unsigned value)
{
	const struct value *v = &e->s->values[value];
	if (v->kind == VALUE_COLUMN)
		return (struct operand){(const loose_lanes *)e->batch->column[v->a], false};
	if (v->kind == VALUE_CONSTANT)
		return (struct operand){(const loose_lanes *)v->splat, true};
	return (struct operand){computed(e, v), false};
}

/* `condition` says what is true of vector i. */
#define COMPARE(n, condition) { enum { i = n }; hit[i] = (lanes)(condition); }

static inline uint32_t lanes_is(const loose_lanes *v, uint32_t constant)
{
	lanes want = {constant, constant, constant, constant}, hit[VECTORS];
	EACH_VECTOR(COMPARE, v[i] == want)
	return gather(hit);
}

/* Below or at `span` from `from`; as signed numbers, which is what SSE2 compares. */
static uint32_t lanes_within(const loose_lanes *v, const struct range *ranges, unsigned count)
{
	uint32_t found = 0;
	for (unsigned r = 0; r < count; r++) {
		uint32_t f = ranges[r].from + 0x80000000u;
		int32_t s = (int32_t)(ranges[r].span + 0x80000000u);
		lanes from = {f, f, f, f}, hit[VECTORS];
		signed_lanes span = {s, s, s, s};
		if (ranges[r].span == 0) {
			found |= lanes_is(v, ranges[r].from);
			continue;
		}
		EACH_VECTOR(COMPARE, (signed_lanes)(v[i] - from) <= span)
		found |= gather(hit);
	}
	return found;
}

static uint32_t lanes_pair(enum term_kind kind, const loose_lanes *a, const loose_lanes *b)
{
	lanes hit[VECTORS];
	if (kind == TERM_EQUAL) {
		EACH_VECTOR(COMPARE, a[i] == b[i])
	} else {
		EACH_VECTOR(COMPARE, a[i] < b[i])
	}
	return gather(hit);
}

/* Neither side is a constant: the compiler of conditions made another term of that. */
static __attribute__((noinline)) uint32_t work_out_other(struct evaluation *e, const struct term *t)
{
	const loose_lanes *a = value_of(e, t->a).at;
	switch (t->kind) {
	case TERM_IS:
		return lanes_is(a, t->constant);
	case TERM_WITHIN:
		return lanes_within(a, &e->s->ranges[t->constant], t->b);
	default:
		return lanes_pair(t->kind, a, value_of(e, t->b).at);
	}
}

/* Most terms compare a column with a constant, and are not kept waiting by the others. */
static __attribute__((noinline)) uint32_t work_out(struct evaluation *e, const struct term *t)
{
	if (t->kind == TERM_COLUMN)
		return lanes_is((const loose_lanes *)e->batch->column[t->b], t->constant);
	return work_out_other(e, t);
}

static inline uint32_t truth(struct evaluation *e, unsigned term)
{
	if (!e->terms_done[term]) {
		e->term[term] = work_out(e, &e->s->terms[term]);
		e->terms_done[term] = 1;
	}
	return e->term[term];
}

struct alternatives {
	uint32_t candidates, taken;
};

/* Steps of `or`: the candidates that the next step has. */
static uint32_t alternative(enum step_kind kind, struct alternatives *kept, unsigned *depth, uint32_t m)
{
	struct alternatives *now;
	switch (kind) {
	case STEP_OR:
		kept[(*depth)++] = (struct alternatives){m, 0};
		return m;
	case STEP_ELSE:
		now = &kept[*depth - 1];
		now->taken |= m;
		return now->candidates & ~now->taken;
	default:
		return m | kept[--*depth].taken;
	}
}

/* Who of `m` fulfils the rule. */
static inline uint32_t rule_run(struct evaluation *e, const struct rule *rule, uint32_t m)
{
	const struct step *steps = &e->s->steps[rule->first];
	struct alternatives kept[STEP_DEPTH_MAX];
	unsigned depth = 0;
	for (unsigned i = 0; i < rule->count;) {
		const struct step *step = &steps[i++];
		if (step->kind == STEP_HAS)
			m &= truth(e, step->term);
		else if (step->kind == STEP_LACKS)
			m &= ~truth(e, step->term);
		else
			m = alternative(step->kind, kept, &depth, m);
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
	memset(e.slots_done, 0, s->n.slots);
	memset(e.terms_done, 0, s->n.terms);
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
