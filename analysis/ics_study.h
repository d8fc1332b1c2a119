/*
 * The study of industrial systems that seem to attack, worked out anew from the store each time.
 *
 * What partners' scans claimed in a window of time is joined with the dark traffic of the same window; rules
 * (claim_rules_open(), fingerprints/claims/) judge the stored answers; what looks of our own found since
 * confirms a controller, or says that it is gone, a decoy, or something else.  What is left are rows
 * (analysis/ics.h).
 *
 * The caller asks the store ics_study_sql() of each question in their order and hands the answer's lines in.
 */
#pragma once
#include "analysis/exposures.h"
#include "analysis/ics.h"

#define ICS_HOSTS_MAX 200000
#define ICS_ROWS_MAX 2000000 /* of one answer */
#define ICS_CLAIMS_MAX ICS_ANSWERS_MAX
#define ICS_CALIBRATION_MIN 20 /* hosts, below which two vantages are not held to be calibrated */

enum ics_question { ICS_ASK_TOTALS, ICS_ASK_CLAIMS, ICS_ASK_DARK, ICS_ASK_LOOKS, ICS_ASK_IDENTITIES, ICS_ASK_PATHS, ICS_QUESTIONS };

enum ics_stage { /* how far an address came; the last is a row */
	ICS_UNCLEAR,     /* no rule knows the stored answer, or no probe of ours asks for that protocol there */
	ICS_WRONG,       /* it was something else */
	ICS_DECOY_CLAIM, /* the stored answer is a honeypot's */
	ICS_TO_LOOK,     /* not looked at since */
	ICS_GONE,        /* looked at: nothing answers on that port */
	ICS_OTHER,       /* something answers, but not that protocol */
	ICS_DECOY,       /* the look found a honeypot */
	ICS_ROW,
	ICS_STAGES
};
const char *ics_stage_word(enum ics_stage);

struct ics_claim { /* what a partner's scan stored of a port */
	uint16_t port;
	bool udp, asked;           /* asked: the look went there, too */
	const struct ics_protocol *protocol; /* by its name or port; NULL: none that is industrial */
	uint8_t verdict; /* enum ics_claim_verdict */
};
enum ics_claim_verdict { CLAIM_UNKNOWN, CLAIM_CONTROLLER, CLAIM_IS_WRONG, CLAIM_IS_DECOY };

struct ics_host {
	struct address address;
	enum ics_stage stage;
	struct ics_row row;         /* ports as the look found them open */
	struct ics_verdict verdict; /* of a row */
	struct ics_claim claims[ICS_CLAIMS_MAX];
	size_t claim_count;         /* kept; `claimed` are all */
	unsigned claimed, gone, fresh; /* ports of the scan; of those that were asked, closed now; open now and not in the scan */
	char gone_ports[96], fresh_ports[96]; /* which: "21, 8080" */
	char why[128];              /* the rule that decided, or what the look found */
	char record[33], pap[24];   /* id and marking of the record of its controller */
	const struct ics_protocol *protocol;
	uint64_t seen_s, dark_first_s, dark_last_s, looked_s; /* 0: never */
	uint64_t packets, destinations;
	char look_sensor[ICS_TEXT_MAX], dark_sensor[ICS_TEXT_MAX]; /* the vantages of either side */
	uint8_t rank;               /* of the claim that is kept */
	bool speaks, port_open, port_asked, honeypot;
	char device[96];            /* vendor, product and system, as identified */
};

struct ics_study_options {
	uint64_t from_us, to_us;    /* the window of claims and dark traffic */
	const char *format;         /* of the records, such as "shodan" */
	bool one_vantage;           /* dark prefixes and prober are at one place */
};

struct ics_sums {
	uint64_t claimed;  /* addresses with an industrial port in the window */
	uint64_t in_dark;  /* of them that asked dark addresses */
	uint64_t stages[ICS_STAGES];
	size_t bad_rows;
	struct ics_vantages vantages;
};

struct ics_study;
int ics_study_open(struct ics_study **, const struct ics_study_options *, const struct exposure_rules *); /* 0 or ERR_MEMORY */
void ics_study_close(struct ics_study *);
void ics_study_sql(const struct ics_study *, enum ics_question, struct writer *);
/* Rows as the store answered that question; malformed ones are counted.  0, ERR_FULL or ERR_MEMORY. */
int ics_study_take(struct ics_study *, enum ics_question, struct bytes lines);
/* Once, after the last answer. */
void ics_study_conclude(struct ics_study *);
const struct ics_sums *ics_study_sums(const struct ics_study *);
size_t ics_study_count(const struct ics_study *);
const struct ics_host *ics_study_at(const struct ics_study *, size_t i); /* rows first, then by stage, then by address */
