/*
 * Regular expressions (POSIX.1 9) for grep and sed, with a bounded cost.
 *
 * The library's own would spend time and memory without a limit on a hostile pattern;
 * this one backtracks and pays for each step from the shell's budget.
 */
#pragma once
#include "passive/device/shell/call.h"

#define REGEX_GROUPS_MAX 10
#define REGEX_NODES_MAX 512
#define REGEX_DEPTH_MAX 400

struct regex;

struct regex_match {
	struct bytes group[REGEX_GROUPS_MAX]; /* 0 is the whole match; at is NULL when unset */
};

/* NULL: malformed, or larger than the limits. */
struct regex *regex_read(struct arena *, struct bytes pattern, bool extended, bool ignore_case);
/* The first match that begins at or after `from`. */
bool regex_find(struct shell *, const struct regex *, struct bytes text, size_t from,
                struct regex_match *);
