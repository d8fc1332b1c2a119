/*
 * What steering changes: sessions, time, commands and files of the sources that are steered against
 * those that meet a random persona, and against those that are held out.
 *
 * All sources count in the arm that they were drawn into, whether they came back or not and
 * whichever persona they met: what happened in sessions that began after the draw, for as long as
 * is followed.  A unit counts with the mean of its sources.  One set of four outcomes by two
 * comparisons; each is an event.
 */
#pragma once
#include "analysis/effect.h"
#include "base/bytes.h"
#include "event/event.h"

#define STEERING_UNITS_MAX 200000 /* of all arms */

enum steering_outcome { OUTCOME_SESSIONS, OUTCOME_SECONDS, OUTCOME_COMMANDS, OUTCOME_FILES, OUTCOMES };
enum steering_arm { EFFECT_STEERED, EFFECT_RANDOM, EFFECT_HELD_OUT, EFFECT_ARMS };
#define COMPARISONS (EFFECT_ARMS - 1) /* steered against each of the others */

struct steering_effect {
	double *values[EFFECT_ARMS][OUTCOMES]; /* of units */
	size_t count[EFFECT_ARMS], room[EFFECT_ARMS];
	uint64_t sources[EFFECT_ARMS];
	uint64_t bad_rows;
	uint64_t told[COMPARISONS][OUTCOMES]; /* digest of what was published last */
};

/* The question: assignments from a time on, followed for so long. */
void steering_effect_sql(uint64_t from_s, uint64_t to_s, uint64_t follow_s, struct writer *);
/* Its answer, one JSON object a line; what was taken before goes. */
void steering_effect_take(struct steering_effect *, struct bytes lines);
void steering_effect_done(struct steering_effect *);
struct effect steering_effect_measure(const struct steering_effect *, enum steering_arm against, enum steering_outcome);
/* effect.measured for one comparison; false: nothing was drawn into both arms, or it says what was told last. */
bool steering_effect_tell(struct steering_effect *, enum steering_arm against, enum steering_outcome, struct event *);
/* It was published. */
void steering_effect_told(struct steering_effect *, enum steering_arm against, enum steering_outcome,
			  const struct event *);
