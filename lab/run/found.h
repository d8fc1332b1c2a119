/* Indicators of a run: the same type and value once, with the best of what is known of it. */
#pragma once
#include "lab/run/observed.h"

#define RUN_INDICATORS_MAX 1024

struct found {
	struct arena *arena;
	struct observed *seen; /* for the limit */
	struct indicator *all; /* RUN_INDICATORS_MAX */
	size_t count;
};

int found_open(struct found *, struct arena *, struct observed *);
void found_add(struct found *, enum indicator_type, enum indicator_role, struct bytes value, const char *how,
	       unsigned confidence);
