/*
 * A survey as two sets of prefixes: what may be asked, and what may not, which wins.  They say what
 * policy_check() would say of each address: special ranges, ours, scope, opt-outs, known scanners.
 */
#pragma once
#include "control/policy_inner.h"

/* Both come sealed; 0 or ERR_MEMORY. */
int survey_targets(const struct settings *, const struct survey *, struct prefix_set *out);
int survey_excluded(const struct policy *, struct prefix_set *out);
