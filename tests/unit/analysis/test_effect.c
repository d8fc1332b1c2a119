/* The interval of a trial's effect: against known quantiles, by hand, and in simulated trials. */
#include "analysis/steering_effect.h"
#include "base/random.h"
#include "tests/test.h"
#include <math.h>

#define RUNS 2000
#define UNITS_MAX 200

struct trial {
	size_t units[2];
	double effect;      /* what the first arm has more, a source */
	unsigned covered, naive_covered;
	double sum, squares; /* of the estimates */
};

static double exponential(struct random *r) { return -log(1 - random_fraction(r)); }

/* Sources of one unit share how busy they are, up to some tenfold; counts are skewed as real ones are. */
static double draw_unit(struct random *r, double effect, double *sources, size_t *count)
{
	const double busy = 0.2 + exponential(r);
	const size_t size = 1 + random_below(r, 12);
	double sum = 0;
	for (size_t i = 0; i < size; i++) {
		const double y = 4 * busy * exponential(r) + effect;
		sources[(*count)++] = y;
		sum += y;
	}
	return sum / (double)size;
}

static void run(struct trial *t, uint64_t seed)
{
	static double unit[2][UNITS_MAX], source[2][12 * UNITS_MAX];
	struct random r = random_seeded(seed);
	size_t count[2] = {0};
	for (size_t arm = 0; arm < 2; arm++)
		for (size_t i = 0; i < t->units[arm]; i++)
			unit[arm][i] = draw_unit(&r, arm ? 0 : t->effect, source[arm], &count[arm]);
	const struct effect is = effect_measure(unit[0], t->units[0], unit[1], t->units[1]);
	const struct effect naive = effect_measure(source[0], count[0], source[1], count[1]);
	CHECK(is.state == EFFECT_MEASURABLE);
	t->covered += is.low <= t->effect && t->effect <= is.high;
	t->naive_covered += naive.low <= t->effect && t->effect <= naive.high;
	t->sum += is.difference;
	t->squares += is.difference * is.difference;
}

static void simulate(struct trial *t)
{
	for (uint64_t seed = 1; seed <= RUNS; seed++)
		run(t, seed);
	const double mean = t->sum / RUNS, error = sqrt((t->squares / RUNS - mean * mean) / RUNS);
	print_message("%zu and %zu units, effect %g: estimated %.3f (standard error %.3f), covered %.1f %%, "
		      "by sources %.1f %%\n", t->units[0], t->units[1], t->effect, mean, error,
		      100.0 * t->covered / RUNS, 100.0 * t->naive_covered / RUNS);
	CHECK(fabs(mean - t->effect) < 3.5 * error); /* no bias */
}

TEST(effect_covers_what_is_true)
{
	struct trial with = {.units = {60, 60}, .effect = 2}, without = {.units = {60, 60}};
	simulate(&with);
	CHECK(with.covered > 0.935 * RUNS && with.covered < 0.97 * RUNS);
	simulate(&without);
	CHECK(without.covered > 0.935 * RUNS && without.covered < 0.97 * RUNS);
	/* What taking sources for independent would have said. */
	CHECK(with.naive_covered < 0.85 * RUNS);
}

TEST(effect_covers_in_small_and_uneven_trials)
{
	struct trial small = {.units = {EFFECT_UNITS_LEAST, EFFECT_UNITS_LEAST}, .effect = 2};
	struct trial uneven = {.units = {180, 20}, .effect = -1};
	simulate(&small);
	CHECK(small.covered > 0.92 * RUNS);
	simulate(&uneven); /* skewed counts of the small arm: a little less than it says */
	CHECK(uneven.covered > 0.90 * RUNS);
}

TEST(effect_is_not_made_up)
{
	const double few[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, same[12] = {0};
	CHECK(effect_measure(few, 9, same, 12).state == EFFECT_TOO_FEW);
	CHECK(effect_measure(same, 12, same, 12).state == EFFECT_ALL_SAME);
	CHECK(effect_measure(NULL, 0, NULL, 0).state == EFFECT_TOO_FEW);
}

TEST(effect_knows_the_quantiles_of_t)
{
	static const struct {
		double freedom, quantile; /* as printed in tables */
	} known[] = {{8, 2.306004}, {10, 2.228139}, {20, 2.085963}, {60, 2.000298}, {1000, 1.962339}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		CHECK(fabs(effect_t_quantile(known[i].freedom) / known[i].quantile - 1) < 1e-4);
}

TEST(effect_of_steering_counts_units_with_the_mean_of_their_sources)
{
	static struct event e;
	struct steering_effect s = {0};
	char text[8192];
	struct writer w = writer_of(text, sizeof text);
	CHECK(event_start(NULL) == 0);
	for (unsigned i = 0; i < 20; i++)
		write_fmt(&w, "{\"arm\":\"%s\",\"unit\":\"u%u\",\"sources\":\"2\",\"sessions\":%u,\"seconds\":%u.5,"
			  "\"commands\":\"%u\",\"files\":0}\n", i % 2 ? "steered" : "random", i, i % 2 ? 8 + i % 4 : 2 + i % 4,
			  i, 4 * i);
	write_text(&w, "{\"arm\":\"neither\",\"sources\":1}\nnonsense\n");
	steering_effect_take(&s, writer_bytes(&w));
	CHECK(s.count[EFFECT_STEERED] == 10 && s.count[EFFECT_RANDOM] == 10 && s.sources[EFFECT_STEERED] == 20);
	CHECK(s.bad_rows == 2);
	const struct effect is = steering_effect_measure(&s, EFFECT_RANDOM, OUTCOME_SESSIONS);
	CHECK(is.state == EFFECT_MEASURABLE && fabs(is.mean[0] - 5) < 0.01 && fabs(is.mean[1] - 1.5) < 0.01);
	CHECK(is.low > 3 && is.high < 4.2);
	CHECK(steering_effect_measure(&s, EFFECT_RANDOM, OUTCOME_FILES).state == EFFECT_ALL_SAME);
	CHECK(steering_effect_tell(&s, EFFECT_RANDOM, OUTCOME_SESSIONS, &e));
	CHECK(bytes_equal_text(event_bytes(&e, FIELD_REASON), "ok"));
	steering_effect_told(&s, EFFECT_RANDOM, OUTCOME_SESSIONS, &e);
	CHECK(!steering_effect_tell(&s, EFFECT_RANDOM, OUTCOME_SESSIONS, &e)); /* once is enough */
	CHECK(steering_effect_tell(&s, EFFECT_RANDOM, OUTCOME_FILES, &e));
	CHECK(bytes_equal_text(event_bytes(&e, FIELD_REASON), "no-variation"));
	CHECK(!steering_effect_tell(&s, EFFECT_HELD_OUT, OUTCOME_FILES, &e)); /* nobody was held out */
	steering_effect_done(&s);
}
