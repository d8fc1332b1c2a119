#include "analysis/churn.h"
#include <math.h>
#include <stdlib.h>

#define NORMAL_QUANTILE 1.959963984540054

static const double horizons[CHURN_HORIZONS] = {1, 7, 30};

/* Of spells as long as each other those that ended come first: the censored were still there. */
static int spell_order(const void *a, const void *b)
{
	const struct spell *x = a, *y = b;
	if (x->days != y->days)
		return x->days < y->days ? -1 : 1;
	return (int)y->ended - (int)x->ended;
}

/* Byar: exact enough from the first ending on; of none the upper bound is 3 by the time watched. */
static void rate_measure(struct churn *c)
{
	const double n = (double)c->endings, m = n + 1;
	if (c->watched <= 0)
		return;
	c->rate = n / c->watched;
	c->low = c->endings ? n * pow(1 - 1 / (9 * n) - NORMAL_QUANTILE / (3 * sqrt(n)), 3) / c->watched : 0;
	c->high = c->endings ? m * pow(1 - 1 / (9 * m) + NORMAL_QUANTILE / (3 * sqrt(m)), 3) / c->watched
			     : 3 / c->watched;
}

static struct churn_point point_of(double days, double kept, double greenwood)
{
	struct churn_point p = {.days = days, .kept = kept, .low = kept, .high = kept};
	if (kept <= 0 || kept >= 1)
		return p;
	const double half = NORMAL_QUANTILE * sqrt(greenwood) / fabs(log(kept));
	p.low = pow(kept, exp(half));
	p.high = pow(kept, exp(-half));
	return p;
}

struct churn churn_measure(struct spell *spells, size_t count)
{
	struct churn c = {.spells = count, .median = -1};
	double kept = 1, greenwood = 0;
	size_t horizon = 0;
	qsort(spells, count, sizeof *spells, spell_order);
	for (size_t i = 0; i < count; i++) {
		const double left = (double)(count - i);
		for (; horizon < CHURN_HORIZONS && horizons[horizon] < spells[i].days; horizon++)
			c.at[horizon] = point_of(horizons[horizon], kept, greenwood);
		c.watched += spells[i].days;
		c.endings += spells[i].ended;
		if (!spells[i].ended)
			continue;
		greenwood += left > 1 ? 1 / (left * (left - 1)) : 0;
		kept *= 1 - 1 / left;
		if (kept <= 0.5 && c.median < 0)
			c.median = spells[i].days;
	}
	for (; horizon < CHURN_HORIZONS; horizon++)
		c.at[horizon] = (struct churn_point){horizons[horizon], -1, -1, -1};
	rate_measure(&c);
	return c;
}

/* Half an ending more than were seen: nothing is certain to stay because nobody saw it go. */
double churn_still(const struct churn *c, double days)
{
	if (c->watched <= 0)
		return -1;
	return exp(-((double)c->endings + 0.5) / c->watched * (days > 0 ? days : 0));
}
