/*
 * One weakness as the index keeps it: what NVD says of a CVE, in few bytes.
 *
 *   u64 modified, u64 published (microseconds of UTC), u8 ten times the CVSS base score, u8 its version
 *   (20, 30, 31, 40; 0: none), u8 flags, u16 length and text of the description, u16 configurations, each:
 *     u8 operator, u16 nodes, each:
 *       u8 operator, u32 matches, each:
 *         u8 flags, u8 bytes shared with the name before, u16 further bytes and they, then for each
 *         bound that the flags name u8 length and text
 *
 * Numbers are big-endian.  A name is a formatted string without "cpe:2.3:" and without the wildcards at
 * its end.  Names of one CVE are much alike, so most of each is shared.
 */
#pragma once
#include "analysis/exposure/cpe_inner.h"

#define RECORD_BYTES_MAX (8u << 20)
#define RECORD_SUMMARY_MAX 300
#define RECORD_CONFIGURATIONS_MAX 4096
#define RECORD_NODES_MAX 4096
#define RECORD_MATCHES_MAX 500000
#define RECORD_NAME_MAX 400

enum record_flag { RECORD_REJECTED = 1 };
enum record_operator { RECORD_OR = 0, RECORD_AND = 1, RECORD_NEGATED = 2 };
enum match_flag {
	MATCH_VULNERABLE = 1, /* else it is a condition: "running on" */
	MATCH_FROM = 2,       /* versionStartIncluding */
	MATCH_ABOVE = 4,      /* versionStartExcluding */
	MATCH_UPTO = 8,       /* versionEndIncluding */
	MATCH_BELOW = 16,     /* versionEndExcluding */
};
#define MATCH_BOUNDS 4

struct record_head {
	uint64_t modified_us, published_us;
	uint8_t score, cvss, flags;
	struct bytes summary;
	unsigned configurations;
};

struct record_match {
	uint8_t flags;
	char name[RECORD_NAME_MAX];
	size_t name_len;
	struct bytes bounds[MATCH_BOUNDS]; /* in the order of the flags */
};

void record_write_head(struct writer *, const struct record_head *);
/* `before` is the match written before, or NULL at the first of a record. */
void record_write_match(struct writer *, const struct record_match *, const struct record_match *before);

bool record_read_head(struct reader *, struct record_head *);
/* Reads over the match before, whose name it needs; clear `match` at the beginning of a record. */
bool record_read_match(struct reader *, struct record_match *);
/* "vendor:product" of a name, as it is written there; empty: it has none. */
struct bytes record_product(const struct record_match *);
