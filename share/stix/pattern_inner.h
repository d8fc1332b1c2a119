/*
 * STIX patterns (STIX 2.1, part 9) as far as they name values: [ipv4-addr:value = '198.51.100.1' OR …].
 *
 * Comparisons that say what something is (=, IN, ISSUBSET) are told; others (<, LIKE, MATCHES, NOT) name no value.
 */
#pragma once
#include "base/arena.h"

#define STIX_COMPARISONS_MAX 256

struct stix_comparison {
	struct bytes path;   /* "file:hashes.SHA-256": without quotes, and without the indices of lists */
	struct bytes value;  /* as it is meant; of a number its digits */
	unsigned observation; /* in whose brackets it stands: 1, 2, … */
	bool joined;         /* by AND with others there: alone it proves nothing */
};

struct stix_pattern {
	struct stix_comparison list[STIX_COMPARISONS_MAX];
	size_t count;
	bool cut; /* there are more */
};

/* NULL, or what is wrong; all of it lives in the arena, the list too. */
const char *stix_pattern_read(struct bytes pattern, struct arena *, struct stix_pattern *);
