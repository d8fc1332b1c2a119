/*
 * Indicators: addresses, names, keys and the like by which an attacker is known, and how they are found in text.
 *
 * What samples hold, what pages link to and what people write about attacks is searched by the same
 * function, so that the same text names the same things everywhere.
 */
#pragma once
#include "base/address.h"
#include "base/bytes.h"

#define INDICATOR_VALUE_MAX 2048

enum indicator_type {
	INDICATOR_ADDRESS,  /* 192.0.2.7 */
	INDICATOR_ENDPOINT, /* 192.0.2.7:23, [2001:db8::1]:23 or host.example:23 */
	INDICATOR_DOMAIN,
	INDICATOR_URL,
	INDICATOR_MAIL,
	INDICATOR_AGENT,    /* a User-Agent */
	INDICATOR_KEY,      /* a key, by its kind: "ssh-rsa AAAA…", "xor 0x22" */
	INDICATOR_WALLET,
	INDICATOR_CREDENTIAL, /* "user:password" that it tries */
	INDICATOR_MUTEX,
	INDICATOR_PATH,     /* a file that it makes */
	INDICATOR_HASH,     /* sha256 of something that it drops or loads */
	INDICATOR_TYPES
};
const char *indicator_type_name(enum indicator_type); /* "address", … as in JSON */

enum indicator_role { /* what it is for, as far as one can tell */
	FOR_UNKNOWN,
	FOR_COMMAND,  /* it takes orders there */
	FOR_DOWNLOAD, /* it fetches from there */
	FOR_REPORT,   /* it sends what it found there */
	FOR_VICTIM,   /* it scans or floods that: never looked at */
	FOR_PEER,
	FOR_CHECK,    /* it asks whether there is a network: bystanders */
	INDICATOR_ROLES
};
const char *indicator_role_name(enum indicator_role);

struct indicator {
	enum indicator_type type;
	enum indicator_role role;
	struct bytes value;      /* normalised: lower-case host names, no default port */
	const char *how;         /* "strings", "xor 0x22", "mirai-table", "run: connect", "memory", … */
	unsigned confidence;     /* 0 to 100 */
	uint64_t offset;         /* in its part; UINT64_MAX: nowhere */
	unsigned part;           /* of a sample: where it was seen first; 0 elsewhere */
};

typedef void indicator_found_f(void *arg, const struct indicator *);

/*
 * Finds addresses, endpoints, domains, URLs, mail addresses, user agents and wallets in text; `how`
 * and `confidence` are those of a plain hit, lowered for what is often false.  `offset` is the text's
 * own, UINT64_MAX where that means nothing; values are valid during the call.
 */
void indicators_find(struct bytes text, uint64_t offset, const char *how, unsigned confidence, indicator_found_f *,
		     void *arg);
/* The address that it is or has (of an endpoint or URL, too), and its port, 0 where none is named; false: it has none. */
bool indicator_address(const struct indicator *, struct address *, uint32_t *port);
