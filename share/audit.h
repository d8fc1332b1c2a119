/*
 * The exchange's audit: what went out to whom, what was refused, and who changed whose rights.
 *
 * One JSON object a line in EXCHANGE_FOLDER/audit, appended and synced before what it tells of happens.  Each line
 * has its number ("n", from 1) and the SHA-256 of the line before without its line end ("before"; zeros in the
 * first), so that none can be changed or taken out unseen; `kansoku audit exchange` verifies the chain.  That the
 * last lines were not cut off shows who noted a line's number and digest elsewhere (audit_verify()'s `head`).
 * An export's line has all that makes it again: collection, filter, range, policy and its version, the key's
 * period, the time it was made at, format, and the SHA-256 of the bytes that were sent.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define AUDIT_FILE "audit"
#define AUDIT_LINE_MAX 32768
#define AUDIT_FILTER_MAX 2000 /* of a longer one its beginning stands there, and "filter_bytes" its length */
#define AUDIT_DIGEST 32
#define TOPIC_AUDIT "exchange.audit" /* {"before": N, "count": N, "organisation": …}: the latest lines, newest first */

struct audit;

struct audit_entry { /* empty parts are left out */
	const char *action;   /* "read", "write", "refused", "export", "preview", "token.add", … */
	const char *organisation, *user, *token;
	const struct address *from;
	const char *collection, *format, *marking, *policy, *policy_version, *reason;
	struct bytes filter;  /* as it was asked */
	uint64_t objects, from_us, to_us, period, made_us;
	const uint8_t *digest; /* SHA-256 of what was sent; NULL: nothing was */
};

struct audit_head { /* a line's place in the chain */
	uint64_t number; /* 0: there is no line */
	uint8_t digest[AUDIT_DIGEST];
};

int audit_open(struct audit **, int directory, struct fault *);
/* ERR_SYSTEM: it could not be written, and what it tells of must not happen. */
int audit_add(struct audit *, const struct audit_entry *);
struct audit_head audit_last(const struct audit *);
/* The latest lines before that number (0: from the end), newest first; false from `line` ends it. */
int audit_each_back(struct audit *, uint64_t before, bool (*line)(void *arg, struct bytes), void *arg);
void audit_close(struct audit *);
/*
 * Each line's place in the chain; ERR_BAD with the number of the first that is wrong.  `head`: on input a line that
 * must be in the chain (number 0: none), on output the last; `each` may be NULL.
 */
int audit_verify(int fd, struct audit_head *head, void (*each)(void *arg, struct bytes line), void *arg, struct fault *);
