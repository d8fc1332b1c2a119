/*
 * The inside of an analysis: where what analysers tell is kept until all is sorted.
 *
 * Everything lives in one arena that ends with the analysis.  Tables have fixed sizes; what does
 * not fit any more is named as a limit, once.
 */
#pragma once
#include "lab/lab.h"

#define ANALYSIS_LIMITS_MAX 32
#define ANALYSIS_FAMILIES_MAX 32
#define ANALYSIS_YARA_MAX 256
#define FAMILY_REASONS_MAX 16
#define FACT_VALUE_MAX 1024
#define INDICATOR_SLOTS (ANALYSIS_INDICATORS_MAX * 2)

struct analysis {
	struct arena arena;
	struct findings findings;
	const struct lab_rules *rules;
	const struct part *now; /* what is being looked at */
	struct part *parts;
	struct fact *facts;
	struct indicator *indicators;
	uint16_t *slots; /* hash of type and value → index + 1 */
	struct family *families;
	unsigned family_reasons[ANALYSIS_FAMILIES_MAX];
	const char **limits, **yara;
	uint64_t part_bytes;
};

/* The user's rules against one part (lab/rules.c). */
void rules_match(struct analysis *, const struct part *);
/* A rule of the user's that matched; told once. */
void analysis_yara(struct analysis *, const char *space, const char *rule);
