/*
 * What a report is: one way to write what is known of a sample.  One file in lab/reports/, one
 * `struct lab_report`, LAB_REPORT(it).
 */
#pragma once
#include "base/registry.h"
#include "lab/run.h"

struct sample_story { /* all that is known of one sample */
	const struct findings *findings;
	const struct run_findings *runs[2]; /* as root, as a user; NULL: not run */
	const struct sample_place { const char *how, *source, *url; uint64_t time_us; } *places; /* where it came from */
	size_t place_count;
	uint64_t time_us; /* of the analysis */
	const char *sensor;
};

struct lab_report {
	const char *name; /* "json", "stix", "cape", "page" */
	const char *summary, *type; /* media type */
	void (*write)(const struct sample_story *, struct writer *); /* the writer turns bad when it does not fit */
};

#define LAB_REPORT(r) REGISTER(lab_reports, struct lab_report, r)
REGISTRY(lab_reports, struct lab_report);
#define LAB_REPORTS_EACH(it) REGISTRY_EACH(lab_reports, struct lab_report, it)
