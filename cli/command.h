/*
 * What a command is.  One file in cli/commands/, one `struct command`, COMMAND(it).
 *
 * The word after `kansoku` picks it; help, man page and docs/commands.md come from the
 * struct.  Exit status: 0, 1 (it failed, the reason is on standard error), 2 (used wrongly).
 */
#pragma once
#include "base/error.h"
#include "base/options.h"
#include "base/registry.h"

#define ARGUMENTS_MAX 256

struct flag {
	const char *name;  /* long form without dashes; NULL ends a table */
	const char *value; /* what it takes ("FILE"), NULL when it takes nothing */
	const char *what;
};

struct arguments;
const char *arguments_flag(const struct arguments *, const char *name); /* value, "" or NULL */
/* The n-th use of a flag that may be given several times; NULL beyond the last. */
const char *arguments_flag_nth(const struct arguments *, const char *name, size_t n);
size_t arguments_count(const struct arguments *); /* words that are not flags */
const char *arguments_word(const struct arguments *, size_t i);

struct command {
	const char *name;
	const char *synopsis; /* "SQL [--format FORMAT]" */
	const char *summary;  /* one line, lower case, no full stop */
	const char *description; /* paragraphs for the man page */
	const struct flag *flags;
	/* Flags that modules declare, in a table like `flags`; NULL when there are none. */
	const struct flag *(*flags_of_modules)(void);
	unsigned words_min, words_max; /* checked before run() */
	int (*run)(const struct arguments *); /* exit status */
};

#define COMMAND(c) REGISTER(commands, struct command, c)
REGISTRY(commands, struct command);
#define COMMANDS_EACH(it) REGISTRY_EACH(commands, struct command, it)

/* "kansoku NAME: sentence" on standard error; returns `status`. */
int command_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A whole file, "-" is standard input; ERR_MISSING when it cannot be opened, ERR_FULL beyond max. */
int command_read_file(const char *path, size_t max, struct buffer *out, struct fault *);
/* Reads the file of --config, or the one that `kansoku run` uses when none is named. */
int command_config(const struct arguments *, struct config *, struct fault *);
