/*
 * Payloads in the store that no signature knows: of flows, whose requests the telescope could not
 * name, and of alerts of other sensors.  Grouped by similarity and printed.
 */
#pragma once
#include "cli/command.h"

/* The exit status. */
int new_payloads_run(const struct arguments *);
