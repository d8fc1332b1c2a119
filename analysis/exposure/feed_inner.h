/*
 * One element of a feed: NVD's of its API 2.0 and of the older feeds 1.1, or CISA's KEV.
 *
 * Which of them it is shows in itself.  A CVE becomes a record (record_inner.h), so that nothing of
 * the JSON stays in memory.
 */
#pragma once
#include "analysis/exposure/record_inner.h"

enum feed_kind { FEED_NVD, FEED_KEV, FEED_KINDS };

/* A CVE's number: sorts as the CVEs do, and is written back with cve_format(). */
typedef uint64_t cve_key;
bool cve_parse(struct bytes, cve_key *);
#define CVE_TEXT_MAX 32
char *cve_format(cve_key, char text[CVE_TEXT_MAX]);

struct feed_entry {
	enum feed_kind kind;
	cve_key key;
	uint64_t modified_us;
	uint64_t added_us, due_us; /* of KEV */
	bool ransomware;
};

/*
 * Reads an element; of NVD its record goes into the writer.  ERR_BAD when it is none, or breaks its
 * own format; ERR_FULL when it does not fit.
 */
int feed_read(struct bytes element, struct feed_entry *, struct writer *record);
