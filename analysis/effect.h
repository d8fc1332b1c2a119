/*
 * What one arm of a trial has more than another: an estimate with a 95 % interval, or why there is none.
 *
 * The units are what was drawn for the trial (sources, networks, campaigns), since sources of one
 * unit are not independent; a unit counts once, with the mean of its sources.  The interval is
 * Welch's: difference of the means of units, Student's t with his degrees of freedom.  Nothing is
 * drawn at random, so the same numbers give the same interval.
 */
#pragma once
#include <stddef.h>

#define EFFECT_UNITS_LEAST 10 /* of each arm: of fewer, skewed counts make the interval a fiction */

enum effect_state {
	EFFECT_MEASURABLE,
	EFFECT_TOO_FEW,  /* units of an arm */
	EFFECT_ALL_SAME, /* within each arm no unit differs: nothing says how sure a difference is */
};

struct effect {
	enum effect_state state;
	size_t units[2];
	double mean[2];
	double difference, low, high; /* first arm minus second; only when measurable */
};

/* Each number is the mean of one unit. */
struct effect effect_measure(const double *first, size_t first_count, const double *second, size_t second_count);
const char *effect_state_word(enum effect_state); /* "ok", "too-few-units", "no-variation" */
/* The 97.5 % point of Student's t, within 1 in 10,000 from 8 degrees of freedom on. */
double effect_t_quantile(double freedom);
