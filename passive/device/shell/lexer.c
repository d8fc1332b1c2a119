/* Words and operators of the shell's language (POSIX.1 2.3). */
#include "passive/device/shell/syntax_inner.h"

#define SKIP_DEPTH_MAX 16

static size_t skip_single(struct bytes s, size_t at)
{
	const uint8_t *end = at + 1 < s.len ? memchr(s.at + at + 1, '\'', s.len - at - 1) : NULL;
	return end ? (size_t)(end - s.at) + 1 : SIZE_MAX;
}

static size_t skip_backquote(struct bytes s, size_t at)
{
	for (at++; at < s.len; at++) {
		if (s.at[at] == '\\')
			at++;
		else if (s.at[at] == '`')
			return at + 1;
	}
	return SIZE_MAX;
}

static size_t skip_double(struct bytes s, size_t at, unsigned depth)
{
	for (at++; at < s.len;) {
		uint8_t c = s.at[at];
		if (c == '"')
			return at + 1;
		if (c == '\\') {
			at += 2;
		} else if (c == '`' || c == '$') {
			at = syntax_skip(s, at, depth);
			if (at == SIZE_MAX)
				return SIZE_MAX;
		} else {
			at++;
		}
	}
	return SIZE_MAX;
}

/* From the opening character to its partner, past whatever is quoted between them. */
static size_t skip_pair(struct bytes s, size_t at, uint8_t open, uint8_t close, unsigned depth)
{
	unsigned nested = 0;
	while (at < s.len) {
		uint8_t c = s.at[at];
		if (c == open) {
			nested++;
			at++;
		} else if (c == close) {
			at++;
			if (--nested == 0)
				return at;
		} else if (c == '\\' || c == '\'' || c == '"' || c == '`' || c == '$') {
			at = syntax_skip(s, at, depth);
			if (at == SIZE_MAX)
				return SIZE_MAX;
		} else {
			at++;
		}
	}
	return SIZE_MAX;
}

size_t syntax_skip(struct bytes s, size_t at, unsigned depth)
{
	if (depth > SKIP_DEPTH_MAX)
		return SIZE_MAX;
	uint8_t next = at + 1 < s.len ? s.at[at + 1] : 0;
	switch (s.at[at]) {
	case '\\':
		return at + 1 < s.len ? at + 2 : SIZE_MAX;
	case '\'':
		return skip_single(s, at);
	case '"':
		return skip_double(s, at, depth + 1);
	case '`':
		return skip_backquote(s, at);
	case '$':
		if (next == '(')
			return skip_pair(s, at + 1, '(', ')', depth + 1);
		if (next == '{')
			return skip_pair(s, at + 1, '{', '}', depth + 1);
		return at + 1;
	default:
		return at + 1;
	}
}

static bool is_meta(uint8_t c)
{
	return c && strchr(" \t\n;&|<>()", c);
}

/* Spaces, comments and escaped line ends before a token. */
static void lexer_space(struct lexer *l)
{
	struct bytes s = l->source;
	while (l->at < s.len) {
		uint8_t c = s.at[l->at];
		if (c == ' ' || c == '\t' || c == '\r' || c == 0) {
			l->at++;
		} else if (c == '\\' && l->at + 1 < s.len && s.at[l->at + 1] == '\n') {
			l->at += 2;
			l->line++;
		} else if (c == '#') {
			while (l->at < s.len && s.at[l->at] != '\n')
				l->at++;
		} else {
			return;
		}
	}
}

static struct token operator_token(struct lexer *l, size_t n)
{
	struct token t = {TOKEN_OPERATOR, {l->source.at + l->at, n}, 0, 0, false};
	l->at += n;
	return t;
}

static struct token redirect_token(struct lexer *l, int fd)
{
	struct bytes rest = {l->source.at + l->at, l->source.len - l->at};
	static const struct {
		const char *text;
		enum redirect_kind kind;
		int fd;
		bool strip;
	} forms[] = {
	        {"<<-", REDIRECT_HERE, 0, true}, {"<<", REDIRECT_HERE, 0, false},
	        {"<&", REDIRECT_COPY, 0, false}, {"<>", REDIRECT_BOTH, 0, false},
	        {"<", REDIRECT_IN, 0, false},    {">>", REDIRECT_APPEND, 1, false},
	        {">&", REDIRECT_COPY, 1, false}, {">|", REDIRECT_OUT, 1, false},
	        {">", REDIRECT_OUT, 1, false},
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (bytes_start_with(rest, forms[i].text)) {
			struct token t = {TOKEN_REDIRECT,
			                  {rest.at, strlen(forms[i].text)},
			                  forms[i].kind,
			                  fd < 0 ? forms[i].fd : fd,
			                  forms[i].strip};
			l->at += t.text.len;
			return t;
		}
	return (struct token){.kind = TOKEN_END};
}

static struct token word_token(struct lexer *l)
{
	struct bytes s = l->source;
	size_t start = l->at, at = l->at;
	while (at < s.len && !is_meta(s.at[at]) && s.at[at]) {
		bool command = s.at[at] == '$' && at + 1 < s.len && s.at[at + 1] == '(';
		at = syntax_skip(s, at, 0);
		if (at == SIZE_MAX)
			return (struct token){.kind = TOKEN_PARTIAL,
			                      .text = {s.at + start, s.len - start},
			                      .fd = command};
	}
	struct token t = {.kind = TOKEN_WORD, .text = {s.at + start, at - start}};
	l->at = at;
	/* "2>" names a descriptor, "2 >" does not. */
	if (t.text.len == 1 && t.text.at[0] >= '0' && t.text.at[0] <= '9' && at < s.len &&
	    (s.at[at] == '<' || s.at[at] == '>'))
		return redirect_token(l, t.text.at[0] - '0');
	for (size_t i = 0; i < t.text.len; i++)
		l->line += t.text.at[i] == '\n';
	return t;
}

static struct token lexer_next(struct lexer *l)
{
	lexer_space(l);
	struct bytes s = l->source;
	if (l->at >= s.len)
		return (struct token){.kind = TOKEN_END};
	uint8_t c = s.at[l->at], next = l->at + 1 < s.len ? s.at[l->at + 1] : 0;
	switch (c) {
	case '\n':
		l->at++;
		l->line++;
		return (struct token){.kind = TOKEN_NEWLINE};
	case ';':
	case '&':
	case '|':
		return operator_token(l, next == c ? 2 : 1);
	case '(':
	case ')':
		return operator_token(l, 1);
	case '<':
	case '>':
		return redirect_token(l, -1);
	default:
		return word_token(l);
	}
}

struct token lexer_peek(struct lexer *l)
{
	if (!l->has_ahead)
		l->ahead = lexer_next(l);
	l->has_ahead = true;
	return l->ahead;
}

struct token lexer_take(struct lexer *l)
{
	struct token t = lexer_peek(l);
	l->has_ahead = t.kind == TOKEN_END || t.kind == TOKEN_PARTIAL; /* the end stays the end */
	return t;
}

bool syntax_is_name(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return b.len > 0;
}

size_t syntax_assignment(struct bytes word)
{
	const uint8_t *equal = word.len ? memchr(word.at, '=', word.len) : NULL;
	if (!equal || !syntax_is_name((struct bytes){word.at, (size_t)(equal - word.at)}))
		return 0;
	return (size_t)(equal - word.at);
}
