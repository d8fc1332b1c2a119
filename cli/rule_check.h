/* What `--verify` and `verify` print of rules on answers: complaints, failed examples, a sum. */
#pragma once
#include "analysis/exposures.h"

/* `what` they are called in the sum, in the plural.  The exit status: 1 when any is wrong. */
int rule_check_print(const struct exposure_rules *, const char *what);
