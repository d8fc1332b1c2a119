/* What the readers of rules share: where they read, and how they complain. */
#pragma once
#include "control/rules_inner.h"

#define RULE_PATH_MAX CONDITION_PATH_MAX

struct rule_reading {
	const struct settings *settings;
	struct condition_reading base;
};

int rule_read_conditions(const struct rule_reading *, const struct yaml_node *when,
			 const char *path, struct rule *);
int rule_read_known(const struct rule_reading *, const struct yaml_node *known, const char *path, struct rule *);
