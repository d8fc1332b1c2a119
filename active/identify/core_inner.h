/* The part of a pattern that a prefilter needs: whatever matches the pattern matches it, too. */
#pragma once
#include "base/bytes.h"

/* A slice of the pattern; the whole where nothing can be left away for certain. */
struct bytes pattern_core(struct bytes pattern);
