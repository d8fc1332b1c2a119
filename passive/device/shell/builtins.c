/* Builtins that steer the shell itself; the table of all. */
#include "passive/device/shell/shell_inner.h"

static const char *const applets_built_in[] = {"[",    "[[",   "echo",  "printf",
                                               "test", "true", "false", "ulimit"};

static int run_applet(struct call *c)
{
	const struct applet *a = applet_named(c->argv[0]);
	return a ? applet_run(c->shell, c->arena, a, c->argv, c->argc, c->fds) : 127;
}

const struct builtin *builtin_named(struct bytes name)
{
	static const struct builtin wrapped = {"", run_applet, false};
	const struct builtin *const tables[] = {builtins_of_flow, builtins_of_variables};
	for (size_t t = 0; t < 2; t++)
		for (const struct builtin *b = tables[t]; b->name; b++)
			if (bytes_equal_text(name, b->name))
				return b;
	for (size_t i = 0; i < sizeof applets_built_in / sizeof *applets_built_in; i++)
		if (bytes_equal_text(name, applets_built_in[i]))
			return &wrapped;
	return NULL;
}

static int nothing(struct call *c)
{
	(void)c;
	return 0;
}

static int status_operand(struct call *c)
{
	int64_t v = (int64_t)c->shell->status;
	if (c->argc > 1 && !call_number(c->argv[1], &v)) {
		call_error(c, "%.*s: bad number", BYTES_FMT(c->argv[1]));
		v = 2;
	}
	return (int)(v & 255);
}

static int exit_run(struct call *c)
{
	c->shell->status = (uint32_t)status_operand(c);
	c->shell->run->flow = FLOW_EXIT;
	return (int)c->shell->status;
}

static int return_run(struct call *c)
{
	c->shell->status = (uint32_t)status_operand(c);
	c->shell->run->flow = FLOW_RETURN;
	return (int)c->shell->status;
}

static int leave_loops(struct call *c, enum shell_flow flow)
{
	int64_t n = 1;
	if (c->argc > 1 && (!call_number(c->argv[1], &n) || n < 1)) {
		call_error(c, "%.*s: bad number", BYTES_FMT(c->argv[1]));
		shell_raise(c->shell);
		return 2;
	}
	struct shell_run *run = c->shell->run;
	if (run->loops == 0)
		return 0;
	run->flow_count = n > run->loops ? run->loops : (unsigned)n;
	run->flow = flow;
	return 0;
}

static int break_run(struct call *c)
{
	return leave_loops(c, FLOW_BREAK);
}
static int continue_run(struct call *c)
{
	return leave_loops(c, FLOW_CONTINUE);
}

static int eval_run(struct call *c)
{
	size_t room = 1;
	for (size_t i = 1; i < c->argc; i++)
		room += c->argv[i].len + 1;
	uint8_t *at = arena_alloc(c->arena, room);
	if (!at)
		return 2;
	struct writer w = writer_of(at, room);
	for (size_t i = 1; i < c->argc; i++) {
		write_span(&w, c->argv[i]);
		write_u8(&w, ' ');
	}
	return shell_run_text(c->shell, writer_bytes(&w), c->fds, false);
}

static int exec_run(struct call *c)
{
	char room[VFS_PATH_MAX];
	struct bytes path;
	if (c->argc < 2)
		return 0;
	if (!memchr(c->argv[1].at, '/', c->argv[1].len) &&
	    !program_find(c->shell, c->argv[1], room, &path)) {
		shell_error(c->shell, c->fds, "exec: %.*s: not found", BYTES_FMT(c->argv[1]));
		shell_raise(c->shell);
		c->shell->status = 127;
		return 127;
	}
	c->shell->status =
	        (uint32_t)program_run(c->shell, c->arena, c->argv + 1, c->argc - 1, c->fds);
	c->shell->run->flow = FLOW_EXIT;
	return (int)c->shell->status;
}

static int dot_run(struct call *c)
{
	struct stream s;
	if (c->argc < 2)
		return 2;
	int error = stream_open_read(c->shell, c->arena, c->argv[1], &s);
	if (error) {
		shell_error(c->shell, c->fds, ".: can't open '%.*s'", BYTES_FMT(c->argv[1]));
		shell_raise(c->shell);
		return 2;
	}
	int status = shell_run_text(c->shell, s.text, c->fds, false);
	if (c->shell->run->flow == FLOW_RETURN)
		c->shell->run->flow = FLOW_NEXT;
	return status;
}

static int command_run(struct call *c)
{
	char room[VFS_PATH_MAX];
	struct bytes path;
	bool tells = bytes_equal_text(call_operand(c, 1), "-v");
	size_t first = tells ? 2 : 1;
	if (c->argc <= first)
		return 0;
	struct bytes name = c->argv[first];
	const struct builtin *b = builtin_named(name);
	if (tells) {
		if (b || function_find(c->shell, name))
			call_say(c, "%.*s\n", BYTES_FMT(name));
		else if (program_find(c->shell, name, room, &path))
			call_say(c, "%.*s\n", BYTES_FMT(path));
		else
			return 127;
		return 0;
	}
	struct call inner = *c;
	inner.argv++;
	inner.argc--;
	return b ? b->run(&inner)
	         : program_run(c->shell, c->arena, c->argv + 1, c->argc - 1, c->fds);
}

static int type_run(struct call *c)
{
	char room[VFS_PATH_MAX];
	struct bytes path;
	int status = 0;
	for (size_t i = 1; i < c->argc; i++) {
		if (builtin_named(c->argv[i]))
			call_say(c, "%.*s is a shell builtin\n", BYTES_FMT(c->argv[i]));
		else if (function_find(c->shell, c->argv[i]))
			call_say(c, "%.*s is a function\n", BYTES_FMT(c->argv[i]));
		else if (program_find(c->shell, c->argv[i], room, &path))
			call_say(c, "%.*s is %.*s\n", BYTES_FMT(c->argv[i]), BYTES_FMT(path));
		else {
			call_say(c, "%.*s: not found\n", BYTES_FMT(c->argv[i]));
			status = 127;
		}
	}
	return status;
}

static int help_run(struct call *c)
{
	call_say(c, "\nBuilt-in commands:\n-------------------\n"
	            "\t. : [ [[ alias bg break cd chdir command continue echo eval exec\n"
	            "\texit export false fg getopts hash help history jobs kill let\n"
	            "\tlocal printf pwd read readonly return set shift source test times\n"
	            "\ttrap true type ulimit umask unalias unset wait\n\n");
	return 0;
}

static int kill_run(struct call *c)
{
	const struct applet *a = applet_named(BYTES("kill"));
	struct call inner = *c;
	return a ? a->run(&inner) : 127;
}

static int times_run(struct call *c)
{
	call_say(c, "0m0.01s 0m0.02s\n0m0.00s 0m0.01s\n");
	return 0;
}

const struct builtin builtins_of_flow[] = {
        {":", nothing, true},
        {"break", break_run, true},
        {"continue", continue_run, true},
        {"exit", exit_run, true},
        {"return", return_run, true},
        {"eval", eval_run, true},
        {"exec", exec_run, true},
        {".", dot_run, true},
        {"source", dot_run, true},
        {"trap", nothing, true},
        {"times", times_run, true},
        {"wait", nothing, false},
        {"jobs", nothing, false},
        {"fg", nothing, false},
        {"bg", nothing, false},
        {"command", command_run, false},
        {"type", type_run, false},
        {"help", help_run, false},
        {"kill", kill_run, false},
        {"history", nothing, false},
        {NULL, NULL, false},
};
