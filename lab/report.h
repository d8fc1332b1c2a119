/*
 * What a report is: one way to write what is known of a sample.  One file in lab/reports/, one
 * `struct lab_report`, LAB_REPORT(it).
 *
 * A story is filled in as far as one knows (findings; runs, places and links where there are any)
 * and completed: what static analysis and the runs found becomes one list, and together they say
 * what the sample likely is.  Reports are pure functions of a completed story.
 */
#pragma once
#include "base/registry.h"
#include "lab/run.h"

#define STORY_RUNS 3
#define STORY_RUNS_USUAL 2 /* as root, as a user; the last is one that was let talk with its server */
#define STORY_LIMITS_MAX 64
#define REPORT_BYTES_MAX (24u << 20)

struct sample_story { /* all that is known of one sample */
	const struct findings *findings;
	const struct run_findings *runs[STORY_RUNS]; /* as root, as a user, with an egress; NULL: not run */
	const struct sample_place { const char *how, *source, *url; uint64_t time_us; } *places; /* where it came from */
	size_t place_count;
	/* Samples that it belongs with: what they share ("tlsh", "command", "key", …), and that itself. */
	const struct sample_link { const char *sha256, *shares, *what; } *links;
	size_t link_count;
	const char *campaign; /* name of those that belong together; NULL: it stands alone */
	uint64_t time_us; /* of the analysis */
	const char *sensor;

	/* From here on filled in by lab_story_complete(). */
	const struct indicator *indicators; /* of findings and runs, each value of a type once */
	size_t indicator_count;
	const struct family *families; /* static and dynamic reasons together, likeliest first */
	size_t family_count;
	const char *verdict;           /* "malicious", "suspicious", "unknown" */
	unsigned score;                /* 0 to 100 */
	const char *reasons;           /* for the verdict, with "; " between */
	const char *limits[STORY_LIMITS_MAX];
	size_t limit_count;
};

/* All that it makes lives in the arena; ERR_MEMORY. */
int lab_story_complete(struct sample_story *, struct arena *);
/* The family that a report names; NULL: no guess is good enough. */
const struct family *lab_story_family(const struct sample_story *);

struct lab_report {
	const char *name; /* "json", "stix", "cape", "page" */
	const char *summary, *type; /* media type */
	void (*write)(const struct sample_story *, struct writer *); /* the writer turns bad when it does not fit */
};

#define LAB_REPORT(r) REGISTER(lab_reports, struct lab_report, r)
REGISTRY(lab_reports, struct lab_report);
#define LAB_REPORTS_EACH(it) REGISTRY_EACH(lab_reports, struct lab_report, it)

const struct lab_report *lab_report_find(const char *name); /* NULL: there is none */
/*
 * Writes it whole into an empty buffer; where that is more than REPORT_BYTES_MAX, with fewer
 * indicators and the limit "report.bytes".  ERR_MEMORY, ERR_FULL.
 */
int lab_report_make(const struct lab_report *, const struct sample_story *, struct buffer *out);
