/*
 * A question to the store: the running one is asked; when none runs, the tables are opened here.
 */
#pragma once
#include "cli/command.h"

struct question {
	const struct config *config;
	char state[256];
};

/* Reads the configuration.  Comes before standard input is read: it may go on as another program. */
int question_begin(struct question *, const struct arguments *, struct fault *);
/*
 * `format` as answer_format_find() knows it.  private_too: also passwords and payloads (table
 * private).  `part` gets the answer in pieces; false ends it.
 */
int question_ask(const struct question *, const char *format, struct bytes sql, bool private_too,
	       bool (*part)(void *, struct bytes), void *arg, struct fault *);
