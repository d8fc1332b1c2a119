/*
 * What the console and the command line may ask of control, and check without it running.
 *
 * Topics of the process "control" (also at its door), payloads are JSON:
 *
 *   "look.ask"       {"target": "192.0.2.1", "ports": [23, "161/udp"], "tier": 1,
 *                     "basis": "operator" or "survey"}; the last three may be left out.
 *                    Answer: {"decision", "reason", "detail", "lease", "not_before"}
 *   "control.state"  nothing.  Answer: one object: looks by state, decisions by reason,
 *                    steering, opt-outs, hold-out, budgets
 */
#pragma once
#include "base/address.h"
#include "base/options.h"

/* Checks all of control's sections, also the rules, as `kansoku run` would. */
int control_check(const struct config *, struct fault *);
/* Plain text: what would be looked at, how often, by which rules; what is allowed loudly. */
int control_summarise(const struct config *, struct writer *, struct fault *);
/*
 * What would be sent to that address if it logged in to a decoy now: one line, the answer of
 * the policy with its reason.  The opt-out file is read; budgets count as unused.
 */
int control_dry_run(const struct config *, const struct address *, struct writer *, struct fault *);
