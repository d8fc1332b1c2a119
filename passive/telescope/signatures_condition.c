/*
 * The language of conditions, by recursive descent; docs/signatures.md explains it.
 *
 * As in C, except that comparisons bind looser than | ^ &, so that `ipid == x & 0xffff` means what
 * it says, and that a condition and a number are never mistaken for each other.
 */
#include "passive/telescope/signatures_words_inner.h"
#include <stdlib.h>

enum operand_kind { OPERAND_NUMBER, OPERAND_CONSTANT, OPERAND_LAYOUT, OPERAND_TRUTH };
struct operand {
	enum operand_kind kind;
	unsigned number;   /* of a value, or of a node */
	uint32_t constant; /* of OPERAND_CONSTANT and OPERAND_LAYOUT */
};

struct compiler {
	struct signatures *s;
	struct words words;
	struct truth nodes[CONDITION_NODES_MAX];
	unsigned node_count, depth;
};

static int disjunction(struct compiler *, struct operand *);

static int node_add(struct compiler *c, enum truth_kind kind, unsigned a, unsigned b,
		    struct operand *out)
{
	if (c->node_count == CONDITION_NODES_MAX)
		return words_complain(&c->words, "the condition has more than %d comparisons and words between "
						 "them, two rules would be right", CONDITION_NODES_MAX);
	c->nodes[c->node_count] = (struct truth){(uint8_t)kind, (uint16_t)a, (uint16_t)b};
	*out = (struct operand){.kind = OPERAND_TRUTH, .number = c->node_count++};
	return 0;
}

/* A term as a truth; a pool's refusal is told here. */
static int term_out(struct compiler *c, int term, bool negated, struct operand *out)
{
	if (term < 0)
		return words_complain(&c->words, "all rules together make more than %d different comparisons",
				      TERMS_MAX);
	int bad = node_add(c, TRUTH_TERM, (unsigned)term, 0, out);
	return bad || !negated ? bad : node_add(c, TRUTH_NOT, out->number, 0, out);
}

static int value_out(struct compiler *c, int value, struct operand *out)
{
	if (value < 0)
		return words_complain(&c->words, "all rules together compute more than %d different numbers",
				      SLOTS_MAX);
	*out = (struct operand){.kind = OPERAND_NUMBER, .number = (unsigned)value};
	return 0;
}

static int want_number(struct compiler *c, const struct operand *o)
{
	if (o->kind == OPERAND_TRUTH)
		return words_complain(&c->words, "a condition stands where a number is needed");
	if (o->kind == OPERAND_LAYOUT)
		return words_complain(&c->words, "a text in quotes is a layout of options; "
						 "options == \"mss\" would be right");
	return 0;
}

static int want_truth(struct compiler *c, const struct operand *o)
{
	if (o->kind != OPERAND_TRUTH)
		return words_complain(&c->words, "a number stands where a condition is needed; compare it, "
						 "as in df == 1");
	return 0;
}

static int operand_value(struct compiler *c, const struct operand *o)
{
	return o->kind == OPERAND_NUMBER ? (int)o->number
					 : signature_value(c->s, VALUE_CONSTANT, 0, 0, o->constant);
}

static uint32_t fold(enum value_kind kind, uint32_t a, uint32_t b)
{
	switch (kind) {
	case VALUE_AND: return a & b;
	case VALUE_OR: return a | b;
	case VALUE_XOR: return a ^ b;
	case VALUE_ADD: return a + b;
	case VALUE_SUBTRACT: return a - b;
	case VALUE_MULTIPLY: return a * b;
	case VALUE_LEFT: return a << b;
	default: return a >> b;
	}
}

static int combine(struct compiler *c, enum value_kind kind, const struct operand *a,
		   const struct operand *b, struct operand *out)
{
	int bad = want_number(c, a);
	bad = bad ? bad : want_number(c, b);
	if (bad)
		return bad;
	bool shift = kind == VALUE_LEFT || kind == VALUE_RIGHT;
	if (shift && (b->kind != OPERAND_CONSTANT || b->constant > 31))
		return words_complain(&c->words, "a shift is by a constant from 0 to 31");
	if (a->kind == OPERAND_CONSTANT && b->kind == OPERAND_CONSTANT) {
		*out = (struct operand){.kind = OPERAND_CONSTANT, .constant = fold(kind, a->constant, b->constant)};
		return 0;
	}
	int x = operand_value(c, a), y = shift ? 0 : operand_value(c, b);
	if (x < 0 || y < 0)
		return value_out(c, ERR_FULL, out);
	return value_out(c, signature_value(c->s, kind, (unsigned)x, (unsigned)y, shift ? b->constant : 0), out);
}

static int named(struct compiler *c, struct operand *out)
{
	const struct name *n = words_name(c->words.text);
	char wrong[WORD_MAX];
	if (!n) {
		bytes_copy_text(c->words.text, wrong, sizeof wrong);
		const char *near = words_name_nearer(wrong);
		if (near)
			return words_complain(&c->words, "there is no column or constant \"%s\", did you mean \"%s\"?",
					      wrong, near);
		return words_complain(&c->words, "there is no column or constant \"%s\", docs/signatures.md lists them",
				      wrong);
	}
	int bad = words_next(&c->words);
	if (bad)
		return bad;
	if (n->kind == NAME_CONSTANT) {
		*out = (struct operand){.kind = OPERAND_CONSTANT, .constant = n->number};
		return 0;
	}
	bool time = n->kind == NAME_TIME;
	return value_out(c, signature_value(c->s, time ? VALUE_TIME : VALUE_COLUMN, time ? 0 : n->number, 0, 0), out);
}

static int nested(struct compiler *c, struct operand *out)
{
	int bad = words_next(&c->words);
	if (!bad && ++c->depth > CONDITION_DEPTH_MAX)
		bad = words_complain(&c->words, "nested deeper than %d", CONDITION_DEPTH_MAX);
	bad = bad ? bad : disjunction(c, out);
	if (!bad && c->words.kind != ')')
		bad = words_complain(&c->words, "a ) is missing here");
	c->depth--;
	return bad ? bad : words_next(&c->words);
}

static int primary(struct compiler *c, struct operand *out)
{
	switch (c->words.kind) {
	case WORD_NUMBER:
		*out = (struct operand){.kind = OPERAND_CONSTANT, .constant = c->words.number};
		return words_next(&c->words);
	case WORD_LAYOUT:
		*out = (struct operand){.kind = OPERAND_LAYOUT, .constant = c->words.number};
		return words_next(&c->words);
	case WORD_NAME:
		return named(c, out);
	case '(':
		return nested(c, out);
	default:
		return words_complain(&c->words, "a column, a number or ( is needed here");
	}
}

/* Binary operators of numbers, tightest last. */
static const struct operator {
	int word;
	enum value_kind kind;
	unsigned level;
} operators[] = {
	{'|', VALUE_OR, 0},        {'^', VALUE_XOR, 1},        {'&', VALUE_AND, 2},
	{WORD_LEFT, VALUE_LEFT, 3}, {WORD_RIGHT, VALUE_RIGHT, 3}, {'+', VALUE_ADD, 4},
	{'-', VALUE_SUBTRACT, 4},  {'*', VALUE_MULTIPLY, 5},
};
#define LEVELS 6

static const struct operator *operator_of(int word, unsigned level)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (operators[i].word == word && operators[i].level == level)
			return &operators[i];
	return NULL;
}

static int arithmetic(struct compiler *c, unsigned level, struct operand *out)
{
	if (level == LEVELS)
		return primary(c, out);
	int bad = arithmetic(c, level + 1, out);
	const struct operator *o;
	while (!bad && (o = operator_of(c->words.kind, level))) {
		struct operand right;
		bad = words_next(&c->words);
		bad = bad ? bad : arithmetic(c, level + 1, &right);
		bad = bad ? bad : combine(c, o->kind, out, &right, out);
	}
	return bad;
}

static int sum_of_bits(struct compiler *c, struct operand *out)
{
	return arithmetic(c, 0, out);
}

static bool is_options(const struct compiler *c, const struct operand *o)
{
	return o->kind == OPERAND_NUMBER && c->s->values[o->number].kind == VALUE_COLUMN &&
	       c->s->values[o->number].a == COLUMN_OPTIONS;
}

/* A constant at the right of a comparison or within a set: a layout only beside `options`. */
static int constant_fits(struct compiler *c, const struct operand *left, struct operand *o)
{
	if (o->kind == OPERAND_LAYOUT && is_options(c, left))
		o->kind = OPERAND_CONSTANT;
	return want_number(c, o);
}

static int compare_constant(struct compiler *c, int word, const struct operand *left, uint32_t k,
			    struct operand *out)
{
	if (word == WORD_EQUAL || word == WORD_UNEQUAL)
		return term_out(c, signature_term_is(c->s, left->number, k), word == WORD_UNEQUAL, out);
	if (word == '>' || word == WORD_AT_MOST) {
		if (k == UINT32_MAX)
			return words_complain(&c->words, "no number is above %u", k);
	} else if (k == 0) {
		return words_complain(&c->words, "no number is below 0");
	}
	/* Below k, or not. */
	uint32_t below = word == '>' || word == WORD_AT_MOST ? k + 1 : k;
	struct range range = {0, below - 1};
	bool negated = word == '>' || word == WORD_AT_LEAST;
	return term_out(c, signature_term_within(c->s, left->number, &range, 1), negated, out);
}

static int compare_values(struct compiler *c, int word, unsigned a, unsigned b, struct operand *out)
{
	bool swap = word == '>' || word == WORD_AT_MOST;
	if (word == WORD_EQUAL || word == WORD_UNEQUAL)
		return term_out(c, signature_term_pair(c->s, TERM_EQUAL, a < b ? a : b, a < b ? b : a),
				word == WORD_UNEQUAL, out);
	return term_out(c, signature_term_pair(c->s, TERM_BELOW, swap ? b : a, swap ? a : b),
			word == WORD_AT_MOST || word == WORD_AT_LEAST, out);
}

static int mirrored(int word)
{
	switch (word) {
	case '<': return '>';
	case '>': return '<';
	case WORD_AT_MOST: return WORD_AT_LEAST;
	case WORD_AT_LEAST: return WORD_AT_MOST;
	default: return word;
	}
}

static bool is_comparison(int word)
{
	return word == '<' || word == '>' || word == WORD_EQUAL || word == WORD_UNEQUAL ||
	       word == WORD_AT_MOST || word == WORD_AT_LEAST || word == WORD_IN;
}

static int compare(struct compiler *c, int word, struct operand *left, struct operand *out)
{
	struct operand right;
	int bad = sum_of_bits(c, &right);
	bad = bad ? bad : constant_fits(c, left, &right);
	bad = bad ? bad : constant_fits(c, &right, left);
	if (bad)
		return bad;
	if (is_comparison(c->words.kind))
		return words_complain(&c->words, "comparisons do not chain; `a == b and b == c` would be right");
	bool constant = left->kind == OPERAND_CONSTANT;
	if (constant && right.kind == OPERAND_CONSTANT)
		return words_complain(&c->words, "two constants are compared; one side must name a column");
	if (constant)
		return compare_constant(c, mirrored(word), &right, left->constant, out);
	if (right.kind == OPERAND_CONSTANT)
		return compare_constant(c, word, left, right.constant, out);
	return compare_values(c, word, left->number, right.number, out);
}

/* One element of a set: a constant, or from..to. */
static int element(struct compiler *c, const struct operand *left, struct range *out)
{
	struct operand from, to;
	int bad = sum_of_bits(c, &from);
	bad = bad ? bad : constant_fits(c, left, &from);
	if (!bad && from.kind != OPERAND_CONSTANT)
		bad = words_complain(&c->words, "a set holds constants, not columns");
	to = from;
	if (!bad && c->words.kind == WORD_TO) {
		bad = words_next(&c->words);
		bad = bad ? bad : sum_of_bits(c, &to);
		bad = bad ? bad : constant_fits(c, left, &to);
		if (!bad && (to.kind != OPERAND_CONSTANT || to.constant < from.constant))
			bad = words_complain(&c->words, "a range goes up, from a constant to a constant");
	}
	if (!bad)
		*out = (struct range){from.constant, to.constant - from.constant};
	return bad;
}

static int elements(struct compiler *c, const struct operand *left, struct range *set, unsigned *count)
{
	bool braces = c->words.kind == '{';
	int bad = 0;
	do {
		if (*count == SET_MAX)
			return words_complain(&c->words, "a set of more than %d elements", SET_MAX);
		bad = braces ? words_next(&c->words) : 0;
		bad = bad ? bad : element(c, left, &set[(*count)++]);
	} while (!bad && braces && c->words.kind == ',');
	if (bad || !braces)
		return bad;
	if (c->words.kind != '}')
		return words_complain(&c->words, "a , or } is missing here");
	return words_next(&c->words);
}

static int range_order(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	return (x->from > y->from) - (x->from < y->from);
}

/* Neighbours and what overlaps become one; {1024, 1025} costs one comparison. */
static unsigned ranges_join(struct range *set, unsigned count)
{
	unsigned kept = 0;
	for (unsigned i = 1; i < count; i++) {
		uint64_t end = (uint64_t)set[kept].from + set[kept].span, next = (uint64_t)set[i].from + set[i].span;
		if (set[i].from > end + 1)
			set[++kept] = set[i];
		else if (next > end)
			set[kept].span = (uint32_t)(next - set[kept].from);
	}
	return kept + 1;
}

static int membership(struct compiler *c, const struct operand *left, bool negated, struct operand *out)
{
	struct range set[SET_MAX];
	unsigned count = 0;
	int bad = want_number(c, left);
	if (!bad && left->kind == OPERAND_CONSTANT)
		bad = words_complain(&c->words, "a constant is looked for; a column must stand before `in`");
	bad = bad ? bad : elements(c, left, set, &count);
	if (bad)
		return bad;
	qsort(set, count, sizeof *set, range_order);
	count = ranges_join(set, count);
	if (count == 1 && set[0].span == 0)
		return term_out(c, signature_term_is(c->s, left->number, set[0].from), negated, out);
	return term_out(c, signature_term_within(c->s, left->number, set, count), negated, out);
}

static int comparison(struct compiler *c, struct operand *out)
{
	struct operand left;
	int bad = sum_of_bits(c, &left);
	bool negated = !bad && c->words.kind == WORD_NOT; /* x not in {…} */
	if (negated)
		bad = words_next(&c->words);
	if (bad || (!negated && !is_comparison(c->words.kind))) {
		*out = left;
		return bad;
	}
	int word = c->words.kind;
	if (negated && word != WORD_IN)
		return words_complain(&c->words, "`in` is needed after `not` here");
	bad = words_next(&c->words);
	if (bad)
		return bad;
	return word == WORD_IN ? membership(c, &left, negated, out) : compare(c, word, &left, out);
}

static int negation(struct compiler *c, struct operand *out)
{
	bool negated = false;
	while (c->words.kind == WORD_NOT) {
		int bad = words_next(&c->words);
		if (bad)
			return bad;
		negated = !negated;
	}
	int bad = comparison(c, out);
	if (bad || !negated)
		return bad;
	bad = want_truth(c, out);
	return bad ? bad : node_add(c, TRUTH_NOT, out->number, 0, out);
}

/* One or more of `below`, with the word between them. */
static int join(struct compiler *c, int word, int (*below)(struct compiler *, struct operand *),
		struct operand *out)
{
	int bad = below(c, out);
	while (!bad && c->words.kind == word) {
		struct operand right;
		bad = want_truth(c, out);
		bad = bad ? bad : words_next(&c->words);
		bad = bad ? bad : below(c, &right);
		bad = bad ? bad : want_truth(c, &right);
		bad = bad ? bad : node_add(c, word == WORD_OR ? TRUTH_OR : TRUTH_AND, out->number, right.number, out);
	}
	return bad;
}

static int conjunction(struct compiler *c, struct operand *out)
{
	return join(c, WORD_AND, negation, out);
}

static int disjunction(struct compiler *c, struct operand *out)
{
	return join(c, WORD_OR, conjunction, out);
}

int signature_condition(struct signatures *s, struct bytes text, const struct signature_source *source,
			struct rule *rule)
{
	struct compiler c = {.s = s};
	struct operand root;
	if (text.len > CONDITION_TEXT_MAX)
		return signature_complain(source, "when: longer than %d bytes", CONDITION_TEXT_MAX);
	int bad = words_open(&c.words, text, source);
	bad = bad ? bad : disjunction(&c, &root);
	if (!bad && c.words.kind != WORD_END)
		bad = words_complain(&c.words, "`and`, `or` or the end is needed here");
	bad = bad ? bad : want_truth(&c, &root);
	if (bad)
		return bad;
	if (signature_steps(s, c.nodes, root.number, rule))
		return signature_complain(source, "when: the rules make more than %d steps, or `or` stands in `or` "
						  "deeper than %d", STEPS_MAX, STEP_DEPTH_MAX);
	return 0;
}
