/*
 * Who may see what: organisations have users or services, these have tokens; a grant lets an organisation
 * read or write one collection, up to a marking, under a policy of fields, in a window of time, at a rate.
 *
 * Kept in one file below EXCHANGE_FOLDER, changed only by the process "exchange" (topics below, for `kansoku org`,
 * `user`, `token` and `grant`), each change in the audit.
 *
 * A token is "kansoku_" and 43 characters of base64url (256 bits); only its SHA-256 is kept, it is shown
 * once.  Who is not known, may not, or asks for what is not there gets the same answer after the same work.
 */
#pragma once
#include "share/collection.h"

#define ACCESS_NAME_MAX 63
#define ORGANISATIONS_MAX 1024
#define USERS_MAX 4096
#define TOKENS_MAX 16384
#define GRANTS_MAX 8192

#define TOPIC_ACCESS "exchange.access" /* a JSON object {"do": "org.add", …}; answered with one */

enum access_right { ACCESS_READ = 1, ACCESS_WRITE = 2 };

struct access;

struct access_claim { /* what a caller shows */
	struct bytes token;       /* of Bearer, or the password of Basic; empty: none */
	struct bytes user;        /* of Basic; empty with Bearer */
	const uint8_t *certificate; /* SHA-256 of the client's certificate, when its chain was verified; NULL: none */
	struct address from;
	uint64_t now_us;
};

struct caller { /* who it is */
	char organisation[ACCESS_NAME_MAX + 1], user[ACCESS_NAME_MAX + 1], token[17]; /* the token's public id */
	uint32_t organisation_number;
	unsigned scopes; /* of enum access_right: what the token may at most */
};

struct grant {
	char organisation[ACCESS_NAME_MAX + 1], collection[ACCESS_NAME_MAX + 1], policy[ACCESS_NAME_MAX + 1];
	unsigned rights;
	enum tlp tlp_max;
	uint64_t from_us, to_us;     /* of events; 0: open */
	uint64_t expires_us;         /* of the grant; 0: never */
	uint64_t per_minute;         /* requests; 0: as many as the exchange bears */
};

int access_open(struct access **, int directory, struct fault *);
void access_close(struct access *);
/* ERR_DENIED: unknown, expired, revoked, wrong network; in constant time, and why is in the audit only. */
int access_authenticate(struct access *, const struct access_claim *, struct caller *);
/* The grant that lets it; NULL: none, which its caller cannot tell from there being no such collection. */
const struct grant *access_granted(struct access *, const struct caller *, const char *collection, enum access_right);
/* Counts one request; false: the rate is used up, `wait_s` says for how long. */
bool access_pace(struct access *, const struct caller *, const struct grant *, uint64_t now_us, unsigned *wait_s);
/* {"do":…} → one JSON object; ERR_… with a sentence. */
int access_obey(struct access *, struct bytes request, struct writer *answer, struct fault *);
