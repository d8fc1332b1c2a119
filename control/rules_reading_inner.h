/* What the readers of rules share: where they read, and how they complain. */
#pragma once
#include "control/rules_inner.h"

#define RULE_PATH_MAX 160 /* "rules[3].when.login.accepted" */

struct rule_reading {
	const struct settings *settings;
	const char *file;
	struct arena *arena;
	struct fault *fault;
};

/* "file:line: path: what is wrong, what would be right"; returns ERR_BAD. */
int rule_complain(const struct rule_reading *, const struct yaml_node *, const char *path,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Which of two is the likelier meaning of a misspelt name; `best` NULL: none so far. */
const char *name_nearer(const char *name, const char *candidate, const char *best);
int rule_read_conditions(const struct rule_reading *, const struct yaml_node *when,
			 const char *path, struct rule *);
int rule_read_known(const struct rule_reading *, const struct yaml_node *known, const char *path, struct rule *);
