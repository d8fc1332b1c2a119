/*
 * The lab's room, for everybody else: a sample is given, what is known of it comes back.
 *
 * Static analysis (lab_analyse) is a pure function of the bytes and of the user's YARA rules.
 * Running (lab_run.h) needs boxes (box/box.h).  Reports, one format a file in lab/reports/, are
 * written from what both found; the role "lab" ties it to the bus.
 */
#pragma once
#include "base/error.h"
#include "lab/analyser.h"

struct lab_rules; /* YARA rules, compiled; NULL where none are given */

/* What analysis found; everything in it lives in its arena. */
struct findings {
	char sha256[65], sha1[41], md5[33];
	uint64_t size;
	const char *type, *architecture;
	char tlsh[73];            /* "T1…"; empty: too small or too even */
	const struct indicator *indicators;
	size_t indicator_count;
	const struct fact { const char *name, *value; unsigned part; } *facts;
	size_t fact_count;
	const struct part *parts;
	size_t part_count;
	const char *const *limits;
	size_t limit_count;
	const struct family { const char *name; unsigned points; const char *reasons; } *families; /* likeliest first */
	size_t family_count;
	const char *const *yara;  /* rules that matched, "namespace:rule" */
	size_t yara_count;
};

/*
 * 0, or ERR_MEMORY, or ERR_FULL: larger than SAMPLE_BYTES_MAX, then there are findings of its digests
 * and its type alone.  The sample must live as long as the analysis.
 */
int lab_analyse(struct analysis **, struct bytes sample, const struct lab_rules *, struct fault *);
const struct findings *analysis_findings(const struct analysis *);
void analysis_free(struct analysis *);
/* The members of a JSON object, without its braces: "sha256", "type", "architecture", "indicators", … */
void write_findings(struct writer *, const struct findings *);

int lab_rules_open(struct lab_rules **, const char *const *files, size_t count, struct fault *);
void lab_rules_close(struct lab_rules *);
