#include "store/embedded/guard.h"
#include <stdlib.h>

static int order(const void *a, const void *b) { return strcmp(a, b); }

int guard_add(struct guard *g, struct bytes name)
{
	if (g->count == GUARD_NAMES_MAX || name.len >= sizeof g->names[0])
		return ERR_FULL;
	char *out = g->names[g->count++];
	for (size_t i = 0; i < name.len; i++)
		out[i] = (char)(name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] | 0x20 : name.at[i]);
	out[name.len] = '\0';
	return 0;
}

void guard_seal(struct guard *g) { qsort(g->names, g->count, sizeof g->names[0], order); }

static bool is_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Steps over white space and comments; a comment does not nest (ClickHouse's lexer). */
static void skip_space(struct reader *r)
{
	while (reader_left(r)) {
		struct bytes rest = {r->at, reader_left(r)};
		size_t skip = 1;
		if (bytes_start_with(rest, "--") || rest.at[0] == '#')
			skip = bytes_find(rest, "\n");
		else if (bytes_start_with(rest, "/*"))
			skip = bytes_find(rest, "*/");
		else if (rest.at[0] > ' ')
			return;
		read_bytes(r, skip < rest.len ? skip : rest.len);
		/* The end of a comment is left for the next round, except that of slash-star. */
		if (rest.at[0] == '/' && reader_left(r))
			read_bytes(r, 2);
	}
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; }

/* Takes a quoted run, undoing doubled quotes and backslashes; false when it does not end. */
static bool take_quoted(struct reader *r, char word[64], bool *escaped)
{
	uint8_t quote = *r->at++;
	size_t n = 0;
	while (reader_left(r)) {
		uint8_t c = *r->at++;
		bool doubled = c == quote && reader_left(r) && *r->at == quote;
		if (c == quote && !doubled) {
			word[n] = '\0';
			return true;
		}
		*escaped |= c == '\\';
		if (doubled || (c == '\\' && reader_left(r)))
			c = *r->at++;
		if (n < 63)
			word[n++] = (char)lower(c);
	}
	return false;
}

static void take_word(struct reader *r, char word[64])
{
	size_t n = 0;
	for (; reader_left(r) && is_word(*r->at); r->at++)
		if (n < 63)
			word[n++] = (char)lower(*r->at);
	word[n] = '\0';
}

/*
 * The next identifier, in lower case; numbers come out as words, strings and signs empty.
 * False where the text cannot be followed for certain: a quote without end, an escape in a
 * quoted name, dollar quotes, typographic quotes.  ClickHouse might read a name there.
 */
static bool next_name(struct reader *r, char word[64])
{
	uint8_t c = r->at[0];
	bool escaped = false;
	word[0] = '\0';
	if (c == '`' || c == '"')
		return take_quoted(r, word, &escaped) && !escaped;
	if (c == '\'') {
		bool ended = take_quoted(r, word, &escaped);
		word[0] = '\0';
		return ended;
	}
	if (is_word(c))
		take_word(r, word);
	else
		r->at++;
	return c < 0x80 && c != '$';
}

int guard_check(const struct guard *g, struct bytes sql, bool private_too, struct fault *fault)
{
	if (sql.len == 0 || sql.len > GUARD_SQL_MAX)
		return fault_set(fault, ERR_DENIED, "query: it has %zu bytes; 1 to %u are allowed", sql.len,
				 GUARD_SQL_MAX);
	struct reader r = reader_of_bytes(sql);
	char word[64];
	for (skip_space(&r); reader_left(&r); skip_space(&r)) {
		if (!next_name(&r, word))
			return fault_set(fault, ERR_DENIED, "query: byte %zu: a quote without end, an escape "
							    "in a name, $ or a letter outside ASCII; put text in '…'",
					 (size_t)(r.at - sql.at));
		if (!word[0])
			continue;
		if (!strcmp(word, "private") && !private_too)
			return fault_set(fault, ERR_DENIED, "query: the table of private values is not for "
							    "this reader; `kansoku query --private` reads it");
		struct reader ahead = r;
		skip_space(&ahead);
		bool call = reader_left(&ahead) && *ahead.at == '(';
		if (call && bsearch(word, g->names, g->count, sizeof g->names[0], order))
			return fault_set(fault, ERR_DENIED, "query: %s() may reach outside the store; only "
							    "tables of the store can be read", word);
	}
	return 0;
}
