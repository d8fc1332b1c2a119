/*
 * What the console and the command line may ask of control, and check without it running.
 *
 * Topics of the process "control" (also at its door), payloads are JSON:
 *
 *   "look.ask"       {"target": "192.0.2.1", "ports": [23, "161/udp"], "tier": 1,
 *                     "basis": "operator" or "survey"}; the last three may be left out.
 *                    Answer: {"decision", "reason", "detail", "lease", "not_before"}
 *   "control.state"  nothing.  Answer: one object: looks by state, decisions by reason,
 *                    steering, opt-outs, hold-out, budgets
 *
 *                    With "dry": true nothing is decided: it is what would be.
 *
 *   "visit.ask"      {"url": "http://...", "here": bool}.  Answer as of look.ask.  `here`: who asks visits
 *                    the page itself and asks "visit.connect" for each connection; else the process "visit" does
 *   "visit.connect"  not JSON: lease (16 bytes), address (16), port u16, host as text.  Answer: 1 or 0,
 *                    the address to send from (16; zero: any), the reason as one word
 *   "visit.done"     not JSON: the lease: that visit is over
 *
 * Control tells the process "visit" of who opted out: "visit.revoke", 16 bytes address + 1 byte prefix length.
 *
 * Command servers of own samples (bus/check.h):
 *
 *   "server.list"    nothing.  Answer: {"rows": [{"address", "port", "state", "certainty", "sample", "family",
 *                    "fingerprint", "found", "checked", "live", "next", "checks", "hello", "approval"}]}
 *   "server.check"   {"address", "port"}: check one of them now, as far as its budget allows.
 *                    Answer: {"decision", "reason", "detail"} as of "look.ask"
 *
 * Opt-outs; "page" is what the page's process may ask, the rest is for the operator:
 *
 *   "optout.add"     {"prefix", "reason", "how": "api" or "command"}
 *   "optout.list"    {"from": n}.  Answer: {"rows": [{"prefix", "how", "time", "reason", "state"}], "next": n},
 *                    state "opted-out" or "waiting"; no "next" behind the last
 *   "optout.decline" {"prefix"}: a request that is not granted
 *   "optout.link"    {"prefix", "until": seconds}.  Answer: {"prefix", "until", "sign"}
 *   "optout.here"    page: {"visitor": address, "reason", "network": prefix, may be left out}: the
 *                    visitor's own address at once; a network waits for the operator
 *   "optout.confirm" page: {"prefix", "until", "sign", "visitor"}
 *   "optout.known"   page: {"visitor"}.  Answer: {"opted_out": bool}
 */
#pragma once
#include "base/address.h"
#include "base/options.h"
#include "control/policy.h"

/* The page for those who were looked at, on the addresses that looks leave from. */
struct page_options {
	struct option_list listen; /* struct address */
	uint64_t port;             /* 0: there is no page */
	const char *signed_text;   /* file: probing.txt as the operator signed it; NULL: made at once */
	const char *url;           /* under which visitors reach it; NULL: http://, first address, port */
};

/* What the operator promises to whom is looked at. */
struct promises {
	const char *name, *contact, *page; /* NULL or empty: not said */
	uint64_t ports_max, packets_max, round_ms, tier, network_looks;
	const struct page_options *page_options;
};
void control_promises(const struct config *, struct promises *);
/* The page's address, without a slash at its end: "http://198.51.100.9"; NULL when there is no page. */
const char *control_page_url(const struct config *, char *text, size_t n);

/* Checks all of control's sections, also the rules, as `kansoku run` would. */
int control_check(const struct config *, struct fault *);
/* Plain text: what would be looked at, how often, by which rules; what is allowed loudly. */
int control_summarise(const struct config *, struct writer *, struct fault *);
/*
 * What would be sent to that address if it logged in to a decoy now: one line, the answer of
 * the policy with its reason.  The opt-out file is read; budgets count as unused.
 */
struct dry_look { /* a look as it would be, if it were asked for now */
	const char *rule;        /* that would ask; NULL: by hand */
	const char *reason, *what;
	char detail[200];
	bool allowed;
	const uint32_t *ports;
	size_t port_count;
	uint64_t tier, packets_max, delay_min_us, delay_max_us, leave_us; /* leave_us: with the shortest delay */
	double hold_out;         /* share of the sources that are never looked at */
	struct address from;     /* zero: as the system chooses */
};

/*
 * A look by hand at these ports, then what each rule would ask for: opt-outs are read, budgets count
 * as unused.  Nothing is sent or asked.
 */
int control_dry_looks(const struct config *, const struct address *, const uint32_t *ports, size_t count, uint64_t tier,
		      void (*each)(void *arg, const struct dry_look *), void *arg, struct fault *);
int control_dry_run(const struct config *, const struct address *, struct writer *, struct fault *);

/*
 * A survey's permission without a running kansoku: what the configuration approves, as the policy
 * would have it.  ERR_MISSING: there is no such survey; ERR_DENIED: it is refused, the fault
 * begins with the reason's word.
 */
struct survey_permit;
int control_survey_open(struct survey_permit **, const struct config *, const char *name, struct fault *);
/*
 * 1: the excluded set is another one now, since the file or the register of opt-outs changed.  0:
 * nothing is new.  ERR_DENIED: its time is over, or the register cannot be read.  ERR_BAD, ERR_SYSTEM:
 * the file has lines that are none, or is gone; what was excluded stays so, and what could be read counts.
 */
int control_survey_poll(struct survey_permit *, struct fault *);
void control_survey_close(struct survey_permit *);
/* Its seed is 0 where the survey names none; what earlier rounds sent is not known here. */
const struct survey_lease *control_survey_lease(const struct survey_permit *);
uint64_t control_survey_ports_max(const struct survey_permit *);
const char *control_survey_contact(const struct survey_permit *);
const char *control_survey_opt_out(const struct survey_permit *); /* the file; NULL: there is none */
/* The folder of the register of opt-outs, which may not be there yet; ERR_FULL. */
int control_survey_register(const struct survey_permit *, char *path, size_t n);
const char *control_survey_page(const struct survey_permit *); /* NULL: there is none */
const struct prefix_set *control_survey_targets(const struct survey_permit *);
const struct prefix_set *control_survey_excluded(const struct survey_permit *);

/*
 * A visit's permission without a running kansoku: the operator named the page by hand.  Each of its
 * connections is asked by itself, as control does at "visit.connect".
 */
struct visit_permit;
/* ERR_DENIED: no visit is allowed at all, the fault begins with the reason's word. */
int control_visit_open(struct visit_permit **, const struct config *, struct fault *);
void control_visit_close(struct visit_permit *);
/* True, and where to send from (zero: any); else the reason in one word. */
bool control_visit_permits(struct visit_permit *, const struct address *, uint16_t port, struct address *from, const char **reason);
/* As control_survey_poll(): 1 or an error: ask again for every address that is connected. */
int control_visit_poll(struct visit_permit *, struct fault *);

/*
 * Whether a sample may talk with that address, for who asks beside no running kansoku: the operator named
 * it by hand, the policy has the last word.  ERR_DENIED: the fault begins with the reason's word.
 */
int control_egress_check(const struct config *, const struct address *, struct fault *);
