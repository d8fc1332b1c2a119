/*
 * The literal that every match of a pattern must contain.
 *
 * Looking for a fixed string costs a tenth of a failing match, and almost all
 * rules fail on almost all banners.  The walk is careful rather than clever:
 * what it does not understand ends the literal or gives none, which costs time
 * and never a match.  Letters are lowered, and so is the banner it is sought in.
 */
#include "active/identify/literal_inner.h"
#include <ctype.h>

struct literal {
	char run[RULE_LITERAL_MAX], best[RULE_LITERAL_MAX];
	size_t run_len, best_len;
};

static void literal_end(struct literal *l)
{
	if (l->run_len > l->best_len) {
		memcpy(l->best, l->run, l->run_len);
		l->best_len = l->run_len;
	}
	l->run_len = 0;
}

static void literal_take(struct literal *l, uint8_t c)
{
	if (l->run_len == sizeof l->run)
		literal_end(l);
	l->run[l->run_len++] = (char)tolower(c);
}

/* Past the `]` that closes the class at `at`; `]` stands for itself when it is the first. */
static size_t class_end(struct bytes p, size_t at)
{
	size_t i = at + 1;
	if (i < p.len && p.at[i] == '^')
		i++;
	if (i < p.len && p.at[i] == ']')
		i++;
	for (; i < p.len && p.at[i] != ']'; i++) {
		if (p.at[i] == '\\') {
			i++;
		} else if (p.at[i] == '[' && i + 1 < p.len && p.at[i + 1] == ':') {
			while (i + 1 < p.len && !(p.at[i] == ':' && p.at[i + 1] == ']'))
				i++;
			i++;
		}
	}
	return i < p.len ? i + 1 : p.len;
}

/* Past the `)` that closes the group at `at`; tells whether a `|` stands in it at any depth. */
static size_t group_end(struct bytes p, size_t at, bool *choice)
{
	size_t depth = 0;
	for (size_t i = at; i < p.len;) {
		uint8_t c = p.at[i];
		if (c == '\\') {
			i += 2;
			continue;
		}
		if (c == '[') {
			i = class_end(p, i);
			continue;
		}
		*choice |= c == '|';
		depth += c == '(';
		i++;
		if (c == ')' && --depth == 0)
			return i;
	}
	return p.len;
}

enum repeat { REPEAT_ONCE, REPEAT_SOME, REPEAT_MAYBE };

/* What a quantifier at `at` says of what stands before it. */
static enum repeat repeat_at(struct bytes p, size_t at)
{
	if (at >= p.len)
		return REPEAT_ONCE;
	switch (p.at[at]) {
	case '?':
	case '*':
		return REPEAT_MAYBE;
	case '+':
		return REPEAT_SOME;
	case '{':
		if (at + 1 < p.len && isdigit(p.at[at + 1]) && p.at[at + 1] != '0')
			return REPEAT_SOME;
		return REPEAT_MAYBE;
	default:
		return REPEAT_ONCE;
	}
}

/* Past a quantifier, when one stands at `at`. */
static size_t repeat_end(struct bytes p, size_t at)
{
	if (repeat_at(p, at) == REPEAT_ONCE)
		return at;
	if (p.at[at] == '{')
		while (at < p.len && p.at[at] != '}')
			at++;
	at++;
	if (at < p.len && (p.at[at] == '?' || p.at[at] == '+'))
		at++;
	return at;
}

/* Takes one character unless it may be absent; a repeated one ends the run. */
static size_t character(struct literal *l, struct bytes p, uint8_t c, size_t next)
{
	enum repeat repeat = repeat_at(p, next);
	if (repeat != REPEAT_MAYBE)
		literal_take(l, c);
	if (repeat != REPEAT_ONCE)
		literal_end(l);
	return repeat_end(p, next);
}

static size_t escape(struct literal *l, struct bytes p, size_t at)
{
	uint8_t c = at + 1 < p.len ? p.at[at + 1] : 0;
	if (c && !isalnum(c))
		return character(l, p, c, at + 2);
	if (c == 'r' || c == 'n' || c == 't')
		return character(l, p, c == 'r' ? '\r' : c == 'n' ? '\n' : '\t', at + 2);
	literal_end(l);
	size_t next = at + 2;
	if (c == 'x')
		for (size_t i = 0; i < 2 && next < p.len && isxdigit(p.at[next]); i++)
			next++;
	return repeat_end(p, next);
}

/* Where a group's content starts, or 0 when the group does not consume text (look-around, flags). */
static size_t group_content(struct bytes p, size_t at)
{
	if (at + 1 >= p.len || p.at[at + 1] != '?')
		return at + 1;
	if (at + 2 < p.len && p.at[at + 2] == ':')
		return at + 3;
	if (at + 3 < p.len && p.at[at + 2] == '<' && isalpha(p.at[at + 3])) {
		for (size_t i = at + 4; i < p.len; i++)
			if (p.at[i] == '>')
				return i + 1;
	}
	return 0;
}

static void walk(struct literal *, struct bytes, unsigned depth);

static size_t group(struct literal *l, struct bytes p, size_t at, unsigned depth)
{
	bool choice = false;
	size_t end = group_end(p, at, &choice), content = group_content(p, at);
	enum repeat repeat = repeat_at(p, end);
	if (content && !choice && repeat != REPEAT_MAYBE && depth < 16 && end > content)
		walk(l, (struct bytes){p.at + content, end - 1 - content}, depth + 1);
	else
		literal_end(l);
	if (repeat != REPEAT_ONCE)
		literal_end(l);
	return repeat_end(p, end);
}

static void walk(struct literal *l, struct bytes p, unsigned depth)
{
	for (size_t i = 0; i < p.len;) {
		uint8_t c = p.at[i];
		if (c == '\\') {
			i = escape(l, p, i);
		} else if (c == '(') {
			i = group(l, p, i, depth);
		} else if (c == '[' || c == '.') {
			literal_end(l);
			i = repeat_end(p, c == '[' ? class_end(p, i) : i + 1);
		} else if (c == '^' || c == '$') {
			literal_end(l);
			i = repeat_end(p, i + 1);
		} else {
			i = character(l, p, c, i + 1);
		}
	}
}

/* A `|` outside all groups: either side may match, so nothing is required. */
static bool has_choice(struct bytes p)
{
	for (size_t i = 0; i < p.len;) {
		bool within = false;
		if (p.at[i] == '\\')
			i += 2;
		else if (p.at[i] == '[')
			i = class_end(p, i);
		else if (p.at[i] == '(')
			i = group_end(p, i, &within);
		else if (p.at[i++] == '|')
			return true;
	}
	return false;
}

/* Free spacing, quoting, and escapes that take more than their next character. */
static bool is_unclear(struct bytes p)
{
	for (size_t i = 0; i + 1 < p.len; i++) {
		if (p.at[i] == '\\' && (isdigit(p.at[++i]) || strchr("QEkgcNoK", p.at[i])))
			return true;
		if (p.at[i] == '(' && (p.at[i + 1] == '*' || (p.at[i + 1] == '?' && i + 2 < p.len &&
							      strchr("xi-s", p.at[i + 2]) &&
							      memchr(p.at + i, 'x', p.len - i))))
			return true;
	}
	return false;
}

size_t literal_find(struct bytes pattern, char out[RULE_LITERAL_MAX])
{
	if (is_unclear(pattern) || has_choice(pattern))
		return 0;
	struct literal l = {0};
	walk(&l, pattern, 0);
	literal_end(&l);
	if (l.best_len < RULE_LITERAL_MIN)
		return 0;
	memcpy(out, l.best, l.best_len);
	return l.best_len;
}
