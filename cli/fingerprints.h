/* The fingerprints as a command wants them: our own, those that --rules names, and what is compiled of them. */
#pragma once
#include "active/identify/identify.h"
#include "cli/command.h"

/*
 * Rules that were left out are said on standard error.  `now`: what is not compiled is, else when many
 * banners come.  The command declares the flags rules and cache.
 */
int fingerprints_open(const struct arguments *, bool now, struct identify **, struct fault *);
