/* What the judge asks the store, one question after the other: SQL for a day, and who takes a row. */
#pragma once
#include "base/bytes.h"

enum question_about {
	ASK_TOTALS,  /* how many sources there are, and how many earlier days were watched */
	ASK_FLOWS,   /* dark traffic of the day, by source */
	ASK_EVENTS,  /* decoys and alerts of the day, by source */
	ASK_HOSTS,   /* what looks found out about sources lately */
	ASK_EARLIER, /* in which hours of earlier days those sources came */
	ASK_JUDGED,  /* what was published for that day already */
	QUESTIONS
};

#define EARLIER_DAYS 7   /* looked back for a schedule */
#define HOSTS_DAYS 30    /* what a look found out is believed for so long */
#define QUESTION_SQL_MAX 8192

/*
 * The store gives a question a bounded memory, so what is worked out by source is asked for in
 * slices of the sources.
 */
#define SLICE_SOURCES 25000

struct judge_scope {
	uint64_t day;           /* since 1970-01-01 */
	uint64_t sources;       /* the most rows */
	uint64_t packets;       /* the least of a source's */
	uint64_t slice, slices; /* slices at least 1 */
};
bool judge_is_sliced(enum question_about);
void judge_sql(enum question_about, const struct judge_scope *, struct writer *);
