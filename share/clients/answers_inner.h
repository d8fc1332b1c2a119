/*
 * What servers answer to our clients, read without a network: every byte of it is a stranger's.
 *
 * Texts are in the arena, or in the answer itself.  ERR_BAD with a sentence: it is not what that server should answer.
 */
#pragma once
#include "base/arena.h"
#include "base/error.h"

#define ANSWER_SMALL_MAX (1u << 20) /* of what only lists things */
#define ANSWER_ITEMS_MAX 256
#define MISP_ENTRIES_MAX 200000
#define REPORTS_MAX 5000

struct answer_list {
	struct bytes items[ANSWER_ITEMS_MAX];
	size_t count;
};

enum taxii_answer { TAXII_UNKNOWN, TAXII_DISCOVERY, TAXII_ROOT, TAXII_COLLECTIONS, TAXII_COLLECTION };

/*
 * What stands behind a URL of TAXII 2.1, and what it lists: API roots, or the ids of collections that we may read and
 * that `wanted` names by id, alias or title (words between commas; empty: all).
 */
enum taxii_answer taxii_read(struct bytes body, const char *wanted, struct arena *, struct answer_list *);

struct taxii_page { /* TAXII 2.1 3.7, an envelope */
	bool more, any;    /* any: there are objects in it */
	struct bytes next; /* empty: none */
};
int taxii_read_page(struct bytes body, struct arena *, struct taxii_page *, struct fault *);

struct misp_entry {
	char uuid[37];
	uint64_t timestamp;
};
/* A feed's manifest in order of time; entries whose names are no UUIDs are left out, since they become paths. */
int misp_read_manifest(struct bytes body, struct arena *, struct misp_entry **, size_t *count, struct fault *);

struct shadow_report {
	struct bytes id, file;
};
int shadow_read_list(struct bytes body, struct arena *, struct shadow_report **, size_t *count, struct fault *);
/* HMAC2: the SHA-256 HMAC of the body under the secret, as 64 hex digits. */
void shadow_sign(struct bytes secret, struct bytes body, char text[65]);

enum dnsdb_end { DNSDB_CUT, DNSDB_SUCCEEDED, DNSDB_LIMITED, DNSDB_FAILED };
/* The condition that ends a stream (Streaming API Framing); DNSDB_CUT: there is none. */
enum dnsdb_end dnsdb_ending(struct bytes body);

/* links.next of an answer of VirusTotal, empty: this was the last page. */
struct bytes virustotal_next(struct bytes body, struct arena *);
/* A URL as VirusTotal names it in a path: base64url without "="; in the arena, empty: no room. */
struct bytes virustotal_url_id(struct bytes url, struct arena *);
