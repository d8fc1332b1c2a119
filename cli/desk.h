/*
 * The operator's desk: commands that ask a running kansoku's control, and show what it answers, as JSON.
 */
#pragma once
#include "cli/command.h"
#include <jansson.h>

struct desk {
	const struct arguments *arguments;
	struct config config;
	char state[256]; /* where the running kansoku keeps its state */
	bool json;       /* --json: rows as they came, a line each */
	struct fault fault;
};

/* Reads the configuration: 0, or a fault that says what is wrong. */
int desk_open(struct desk *, const struct arguments *);
/* Takes the question over.  The answer is the caller's; NULL after it was said, as `command`, what failed. */
json_t *desk_ask(struct desk *, const char *command, const char *topic, json_t *question);
/* The same of another role than control, which must have a door. */
json_t *desk_ask_role(struct desk *, const char *command, const char *role, const char *topic, json_t *question);

const char *json_text_of(const json_t *object, const char *key); /* "" when absent */
long long json_number_of(const json_t *object, const char *key); /* 0 when absent */
void json_print_row(const json_t *row); /* compact, a line */
