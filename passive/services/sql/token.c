/* Tokens: comments and blanks skipped, quotes undone. */
#include "passive/services/sql/sql.h"

static bool letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static int hex_digit(uint8_t c)
{
	if (digit(c))
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint8_t ahead(const struct sql_reader *r, size_t n)
{
	return r->at + n < r->text.len ? r->text.at[r->at + n] : 0;
}

static void skip_line(struct sql_reader *r)
{
	const uint8_t *end = memchr(r->text.at + r->at, '\n', r->text.len - r->at);
	r->at = end ? (size_t)(end - r->text.at) + 1 : r->text.len;
}

/* What MySQL runs although it stands in a comment: its marks are blanks. */
static bool skip_comment(struct sql_reader *r)
{
	if (r->dialect == SQL_MYSQL && ahead(r, 2) == '!') {
		r->at += 3;
		while (digit(ahead(r, 0)))
			r->at++;
		return true;
	}
	struct bytes rest = {r->text.at + r->at, r->text.len - r->at};
	size_t end = bytes_find(rest, "*/");
	r->open |= end == rest.len;
	r->at = end == rest.len ? r->text.len : r->at + end + 2;
	return true;
}

static void skip_blanks(struct sql_reader *r)
{
	for (;;) {
		uint8_t c = ahead(r, 0);
		if (r->at >= r->text.len)
			return;
		if (c <= ' ') {
			r->at++;
		} else if (c == '#' && r->dialect == SQL_MYSQL) {
			skip_line(r);
		} else if (c == '-' && ahead(r, 1) == '-' &&
			   (r->dialect != SQL_MYSQL || ahead(r, 2) <= ' ')) {
			skip_line(r);
		} else if (c == '/' && ahead(r, 1) == '*') {
			skip_comment(r);
		} else if (c == '*' && ahead(r, 1) == '/' && r->dialect == SQL_MYSQL) {
			r->at += 2;
		} else {
			return;
		}
	}
}

static uint8_t unescaped(uint8_t c)
{
	switch (c) {
	case 'n': return '\n';
	case 't': return '\t';
	case 'r': return '\r';
	case 'b': return '\b';
	case '0': return 0;
	case 'Z': return 26;
	default: return c;
	}
}

/* Up to the closing quote; a doubled one stands for itself, and so does what a backslash marks. */
static void read_quoted(struct sql_reader *r, uint8_t close, bool escapes)
{
	const uint8_t *from = r->text.at + ++r->at;
	size_t left = r->text.len - r->at, n = 0;
	while (n < left && from[n] != close && !(escapes && from[n] == '\\'))
		n++;
	if (n < left && from[n] == close && !(n + 1 < left && from[n + 1] == close)) {
		r->token.text = (struct bytes){from, n};
		r->at += n + 1;
		return;
	}
	uint8_t *out = arena_alloc(r->arena, left + 1);
	size_t used = 0;
	r->open = true;
	while (r->at < r->text.len && out) {
		uint8_t c = r->text.at[r->at++];
		if (escapes && c == '\\' && r->at < r->text.len) {
			out[used++] = unescaped(r->text.at[r->at++]);
		} else if (c == close && ahead(r, 0) == close && r->at < r->text.len) {
			out[used++] = c;
			r->at++;
		} else if (c == close) {
			r->open = false;
			break;
		} else {
			out[used++] = c;
		}
	}
	r->token.text = (struct bytes){out ? out : from, out ? used : 0};
}

static void read_hex(struct sql_reader *r, size_t skip, bool quoted)
{
	const uint8_t *from = r->text.at + r->at + skip;
	size_t n = 0, left = r->text.len - r->at - skip;
	while (n < left && hex_digit(from[n]) >= 0)
		n++;
	uint8_t *out = arena_alloc(r->arena, n / 2 + 1);
	size_t used = 0, i = 0;
	if (out && n % 2)
		out[used++] = (uint8_t)hex_digit(from[i++]);
	for (; out && i < n; i += 2)
		out[used++] = (uint8_t)(hex_digit(from[i]) << 4 | hex_digit(from[i + 1]));
	r->token = (struct sql_token){.kind = SQL_HEX, .text = {out, out ? used : 0}};
	r->at += skip + n + (quoted && n < left);
}

/* $tag$...$tag$ (PostgreSQL); false: it is none. */
static bool read_dollar(struct sql_reader *r)
{
	size_t n = 1;
	while (letter(ahead(r, n)) || digit(ahead(r, n)))
		n++;
	if (ahead(r, n) != '$' || n > 60)
		return false;
	char mark[64];
	struct bytes rest = {r->text.at + r->at + n + 1, r->text.len - r->at - n - 1};
	bytes_copy_text((struct bytes){r->text.at + r->at, n + 1}, mark, sizeof mark);
	size_t end = bytes_find(rest, mark);
	r->open |= end == rest.len;
	r->token.kind = SQL_STRING;
	r->token.text = (struct bytes){rest.at, end};
	r->at += n + 1 + end + (end == rest.len ? 0 : n + 1);
	return true;
}

static void read_while(struct sql_reader *r, size_t skip, enum sql_token_kind kind)
{
	size_t from = r->at;
	r->at += skip;
	while (letter(ahead(r, 0)) || digit(ahead(r, 0)) || (ahead(r, 0) == '$' && kind != SQL_NUMBER) ||
	       (ahead(r, 0) == '.' && (kind == SQL_NUMBER || (kind == SQL_VARIABLE && skip == 2))))
		r->at++;
	r->token.kind = kind;
	r->token.text = (struct bytes){r->text.at + from, r->at - from};
}

static void read_sign(struct sql_reader *r)
{
	static const char *const twice[] = {"||", "::", "<>", "<=", ">=", "!=", ":=", "&&"};
	size_t n = 1;
	for (size_t i = 0; i < sizeof twice / sizeof *twice; i++)
		if (ahead(r, 0) == (uint8_t)twice[i][0] && ahead(r, 1) == (uint8_t)twice[i][1])
			n = 2;
	r->token.kind = SQL_SIGN;
	r->token.text = (struct bytes){r->text.at + r->at, n};
	r->at += n;
}

void sql_next(struct sql_reader *r)
{
	skip_blanks(r);
	r->token = (struct sql_token){.kind = SQL_END, .text = {r->text.at + r->at, 0}};
	size_t from = r->at;
	uint8_t c = ahead(r, 0), next = ahead(r, 1);
	bool mysql = r->dialect == SQL_MYSQL, tsql = r->dialect == SQL_TSQL;
	if (r->at >= r->text.len || c == ';') {
		r->token.from = r->token.to = from;
		return;
	}
	if (c == '\'' || (c == '"' && mysql)) {
		read_quoted(r, c, mysql);
		r->token.kind = SQL_STRING;
	} else if ((c == '"' || c == '`') && !(c == '`' && !mysql)) {
		read_quoted(r, c, false);
		r->token.kind = SQL_NAME;
	} else if (c == '[' && tsql) {
		read_quoted(r, ']', false);
		r->token.kind = SQL_NAME;
	} else if ((c | 32) == 'e' && next == '\'' && r->dialect == SQL_POSTGRES) {
		r->at++;
		read_quoted(r, '\'', true);
		r->token.kind = SQL_STRING;
	} else if ((c | 32) == 'n' && next == '\'') {
		r->at++;
		read_quoted(r, '\'', mysql);
		r->token.kind = SQL_STRING;
	} else if ((c | 32) == 'x' && next == '\'') {
		read_hex(r, 2, true);
	} else if (c == '0' && (next | 32) == 'x') {
		read_hex(r, 2, false);
	} else if (letter(c)) {
		read_while(r, 1, SQL_WORD);
	} else if (digit(c) || (c == '.' && digit(next))) {
		read_while(r, 1, SQL_NUMBER);
	} else if (c == '@') {
		read_while(r, next == '@' ? 2 : 1, SQL_VARIABLE);
	} else if (c == '$' && digit(next)) {
		read_while(r, 1, SQL_PARAMETER);
	} else if (c != '$' || !read_dollar(r)) {
		read_sign(r);
	}
	r->token.from = from;
	r->token.to = r->at;
}

void sql_open(struct sql_reader *r, struct bytes text, enum sql_dialect dialect, struct arena *arena)
{
	*r = (struct sql_reader){.text = text, .dialect = dialect, .arena = arena};
	sql_next(r);
}

bool sql_at(const struct sql_reader *r, const char *what)
{
	return (r->token.kind == SQL_WORD || r->token.kind == SQL_SIGN) &&
	       bytes_equal_nocase(r->token.text, what);
}

bool sql_take(struct sql_reader *r, const char *what)
{
	if (!sql_at(r, what))
		return false;
	sql_next(r);
	return true;
}

bool sql_take_words(struct sql_reader *r, const char *words)
{
	struct sql_reader before = *r;
	struct bytes rest = bytes_of_text(words);
	while (rest.len) {
		struct bytes word = bytes_word(&rest);
		if (r->token.kind != SQL_WORD || r->token.text.len != word.len ||
		    strncasecmp((const char *)r->token.text.at, (const char *)word.at, word.len)) {
			*r = before;
			return false;
		}
		sql_next(r);
	}
	return true;
}

bool sql_skip_statement(struct sql_reader *r)
{
	while (r->token.kind != SQL_END)
		sql_next(r);
	while (r->at < r->text.len && r->text.at[r->at] == ';') {
		r->at++;
		sql_next(r);
		if (r->token.kind != SQL_END)
			return true;
	}
	return false;
}
