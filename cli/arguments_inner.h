/* What main.c and arguments.c share: the words of one command line. */
#pragma once
#include "cli/command.h"

struct arguments {
	const struct command *command;
	const char *words[ARGUMENTS_MAX];
	size_t word_count;
	struct given_flag {
		const char *name, *value;
	} flags[ARGUMENTS_MAX];
	size_t flag_count;
};

/* 0, or a negative error with what was wrong. */
int arguments_read(const struct command *, int argc, char **argv, struct arguments *, struct fault *);
const struct flag *arguments_flags_of_all(void);
