/* Playing webshells.  A recursive descent over PHP's text that skips what it does not know. */
#include "passive/services/http/script.h"
#include "base/base64.h"
#include "passive/services/http/form.h"
#include <openssl/evp.h>

#define COMMAND_OUTPUT_MAX 65536

static bool step(struct script *x)
{
	return ++x->steps < SCRIPT_STEPS_MAX && !x->ended;
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void skip_blanks(struct reader *r)
{
	while (reader_left(r)) {
		struct bytes left = {r->at, reader_left(r)};
		size_t n = 0;
		if (*r->at <= ' ' || *r->at == '@')
			n = 1;
		else if (*r->at == '#' || bytes_start_with(left, "//"))
			n = bytes_find(left, "\n");
		else if (bytes_start_with(left, "/*"))
			n = bytes_find(left, "*/") + 2;
		if (n == 0)
			return;
		read_bytes(r, n < left.len ? n : left.len);
	}
}

/* Whether this stands next, and takes it. */
static bool take(struct reader *r, const char *word)
{
	skip_blanks(r);
	struct bytes left = {r->at, reader_left(r)};
	size_t n = strlen(word);
	struct bytes head = {left.at, n < left.len ? n : left.len};
	if (!bytes_equal_nocase(head, word) || (is_letter((uint8_t)word[n - 1]) && left.len > n && is_letter(left.at[n])))
		return false;
	read_bytes(r, n);
	return true;
}

static struct bytes take_name(struct reader *r)
{
	size_t n = 0;
	while (n < reader_left(r) && is_letter(r->at[n]))
		n++;
	return read_bytes(r, n);
}

static struct bytes keep(struct script *x, struct bytes b)
{
	return arena_copy(session_arena(x->session), b);
}

static struct bytes joined(struct script *x, struct bytes a, struct bytes b)
{
	if (a.len == 0 || b.len == 0)
		return a.len ? a : b;
	uint8_t *room = arena_alloc(session_arena(x->session), a.len + b.len);
	if (!room)
		return a;
	memcpy(room, a.at, a.len);
	memcpy(room + a.len, b.at, b.len);
	return (struct bytes){room, a.len + b.len};
}

static struct bytes literal(struct script *x, struct reader *r, uint8_t quote)
{
	uint8_t *room = arena_alloc(session_arena(x->session), reader_left(r) + 1);
	size_t n = 0;
	while (room && reader_left(r)) {
		uint8_t c = read_u8(r);
		if (c == quote)
			break;
		if (c == '\\' && reader_left(r)) {
			uint8_t next = read_u8(r);
			bool letter = quote == '"' && next == 'n';
			if (next != quote && next != '\\' && !letter)
				room[n++] = c;
			c = letter ? '\n' : next;
		}
		room[n++] = c;
	}
	return (struct bytes){room, room ? n : 0};
}

static struct bytes parameter(struct script *x, struct bytes from, struct bytes name)
{
	struct bytes key, value, rest = from;
	while (form_next(&rest, &key, &value)) {
		if (!bytes_equal(key, name))
			continue;
		uint8_t *room = arena_alloc(session_arena(x->session), value.len + 1);
		struct writer w = writer_of(room, room ? value.len : 0);
		form_decode(value, &w);
		return writer_bytes(&w);
	}
	return (struct bytes){0};
}

static struct bytes run_command(struct script *x, struct bytes line)
{
	uint8_t *room = arena_alloc(session_arena(x->session), COMMAND_OUTPUT_MAX);
	struct writer w = writer_of(room, room ? COMMAND_OUTPUT_MAX : 0);
	if (line.len == 0)
		return line;
	event_set_bytes(session_report(x->session, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, line);
	command_run(x->session, x->shell, line, &w);
	return writer_bytes(&w);
}

static struct bytes expression(struct script *, struct reader *);

static struct bytes hex_digest(struct script *x, const EVP_MD *kind, struct bytes b)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char text[2 * EVP_MAX_MD_SIZE + 1] = "";
	EVP_Digest(b.at, b.len, digest, &n, kind, NULL);
	for (unsigned i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return keep(x, bytes_of_text(text));
}

static struct bytes turned(struct script *x, struct bytes b, bool rot13)
{
	struct bytes copy = keep(x, b);
	uint8_t *at = (uint8_t *)copy.at;
	for (size_t i = 0; at && i < b.len; i++) {
		uint8_t c = rot13 ? b.at[i] : b.at[b.len - 1 - i], low = c | 0x20;
		bool letter = rot13 && low >= 'a' && low <= 'z';
		at[i] = letter ? (uint8_t)(c + (low < 'n' ? 13 : -13)) : c;
	}
	return copy;
}

static struct bytes decoded(struct script *x, struct bytes b)
{
	uint8_t *room = arena_alloc(session_arena(x->session), b.len + 4);
	struct writer w = writer_of(room, room ? b.len + 4 : 0);
	base64_decode(b, &w);
	return writer_bytes(&w);
}

static struct bytes call(struct script *x, struct bytes name, struct bytes first)
{
	static const char *const shells[] = {"shell_exec", "exec"}, *const loud[] = {"system", "passthru"};
	for (size_t i = 0; i < 2; i++) {
		if (bytes_equal_nocase(name, shells[i]))
			return run_command(x, first);
		if (bytes_equal_nocase(name, loud[i])) {
			struct bytes said = run_command(x, first);
			write_bytes(x->out, said.at, said.len < writer_left(x->out) ? said.len : writer_left(x->out));
			return (struct bytes){0};
		}
	}
	if (bytes_equal_nocase(name, "md5"))
		return hex_digest(x, EVP_md5(), first);
	if (bytes_equal_nocase(name, "sha1"))
		return hex_digest(x, EVP_sha1(), first);
	if (bytes_equal_nocase(name, "base64_decode"))
		return decoded(x, first);
	if (bytes_equal_nocase(name, "strrev") || bytes_equal_nocase(name, "str_rot13"))
		return turned(x, first, name.len == 9);
	if (bytes_equal_nocase(name, "trim") || bytes_equal_nocase(name, "strval") || bytes_equal_nocase(name, "stripslashes"))
		return bytes_trim(first);
	if (bytes_equal_nocase(name, "getcwd")) {
		size_t n = x->path.len;
		while (n > 1 && x->path.at[n - 1] != '/')
			n--;
		return (struct bytes){x->path.at, n > 1 ? n - 1 : n};
	}
	if (bytes_equal_nocase(name, "php_uname"))
		return run_command(x, BYTES("uname -a"));
	if (bytes_equal_nocase(name, "get_current_user"))
		return BYTES("www-data");
	return (struct bytes){0};
}

static struct bytes call_term(struct script *x, struct reader *r, struct bytes name)
{
	struct bytes first = {0};
	for (bool more = !take(r, ")"), at_first = true; more && step(x); at_first = false) {
		struct bytes v = expression(x, r);
		first = at_first ? v : first;
		more = take(r, ",");
		if (!more)
			take(r, ")");
	}
	if (bytes_equal_nocase(name, "isset") || bytes_equal_nocase(name, "defined"))
		return first.len ? BYTES("1") : (struct bytes){0};
	if (bytes_equal_nocase(name, "empty"))
		return first.len ? (struct bytes){0} : BYTES("1");
	if (bytes_equal_nocase(name, "eval") || bytes_equal_nocase(name, "assert")) {
		uint8_t *room = arena_alloc(session_arena(x->session), first.len + 6);
		struct writer w = writer_of(room, room ? first.len + 6 : 0);
		write_text(&w, "<?php ");
		write_span(&w, first);
		if (x->depth < SCRIPT_DEPTH_MAX)
			script_run(x, writer_bytes(&w));
		return (struct bytes){0};
	}
	return call(x, name, first);
}

static struct bytes variable(struct script *x, struct bytes name)
{
	for (size_t i = 0; i < x->variable_count; i++)
		if (bytes_equal(x->variables[i].name, name))
			return x->variables[i].value;
	return (struct bytes){0};
}

static struct bytes variable_term(struct script *x, struct reader *r)
{
	struct bytes name = take_name(r), key = {0};
	bool indexed = take(r, "[");
	if (indexed) {
		key = expression(x, r);
		take(r, "]");
	}
	if (bytes_equal_text(name, "_GET"))
		return parameter(x, x->query, key);
	if (bytes_equal_text(name, "_POST"))
		return parameter(x, x->body, key);
	if (bytes_equal_text(name, "_COOKIE"))
		return parameter(x, x->cookies, key);
	if (bytes_equal_text(name, "_SERVER"))
		return bytes_equal_text(key, "HTTP_USER_AGENT") ? x->agent : (struct bytes){0};
	if (bytes_equal_text(name, "_REQUEST")) {
		struct bytes v = parameter(x, x->query, key);
		return v.len ? v : parameter(x, x->body, key);
	}
	struct bytes value = variable(x, name);
	if (!indexed && take(r, "(")) /* a function by its name */
		return call_term(x, r, value);
	return value;
}

/* One of x.y*z: strings, numbers, parameters, calls. */
static struct bytes term(struct script *x, struct reader *r)
{
	skip_blanks(r);
	if (!step(x) || reader_left(r) == 0 || x->depth >= SCRIPT_DEPTH_MAX)
		return (struct bytes){0};
	uint8_t c = *r->at;
	if (c == '\'' || c == '"') {
		read_u8(r);
		return literal(x, r, c);
	}
	if (c == '`') {
		read_u8(r);
		struct bytes line = literal(x, r, '`');
		return run_command(x, line.len && line.at[0] == '$' ? variable(x, (struct bytes){line.at + 1, line.len - 1})
		                                                     : line);
	}
	if (c == '$') {
		read_u8(r);
		return variable_term(x, r);
	}
	if (c == '(') {
		read_u8(r);
		x->depth++;
		struct bytes v = expression(x, r);
		x->depth--;
		take(r, ")");
		return v;
	}
	if (c == '!') {
		read_u8(r);
		return term(x, r).len ? (struct bytes){0} : BYTES("1");
	}
	struct bytes name = take_name(r);
	if (name.len && take(r, "(")) {
		x->depth++;
		struct bytes v = call_term(x, r, name);
		x->depth--;
		return v;
	}
	return bytes_equal_text(name, "PHP_OS") ? BYTES("Linux") : name;
}

static bool number_of(struct bytes b, uint64_t *v)
{
	return bytes_number(b, UINT32_MAX, v);
}

static struct bytes expression(struct script *x, struct reader *r)
{
	struct bytes left = term(x, r);
	uint64_t a, b;
	while (step(x)) {
		char text[24];
		skip_blanks(r);
		uint8_t sign = reader_left(r) ? *r->at : 0;
		if (sign != '.' && sign != '*' && sign != '+' && sign != '-')
			return left;
		read_u8(r);
		struct bytes right = term(x, r);
		if (sign == '.') {
			left = joined(x, left, right);
		} else if (number_of(left, &a) && number_of(right, &b)) {
			snprintf(text, sizeof text, "%lld",
			         (long long)(sign == '*' ? a * b : sign == '+' ? a + b : a - b));
			left = keep(x, bytes_of_text(text));
		}
	}
	return left;
}

/* To behind the statement or block that starts here. */
static void skip_statement(struct reader *r)
{
	size_t depth = 0;
	while (reader_left(r)) {
		struct bytes left = {r->at, reader_left(r)};
		if (bytes_start_with(left, "?>"))
			return;
		uint8_t c = read_u8(r);
		if (c == '{')
			depth++;
		else if (c == '}' && depth <= 1)
			return;
		else if (c == '}')
			depth--;
		else if (c == ';' && depth == 0)
			return;
	}
}

static void write_cut(struct writer *w, struct bytes b)
{
	write_bytes(w, b.at, b.len < writer_left(w) ? b.len : writer_left(w));
}

static void assignment(struct script *x, struct reader *r)
{
	struct reader before = *r;
	read_u8(r);
	struct bytes name = take_name(r);
	skip_blanks(r);
	bool assigned = reader_left(r) > 1 && *r->at == '=' && r->at[1] != '=';
	if (!assigned) {
		*r = before;
		expression(x, r);
		return;
	}
	read_u8(r);
	struct bytes value = expression(x, r);
	size_t i = 0;
	while (i < x->variable_count && !bytes_equal(x->variables[i].name, name))
		i++;
	if (i == SCRIPT_VARIABLES_MAX)
		return;
	x->variables[i].name = name;
	x->variables[i].value = value;
	x->variable_count += i == x->variable_count;
}

static void statement(struct script *x, struct reader *r)
{
	static const char *const says[] = {"echo", "print", "die", "exit"};
	for (size_t i = 0; i < 4; i++)
		if (take(r, says[i])) {
			write_cut(x->out, expression(x, r));
			while (take(r, ","))
				write_cut(x->out, expression(x, r));
			x->ended |= i > 1;
			return;
		}
	if (take(r, "if")) {
		if (take(r, "(") && !expression(x, r).len) {
			take(r, ")");
			skip_statement(r);
		} else {
			take(r, ")");
		}
		return;
	}
	skip_blanks(r);
	if (reader_left(r) && (*r->at == '{' || *r->at == '}' || *r->at == ';')) {
		read_u8(r);
		return;
	}
	if (take(r, "else")) { /* what came before it was true: an if that was not skips itself */
		skip_statement(r);
		return;
	}
	const uint8_t *from = r->at;
	if (reader_left(r) && *r->at == '$')
		assignment(x, r);
	else
		expression(x, r);
	if (r->at == from)
		skip_statement(r);
}

void script_run(struct script *x, struct bytes source)
{
	struct reader r = reader_of_bytes(source);
	x->depth++;
	while (reader_left(&r) && step(x)) {
		struct bytes left = {r.at, reader_left(&r)};
		size_t open = bytes_find(left, "<?");
		write_cut(x->out, read_bytes(&r, open));
		if (reader_left(&r) == 0)
			break;
		read_bytes(&r, 2);
		bool says = take(&r, "=");
		if (!says)
			take(&r, "php");
		if (says)
			write_cut(x->out, expression(x, &r));
		while (reader_left(&r) && step(x) && !take(&r, "?>"))
			statement(x, &r);
	}
	x->depth--;
}

void script_run_foreign(struct script *x)
{
	static const char *const names[] = {"cmd", "command", "c", "exec", "execute", "x", "run", "pass", "0"};
	const struct bytes from[] = {x->query, x->body};
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
			struct bytes line = parameter(x, from[i], bytes_of_text(names[k]));
			if (line.len) {
				write_cut(x->out, run_command(x, line));
				return;
			}
		}
}
