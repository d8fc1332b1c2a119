/* Builtins that set what later commands see: variables, arguments, the directory. */
#include "passive/device/shell/shell_inner.h"

static int cd_run(struct call *c)
{
	bool set;
	char room[VFS_PATH_MAX];
	struct bytes where = call_operand(c, 1);
	if (c->argc < 2)
		where = variable_get(c->shell, BYTES("HOME"), &set);
	bool back = bytes_equal_text(where, "-");
	if (back)
		where = variable_get(c->shell, BYTES("OLDPWD"), &set);
	struct bytes before = vfs_absolute(&c->shell->vfs, BYTES("."), room);
	int error = vfs_change_directory(&c->shell->vfs, where);
	if (error) {
		shell_error(c->shell, c->fds, "cd: can't cd to %.*s", BYTES_FMT(where));
		return 2;
	}
	variable_set(c->shell, BYTES("OLDPWD"), before);
	if (back)
		call_say(c, "%.*s\n", BYTES_FMT(vfs_cwd(&c->shell->vfs)));
	return 0;
}

static int pwd_run(struct call *c)
{
	call_say(c, "%.*s\n", BYTES_FMT(vfs_cwd(&c->shell->vfs)));
	return 0;
}

/* 'it'\''s': what a shell reads back as the value. */
static void say_quoted(struct call *c, struct bytes v)
{
	call_out(c, BYTES("'"));
	for (size_t i = 0; i < v.len; i++)
		call_out(c, v.at[i] == '\'' ? BYTES("'\\''") : (struct bytes){v.at + i, 1});
	call_out(c, BYTES("'\n"));
}

static void list_variables(struct call *c, const char *before, bool exported_only)
{
	for (const struct shell_variable *v = c->shell->variables; v; v = v->next) {
		if (!v->is_set || (exported_only && !v->exported) ||
		    variable_find(c->shell, v->name) != v)
			continue;
		call_say(c, "%s%.*s=", before, BYTES_FMT(v->name));
		say_quoted(c, v->value);
	}
}

static int bad_name(struct call *c, struct bytes name)
{
	shell_error(c->shell, c->fds, "%s: %.*s: bad variable name", c->name, BYTES_FMT(name));
	shell_raise(c->shell);
	return 2;
}

static int set_each(struct call *c, bool exports, bool locks)
{
	if (c->argc == 1)
		list_variables(c, exports ? "export " : "readonly ", exports);
	for (size_t i = 1; i < c->argc; i++) {
		struct bytes word = c->argv[i];
		if (word.len > 1 && word.at[0] == '-')
			continue;
		size_t n = syntax_assignment(word);
		struct bytes name = n ? (struct bytes){word.at, n} : word;
		if (!syntax_is_name(name))
			return bad_name(c, (struct bytes){word.at, bytes_find(word, "=")});
		if (n)
			variable_set(c->shell, name,
			             (struct bytes){word.at + n + 1, word.len - n - 1});
		if (exports)
			variable_export(c->shell, name);
		struct shell_variable *v = variable_find(c->shell, name);
		if (locks && v)
			v->readonly = true;
	}
	return 0;
}

static int export_run(struct call *c)
{
	return set_each(c, true, false);
}
static int readonly_run(struct call *c)
{
	return set_each(c, false, true);
}
static int local_run(struct call *c)
{
	return c->argc > 1 ? set_each(c, false, false) : 0;
}

static int unset_run(struct call *c)
{
	for (size_t i = 1; i < c->argc; i++) {
		if (c->argv[i].len && c->argv[i].at[0] == '-')
			continue;
		if (!syntax_is_name(c->argv[i]))
			return bad_name(c, c->argv[i]);
		variable_unset(c->shell, c->argv[i]);
	}
	return 0;
}

static int set_run(struct call *c)
{
	size_t i = 1;
	if (c->argc == 1)
		list_variables(c, "", false);
	while (i < c->argc && c->argv[i].len > 1 &&
	       (c->argv[i].at[0] == '-' || c->argv[i].at[0] == '+')) {
		if (bytes_equal_text(c->argv[i++], "--"))
			break;
	}
	if (i >= c->argc && !(c->argc > 1 && bytes_equal_text(c->argv[c->argc - 1], "--")))
		return 0;
	struct arena *arena = c->shell->run->arena;
	struct bytes *kept = arena_alloc(arena, (c->argc - i + 1) * sizeof *kept);
	for (size_t k = i; kept && k < c->argc; k++)
		kept[k - i] = arena_copy(arena, c->argv[k]);
	if (kept) {
		c->shell->run->arguments = kept;
		c->shell->run->argument_count = c->argc - i;
	}
	return 0;
}

static int shift_run(struct call *c)
{
	int64_t n = 1;
	struct shell_run *run = c->shell->run;
	if (c->argc > 1 && (!call_number(c->argv[1], &n) || n < 0)) {
		shell_error(c->shell, c->fds, "shift: Illegal number: %.*s", BYTES_FMT(c->argv[1]));
		shell_raise(c->shell);
		return 2;
	}
	if ((uint64_t)n > run->argument_count)
		return 1;
	run->arguments += n;
	run->argument_count -= (size_t)n;
	return 0;
}

/* One line from the stream; without -r a backslash joins lines and is taken out. */
static bool read_one(struct call *c, struct stream *s, bool raw, struct writer *out)
{
	struct bytes line;
	bool ended = false, more = true;
	while (more && call_read_line(c, s, &line, &ended)) {
		more = false;
		for (size_t i = 0; i < line.len; i++) {
			uint8_t b = line.at[i];
			if (b == '\\' && !raw) {
				if (i + 1 == line.len) {
					more = ended;
					break;
				}
				b = line.at[++i];
			}
			if (b && writer_left(out) > 0) /* a NUL is dropped, as ash drops it */
				write_u8(out, b);
		}
	}
	return ended;
}

static bool in_ifs(struct bytes ifs, uint8_t b)
{
	return ifs.len && memchr(ifs.at, b, ifs.len);
}

/* Cuts the next field off the front; the last name gets all that is left. */
static struct bytes next_field(struct bytes *line, struct bytes ifs, bool last)
{
	while (line->len && in_ifs(ifs, line->at[0]) && strchr(" \t\n", line->at[0]))
		line->at++, line->len--;
	size_t n = 0;
	while (n < line->len && (last || !in_ifs(ifs, line->at[n])))
		n++;
	while (last && n && in_ifs(ifs, line->at[n - 1]) && strchr(" \t\n", line->at[n - 1]))
		n--;
	struct bytes field = {line->at, n};
	size_t skip = n < line->len ? n + 1 : n;
	line->at += skip;
	line->len -= skip;
	return field;
}

static void wait_for_line(struct call *c, int first)
{
	uint8_t names[256];
	struct writer w = writer_of(names, sizeof names);
	for (size_t i = (size_t)first; i < c->argc; i++) {
		write_span(&w, c->argv[i]);
		write_u8(&w, ' ');
	}
	shell_wait(c->shell, WAITING_READ, w.bad ? BYTES("REPLY") : writer_bytes(&w));
}

static int read_run(struct call *c)
{
	uint32_t set;
	struct bytes values[8], ifs;
	bool is_set;
	int first = call_options(c, "rsp:t:n:d:u:", &set, values);
	if (first < 0)
		return 2;
	if (set & 4)
		call_say_error(c, "%.*s", BYTES_FMT(values[2]));
	struct stream *in = call_stream(c, 0);
	if (in && in->kind == STREAM_TERMINAL) {
		if (c->shell->run->loops == 0 && c->shell->run->level == 0)
			wait_for_line(c, first);
		return 1;
	}
	uint8_t *room = arena_alloc(c->arena, SHELL_VALUE_MAX);
	if (!room)
		return 1;
	struct writer w = writer_of(room, SHELL_VALUE_MAX);
	bool ended = read_one(c, in, set & 1, &w);
	struct bytes line = writer_bytes(&w);
	ifs = variable_get(c->shell, BYTES("IFS"), &is_set);
	if ((size_t)first >= c->argc)
		variable_set(c->shell, BYTES("REPLY"), line);
	for (size_t i = (size_t)first; i < c->argc; i++) {
		if (!syntax_is_name(c->argv[i]))
			return bad_name(c, c->argv[i]);
		variable_set(c->shell, c->argv[i], next_field(&line, ifs, i + 1 == c->argc));
	}
	return ended ? 0 : 1;
}

static int umask_run(struct call *c)
{
	if (c->argc == 1)
		call_say(c, "0022\n");
	return 0;
}

static int nothing(struct call *c)
{
	(void)c;
	return 0;
}

static int let_run(struct call *c)
{
	int64_t v = 0;
	for (size_t i = 1; i < c->argc; i++)
		if (!arithmetic(c->shell, c->argv[i], c->fds, &v)) {
			shell_raise(c->shell);
			return 2;
		}
	return v == 0;
}

const struct builtin builtins_of_variables[] = {
        {"cd", cd_run, false},
        {"chdir", cd_run, false},
        {"pwd", pwd_run, false},
        {"export", export_run, true},
        {"readonly", readonly_run, true},
        {"local", local_run, true},
        {"unset", unset_run, true},
        {"set", set_run, true},
        {"shift", shift_run, true},
        {"read", read_run, false},
        {"umask", umask_run, false},
        {"alias", nothing, false},
        {"unalias", nothing, false},
        {"hash", nothing, false},
        {"let", let_run, false},
        {"getopts", nothing, false},
        {NULL, NULL, false},
};
