/*
 * What a word stands for (POSIX.1 2.6): parameters, commands, arithmetic, then
 * splitting, file names, and the removal of quotes.
 *
 * A field under construction keeps quoted pattern characters behind a backslash, so
 * that file name matching can tell them apart; field_end() takes the backslashes out.
 */
#include "passive/device/shell/shell_inner.h"

struct field {
	struct shell *shell;
	struct arena *arena;
	const struct fds *fds;
	struct words *out; /* NULL: one field, not split */
	uint8_t *at;
	size_t len, room;
	bool begun; /* quotes make even an empty field count */
	bool globs; /* holds an unquoted pattern character */
	bool failed;
};

static void expand_span(struct field *, struct bytes raw);
static void expand_double(struct field *, struct bytes raw, bool here);

bool words_add(struct shell *sh, struct arena *arena, struct words *w, struct bytes b)
{
	if (w->count == w->room) {
		size_t room = w->room ? 2 * w->room : 8;
		struct bytes *items =
		        room <= SHELL_WORDS_MAX ? arena_alloc(arena, room * sizeof *items) : NULL;
		if (!items) {
			sh->run->flow = FLOW_STOP;
			return false;
		}
		if (w->count)
			memcpy(items, w->items, w->count * sizeof *items);
		w->items = items;
		w->room = room;
	}
	w->items[w->count++] = b;
	return true;
}

static void field_byte(struct field *f, uint8_t c)
{
	if (f->len == f->room) {
		size_t room = f->room ? 2 * f->room : 64;
		uint8_t *at = f->failed ? NULL : arena_alloc(f->arena, room);
		if (!at) {
			f->failed = true;
			f->shell->run->flow = FLOW_STOP;
			return;
		}
		if (f->len)
			memcpy(at, f->at, f->len);
		f->at = at;
		f->room = room;
	}
	f->at[f->len++] = c;
}

static bool is_special(uint8_t c)
{
	return c == '*' || c == '?' || c == '[' || c == ']' || c == '\\' || c == '-' || c == '!';
}

static void field_literal(struct field *f, uint8_t c, bool quoted)
{
	if ((quoted || c == '\\') && is_special(c))
		field_byte(f, '\\');
	else if (c == '*' || c == '?' || c == '[')
		f->globs = true;
	field_byte(f, c);
}

static struct bytes unescape(uint8_t *at, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (at[i] == '\\' && i + 1 < len)
			i++;
		at[n++] = at[i];
	}
	return (struct bytes){at, n};
}

static void field_end(struct field *f)
{
	if (!f->out || (f->len == 0 && !f->begun))
		return;
	shell_spend(f->shell, 8 + f->len / 16);
	if (f->len == 0)
		field_byte(f, 0), f->len = 0; /* an address for the empty word */
	struct bytes pattern = {f->at, f->len};
	bool named = f->globs && pattern_files(f->shell, f->arena, pattern, f->out);
	if (!named && !f->failed && !words_add(f->shell, f->arena, f->out, unescape(f->at, f->len)))
		f->failed = true;
	f->at = NULL;
	f->len = f->room = 0;
	f->begun = f->globs = false;
}

/* The result of an expansion: unquoted it is split at the characters of $IFS. */
static void field_value(struct field *f, struct bytes value, bool quoted)
{
	bool set;
	struct bytes ifs = variable_get(f->shell, BYTES("IFS"), &set);
	if (!set)
		ifs = BYTES(" \t\n");
	shell_spend(f->shell, value.len / 16);
	f->begun |= quoted;
	for (size_t i = 0; i < value.len && !f->failed; i++) {
		uint8_t c = value.at[i];
		if (c == 0)
			continue;
		if (quoted || !f->out || !ifs.len || !memchr(ifs.at, c, ifs.len)) {
			field_literal(f, c, quoted);
			continue;
		}
		if (c != ' ' && c != '\t' && c != '\n')
			f->begun = true;
		field_end(f);
	}
}

static void expand_arguments(struct field *f, uint8_t which, bool quoted)
{
	const struct shell_run *run = f->shell->run;
	for (size_t i = 0; i < run->argument_count; i++) {
		if (i > 0 && f->out && (which == '@' || !quoted))
			field_end(f);
		else if (i > 0)
			field_literal(f, ' ', quoted);
		field_value(f, run->arguments[i], quoted);
	}
}

static struct bytes number_text(struct field *f, int64_t v)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)v);
	return arena_copy(f->arena, bytes_of_text(text));
}

/* The value of a name, a digit or a special parameter. */
static struct bytes parameter(struct field *f, struct bytes name, bool *set)
{
	struct shell *sh = f->shell;
	const struct shell_run *run = sh->run;
	uint64_t index;
	*set = true;
	if (name.len == 1 && !syntax_is_name(name))
		switch (name.at[0]) {
		case '?':
			return number_text(f, sh->status);
		case '$':
			return number_text(f, 1207 + (int64_t)(sh->seed % 977));
		case '!':
			*set = sh->background_pid;
			return *set ? number_text(f, sh->background_pid) : BYTES("");
		case '#':
			return number_text(f, (int64_t)run->argument_count);
		case '-':
			return run->script ? BYTES("") : BYTES("smi");
		case '0':
			return bytes_of_text(run->name);
		}
	if (bytes_number(name, 999, &index)) {
		*set = index <= run->argument_count && index > 0;
		return *set ? run->arguments[index - 1] : BYTES("");
	}
	if (bytes_equal_text(name, "RANDOM"))
		return number_text(f, (int64_t)(sh->hooks->random(sh->owner) % 32768));
	return variable_get(sh, name, set);
}

/* ${x#p} ${x##p} ${x%p} ${x%%p}: cuts the shortest or longest match off one end. */
static struct bytes cut_match(struct field *f, struct bytes value, struct bytes pattern, bool front,
                              bool longest)
{
	for (size_t i = 0; i <= value.len; i++) {
		size_t n = longest ? value.len - i : i;
		struct bytes part = {front ? value.at : value.at + value.len - n, n};
		if (!shell_spend(f->shell, 4))
			return value;
		if (pattern_matches(f->shell, pattern, part))
			return front ? (struct bytes){value.at + n, value.len - n}
			             : (struct bytes){value.at, value.len - n};
	}
	return value;
}

/* ${x:offset} and ${x:offset:length} */
static struct bytes slice(struct field *f, struct bytes value, struct bytes range)
{
	size_t colon = bytes_find(range, ":");
	struct bytes text;
	int64_t offset = 0, length = (int64_t)value.len;
	if (!expand_one(f->shell, f->arena, (struct bytes){range.at, colon}, f->fds, &text) ||
	    !arithmetic(f->shell, text, f->fds, &offset))
		return BYTES("");
	if (colon < range.len &&
	    (!expand_one(f->shell, f->arena,
	                 (struct bytes){range.at + colon + 1, range.len - colon - 1}, f->fds,
	                 &text) ||
	     !arithmetic(f->shell, text, f->fds, &length)))
		return BYTES("");
	int64_t all = (int64_t)value.len;
	if (offset < 0)
		offset += all;
	if (offset < 0 || offset > all)
		return BYTES("");
	if (length < 0)
		length = length < offset - all ? 0 : all + length - offset;
	if (length > all - offset)
		length = all - offset;
	return (struct bytes){value.at + offset, (size_t)(length < 0 ? 0 : length)};
}

/* ${x/pattern/text} and ${x//pattern/text} */
static void replace(struct field *f, struct bytes value, struct bytes rest, bool quoted)
{
	bool all = rest.len && rest.at[0] == '/';
	if (all)
		rest.at++, rest.len--;
	size_t slash = bytes_find(rest, "/");
	struct bytes pattern, by = {0};
	if (!expand_pattern(f->shell, f->arena, (struct bytes){rest.at, slash}, f->fds, &pattern))
		return;
	if (slash < rest.len &&
	    !expand_one(f->shell, f->arena,
	                (struct bytes){rest.at + slash + 1, rest.len - slash - 1}, f->fds, &by))
		return;
	for (size_t i = 0; i < value.len;) {
		size_t n = value.len - i;
		while (n && shell_spend(f->shell, 4) &&
		       !pattern_matches(f->shell, pattern, (struct bytes){value.at + i, n}))
			n--;
		if (n && f->shell->run->flow == FLOW_NEXT) {
			field_value(f, by, quoted);
			i += n;
			if (!all) {
				field_value(f, (struct bytes){value.at + i, value.len - i}, quoted);
				return;
			}
		} else {
			field_value(f, (struct bytes){value.at + i++, 1}, quoted);
		}
	}
	f->begun |= quoted;
}

/* The word behind :- or :+; without quotes it is split like a value. */
static void expand_given(struct field *f, struct bytes word, bool quoted)
{
	struct bytes given;
	if (quoted) { /* within quotes, inner ones only group */
		uint8_t *at = arena_alloc(f->arena, word.len + 1);
		size_t n = 0;
		for (size_t i = 0; at && i < word.len; i++) {
			if (word.at[i] == '\\' && i + 1 < word.len)
				at[n++] = word.at[i++];
			else if (word.at[i] == '"')
				continue;
			at[n++] = word.at[i];
		}
		expand_double(f, (struct bytes){at, n}, false);
		return;
	}
	bool plain =
	        f->out && bytes_find(word, "\"") == word.len && bytes_find(word, "'") == word.len;
	if (!plain)
		expand_span(f, word);
	else if (expand_one(f->shell, f->arena, word, f->fds, &given))
		field_value(f, given, false);
}

/* ${x-w} ${x=w} ${x+w} ${x?w}, and with a colon: empty counts as unset. */
static bool alternative(struct field *f, struct bytes name, struct bytes value, bool set,
                        uint8_t how, struct bytes word, bool quoted)
{
	struct bytes given;
	switch (how) {
	case '-':
		if (!set)
			expand_given(f, word, quoted);
		return !set;
	case '+':
		if (set)
			expand_given(f, word, quoted);
		return true;
	case '=':
		if (set)
			return false;
		if (expand_one(f->shell, f->arena, word, f->fds, &given)) {
			variable_set(f->shell, name, given);
			field_value(f, given, quoted);
		}
		return true;
	case '?':
		if (set)
			return false;
		if (expand_one(f->shell, f->arena, word, f->fds, &given))
			shell_error(f->shell, f->fds, "%.*s: %.*s", BYTES_FMT(name),
			            given.len ? (int)given.len : 17,
			            given.len ? (const char *)given.at : "parameter not set");
		f->failed = true;
		return true;
	}
	(void)value;
	return false;
}

static size_t parameter_name(struct bytes b)
{
	size_t n = 0;
	if (b.len && strchr("?$!#-@*", b.at[0]) && b.at[0])
		return 1;
	bool digits = b.len && b.at[0] >= '0' && b.at[0] <= '9';
	while (n < b.len) {
		uint8_t c = b.at[n];
		bool digit = c >= '0' && c <= '9';
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (digits ? !digit : !digit && !letter)
			break;
		n++;
	}
	return n;
}

static void expand_braces(struct field *f, struct bytes inner, bool quoted)
{
	bool length = inner.len > 1 && inner.at[0] == '#' && strchr(":-=+?%#", inner.at[1]) == NULL,
	     set;
	if (length)
		inner.at++, inner.len--;
	size_t n = parameter_name(inner);
	struct bytes name = {inner.at, n}, rest = {inner.at + n, inner.len - n};
	if (n == 0 || (length && rest.len)) {
		shell_error(f->shell, f->fds, "syntax error: bad substitution");
		f->failed = true;
		return;
	}
	if (!length && !rest.len && (name.at[0] == '@' || name.at[0] == '*')) {
		expand_arguments(f, name.at[0], quoted);
		return;
	}
	struct bytes value = parameter(f, name, &set);
	if (length)
		value = number_text(f, (int64_t)value.len);
	if (!rest.len) {
		field_value(f, value, quoted);
		return;
	}
	bool colon = rest.at[0] == ':' && rest.len > 1 && strchr("-=+?", rest.at[1]);
	if (colon)
		rest.at++, rest.len--;
	uint8_t how = rest.at[0];
	struct bytes word = {rest.at + 1, rest.len - 1}, pattern;
	if (strchr("-=+?", how)) {
		bool counts = set && !(colon && value.len == 0);
		if (!alternative(f, name, value, counts, how, word, quoted))
			field_value(f, value, quoted);
		f->begun |= quoted;
	} else if (how == ':') {
		field_value(f, slice(f, value, word), quoted);
	} else if (how == '/') {
		replace(f, value, word, quoted);
	} else if (how == '#' || how == '%') {
		bool longest = word.len && word.at[0] == how;
		if (longest)
			word.at++, word.len--;
		if (expand_pattern(f->shell, f->arena, word, f->fds, &pattern))
			field_value(f, cut_match(f, value, pattern, how == '#', longest), quoted);
	} else {
		shell_error(f->shell, f->fds, "syntax error: bad substitution");
		f->failed = true;
	}
}

static void expand_arithmetic(struct field *f, struct bytes inner, bool quoted)
{
	struct bytes text;
	int64_t v;
	if (!expand_here(f->shell, f->arena, inner, f->fds, &text) ||
	    !arithmetic(f->shell, text, f->fds, &v)) {
		f->failed = true;
		return;
	}
	field_value(f, number_text(f, v), quoted);
}

static void expand_command(struct field *f, struct bytes text, bool quoted)
{
	field_value(f, shell_substitute(f->shell, text, f->arena, f->fds), quoted);
}

/* Within backquotes a backslash is taken out before $, ` and \ (POSIX.1 2.6.3). */
static void expand_backquotes(struct field *f, struct bytes inner, bool quoted)
{
	uint8_t *at = arena_alloc(f->arena, inner.len + 1);
	size_t n = 0;
	if (!at) {
		f->failed = true;
		return;
	}
	for (size_t i = 0; i < inner.len; i++) {
		if (inner.at[i] == '\\' && i + 1 < inner.len &&
		    (strchr("$`\\", inner.at[i + 1]) || (quoted && inner.at[i + 1] == '"')))
			i++;
		at[n++] = inner.at[i];
	}
	expand_command(f, (struct bytes){at, n}, quoted);
}

/* At a $: returns the index behind what it stands for. */
static size_t expand_dollar(struct field *f, struct bytes raw, size_t i, bool quoted)
{
	struct bytes rest = {raw.at + i + 1, raw.len - i - 1};
	size_t end = syntax_skip(raw, i, 0);
	if (rest.len == 0 || end == SIZE_MAX) {
		field_literal(f, '$', quoted);
		return i + 1;
	}
	struct bytes inner = {rest.at + 1, end > i + 3 ? end - i - 3 : 0};
	if (rest.at[0] == '(' && inner.len >= 2 && inner.at[0] == '(' &&
	    inner.at[inner.len - 1] == ')') {
		expand_arithmetic(f, (struct bytes){inner.at + 1, inner.len - 2}, quoted);
		return end;
	}
	if (rest.at[0] == '(' || rest.at[0] == '{') {
		if (rest.at[0] == '(')
			expand_command(f, inner, quoted);
		else
			expand_braces(f, inner, quoted);
		return end;
	}
	size_t n = parameter_name(rest);
	if (n == 0) {
		field_literal(f, '$', quoted);
		return i + 1;
	}
	if (rest.at[0] >= '0' && rest.at[0] <= '9')
		n = 1;
	if (rest.at[0] == '@' || rest.at[0] == '*') {
		expand_arguments(f, rest.at[0], quoted);
	} else {
		bool set;
		struct bytes value = parameter(f, (struct bytes){rest.at, n}, &set);
		field_value(f, value, quoted);
	}
	return i + 1 + n;
}

/* What stands between double quotes, or a here-document's text. */
static void expand_double(struct field *f, struct bytes raw, bool here)
{
	for (size_t i = 0; i < raw.len && !f->failed;) {
		uint8_t c = raw.at[i];
		if (c == '\\' && i + 1 < raw.len) {
			uint8_t next = raw.at[i + 1];
			if (next == '$' || next == '`' || next == '\\' || (next == '"' && !here))
				field_literal(f, next, true);
			else if (next != '\n') {
				field_literal(f, '\\', true);
				field_literal(f, next, true);
			}
			i += 2;
		} else if (c == '$') {
			i = expand_dollar(f, raw, i, true);
		} else if (c == '`') {
			size_t end = syntax_skip(raw, i, 0);
			if (end == SIZE_MAX)
				end = raw.len + 1;
			expand_backquotes(f, (struct bytes){raw.at + i + 1, end - i - 2}, true);
			i = end > raw.len ? raw.len : end;
		} else {
			field_literal(f, c, true);
			i++;
		}
	}
}

static void expand_quoted(struct field *f, struct bytes raw, size_t i, size_t end)
{
	struct bytes inner = {raw.at + i + 1, end - i - 2};
	f->begun = true;
	if (raw.at[i] == '"') {
		/* "$@" without arguments is no field at all. */
		if (bytes_equal_text(inner, "$@") && f->shell->run->argument_count == 0 &&
		    f->len == 0)
			f->begun = false;
		expand_double(f, inner, false);
		return;
	}
	for (size_t k = 0; k < inner.len; k++)
		field_literal(f, inner.at[k], true);
}

static void expand_span(struct field *f, struct bytes raw)
{
	for (size_t i = 0; i < raw.len && !f->failed;) {
		uint8_t c = raw.at[i];
		size_t end = syntax_skip(raw, i, 0);
		if (c == '\\' && i + 1 < raw.len) {
			if (raw.at[i + 1] != '\n') {
				field_literal(f, raw.at[i + 1], true);
				f->begun = true;
			}
			i += 2;
		} else if ((c == '\'' || c == '"') && end != SIZE_MAX) {
			expand_quoted(f, raw, i, end);
			i = end;
		} else if (c == '`' && end != SIZE_MAX) {
			expand_backquotes(f, (struct bytes){raw.at + i + 1, end - i - 2}, false);
			i = end;
		} else if (c == '$') {
			i = expand_dollar(f, raw, i, false);
		} else {
			field_literal(f, c, false);
			i++;
		}
	}
}

static void expand_word(struct field *f, struct bytes raw)
{
	if (!f->room) { /* most words end about as long as they were written */
		f->at = arena_alloc(f->arena, raw.len + 16);
		f->room = f->at ? raw.len + 16 : 0;
	}
	if (raw.len && raw.at[0] == '~' && (raw.len == 1 || raw.at[1] == '/')) {
		bool set;
		struct bytes home = variable_get(f->shell, BYTES("HOME"), &set);
		for (size_t i = 0; i < home.len; i++)
			field_literal(f, home.at[i], true);
		raw.at++, raw.len--;
	}
	expand_span(f, raw);
}

bool expand_words(struct shell *sh, struct arena *arena, const struct syntax_word *list,
                  const struct fds *fds, struct words *out)
{
	struct field f = {.shell = sh, .arena = arena, .fds = fds, .out = out};
	for (; list && !f.failed; list = list->next) {
		expand_word(&f, list->raw);
		field_end(&f);
	}
	return !f.failed;
}

bool expand_one(struct shell *sh, struct arena *arena, struct bytes raw, const struct fds *fds,
                struct bytes *out)
{
	struct field f = {.shell = sh, .arena = arena, .fds = fds};
	expand_word(&f, raw);
	*out = f.len ? unescape(f.at, f.len) : BYTES("");
	return !f.failed;
}

bool expand_pattern(struct shell *sh, struct arena *arena, struct bytes raw, const struct fds *fds,
                    struct bytes *out)
{
	struct field f = {.shell = sh, .arena = arena, .fds = fds};
	expand_word(&f, raw);
	*out = f.len ? (struct bytes){f.at, f.len} : BYTES("");
	return !f.failed;
}

bool expand_here(struct shell *sh, struct arena *arena, struct bytes text, const struct fds *fds,
                 struct bytes *out)
{
	struct field f = {.shell = sh, .arena = arena, .fds = fds};
	expand_double(&f, text, true);
	*out = f.len ? unescape(f.at, f.len) : BYTES("");
	return !f.failed;
}
