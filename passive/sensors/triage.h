/*
 * What an alert means before anybody acts on it: one word and the reason.
 *
 *   own      its source is in an own network: perhaps an infected host; kept, and told apart
 *   benign   its source is a server that is known to be harmless (resolvers, CDNs, scanners
 *            that were acknowledged), by the list that names it
 *   agreed   another sensor, a decoy or the telescope saw the same source within the window
 *   noisy    its signature fires mostly for benign and own sources, or for many own hosts on most
 *            days: it says little, by the history that is kept of each signature and decays
 *   single   none of these
 *
 * Tables are bounded; what was seen longest ago makes room.  Time is that of the events.
 */
#pragma once
#include "event/event.h"

#define TRIAGE_LISTS_MAX 64
#define TRIAGE_SEERS_MAX 18 /* who may have seen a source: decoys, the telescope, followed sensors */
#define TRIAGE_DECOY 0
#define TRIAGE_TELESCOPE 1
#define TRIAGE_SENSOR 2     /* the first followed sensor */
#define TRIAGE_REASON_MAX 160

struct triage_list {
	const char *name;
	struct prefix_set set;
};

struct triage_options {
	struct prefix_set own;
	struct triage_list lists[TRIAGE_LISTS_MAX];
	size_t list_count;
	const char *seers[TRIAGE_SEERS_MAX]; /* names for reasons */
	uint64_t agree_us;    /* two sightings within this time agree */
	uint64_t noisy_alerts;/* fewer than these prove nothing of a signature */
	uint64_t noisy_hosts; /* own hosts … */
	uint64_t noisy_days;  /* … on so many of the last seven days */
	double noisy_benign;  /* or: share of alerts for benign and own sources */
};

enum verdict_of_alert { ALERT_OWN, ALERT_BENIGN, ALERT_AGREED, ALERT_NOISY, ALERT_SINGLE };
extern const char *const triage_words[];

struct triage;
int triage_open(struct triage **, const struct triage_options *); /* the options stay the caller's */
void triage_close(struct triage *);
/* Another process saw that source. */
void triage_saw(struct triage *, unsigned seer, const struct address *, uint64_t time_us);
/* Judges an alert of that followed sensor, of that time (not beyond now), and learns from it. */
enum verdict_of_alert triage_alert(struct triage *, unsigned seer, const struct event *, uint64_t signature,
				   uint64_t time_us, char reason[TRIAGE_REASON_MAX]);
/*
 * The history of signatures, so that it outlives the process.  Reading: before the first source
 * is seen; false when it is not whole, and nothing changed.
 */
#define TRIAGE_HISTORY_MAX (512u << 10)
void triage_write(const struct triage *, struct writer *);
bool triage_read(struct triage *, struct bytes);
