/*
 * To which weaknesses a host is exposed, from what it answered: no packet is sent for that.
 *
 * Two sources of knowledge: an index of the user's NVD and KEV files, asked by CPE name
 * (weaknesses_*), and rules on the fields of what a host answered (exposures/, struct exposure_rules).
 * docs/exposures.md says what a finding means and what it cannot mean.
 *
 * The index is one file that is read where it lies (mmap) and replaced as a whole; whoever has the old
 * one open goes on with it.  Reading it believes nothing: a damaged one gives ERR_BAD, no more.
 */
#pragma once
#include "base/error.h"
#include "base/bytes.h"
#include "event/event.h"

#define EXPOSURE_FOLDER "exposure"  /* of the state directory */
#define EXPOSURE_INDEX "weaknesses" /* in it */

/* Writing. */

struct weaknesses_counts {
	uint64_t files, unchanged, cves, newer, older, known, bad, too_long;
};

struct import; /* files on their way into an index */
#define IMPORT_NVD 0
#define IMPORT_KEV 1
/* Begins from the index at `path`, if there is one; a broken one is ERR_BAD: it is not overwritten. */
int import_open(struct import **, const char *path, struct fault *);
/*
 * Takes a file, packed by gzip or plain; ERR_BAD when it is not of that kind or not whole (then what
 * it had is taken, too, and it will be read again).  `text` is the descriptor of the file at its
 * beginning.  A file whose digest is known is not read.
 */
int import_take(struct import *, int kind, int fd, const char *name, struct fault *);
bool import_is_news(const struct import *); /* whether anything has to be written */
/* Writes the new index beside the old one, syncs it, and puts it in its place. */
int import_finish(struct import *, struct fault *);
void import_close(struct import *);
const struct weaknesses_counts *import_counts(const struct import *);

/* Asking. */

struct weaknesses;
/* ERR_MISSING: there is none; ERR_BAD: damaged.  The descriptor may be closed afterwards. */
int weaknesses_open(struct weaknesses **, int fd, const char *name, struct fault *);
void weaknesses_close(struct weaknesses *);

struct weaknesses_size {
	uint64_t cves, products, known, bytes, written_us;
};
struct weaknesses_size weaknesses_size(const struct weaknesses *);

/* One product of a host, as host.identified names it. */
#define SOFTWARE_MAX 64
struct software {
	struct bytes cpe, banner, rule;
	uint16_t port;
	uint8_t certainty;
};
/* Reads the lines of the field "software"; what is no such line is left out. */
size_t software_read(struct bytes lines, struct software out[SOFTWARE_MAX]);

/* Names of one product, and distributions that repair without a new number; exposures/products.yaml. */
struct products;
int products_open(struct products **, struct bytes yaml, const char *name, struct fault *);
void products_close(struct products *);

struct weakness {
	char cve[32];
	char cpe[256];         /* the host's name that matched */
	char criteria[512];    /* what NVD says is vulnerable, with its bounds */
	char condition[256];   /* "only if …"; empty: no condition is left open */
	bool possibly;         /* something that it depends on is not known */
	bool distribution;     /* a distribution's build: may be repaired under the same number */
	bool known;            /* in KEV */
	bool ransomware;
	uint64_t added_us, published_us;
	uint8_t score, cvss;   /* ten times the base score; its version as 31 */
	uint8_t confidence;
	uint16_t port;
	struct bytes summary;  /* the index's */
	struct bytes banner, rule;
};

/*
 * Every weakness of these products, in no order; stops where `each` says false.  Returns how many
 * candidates were looked at.
 */
size_t weaknesses_find(struct weaknesses *, const struct products *, const struct software *, size_t count,
		       bool (*each)(void *, const struct weakness *), void *arg);
/* "critical" from 9.0, "high" from 7.0, "medium" from 4.0, "low"; "unknown" without a score. */
const char *weakness_severity(const struct weakness *);

/*
 * Rules on what a host answered: every exposures file but products.yaml, a list of
 *
 *   - id: telnet-open
 *     title: Telnet asks for a password in the clear
 *     severity: medium            info, low, medium, high or critical
 *     confidence: 95              that it is so where the conditions hold; default 90
 *     on: host.answered           the kind of event; this is the default
 *     when: {probe: telnet, telnet.prompt: true}    event/condition.h; a list of such maps: one of them
 *     evidence: [banner]          the fields that are quoted
 *     references: [https://cwe.mitre.org/data/definitions/319.html]
 *     examples: [{probe: telnet, telnet.prompt: true, banner: "login:"}]     it must find these …
 *     not: [{probe: telnet, telnet.prompt: false}]                           … and not these
 *
 * A rule that is wrong is left out with its file, line and reason; the others stay.
 */
#define EXPOSURE_FIELDS_MAX 8
#define EXPOSURE_RULES_MAX 2048
#define EXPOSURE_FILE_MAX (1u << 20)
#define EXPOSURE_COMPLAINTS_MAX 32

struct exposure_rule {
	const char *id, *title, *severity, *references, *file; /* a seek has no severity */
	unsigned line, confidence;
	enum event_kind kind;
};

struct exposure_rules;
int exposure_rules_open(struct exposure_rules **); /* 0 or ERR_MEMORY; event_start() was called */
/*
 * The same for seeks, rules on what is looked for (fingerprints/seek/, analysis/seeking.h).  They have a `name`,
 * a `label` that begins with one of the three meanings, and what they were `learned` from, instead of `id`,
 * `title`, `severity` and `references`; the rest is as above.
 */
#define SEEK_MEANINGS "\"infected: \", \"taken over: \" or \"malicious server: \""
int seek_rules_open(struct exposure_rules **);
/*
 * The same for what others claim of a host (fingerprints/claims/, analysis/ics_study.h), on record.imported: a
 * `verdict` (controller, wrong or decoy; the rule's `severity`) and `because` instead of `severity` and `title`.
 */
int claim_rules_open(struct exposure_rules **);
void exposure_rules_close(struct exposure_rules *);
/* `text` must live as long as the rules are read, not longer. */
void exposure_rules_add(struct exposure_rules *, struct bytes text, const char *name);
size_t exposure_rules_count(const struct exposure_rules *);
const struct exposure_rule *exposure_rules_at(const struct exposure_rules *, size_t i); /* i is below the count */
/* What was left out and why, at most EXPOSURE_COMPLAINTS_MAX; NULL beyond the last. */
const char *exposure_rules_complaint(const struct exposure_rules *, size_t i);
/* Calls back with every rule whose conditions hold, and with what it quotes (valid UTF-8). */
#define EXPOSURE_EVIDENCE_MAX 1024
void exposure_rules_judge(const struct exposure_rules *, const struct event *,
			  void (*each)(void *, const struct exposure_rule *, const char *evidence), void *arg);
struct exposure_check {
	size_t rules, examples, without_example, failed;
};
/* Every example and counter-example, tried; each failure is said in a sentence. */
void exposure_rules_verify(const struct exposure_rules *, struct exposure_check *,
			   void (*say)(void *, const char *sentence), void *arg);

/* All that is known: rules and products of the directories (and of those beside the program), and an index. */
struct exposures {
	struct exposure_rules *rules;
	struct products *products;   /* NULL: there is none */
	struct weaknesses *index;    /* NULL: nothing was imported */
	struct exposure_rules *seeks; /* NULL: nothing is sought */
};
/* Reads our own directory, then those named.  Complaints are kept with the rules. */
int exposures_open(struct exposures *, const char *const *directories, size_t count, struct fault *);
/* What is sought: fingerprints/seek, then the directories named. */
int exposures_open_seeks(struct exposures *, const char *const *directories, size_t count, struct fault *);
/* Rules on what others claim, alone: fingerprints/claims, then the directories named. */
int claim_rules_load(struct exposure_rules **, const char *const *directories, size_t count, struct fault *);
void exposures_close(struct exposures *);

struct exposures_limits {
	unsigned per_host;       /* weaknesses of one host that are told one by one */
	unsigned confidence_min; /* below it a weakness is not told */
};

/*
 * Judges an answer or an identity: `each` gets an exposure.found for every finding, and a host.matched for
 * every seek, without id; the
 * event may be changed and published there, and is used again.  False from it ends.
 */
void exposures_judge(const struct exposures *, const struct exposures_limits *, const struct event *,
		     bool (*each)(void *, struct event *), void *arg);

/* Topics that command lines may ask the role. */
#define TOPIC_REJUDGE "exposure.rejudge" /* u64 since (microseconds); answered with a line of JSON */
