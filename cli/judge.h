/*
 * Attack or survey: judging the sources of a capture by what the capture, lists and names say.
 */
#pragma once
#include "analysis/surveys.h"
#include "cli/command.h"
#include "passive/telescope/output.h"

#define JUDGE_REASONS_MAX 1024

struct judge {
	struct surveys *surveys;
	const struct signatures *signatures;
	double watched; /* addresses; 0: not known */
	char reasons[JUDGE_REASONS_MAX]; /* of the last source that was judged */
};

/* Reads the files of --surveys and --names. */
int judge_open(struct judge *, const struct arguments *, const struct signatures *, double watched,
	       struct fault *);
/* What it points to is valid until the next call. */
void judge_ask(struct judge *, const struct source_sum *, struct judgement *);
void judge_close(struct judge *);
