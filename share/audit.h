/*
 * The exchange's audit: what went out to whom, what was refused, and who changed whose rights.
 *
 * One JSON object a line in EXCHANGE_FOLDER/audit, appended and synced before what it tells of is sent.  Each line
 * holds the SHA-256 of the line before ("before"), so that none can be changed or taken out unseen; `kansoku
 * audit exchange` verifies the chain.  An export's line has all that makes it again: collection, range, policy,
 * the key's period, format, and the SHA-256 of the bytes that were sent.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

struct audit;

struct audit_entry { /* empty parts are left out */
	const char *action;   /* "read", "write", "refused", "export", "token.add", … */
	const char *organisation, *user, *token;
	struct bytes from;    /* address */
	const char *collection, *format, *policy, *policy_version, *reason;
	struct bytes filter;  /* as it was asked */
	uint64_t objects, from_us, to_us, period;
	const uint8_t *digest; /* SHA-256 of what was sent; NULL: nothing was */
};

int audit_open(struct audit **, int directory, struct fault *);
/* ERR_SYSTEM: it could not be written, and what it tells of must not happen. */
int audit_add(struct audit *, const struct audit_entry *);
void audit_close(struct audit *);
/* Each line's place in the chain; ERR_BAD with the number of the first that is wrong. */
int audit_verify(int fd, uint64_t *lines, struct fault *);
