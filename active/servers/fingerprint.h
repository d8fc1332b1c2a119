/*
 * What command servers answer: pairs of a hello and a predicate on the answer, kept as data.
 *
 * A file in fingerprints/servers/ has two lists.  `servers` tell a family's command server; `services` tell
 * what anybody may run, so that it is not taken for one.  Bytes are texts with C's escapes ('\x00').
 *
 *   servers:
 *     - name: family-variant
 *       family: family
 *       hello: '\x00\x00\x00\x01'       # how the sample's first words begin; absent: whatever they are
 *       on: answer                      # to the hello; or banner: said before anything was asked;
 *                                       # or neutral: said to bytes that mean nothing
 *       starts: ':'                     # all that is named must hold
 *       contains: [' 001 ', '!*']       # in this order
 *       ends: '\r\n'
 *       length: {min: 2, max: 64}
 *       note: where it was learned
 *       examples: [':a 001 b :!*\r\n']  # must match
 *       others: ['HTTP/1.1 400']        # must not
 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/yaml.h"

#define SERVER_FINGERPRINTS_MAX 4096
#define SERVER_TOKENS_MAX 6
#define SERVER_EXAMPLES_MAX 16
#define SERVER_TOKEN_BYTES_MAX 512
#define SERVER_FILE_MAX (4u << 20)

struct predicate { /* on at most 512 bytes; an empty one never holds */
	struct bytes starts, ends, contains[SERVER_TOKENS_MAX];
	size_t contains_count;
	uint64_t length_min, length_max; /* length_max 0: any */
};
bool predicate_holds(const struct predicate *, struct bytes answer);

enum server_on { ON_ANSWER, ON_BANNER, ON_NEUTRAL };

struct server_fingerprint {
	const char *name, *family, *note, *file;
	unsigned line;
	bool service;       /* of the list `services` */
	enum server_on on;
	struct bytes hello; /* begin of the hello; empty: any */
	struct predicate says;
	struct bytes examples[SERVER_EXAMPLES_MAX], others[SERVER_EXAMPLES_MAX];
	size_t example_count, other_count;
};

struct server_fingerprints {
	struct arena arena;
	struct server_fingerprint items[SERVER_FINGERPRINTS_MAX];
	size_t count;
};

int server_fingerprints_open(struct server_fingerprints **); /* 0 or ERR_MEMORY; empty */
void server_fingerprints_close(struct server_fingerprints *);
/*
 * All *.yaml of that folder.  What is wrong is left out and counted, the first of it named with its line;
 * ERR_MISSING: there is no such folder.
 */
int server_fingerprints_read(struct server_fingerprints *, const char *folder, size_t *skipped, struct fault *first);
/* One document; how many were left out, or ERR_BAD: it is none. */
int server_fingerprints_take(struct server_fingerprints *, struct bytes yaml, const char *name, struct fault *first);
/* Examples that do not match, and counter-examples that do; the first is named. */
size_t server_fingerprints_verify(const struct server_fingerprints *, struct fault *first);
/* The first that holds of that list; NULL: none.  The hello matters to `servers` alone. */
const struct server_fingerprint *server_fingerprints_match(const struct server_fingerprints *, bool service,
							    enum server_on, struct bytes hello, struct bytes said);
/* C's escapes for what is not printable; the writer turns bad when it does not fit. */
void write_escaped_bytes(struct writer *, struct bytes);
