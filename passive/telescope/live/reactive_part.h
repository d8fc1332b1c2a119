/*
 * Which part of the dark prefixes is reactive.
 *
 * The longest prefix that holds an address has the word about it, so a silent one within a
 * reactive one stays silent.  Of two that are the same the silent one has it.
 */
#pragma once
#include "passive/telescope/live/settings.h"

/* Disjoint prefixes, appended to the set; `all` is put into another order.  0 or ERR_MEMORY. */
int reactive_part(struct live_prefix *all, size_t count, struct prefix_set *out);
