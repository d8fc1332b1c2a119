/* kansoku probe --dry-run: who would be asked what, when, and from where; nothing is sent. */
#pragma once
#include "cli/command.h"

/* Ports as in --ports, NULL: 23,80.  Returns the exit status. */
int dry_probe(const struct config *, const char *state, const struct address *, const char *ports, uint64_t tier, bool json);
