/* The pieces that a pattern is made of: classes, groups, quantifiers, branches. */
#include "active/identify/pieces_inner.h"
#include <ctype.h>
#include <string.h>

/* Past the `]` that closes the class at `at`; `]` stands for itself when it is the first. */
size_t piece_class_end(struct bytes p, size_t at)
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
size_t piece_group_end(struct bytes p, size_t at, bool *choice)
{
	size_t depth = 0;
	for (size_t i = at; i < p.len;) {
		uint8_t c = p.at[i];
		if (c == '\\') {
			i += 2;
			continue;
		}
		if (c == '[') {
			i = piece_class_end(p, i);
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

/* What a quantifier at `at` says of what stands before it. */
enum repeat piece_repeat_at(struct bytes p, size_t at)
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
size_t piece_repeat_end(struct bytes p, size_t at)
{
	if (piece_repeat_at(p, at) == REPEAT_ONCE)
		return at;
	if (p.at[at] == '{')
		while (at < p.len && p.at[at] != '}')
			at++;
	at++;
	if (at < p.len && (p.at[at] == '?' || p.at[at] == '+'))
		at++;
	return at;
}

/* Past the letters of (?i-m, which stand before `:` or `)`. */
size_t piece_flags_end(struct bytes p, size_t at)
{
	size_t i = at + 2;
	while (i < p.len && strchr("imsx-", p.at[i]) && p.at[i])
		i++;
	return i;
}

/* Where a group's content starts, or 0 when the group does not consume text (look-around, flags). */
size_t piece_group_content(struct bytes p, size_t at)
{
	if (at + 1 >= p.len || p.at[at + 1] != '?')
		return at + 1;
	size_t flags = piece_flags_end(p, at);
	if (flags < p.len && p.at[flags] == ':')
		return flags + 1;
	if (at + 3 < p.len && p.at[at + 2] == '<' && isalpha(p.at[at + 3])) {
		for (size_t i = at + 4; i < p.len; i++)
			if (p.at[i] == '>')
				return i + 1;
	}
	return 0;
}

/* The end of the branch that begins at `at`: a `|` outside all groups, or the end. */
size_t piece_branch_end(struct bytes p, size_t at)
{
	bool within = false;
	while (at < p.len && p.at[at] != '|') {
		if (p.at[at] == '\\')
			at += 2;
		else if (p.at[at] == '[')
			at = piece_class_end(p, at);
		else if (p.at[at] == '(')
			at = piece_group_end(p, at, &within);
		else
			at++;
	}
	return at < p.len ? at : p.len;
}

/* Free spacing, quoting, verbs, and escapes that take more than their next character. */
bool pieces_unclear(struct bytes p)
{
	for (size_t i = 0; i + 1 < p.len; i++) {
		if (p.at[i] == '\\' && (isdigit(p.at[++i]) || strchr("QEkgcNoK", p.at[i])))
			return true;
		if (p.at[i] != '(' || i + 1 == p.len)
			continue;
		if (p.at[i + 1] == '*')
			return true;
		if (p.at[i + 1] == '?' && memchr(p.at + i, 'x', piece_flags_end(p, i) - i))
			return true;
	}
	return false;
}

/* Past one piece with its quantifier: a character, an escape, a class or a whole group. */
size_t piece_end(struct bytes p, size_t at, enum repeat *repeat)
{
	bool choice = false;
	size_t end = at + 1;
	if (p.at[at] == '[')
		end = piece_class_end(p, at);
	else if (p.at[at] == '(')
		end = piece_group_end(p, at, &choice);
	else if (p.at[at] == '\\' && at + 1 < p.len)
		end = at + 2;
	if (p.at[at] == '\\' && end < p.len + 1 && p.at[at + 1] == 'x')
		for (size_t i = 0; i < 2 && end < p.len && isxdigit(p.at[end]); i++)
			end++;
	*repeat = piece_repeat_at(p, end);
	return piece_repeat_end(p, end);
}
