/*
 * The checks that every look passes, in a fixed order; the first that refuses gives the
 * reason, in one word.  Pure: the time, the address's history and the opt-outs are arguments.
 */
#pragma once
#include "control/atlas_inner.h"
#include "control/settings_inner.h"
#include "control/targets_inner.h"

#define REASONS(X)                                                                                \
	X(OK,             "ok",             "allowed; it leaves when its delay has passed")       \
	X(INACTIVE,       "inactive",       "active observation is off: disabled, without scope, or its opt-outs cannot be read") \
	X(NO_CONTACT,     "no-contact",     "the operator names no contact for complaints")       \
	X(MARKING,        "marking",        "what is known of it is marked for passive use only (PAP), or not marked at all") \
	X(NO_BASIS,       "no-basis",       "what happened does not prove that the source is real") \
	X(STALE_BASIS,    "stale-basis",    "the proof is too old: the address may have changed hands") \
	X(SPECIAL,        "special",        "a special-purpose range that no scope allows by name") \
	X(OWN,            "own",            "an address of ours: decoy, dark, or prober")         \
	X(SCOPE,          "scope",          "outside the scope that the operator named")          \
	X(OPTED_OUT,      "opted-out",      "its owner asked not to be looked at")                \
	X(KNOWN_SCANNER,  "known-scanner",  "a scanner that is known already")                    \
	X(TIER,           "tier",           "the look's tier is above the highest allowed, or it asks over UDP below tier 2")       \
	X(TARGET_BUDGET,  "target-budget",  "the address had its look of this round, or the look is too large") \
	X(HELD_OUT,       "held-out",       "one of the sources that are never looked at, for comparison") \
	X(SILENT_DECOY,   "silent-decoy",   "it met a decoy that never reacts, for comparison")   \
	X(WINDOW,         "window",         "its time window does not open while the proof holds") \
	X(SENSOR_BUDGET,  "sensor-budget",  "that decoy process caused as many looks as it may in an hour") \
	X(QUEUE_FULL,     "queue-full",     "as many looks wait as may wait")                     \
	X(NETWORK_BUSY,   "network-busy",   "allowed; it waits for another look in its network")  \
	X(RATE,           "rate",           "allowed; it waits for packets")                      \
	X(AS_RATE,        "as-rate",        "allowed; it waits for packets to its autonomous system") \
	X(PROBER_GONE,    "prober-gone",    "the prober died with it; whether a packet left is not known") \
	X(OVERDUE,        "overdue",        "the prober never said that it was done")             \
	X(UNSENT,         "unsent",         "the prober gave it back without a packet, too often")  \
	X(SURVEY_INCOMPLETE, "survey-incomplete", "the survey does not say all that its approval needs") \
	X(SURVEY_STOPPED, "survey-stopped", "the survey was stopped by hand")                     \
	X(SURVEY_OVER,    "survey-over",    "the survey's round is over, or its packets are spent") \
	X(SURVEY_RUNNING, "survey-running", "another scanner has the survey's permission")           \
	X(NO_PAGE,        "no-page",        "what was named is no http or https address")          \
	X(PORT,           "port",           "a port that no page is served at, or that pages are not asked for at") \
	X(VISITED,        "visited",        "that page was visited lately")                        \
	X(VISIT_BUDGET,   "visit-budget",   "the page's host or address had its visits of the day, or all are spent") \
	X(NO_LEASE,       "no-lease",       "no visit under way has that lease, or its connections are spent")

enum reason {
#define X(reason, word, what) REASON_##reason,
	REASONS(X)
#undef X
	REASON_COUNT
};
const char *reason_word(enum reason);
const char *reason_what(enum reason);

/* Why a look could be taken: what the event proves, and when it did. */
struct evidence {
	enum basis basis;
	uint64_t time_us;     /* of the proof */
	uint64_t study_until_us; /* BASIS_SURVEY by active.follow, which holds until then; 0: by a survey */
	struct address decoy; /* that the source met; zero: none */
	char marking[16];     /* that forbids it ("AMBER", "unmarked"); empty: none does */
};

struct question {
	struct address target;
	struct evidence evidence;
	uint64_t ports;  /* how many */
	bool udp;        /* one of them is of UDP */
	uint64_t tier;
	double hold_out; /* share of this rule; negative: the configured one */
	bool goes_on;    /* the rest of a look of this round, which waited for the operator: no second one */
	uint64_t leave_us; /* when it would leave, with its delay; 0: now */
	bool visit;      /* of a page: budgets of its own (control/visits_inner.h) */
	bool nameless;   /* of a visit: the target is a name that nobody resolved yet */
};

struct policy {
	const struct settings *settings;
	const struct prefix_set *opted_out;
	const struct prefix_set *asked_out; /* by the page, the API or a link; NULL: nobody yet */
	const struct atlas *atlas; /* NULL: nothing is known of networks and countries */
	bool opt_outs_unknown; /* the file could not be read yet */
	uint64_t hold_out_key; /* kept for ever: who is held out must not change */
};

/* REASON_OK, or the first check that refuses.  `known` may be NULL. */
enum reason policy_check(const struct policy *, const struct question *, const struct targets *,
			 const struct target *known, uint64_t now_us);
/* The checks that may have changed while a look waited. */
enum reason policy_check_again(const struct policy *, const struct question *, uint64_t now_us);
/* One sentence with what decided of that question: the range, the marking; may stay empty. */
void policy_explain(const struct policy *, const struct question *, enum reason, uint64_t now_us,
		    struct writer *);
/* The first moment from then on at which a look at that address may leave; UINT64_MAX: none in sight. */
uint64_t policy_opens_us(const struct policy *, const struct address *, uint64_t from_us);
/* The highest tier of a look at that address, on that basis. */
uint64_t policy_tier_of(const struct policy *, const struct address *, enum basis);
/* Whether its owner asked not to be looked at, also of an IPv4 address that an IPv6 one carries. */
bool policy_has_opted_out(const struct policy *, const struct address *);
/* Until when the evidence holds; 0: it does not age. */
uint64_t policy_basis_until(const struct policy *, const struct evidence *);
/* The evidence again, from what a look keeps of it. */
struct evidence policy_evidence_until(const struct policy *, enum basis, uint64_t until_us);
bool policy_is_held_out(const struct policy *, const struct address *, double share);
bool policy_is_silent(const struct policy *, const struct address *decoy);
/*
 * For the decoys, which must not steer at those either: a decoy is silent when the hash of its
 * address with that key, mixed, is below the bound in its upper 53 bits (passive/room/steering.h).
 */
void policy_silence(const struct policy *, uint64_t *key, uint64_t *below);
/* The address that a look at that target leaves from; zero: any. */
struct address policy_source(const struct policy *, const struct address *target);

/* What an event of that role proves about its `src`. */
struct evidence evidence_of(const struct event *, const char *role);
/* Without a basis, and with what forbade it, where this marking of a record does not allow looks; empty allows. */
void evidence_heed(struct evidence *, struct bytes pap);
