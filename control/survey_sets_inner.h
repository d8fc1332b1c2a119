/*
 * A survey as two sets of prefixes: what may be asked, and what may not, which wins.  They say what
 * policy_check() would say of each address: special ranges, ours, scope, opt-outs, known scanners.
 */
#pragma once
#include "control/policy_inner.h"

/* Both come sealed; 0 or ERR_MEMORY. */
int survey_targets(const struct settings *, const struct survey *, struct prefix_set *out);
int survey_excluded(const struct policy *, struct prefix_set *out);

/*
 * In survey_hours.c: REASON_OK while it may be scanned at that time: within its own approval and hours,
 * and within active.windows and active.quiet; else why not, where the reason's own words are too few with
 * a fault.
 */
enum reason survey_hours_check(const struct settings *, const struct survey *, uint64_t now_us, struct fault *);
/* When a permission that is given now ends: with the first of them. */
uint64_t survey_hours_until(const struct settings *, const struct survey *, uint64_t now_us);
/* The windows speak of the target's own zone, which a scan over many prefixes cannot keep. */
bool survey_hours_unknown(const struct settings *);
