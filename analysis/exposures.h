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
