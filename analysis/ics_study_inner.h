/* The inside of the study: hosts by address, and what is counted on the way. */
#pragma once
#include "analysis/ics_study.h"

#define ICS_PATHS_MAX 100000

struct ics_paths { /* hosts from which two vantages are calibrated: hops of dark traffic less hops of answers */
	int16_t *offsets;
	size_t count, room;
};

struct ics_study {
	struct ics_study_options options;
	char format[32];
	const struct exposure_rules *rules;
	struct ics_host *hosts;
	size_t count, room;
	uint32_t *places; /* number of the host, from 1 */
	size_t place_count;
	struct ics_paths paths;
	struct ics_sums sums;
	struct event *event;
};

struct ics_host *ics_host_find(const struct ics_study *, const struct address *); /* NULL: not there */
struct ics_host *ics_host_take(struct ics_study *, const struct address *);       /* NULL: no room */
/* What rules say of an event; the words of the rule that decided into `why`. */
enum ics_claim_verdict ics_claim_judge(const struct exposure_rules *, const struct event *, char *why, size_t n);
/* An event with the number of ports that the address was claimed to answer on, for the same. */
void ics_claim_count_event(struct event *, unsigned ports);
/* One row of an answer; false: it is malformed. */
bool ics_row_take(struct ics_study *, enum ics_question, struct bytes line);
