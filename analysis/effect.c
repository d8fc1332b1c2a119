#include "analysis/effect.h"
#include <math.h>

#define NORMAL_QUANTILE 1.959963984540054

/* Abramowitz and Stegun 26.7.5: the first four terms of Cornish and Fisher's expansion. */
double effect_t_quantile(double v)
{
	const double z = NORMAL_QUANTILE, z2 = z * z;
	const double g1 = z * (z2 + 1) / 4;
	const double g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
	const double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
	const double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
	return z + (g1 + (g2 + (g3 + g4 / v) / v) / v) / v;
}

const char *effect_state_word(enum effect_state state)
{
	static const char *const words[] = {"ok", "too-few-units", "no-variation"};
	return words[state];
}

static double mean_of(const double *x, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return n ? sum / (double)n : 0;
}

/* Variance of the mean. */
static double error_of(const double *x, size_t n, double mean)
{
	double squares = 0;
	for (size_t i = 0; i < n; i++)
		squares += (x[i] - mean) * (x[i] - mean);
	return squares / (double)(n - 1) / (double)n;
}

struct effect effect_measure(const double *first, size_t n, const double *second, size_t m)
{
	struct effect e = {.units = {n, m}, .mean = {mean_of(first, n), mean_of(second, m)}};
	if (n < EFFECT_UNITS_LEAST || m < EFFECT_UNITS_LEAST) {
		e.state = EFFECT_TOO_FEW;
		return e;
	}
	const double a = error_of(first, n, e.mean[0]), b = error_of(second, m, e.mean[1]);
	if (a + b <= 0) {
		e.state = EFFECT_ALL_SAME;
		return e;
	}
	const double freedom = (a + b) * (a + b) / (a * a / (double)(n - 1) + b * b / (double)(m - 1));
	const double half = effect_t_quantile(freedom) * sqrt(a + b);
	e.difference = e.mean[0] - e.mean[1];
	e.low = e.difference - half;
	e.high = e.difference + half;
	return e;
}
