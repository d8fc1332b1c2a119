/* $(( )): the integer expressions of C (POSIX.1 2.6.4), by precedence climbing. */
#include "passive/device/shell/shell_inner.h"

#define EXPRESSION_DEPTH_MAX 24

struct expression {
	struct shell *shell;
	struct bytes text;
	size_t at;
	unsigned depth;
	const char *error;
	bool skip; /* in a branch not taken: nothing is assigned, nothing divided */
};

static const struct operator
{
	const char *text;
	int precedence;
}
operators[] = {
        {"<<", 9}, {">>", 9},  {"<=", 8}, {">=", 8}, {"==", 7}, {"!=", 7}, {"&&", 3},
        {"||", 2}, {"**", 12}, {"*", 11}, {"/", 11}, {"%", 11}, {"+", 10}, {"-", 10},
        {"<", 8},  {">", 8},   {"&", 6},  {"^", 5},  {"|", 4},
};

static int64_t value_of(struct expression *, int least);

static void skip_space(struct expression *e)
{
	while (e->at < e->text.len && strchr(" \t\n", e->text.at[e->at]) && e->text.at[e->at])
		e->at++;
}

static uint8_t peek(struct expression *e, size_t n)
{
	return e->at + n < e->text.len ? e->text.at[e->at + n] : 0;
}

static int64_t fail(struct expression *e, const char *what)
{
	if (!e->error)
		e->error = what;
	return 0;
}

static int64_t number_of(struct bytes b, bool *ok)
{
	uint64_t v = 0;
	unsigned base = 10;
	size_t i = 0;
	if (b.len > 1 && b.at[0] == '0') {
		base = b.at[1] == 'x' || b.at[1] == 'X' ? 16 : 8;
		i = base == 16 ? 2 : 1;
	}
	*ok = i < b.len;
	for (; i < b.len; i++) {
		uint8_t c = b.at[i];
		unsigned digit = c >= '0' && c <= '9'   ? c - '0' + 0u
		                 : c >= 'a' && c <= 'f' ? c - 'a' + 10u
		                 : c >= 'A' && c <= 'F' ? c - 'A' + 10u
		                                        : 99;
		if (digit >= base)
			*ok = false;
		v = v * base + digit;
	}
	return (int64_t)v;
}

/* A variable's value is an expression of its own, but only ever a number in practice. */
static int64_t variable_number(struct expression *e, struct bytes name)
{
	bool set, ok = true;
	struct bytes text = bytes_trim(variable_get(e->shell, name, &set));
	bool minus = text.len && text.at[0] == '-';
	if (minus)
		text.at++, text.len--;
	if (!set || text.len == 0)
		return 0;
	int64_t v = number_of(text, &ok);
	if (!ok)
		return fail(e, "arithmetic syntax error");
	return minus ? (int64_t)(0 - (uint64_t)v) : v;
}

static void variable_store(struct expression *e, struct bytes name, int64_t v)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)v);
	if (!e->skip && !e->error)
		variable_set(e->shell, name, bytes_of_text(text));
}

static int64_t apply(struct expression *e, const char *op, int64_t a, int64_t b)
{
	uint64_t x = (uint64_t)a, y = (uint64_t)b;
	switch (op[0]) {
	case '*':
		if (op[1] != '*')
			return (int64_t)(x * y);
		for (x = 1; b > 0 && shell_spend(e->shell, 1); b--)
			x *= (uint64_t)a;
		return (int64_t)x;
	case '/':
	case '%':
		if (e->skip)
			return 0;
		if (b == 0)
			return fail(e, "divide by zero");
		if (b == -1)
			return op[0] == '/' ? (int64_t)(0 - x) : 0;
		return op[0] == '/' ? a / b : a % b;
	case '+':
		return (int64_t)(x + y);
	case '-':
		return (int64_t)(x - y);
	case '<':
		return op[1] == '<' ? (int64_t)(x << (y & 63)) : op[1] == '=' ? a <= b : a < b;
	case '>':
		return op[1] == '>' ? a >> (y & 63) : op[1] == '=' ? a >= b : a > b;
	case '=':
		return a == b;
	case '!':
		return a != b;
	case '&':
		return op[1] == '&' ? a && b : a & b;
	case '|':
		return op[1] == '|' ? a || b : a | b;
	default:
		return a ^ b;
	}
}

/* name = value, name op= value; false when no assignment follows the name. */
static bool assignment(struct expression *e, struct bytes name, int64_t *out)
{
	static const char *const forms[] = {
	        "<<=", ">>=", "*=", "/=", "%=", "+=", "-=", "&=", "|=", "^="};
	struct bytes rest = {e->text.at + e->at, e->text.len - e->at};
	if (peek(e, 0) == '=' && peek(e, 1) != '=') {
		e->at++;
		*out = value_of(e, 0);
		variable_store(e, name, *out);
		return true;
	}
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (bytes_start_with(rest, forms[i])) {
			e->at += strlen(forms[i]);
			int64_t right = value_of(e, 0);
			*out = apply(e, forms[i], variable_number(e, name), right);
			variable_store(e, name, *out);
			return true;
		}
	if ((peek(e, 0) == '+' || peek(e, 0) == '-') && peek(e, 1) == peek(e, 0)) {
		*out = variable_number(e, name);
		variable_store(e, name,
		               (int64_t)((uint64_t)*out + (peek(e, 0) == '+' ? 1u : ~(uint64_t)0)));
		e->at += 2;
		return true;
	}
	return false;
}

static struct bytes word_at(struct expression *e)
{
	size_t start = e->at;
	while (e->at < e->text.len) {
		uint8_t c = e->text.at[e->at];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      c == '_'))
			break;
		e->at++;
	}
	return (struct bytes){e->text.at + start, e->at - start};
}

static int64_t operand(struct expression *e)
{
	int64_t v;
	skip_space(e);
	uint8_t c = peek(e, 0);
	if ((c == '+' || c == '-') && peek(e, 1) == c) {
		e->at += 2;
		skip_space(e);
		struct bytes name = word_at(e);
		if (!syntax_is_name(name))
			return fail(e, "arithmetic syntax error");
		v = (int64_t)((uint64_t)variable_number(e, name) + (c == '+' ? 1u : ~(uint64_t)0));
		variable_store(e, name, v);
		return v;
	}
	if (c == '+' || c == '-' || c == '!' || c == '~') {
		e->at++;
		v = value_of(e, 13);
		return c == '+' ? v : c == '-' ? (int64_t)(0 - (uint64_t)v) : c == '!' ? !v : ~v;
	}
	if (c == '(') {
		e->at++;
		v = value_of(e, 0);
		skip_space(e);
		if (peek(e, 0) != ')')
			return fail(e, "arithmetic syntax error");
		e->at++;
		return v;
	}
	struct bytes word = word_at(e);
	if (word.len == 0)
		return fail(e, "arithmetic syntax error");
	if (!syntax_is_name(word)) {
		bool ok;
		v = number_of(word, &ok);
		return ok ? v : fail(e, "arithmetic syntax error");
	}
	skip_space(e);
	return assignment(e, word, &v) ? v : variable_number(e, word);
}

static const struct operator* operator_at(struct expression *e)
{
	struct bytes rest = {e->text.at + e->at, e->text.len - e->at};
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (bytes_start_with(rest, operators[i].text))
			return &operators[i];
	return NULL;
}

static int64_t choice(struct expression *e, int64_t condition)
{
	bool skipped = e->skip;
	e->at++;
	e->skip = skipped || !condition;
	int64_t yes = value_of(e, 0);
	skip_space(e);
	if (peek(e, 0) != ':')
		return fail(e, "arithmetic syntax error");
	e->at++;
	e->skip = skipped || condition;
	int64_t no = value_of(e, 1);
	e->skip = skipped;
	return condition ? yes : no;
}

static int64_t value_of(struct expression *e, int least)
{
	if (e->error || ++e->depth > EXPRESSION_DEPTH_MAX || !shell_spend(e->shell, 2))
		return fail(e, "arithmetic syntax error");
	int64_t v = operand(e);
	while (!e->error) {
		skip_space(e);
		if (peek(e, 0) == '?' && least <= 1) {
			v = choice(e, v);
			continue;
		}
		if (peek(e, 0) == ',' && least == 0) {
			e->at++;
			v = value_of(e, 1);
			continue;
		}
		const struct operator* op = operator_at(e);
		if (!op || op->precedence < least)
			break;
		e->at += strlen(op->text);
		bool skipped = e->skip;
		if (op->precedence == 3)
			e->skip |= !v;
		if (op->precedence == 2)
			e->skip |= v != 0;
		int64_t right = value_of(e, op->precedence + (op->precedence != 12));
		e->skip = skipped;
		v = apply(e, op->text, v, right);
	}
	e->depth--;
	return v;
}

bool arithmetic(struct shell *sh, struct bytes text, const struct fds *fds, int64_t *out)
{
	struct expression e = {.shell = sh, .text = text};
	*out = 0;
	skip_space(&e);
	if (e.at == text.len)
		return true;
	*out = value_of(&e, 0);
	skip_space(&e);
	if (!e.error && e.at < text.len)
		e.error = "arithmetic syntax error";
	if (!e.error)
		return true;
	shell_error(sh, fds, "%s", e.error);
	return false;
}
