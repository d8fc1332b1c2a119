/*
 * The sources of one day, gathered from the store's answers row by row, then judged.
 *
 * Sources beyond the bound are counted and left out; texts lie in an arena that goes with the day's
 * gathering.  Verdicts published before stay, so that only news are published.
 */
#pragma once
#include "analysis/intent.h"
#include "analysis/questions_inner.h"
#include "analysis/surveys.h"
#include "base/arena.h"

struct gathered {
	struct address address;
	struct intent_evidence e;
	uint32_t hours;          /* of the day, a bit each */
	bool seen;               /* it is in this gathering, not only in an earlier one */
	bool judged;             /* something was published for this day … */
	enum intent published;   /* … and this was it */
	unsigned published_confidence;
};

struct gathering {
	struct gathered *sources;
	uint32_t *places;        /* hash table of numbers + 1 into sources */
	size_t count, max, places_count;
	uint64_t key;            /* of the hash */
	struct arena texts;
	uint64_t refused;        /* sources for which there was no room */
	uint64_t bad_rows;
	uint64_t sources_in_all; /* as ASK_TOTALS says … */
	uint64_t least;          /* … and packets of the last that is judged */
	unsigned days_asked;
};

int gathering_open(struct gathering *, size_t max, uint64_t key); /* 0 or ERR_MEMORY */
void gathering_close(struct gathering *);
/* For the next round over the same day: evidence goes, what was published stays. */
void gathering_renew(struct gathering *);
/* For another day: all goes. */
void gathering_clear(struct gathering *);
/* One JSON object a line, as the store answered that question. */
void gathering_take(struct gathering *, enum question_about, struct bytes lines);
/* When all is taken: what the lists say, and what follows from several answers. */
void gathering_finish(struct gathering *, const struct surveys *, double watched, uint64_t day);
/* Whether the source's verdict is news: new, another, or more than `points` away. */
bool gathered_is_news(const struct gathered *, const struct intent_verdict *, unsigned points);
