/*
 * How long an address keeps the same machine: survival of spells, with intervals.
 *
 * A spell is the time from when a machine was first seen at an address until it was last seen
 * there.  It ended when another took its place or when it was met elsewhere (somewhere between the
 * two sightings: the middle is taken); else it is censored: how much longer it lasted is not known.
 * Kaplan and Meier's estimate with Greenwood's variance, interval on the log-minus-log scale; the
 * rate is endings by time watched, its interval Byar's approximation to Poisson's.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct spell {
	double days;
	bool ended;
};

#define CHURN_HORIZONS 3 /* 1, 7 and 30 days */
#define CHURN_ENDINGS_LEAST 3 /* of fewer a network has no estimate of its own */

struct churn {
	size_t spells, endings;
	double watched;       /* days, of all spells together */
	double rate, low, high; /* endings a day */
	double median;        /* days; negative: more than half outlast what was watched */
	struct churn_point {
		double days, kept, low, high; /* share that still is there; negative: not watched so long */
	} at[CHURN_HORIZONS];
};

/* Sorts the spells. */
struct churn churn_measure(struct spell *, size_t count);
/* The probability that an address seen so long ago still has that machine. */
double churn_still(const struct churn *, double days);
