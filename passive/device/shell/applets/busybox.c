/* busybox itself, sh and ash, env. */
#include "passive/device/shell/shell_inner.h"
#include <stdlib.h>

#define LIST_WIDTH 77 /* BusyBox wraps its list of functions below 80 columns */
#define NESTED_MAX 16
#define NAMES_MAX 256

static int name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t applet_names(const struct persona *p, const char *names[NAMES_MAX])
{
	size_t count = 0;
	APPLETS_EACH(it)
	if (count < NAMES_MAX && (*it)->place && persona_has_applet(p, bytes_of_text((*it)->name)))
		names[count++] = (*it)->name;
	qsort(names, count, sizeof *names, name_order);
	return count;
}

static int busybox_list(struct call *c)
{
	const struct persona *p = c->shell->persona;
	const char *names[NAMES_MAX];
	size_t count = applet_names(p, names), column = 0;
	call_say(c,
	         "BusyBox %s (%s) multi-call binary.\n"
	         "Copyright (C) 1998-2011 Erik Andersen, Rob Landley, Denys Vlasenko\n"
	         "and others. Licensed under GPLv2.\nSee source distribution for full notice.\n\n"
	         "Usage: busybox [function] [arguments]...\n   or: busybox --list[-full]\n"
	         "   or: function [arguments]...\n\n"
	         "\tBusyBox is a multi-call binary that combines many common Unix\n"
	         "\tutilities into a single executable.  Most people will create a\n"
	         "\tlink to busybox for each function they wish to use and BusyBox\n"
	         "\twill act like whatever it was invoked as.\n\nCurrently defined functions:\n\t",
	         p->busybox, p->busybox_date);
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(names[i]) + 2;
		if (column && column + n > LIST_WIDTH - 8) {
			call_say(c, "\n\t");
			column = 0;
		}
		call_say(c, i + 1 < count ? "%s, " : "%s", names[i]);
		column += n;
	}
	call_say(c, "\n\n");
	return 0;
}

static int busybox_run(struct call *c)
{
	struct bytes name = call_operand(c, 1);
	if (c->argc < 2 || bytes_equal_text(name, "--help"))
		return busybox_list(c);
	if (bytes_equal_text(name, "--list")) {
		const char *names[NAMES_MAX];
		size_t count = applet_names(c->shell->persona, names);
		for (size_t i = 0; i < count; i++)
			call_say(c, "%s\n", names[i]);
		return 0;
	}
	for (size_t i = name.len; i > 0; i--) /* "busybox /bin/ls" runs ls */
		if (name.at[i - 1] == '/') {
			name = (struct bytes){name.at + i, name.len - i};
			break;
		}
	const struct applet *a = applet_named(name);
	if (!a || !a->place || !persona_has_applet(c->shell->persona, name)) {
		call_say_error(c, "%.*s: applet not found\n", BYTES_FMT(name));
		return 127;
	}
	if (++c->shell->run->depth > SHELL_DEPTH_MAX)
		return 1;
	int status = applet_run(c->shell, c->arena, a, c->argv + 1, c->argc - 1, c->fds);
	c->shell->run->depth--;
	return status;
}

/* Runs text in a shell of its own: its variables, directory and exit stay inside. */
static int run_apart(struct call *c, struct bytes text, const char *name, bool script, size_t first)
{
	struct shell_run *run = c->shell->run;
	struct subshell saved;
	const char *name_before = run->name;
	bool script_before = run->script;
	subshell_enter(c->shell, &saved);
	run->name = name;
	run->script = script;
	run->arguments = c->argv + (first < c->argc ? first : c->argc);
	run->argument_count = first < c->argc ? c->argc - first : 0;
	int status = shell_run_text(c->shell, text, c->fds, false);
	if (run->flow != FLOW_NEXT)
		status = (int)c->shell->status;
	run->name = name_before;
	run->script = script_before;
	subshell_leave(c->shell, &saved);
	return status;
}

static int sh_run(struct call *c)
{
	size_t i = 1;
	struct stream *in = call_stream(c, 0), file;
	while (i < c->argc && c->argv[i].len > 1 && c->argv[i].at[0] == '-') {
		if (c->argv[i].at[c->argv[i].len - 1] == 'c') {
			if (i + 1 >= c->argc) {
				call_error(c, "-c requires an argument");
				return 2;
			}
			char *zero = i + 2 < c->argc ? arena_text(c->arena, c->argv[i + 2]) : NULL;
			return run_apart(c, c->argv[i + 1], zero ? zero : "sh", false, i + 3);
		}
		i++;
	}
	if (i < c->argc) {
		int error = stream_open_read(c->shell, c->arena, c->argv[i], &file);
		struct vfs_node n;
		if (error) {
			call_error(c, "can't open '%.*s'", BYTES_FMT(c->argv[i]));
			return 2;
		}
		if (vfs_find(&c->shell->vfs, c->argv[i], true, &n) == 0 && n.change)
			file_take(c->shell, n.change, c->argv[i]);
		char *name = arena_text(c->arena, c->argv[i]);
		bool binary =
		        memchr(file.text.at, 0, file.text.len < 64 ? file.text.len : 64) != NULL;
		return !name || binary || file.text.len == 0
		               ? 0
		               : run_apart(c, file.text, name, true, i + 1);
	}
	if (in && in->kind == STREAM_TERMINAL && !c->shell->run->background) {
		if (c->shell->nested < NESTED_MAX)
			c->shell->nested++;
		return 0;
	}
	return run_apart(c, stream_read_all(c->shell, in), "sh", false, c->argc);
}

static int env_run(struct call *c)
{
	bool set;
	static const char *const names[] = {"USER", "HOME",    "SHELL", "TERM",
	                                    "PATH", "LOGNAME", "PWD"};
	size_t i = 1;
	while (i < c->argc && memchr(c->argv[i].at, '=', c->argv[i].len))
		i++;
	if (i < c->argc)
		return program_run(c->shell, c->arena, c->argv + i, c->argc - i, c->fds);
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		struct bytes value = variable_get(c->shell, bytes_of_text(names[k]), &set);
		call_say(c, "%s=%.*s\n", names[k], BYTES_FMT(value));
	}
	for (const struct shell_variable *v = c->shell->variables; v; v = v->next)
		if (v->exported && v->is_set)
			call_say(c, "%.*s=%.*s\n", BYTES_FMT(v->name), BYTES_FMT(v->value));
	return 0;
}

static const struct applet applet_busybox = {"busybox", "/bin", NULL, busybox_run};
APPLET(applet_busybox);
static const struct applet applet_sh = {"sh", "/bin", NULL, sh_run};
APPLET(applet_sh);
static const struct applet applet_ash = {"ash", "/bin", NULL, sh_run};
APPLET(applet_ash);
static const struct applet applet_env = {"env", "/usr/bin", "[-iu] [-] [name=value]... [PROG ARGS]",
                                         env_run};
APPLET(applet_env);
