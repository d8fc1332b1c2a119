/*
 * What the shell's files share.  Expansion, evaluation and builtins all work on the
 * `struct shell_run` of the line at hand, which holds the budget and the way out.
 */
#pragma once
#include "passive/device/shell/call.h"
#include "passive/device/shell/syntax.h"

enum shell_flow {
	FLOW_NEXT,
	FLOW_BREAK,
	FLOW_CONTINUE,
	FLOW_RETURN,
	FLOW_EXIT,  /* ends the innermost subshell or script */
	FLOW_RAISE, /* an error that ends it too, but never an interactive shell */
	FLOW_STOP,  /* the budget is used up: the whole line ends */
};

enum shell_waiting {
	WAITING_NONE,
	WAITING_COPY,     /* cat: lines go to the file in `pending`, or back when it is empty */
	WAITING_READ,     /* read: the next line goes to the variables in `pending` */
	WAITING_DISCARD,  /* a program that swallows what is typed */
	WAITING_SECRET,   /* passwd: the new password */
	WAITING_SECRET_2, /* and once more */
};

struct shell_variable {
	struct shell_variable *next;
	struct bytes name, value;
	size_t room;
	uint16_t level; /* of the subshell that set it */
	bool is_set;    /* false: unset at this level, hiding what is below */
	bool exported, readonly;
};

struct shell_function {
	struct shell_function *next;
	struct bytes name, body;
};

struct shell_run {
	struct arena *arena; /* of the line */
	size_t steps, output;
	size_t output_command; /* what the command at hand may still say */
	unsigned depth, level, line, loops;
	unsigned delay_ms;
	enum shell_flow flow;
	unsigned flow_count; /* loops still to leave */
	const char *name;    /* $0 as errors name it */
	bool script;         /* errors carry a line number */
	bool background;
	bool substituted;              /* a $( ) ran: its status counts for an empty command */
	const struct bytes *arguments; /* $1... */
	size_t argument_count;
};

struct fds {
	struct stream *fd[10];
};

/* run.c */
int shell_eval(struct shell *, const struct syntax *, const struct fds *);
int shell_run_text(struct shell *, struct bytes text, const struct fds *, bool more_may_follow);
/* Runs text on its own arena, collecting what it says; trailing line ends are cut. */
struct bytes shell_substitute(struct shell *, struct bytes text, struct arena *into,
                              const struct fds *);
bool shell_spend(struct shell *, size_t steps);   /* false: the budget is used up */

/* Room on the stack that most commands get along with; beyond it the heap is asked. */
struct scratch {
	_Alignas(max_align_t) uint8_t room[3072];
};
/* Without a room the heap is asked at once.  The deeper, the less it may take. */
struct arena shell_scratch(const struct shell *, struct scratch *);
void shell_raise(struct shell *);                 /* status 2, and out of here */
void shell_error(struct shell *, const struct fds *, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
struct subshell {
	struct shell_variable *variables;
	struct shell_function *functions;
	char *cwd;
	const struct bytes *arguments;
	size_t argument_count, cwd_room;
	uint16_t variable_count, function_count;
	unsigned loops;
};
void subshell_enter(struct shell *, struct subshell *);
void subshell_leave(struct shell *, const struct subshell *);

/* shell.c: a command reads the terminal from now on. */
void shell_wait(struct shell *, enum shell_waiting, struct bytes text);

/* expand.c: what a raw word stands for.  NULL or false: no memory, or an error was said. */
struct words {
	struct bytes *items;
	size_t count, room;
};
bool expand_words(struct shell *, struct arena *, const struct syntax_word *, const struct fds *,
                  struct words *out);
bool expand_one(struct shell *, struct arena *, struct bytes raw, const struct fds *,
                struct bytes *out); /* no splitting, no file names */
bool expand_pattern(struct shell *, struct arena *, struct bytes raw, const struct fds *,
                    struct bytes *out); /* quoted characters escaped by \ */
bool expand_here(struct shell *, struct arena *, struct bytes text, const struct fds *,
                 struct bytes *out);
bool words_add(struct shell *, struct arena *, struct words *, struct bytes);

/* arithmetic.c: an expression already expanded. */
bool arithmetic(struct shell *, struct bytes expression, const struct fds *, int64_t *out);

/* pattern.c */
bool pattern_matches(struct shell *, struct bytes pattern, struct bytes text);
/* Adds the files that a pattern names, sorted; none: false. */
bool pattern_files(struct shell *, struct arena *, struct bytes pattern, struct words *out);

/* variables.c */
struct bytes variable_get(const struct shell *, struct bytes name, bool *is_set);
bool variable_set(struct shell *, struct bytes name, struct bytes value);
void variable_unset(struct shell *, struct bytes name);
void variable_export(struct shell *, struct bytes name);
struct shell_variable *variable_find(const struct shell *, struct bytes name);
bool function_set(struct shell *, struct bytes name, struct bytes body);
const struct shell_function *function_find(const struct shell *, struct bytes name);

/* program.c: what a command name runs. */
int program_run(struct shell *, struct arena *, const struct bytes *argv, size_t argc,
                const struct fds *);
int applet_run(struct shell *, struct arena *, const struct applet *, const struct bytes *argv,
               size_t argc, const struct fds *);
/* Finds a command on $PATH; the result lies in `room`. */
bool program_find(struct shell *, struct bytes name, char room[VFS_PATH_MAX], struct bytes *out);
void file_take(struct shell *, struct vfs_change *, struct bytes name);

/* builtins.c */
struct builtin {
	const char *name;
	int (*run)(struct call *);
	bool special; /* assignments before it stay (POSIX.1 2.14) */
};
const struct builtin *builtin_named(struct bytes name);
extern const struct builtin builtins_of_variables[]; /* ended by a NULL name */
extern const struct builtin builtins_of_flow[];
