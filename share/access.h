/*
 * Who may see what: organisations have users or services, these have tokens; a grant lets an organisation
 * read or write one collection, up to a marking, under a policy of fields, in a window of time, at a rate.
 *
 * Kept in one file below EXCHANGE_FOLDER, changed only by the process "exchange" (topic below, for `kansoku org`,
 * `user`, `token` and `grant`), each change in the audit before it holds.
 *
 * A token is "kansoku_" and 43 characters of base64url (256 bits); only its SHA-256 is kept, it is shown
 * once.  A certificate's SHA-256 can stand in a token's place.  Who is not known, may not, or asks for what is not
 * there gets the same answer after the same work; which of them it was is in the audit only.
 */
#pragma once
#include "base/address.h"
#include "share/audit.h"
#include "share/collection.h"

#define ACCESS_FILE "access.json"
#define ACCESS_NAME_MAX 63
#define ORGANISATIONS_MAX 1024
#define USERS_MAX 4096
#define TOKENS_MAX 16384
#define GRANTS_MAX 8192
#define TOKEN_TEXT 51     /* "kansoku_" and 43 letters */
#define TOKEN_COLLECTIONS_MAX 8
#define DIGEST_BYTES 32   /* SHA-256 */

#define TOPIC_ACCESS "exchange.access" /* a JSON object {"do": "org.add", …}; answered with one */
#define ACCESS_ANSWER_MAX (512u << 10)

enum access_right { ACCESS_READ = 1, ACCESS_WRITE = 2 };

struct access;

struct access_about {
	int directory;       /* it is the caller's to close */
	struct audit *audit; /* outlives it */
	/* What a grant may name; NULL: anything. */
	void *arg;
	bool (*has_collection)(void *arg, const char *name);
	bool (*has_policy)(void *arg, const char *name);
};

struct access_claim { /* what a caller shows */
	struct bytes token;       /* of Bearer, or the password of Basic; empty: none */
	struct bytes user;        /* of Basic: "user", "organisation" or "organisation/user"; empty with Bearer */
	const uint8_t *certificate; /* SHA-256 of the client's certificate (DER), when its chain was verified; NULL: none */
	struct address from;
	uint64_t now_us;
};

struct caller { /* who it is */
	char organisation[ACCESS_NAME_MAX + 1], user[ACCESS_NAME_MAX + 1], token[17]; /* the token's public id */
	uint32_t organisation_number; /* never given to another */
	unsigned scopes; /* of enum access_right: what the token may at most */
	char collections[TOKEN_COLLECTIONS_MAX][ACCESS_NAME_MAX + 1]; /* what the token is for; empty: all that is granted */
	struct address from;
	uint64_t now_us;
};

struct grant {
	char organisation[ACCESS_NAME_MAX + 1], collection[ACCESS_NAME_MAX + 1], policy[ACCESS_NAME_MAX + 1];
	unsigned rights;
	enum tlp tlp_max;
	uint64_t from_us, to_us;     /* of events, half open; 0: open */
	uint64_t last_us, delay_us;  /* of events: only so far back, and only so old; 0: no such limit */
	uint64_t expires_us;         /* of the grant; 0: never */
	uint64_t per_minute;         /* requests; 0: as many as the exchange bears */
};

int access_open(struct access **, const struct access_about *, struct fault *);
void access_close(struct access *);
/*
 * ERR_DENIED: unknown, expired, revoked, wrong network, …; in constant time, and the audit has it already.
 */
int access_authenticate(struct access *, const struct access_claim *, struct caller *);
/*
 * The grant that lets it; NULL: none, which its caller cannot tell from there being no such collection.
 * Says nothing to the audit, so that lists can be made with it.  Valid until the next access_obey(): who answers
 * later keeps a copy.
 */
const struct grant *access_granted(struct access *, const struct caller *, const char *collection, enum access_right);
/* What the operator may hand to an organisation: its grant to read, as long as neither is over; NULL: none. */
const struct grant *access_granted_to(struct access *, const char *organisation, const char *collection, uint64_t now_us);
/* Whether what bears that marking may be shown under the grant. */
bool access_sees(const struct grant *, enum tlp);
/* Narrows a selection's time to what the grant allows now; false: nothing is left. */
bool access_window(const struct grant *, uint64_t now_us, uint64_t *from_us, uint64_t *to_us);
/* Counts one request; false: the rate is used up (and the audit has it), `wait_s` says for how long. */
bool access_pace(struct access *, const struct caller *, const struct grant *, uint64_t now_us, unsigned *wait_s);
/*
 * Writes into the audit that the caller was refused; `why` NULL: for want of a grant, and it finds out itself which
 * kind of want.  Refusals beyond a bounded pace are counted and written in one line.
 */
void access_refuse(struct access *, const struct caller *, const char *collection, enum access_right, const char *why);
/* {"do":…} → one JSON object; ERR_… with a sentence. */
int access_obey(struct access *, struct bytes request, uint64_t now_us, struct writer *answer, struct fault *);
