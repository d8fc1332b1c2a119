/*
 * What may stand on a list by which others block: gathered over all events, sorted, each once.
 *
 * On it comes only who did something that cannot be forged: a log-in, a command, a file, an exploit, a use of bait over
 * TCP; who was judged an attacker; what samples use as servers; what partners name as such.  Off it stays, whatever
 * else is known, who was judged a survey, a victim or a bystander, whoever sent only packets that anyone can forge,
 * and addresses that are no hosts of the Internet (IANA's special ones, but those for documentation).
 */
#pragma once
#include "base/arena.h"
#include "event/event.h"
#include "share/output.h"

#define BLOCKLIST_ENTRIES_MAX (1u << 20)
#define BLOCKLIST_BYTES_MAX (256u << 20)
#define BLOCKLIST_VALUE_MAX 2048

#define BLOCKLIST_KINDS                                                                                                \
	(KIND_MASK(EVENT_LOGIN_TRIED) | KIND_MASK(EVENT_COMMAND_SENT) | KIND_MASK(EVENT_FILE_CAPTURED) |               \
	 KIND_MASK(EVENT_EXPLOIT_SEEN) | KIND_MASK(EVENT_TOKEN_USED) | KIND_MASK(EVENT_SOURCE_JUDGED) |                \
	 KIND_MASK(EVENT_BACKSCATTER_SEEN) | KIND_MASK(EVENT_REFLECTION_SEEN) | KIND_MASK(EVENT_INDICATOR_FOUND) |     \
	 KIND_MASK(EVENT_RECORD_IMPORTED))

enum blocked_type { BLOCKED_ADDRESS, BLOCKED_DOMAIN, BLOCKED_URL, BLOCKED_FILE };

struct blocked {
	enum blocked_type type;
	bool spared;             /* it must not be on it */
	const char *why;         /* the gravest: "attack", "command", ... */
	struct address address;  /* of BLOCKED_ADDRESS */
	struct bytes value;      /* of the others: bytes from outside, without control characters */
	uint64_t first_us, last_us, events;
};

struct blocklist;
int blocklist_new(struct output_run *); /* begin() of an output that is one */
int blocklist_event(struct output_run *, const struct event *);
void blocklist_free(void *);
/* The next in order of type and value after `*at` (0 first) that is not spared; NULL: that was all. */
const struct blocked *blocklist_next(struct output_run *, size_t *at);
/* A name as DNS has it (RFC 1123: letters, digits, hyphens, dots), so that it can stand in a zone. */
bool blocklist_is_name(struct bytes);
/* The list's first lines, each behind the word that makes a comment: what it is, of whom, from when, for whom. */
int blocklist_write_head(struct output_run *, const char *comment);
