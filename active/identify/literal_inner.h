/* The fixed string that every match of a pattern contains, in lower case. */
#pragma once
#include "active/identify/rules_inner.h"

/* Length of the longest such string found, or 0 when none is certain. */
size_t literal_find(struct bytes pattern, char out[RULE_LITERAL_MAX]);
