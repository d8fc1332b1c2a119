/* Looks at the hosts of the study that were not looked at since they were claimed: asked of control, each with its reason. */
#pragma once
#include "analysis/ics_study.h"

/*
 * Prints what was decided of each.  The basis is a survey that the operator approved (active.surveys); the imported
 * record is the decision's cause, and the dark traffic stands in its detail.  0 or an error with a sentence.
 */
int ics_looks_ask(const char *state, const struct ics_study *, struct fault *);
