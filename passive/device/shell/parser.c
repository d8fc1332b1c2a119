/* From tokens to the tree: recursive descent over the grammar of POSIX.1 2.10.2. */
#include "passive/device/shell/syntax_inner.h"

#define PARSE_DEPTH_MAX 24

struct parser {
	struct lexer lexer;
	struct syntax_reader *reader;
	enum syntax_result result; /* SYNTAX_DONE until something fails */
	unsigned depth;
};

static struct syntax *parse_list(struct parser *, bool top);
static struct syntax *parse_command(struct parser *);

static void *take_memory(struct parser *p, size_t n)
{
	void *at = p->result == SYNTAX_DONE ? arena_alloc(p->reader->arena, n) : NULL;
	if (!at && p->result == SYNTAX_DONE)
		p->result = SYNTAX_FULL;
	return at;
}

static struct syntax *node_new(struct parser *p, enum syntax_kind kind)
{
	struct syntax *n = take_memory(p, sizeof *n);
	if (n) {
		n->kind = kind;
		n->line = p->lexer.line;
	}
	return n;
}

static bool is_reserved(struct bytes b)
{
	static const char *const words[] = {"!",    "{",    "}",     "case", "do",  "done",
	                                    "elif", "else", "esac",  "fi",   "for", "if",
	                                    "in",   "then", "until", "while"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (bytes_equal_text(b, words[i]))
			return true;
	return false;
}

/* How ash names a token in "syntax error: unexpected ...". */
static void token_name(struct token t, char out[48])
{
	if (t.kind == TOKEN_END)
		snprintf(out, 48, "end of file");
	else if (t.kind == TOKEN_NEWLINE)
		snprintf(out, 48, "newline");
	else if (t.kind == TOKEN_REDIRECT)
		snprintf(out, 48, "redirection");
	else if (t.kind == TOKEN_WORD && !is_reserved(t.text))
		snprintf(out, 48, "word");
	else
		snprintf(out, 48, "\"%.*s\"", (int)(t.text.len < 32 ? t.text.len : 32),
		         (const char *)t.text.at);
}

static void *unexpected(struct parser *p, const char *wanted)
{
	if (p->result != SYNTAX_DONE)
		return NULL;
	struct token t = lexer_peek(&p->lexer);
	char name[48];
	p->result = t.kind == TOKEN_END || t.kind == TOKEN_PARTIAL ? SYNTAX_PARTIAL : SYNTAX_ERROR;
	token_name(t, name);
	if (t.kind == TOKEN_PARTIAL && t.fd)
		snprintf(p->reader->error, sizeof p->reader->error,
		         "unexpected end of file (expecting \")\")");
	else if (t.kind == TOKEN_PARTIAL)
		snprintf(p->reader->error, sizeof p->reader->error, "unterminated quoted string");
	else if (wanted)
		snprintf(p->reader->error, sizeof p->reader->error,
		         "unexpected %s (expecting \"%s\")", name, wanted);
	else
		snprintf(p->reader->error, sizeof p->reader->error, "unexpected %s", name);
	return NULL;
}

static bool at_operator(struct parser *p, const char *text)
{
	struct token t = lexer_peek(&p->lexer);
	return t.kind == TOKEN_OPERATOR && bytes_equal_text(t.text, text);
}

static bool at_word(struct parser *p, const char *text)
{
	struct token t = lexer_peek(&p->lexer);
	return t.kind == TOKEN_WORD && bytes_equal_text(t.text, text);
}

static bool expect_word(struct parser *p, const char *text)
{
	if (p->result != SYNTAX_DONE)
		return false;
	if (!at_word(p, text)) {
		unexpected(p, text);
		return false;
	}
	lexer_take(&p->lexer);
	return true;
}

/* The end word of a here-document without its quotes; true when there were any. */
static bool here_end_word(struct bytes raw, char end[128], size_t *len)
{
	bool quoted = false;
	*len = 0;
	for (size_t i = 0; i < raw.len; i++) {
		uint8_t c = raw.at[i];
		if (c == '\'' || c == '"' || c == '\\')
			quoted = true;
		else if (*len < 127)
			end[(*len)++] = (char)c;
	}
	return quoted;
}

/* Reads the text of the here-documents that the line which just ended has announced. */
static void read_here_documents(struct parser *p)
{
	struct lexer *l = &p->lexer;
	for (struct syntax_redirect *r = l->here; r && p->result == SYNTAX_DONE; r = r->next_here) {
		char end[128];
		size_t end_len, start = l->at;
		r->kind = here_end_word(r->raw, end, &end_len) ? REDIRECT_LITERAL : REDIRECT_HERE;
		for (;;) {
			if (l->at >= l->source.len) {
				r->text = (struct bytes){l->source.at + start, l->at - start};
				snprintf(p->reader->error, sizeof p->reader->error,
				         "unterminated here-document");
				p->result = SYNTAX_PARTIAL;
				return;
			}
			const uint8_t *line = l->source.at + l->at,
			              *stop = l->source.at + l->source.len;
			const uint8_t *lf = memchr(line, '\n', (size_t)(stop - line));
			const uint8_t *after = lf ? lf : stop, *text = line;
			while (r->strip_tabs && text < after && *text == '\t')
				text++;
			l->at = (size_t)(after - l->source.at) + (lf != NULL);
			l->line++;
			if ((size_t)(after - text) == end_len && !memcmp(text, end, end_len)) {
				r->text = (struct bytes){l->source.at + start,
				                         (size_t)(line - l->source.at) - start};
				break;
			}
		}
	}
	l->here = NULL;
	l->here_end = &l->here;
}

static void skip_newlines(struct parser *p)
{
	while (p->result == SYNTAX_DONE && lexer_peek(&p->lexer).kind == TOKEN_NEWLINE) {
		lexer_take(&p->lexer);
		read_here_documents(p);
	}
}

static struct syntax_word *add_word(struct parser *p, struct syntax_word ***end, struct bytes raw)
{
	struct syntax_word *w = take_memory(p, sizeof *w);
	if (w) {
		w->raw = raw;
		**end = w;
		*end = &w->next;
	}
	return w;
}

static bool parse_redirect(struct parser *p, struct syntax_redirect ***end)
{
	struct token t = lexer_take(&p->lexer), target = lexer_peek(&p->lexer);
	if (target.kind != TOKEN_WORD) {
		unexpected(p, NULL);
		return false;
	}
	lexer_take(&p->lexer);
	struct syntax_redirect *r = take_memory(p, sizeof *r);
	if (!r)
		return false;
	*r = (struct syntax_redirect){
	        .kind = t.redirect, .fd = t.fd, .raw = target.text, .strip_tabs = t.strip_tabs};
	**end = r;
	*end = &r->next;
	if (r->kind == REDIRECT_HERE) {
		*p->lexer.here_end = r;
		p->lexer.here_end = &r->next_here;
	}
	return true;
}

static void parse_redirects(struct parser *p, struct syntax *n)
{
	struct syntax_redirect **end = &n->redirects;
	while (p->result == SYNTAX_DONE && lexer_peek(&p->lexer).kind == TOKEN_REDIRECT)
		parse_redirect(p, &end);
}

/* name() command: kept as source, since it must outlive this line. */
static struct syntax *parse_function(struct parser *p, struct bytes name)
{
	struct syntax *n = node_new(p, SYNTAX_FUNCTION);
	lexer_take(&p->lexer);
	if (!n || !at_operator(p, ")"))
		return unexpected(p, ")");
	lexer_take(&p->lexer);
	skip_newlines(p);
	n->text = name;
	struct token t = lexer_peek(&p->lexer);
	if (t.kind != TOKEN_WORD && !at_operator(p, "("))
		return unexpected(p, NULL);
	const uint8_t *start = t.text.at;
	struct syntax_word *body = take_memory(p, sizeof *body);
	if (!body || !parse_command(p))
		return NULL;
	size_t end = p->lexer.at;
	if (p->lexer.has_ahead && p->lexer.ahead.text.at)
		end = (size_t)(p->lexer.ahead.text.at - p->lexer.source.at);
	body->raw = (struct bytes){start, (size_t)(p->lexer.source.at + end - start)};
	n->words = body;
	return n;
}

static struct syntax *parse_simple(struct parser *p)
{
	struct syntax *n = node_new(p, SYNTAX_SIMPLE);
	if (!n)
		return NULL;
	struct syntax_word **words = &n->words;
	struct syntax_redirect **redirects = &n->redirects;
	for (;;) {
		struct token t = lexer_peek(&p->lexer);
		if (t.kind == TOKEN_PARTIAL)
			return unexpected(p, NULL);
		if (t.kind == TOKEN_REDIRECT) {
			if (!parse_redirect(p, &redirects))
				return NULL;
			continue;
		}
		if (t.kind != TOKEN_WORD)
			break;
		lexer_take(&p->lexer);
		if (!add_word(p, &words, t.text))
			return NULL;
		if (n->words->next == NULL && !n->redirects && at_operator(p, "(") &&
		    syntax_is_name(t.text))
			return parse_function(p, t.text);
	}
	if (!n->words && !n->redirects)
		return unexpected(p, NULL);
	return n;
}

static struct syntax *parse_if(struct parser *p)
{
	struct syntax *n = p->depth < PARSE_DEPTH_MAX ? node_new(p, SYNTAX_IF) : NULL;
	lexer_take(&p->lexer); /* if or elif */
	if (!n && p->result == SYNTAX_DONE)
		p->result = SYNTAX_FULL;
	if (!n || !(n->first = parse_list(p, false)) || !expect_word(p, "then") ||
	    !(n->second = parse_list(p, false)))
		return NULL;
	if (at_word(p, "elif")) {
		p->depth++;
		n->third = parse_if(p);
		p->depth--;
		return n->third ? n : NULL;
	}
	if (at_word(p, "else")) {
		lexer_take(&p->lexer);
		if (!(n->third = parse_list(p, false)))
			return NULL;
	}
	return expect_word(p, "fi") ? n : NULL;
}

static struct syntax *parse_loop(struct parser *p, enum syntax_kind kind)
{
	struct syntax *n = node_new(p, kind);
	lexer_take(&p->lexer);
	if (!n || !(n->first = parse_list(p, false)) || !expect_word(p, "do") ||
	    !(n->second = parse_list(p, false)) || !expect_word(p, "done"))
		return NULL;
	return n;
}

static struct syntax *parse_for(struct parser *p)
{
	struct syntax *n = node_new(p, SYNTAX_FOR);
	lexer_take(&p->lexer);
	struct token name = lexer_peek(&p->lexer);
	if (!n)
		return NULL;
	if (name.kind != TOKEN_WORD || !syntax_is_name(name.text)) {
		unexpected(p, NULL);
		snprintf(p->reader->error, sizeof p->reader->error, "bad for loop variable");
		return NULL;
	}
	lexer_take(&p->lexer);
	n->text = name.text;
	skip_newlines(p);
	if (at_word(p, "in")) {
		struct syntax_word **end = &n->words;
		lexer_take(&p->lexer);
		n->has_list = true;
		while (lexer_peek(&p->lexer).kind == TOKEN_WORD)
			if (!add_word(p, &end, lexer_take(&p->lexer).text))
				return NULL;
		if (!at_operator(p, ";") && lexer_peek(&p->lexer).kind != TOKEN_NEWLINE)
			return unexpected(p, NULL);
	}
	if (at_operator(p, ";"))
		lexer_take(&p->lexer);
	skip_newlines(p);
	if (!expect_word(p, "do") || !(n->first = parse_list(p, false)) || !expect_word(p, "done"))
		return NULL;
	return n;
}

static struct syntax *parse_case_item(struct parser *p)
{
	struct syntax *item = node_new(p, SYNTAX_CASE_ITEM);
	if (!item)
		return NULL;
	struct syntax_word **end = &item->words;
	if (at_operator(p, "("))
		lexer_take(&p->lexer);
	for (;;) {
		struct token t = lexer_peek(&p->lexer);
		if (t.kind != TOKEN_WORD)
			return unexpected(p, NULL);
		lexer_take(&p->lexer);
		if (!add_word(p, &end, t.text))
			return NULL;
		if (!at_operator(p, "|"))
			break;
		lexer_take(&p->lexer);
	}
	if (!at_operator(p, ")"))
		return unexpected(p, ")");
	lexer_take(&p->lexer);
	skip_newlines(p);
	if (!at_operator(p, ";;") && !at_word(p, "esac") && !(item->first = parse_list(p, false)))
		return NULL;
	if (at_operator(p, ";;"))
		lexer_take(&p->lexer);
	else if (!at_word(p, "esac"))
		return unexpected(p, ";;");
	skip_newlines(p);
	return item;
}

static struct syntax *parse_case(struct parser *p)
{
	struct syntax *n = node_new(p, SYNTAX_CASE);
	lexer_take(&p->lexer);
	struct token t = lexer_peek(&p->lexer);
	if (!n || t.kind != TOKEN_WORD)
		return unexpected(p, NULL);
	lexer_take(&p->lexer);
	struct syntax_word **end = &n->words;
	if (!add_word(p, &end, t.text))
		return NULL;
	skip_newlines(p);
	if (!expect_word(p, "in"))
		return NULL;
	skip_newlines(p);
	struct syntax **items = &n->first;
	while (p->result == SYNTAX_DONE && !at_word(p, "esac")) {
		*items = parse_case_item(p);
		if (!*items)
			return NULL;
		items = &(*items)->next;
	}
	return expect_word(p, "esac") ? n : NULL;
}

static struct syntax *parse_enclosed(struct parser *p, enum syntax_kind kind)
{
	struct syntax *n = node_new(p, kind);
	lexer_take(&p->lexer);
	if (!n || !(n->first = parse_list(p, false)))
		return NULL;
	if (kind == SYNTAX_GROUP)
		return expect_word(p, "}") ? n : NULL;
	if (!at_operator(p, ")"))
		return unexpected(p, ")");
	lexer_take(&p->lexer);
	return n;
}

static struct syntax *parse_command(struct parser *p)
{
	struct syntax *n = NULL;
	if (++p->depth > PARSE_DEPTH_MAX && p->result == SYNTAX_DONE)
		p->result = SYNTAX_FULL;
	if (p->result != SYNTAX_DONE)
		n = NULL;
	else if (at_operator(p, "("))
		n = parse_enclosed(p, SYNTAX_SUBSHELL);
	else if (at_word(p, "{"))
		n = parse_enclosed(p, SYNTAX_GROUP);
	else if (at_word(p, "if"))
		n = parse_if(p);
	else if (at_word(p, "while"))
		n = parse_loop(p, SYNTAX_WHILE);
	else if (at_word(p, "until"))
		n = parse_loop(p, SYNTAX_UNTIL);
	else if (at_word(p, "for"))
		n = parse_for(p);
	else if (at_word(p, "case"))
		n = parse_case(p);
	else if (lexer_peek(&p->lexer).kind == TOKEN_WORD &&
	         is_reserved(lexer_peek(&p->lexer).text))
		n = unexpected(p, NULL);
	else
		n = parse_simple(p);
	if (n && n->kind != SYNTAX_SIMPLE && n->kind != SYNTAX_FUNCTION)
		parse_redirects(p, n);
	p->depth--;
	return p->result == SYNTAX_DONE ? n : NULL;
}

static struct syntax *parse_pipe(struct parser *p)
{
	bool negated = false;
	while (at_word(p, "!")) {
		negated = !negated;
		lexer_take(&p->lexer);
	}
	struct syntax *first = parse_command(p);
	if (!first || (!negated && !at_operator(p, "|")))
		return first;
	struct syntax *n = node_new(p, SYNTAX_PIPE), *last = first;
	if (!n)
		return NULL;
	n->negated = negated;
	n->first = first;
	while (at_operator(p, "|")) {
		lexer_take(&p->lexer);
		skip_newlines(p);
		last->next = parse_command(p);
		last = last->next;
		if (!last)
			return NULL;
	}
	return n;
}

static struct syntax *parse_and_or(struct parser *p)
{
	struct syntax *first = parse_pipe(p), *last = first;
	if (!first || (!at_operator(p, "&&") && !at_operator(p, "||")))
		return first;
	struct syntax *n = node_new(p, SYNTAX_AND_OR);
	if (!n)
		return NULL;
	n->first = first;
	while (at_operator(p, "&&") || at_operator(p, "||")) {
		char join = (char)lexer_take(&p->lexer).text.at[0];
		skip_newlines(p);
		last->next = parse_pipe(p);
		last = last->next;
		if (!last)
			return NULL;
		last->join = join;
	}
	return n;
}

static bool at_list_end(struct parser *p)
{
	struct token t = lexer_peek(&p->lexer);
	if (t.kind == TOKEN_END)
		return true;
	if (t.kind == TOKEN_OPERATOR)
		return bytes_equal_text(t.text, ")") || bytes_equal_text(t.text, ";;");
	static const char *const ends[] = {"}", "do", "done", "elif", "else", "esac", "fi", "then"};
	for (size_t i = 0; t.kind == TOKEN_WORD && i < sizeof ends / sizeof *ends; i++)
		if (bytes_equal_text(t.text, ends[i]))
			return true;
	return false;
}

/* One command of a list; with & behind it, one that runs in the background. */
static struct syntax *parse_item(struct parser *p)
{
	struct syntax *n = parse_and_or(p);
	if (!n || !at_operator(p, "&"))
		return n;
	struct syntax *background = node_new(p, SYNTAX_BACKGROUND);
	if (background)
		background->first = n;
	return background;
}

/* Commands joined by ; & and line ends; at the top one line only. */
static struct syntax *parse_list(struct parser *p, bool top)
{
	struct syntax *list = node_new(p, SYNTAX_SEQUENCE);
	struct syntax **end = list ? &list->first : NULL;
	if (!top)
		skip_newlines(p);
	while (p->result == SYNTAX_DONE) {
		*end = parse_item(p);
		if (!*end)
			return NULL;
		end = &(*end)->next;
		bool separated = at_operator(p, ";") || at_operator(p, "&");
		if (separated)
			lexer_take(&p->lexer);
		struct token t = lexer_peek(&p->lexer);
		if (t.kind == TOKEN_PARTIAL)
			return unexpected(p, NULL);
		if (top && (t.kind == TOKEN_NEWLINE || t.kind == TOKEN_END))
			return list;
		if (t.kind == TOKEN_NEWLINE) {
			skip_newlines(p);
			separated = true;
		}
		if (!top && at_list_end(p))
			return p->result == SYNTAX_DONE ? list : NULL;
		if (!separated)
			return top ? unexpected(p, NULL) : list;
	}
	return NULL;
}

enum syntax_result syntax_read(struct syntax_reader *r, struct syntax **out)
{
	struct parser p = {.lexer = {.source = r->source, .at = r->at, .line = r->line},
	                   .reader = r};
	p.result = SYNTAX_DONE;
	p.lexer.here_end = &p.lexer.here;
	r->error[0] = 0;
	*out = NULL;
	struct token t = lexer_peek(&p.lexer);
	if (t.kind == TOKEN_END)
		return SYNTAX_END;
	if (t.kind != TOKEN_NEWLINE)
		*out = parse_list(&p, true);
	if (p.result == SYNTAX_DONE && lexer_peek(&p.lexer).kind == TOKEN_NEWLINE) {
		lexer_take(&p.lexer);
		read_here_documents(&p);
	} else if (p.result == SYNTAX_DONE && p.lexer.here) {
		p.result = SYNTAX_PARTIAL; /* the line that announced it has not ended yet */
		snprintf(r->error, sizeof r->error, "unterminated here-document");
	}
	r->at = p.lexer.at;
	r->line = p.lexer.line;
	return p.result;
}
