/*
 * Every packet that was sent to an address or a network, and why: what an operator answers to a
 * complaint with.  Taken from the store, written as a letter or as JSON.
 *
 * Addresses of decoys stay out of a letter: whoever complains may be who attacks.
 */
#pragma once
#include "control/control.h"
#include <jansson.h>

enum audit_language { AUDIT_ENGLISH, AUDIT_JAPANESE };

struct audit {
	struct promises promises;
	const char *target;   /* address or prefix, as text */
	const char *page_url; /* NULL: there is no page */
	uint64_t since_us, now_us;
	/* Arrays of objects as the store gave them, in order of time. */
	json_t *decisions, *probes, *answers, *causes, *before;
	json_t *surveys; /* packets of scans: survey, target, port, protocol, first, last, again, certain */
	uint64_t survey_packets; /* of them all, also of those that are too many to list */
	uint64_t looks, connections, packets, bytes; /* all of the probes and answers */
	uint64_t unknown; /* connections whose packets were not told: the prober ended before */
	bool full;        /* with the sensors' addresses */
};

/* Counts, once the arrays are filled. */
void audit_count(struct audit *);
/* The answer to that probe, or the decision of that lease, or the cause with that id; NULL: none. */
const json_t *audit_find(const json_t *rows, const char *key, const char *value);
const char *audit_text(const json_t *row, const char *key); /* "" when absent */
uint64_t audit_number(const json_t *row, const char *key);
void audit_write_letter(const struct audit *, enum audit_language);
