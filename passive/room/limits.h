/*
 * How much one source, its network and everybody together may take.
 *
 * A source is a /32 or /128, its network the /24 or /64 around it.  Rates are kept as the
 * time up to which a source has used its share (generic cell rate algorithm), so an account
 * is 40 bytes.  The table is bounded; who finds no room in it (all its places are taken by
 * busy sources) is admitted under the common limits only, and counted.
 */
#pragma once
#include "base/address.h"

enum refusal { /* why a peer was turned away at the door */
	       REFUSED_NOT,
	       REFUSED_SOURCE_SESSIONS,
	       REFUSED_SOURCE_RATE,
	       REFUSED_NETWORK_SESSIONS,
	       REFUSED_NETWORK_RATE,
	       REFUSED_SESSIONS,
	       REFUSED_RATE,
	       REFUSED_BYTES,
	       REFUSED_CONGESTION,
	       REFUSED_DESCRIPTORS,
	       REFUSED_MEMORY,
	       REFUSED_ADDRESS, /* no decoy has this address, or its persona has no such port */
	       REFUSED_STOPPING,
	       REFUSED_REFLECTION, /* an answer would hit whoever's address was forged */
	       REFUSALS,
};
const char *refusal_name(enum refusal);

struct limits_options {
	uint64_t sessions; /* open at once, one worker */
	uint64_t rate;     /* new ones a second */
	uint64_t source_sessions, source_rate;
	uint64_t network_sessions, network_rate;
	uint64_t source_bytes; /* a second, both directions */
	uint64_t network_bytes;
	uint64_t handshakes;      /* of TLS, a second */
	uint64_t handshake_bytes; /* that one counts for in the rates above */
};

struct limits_account;

struct limits_share {                            /* what one session holds; kept in it */
	struct limits_account *source, *network; /* NULL: no room was found */
};

struct limits {
	struct limits_options options;
	struct limits_account *accounts;
	size_t sets; /* of LIMITS_WAYS accounts each */
	uint64_t key;
	uint64_t rate_until_us, handshakes_until_us;
	uint64_t sessions;
	uint64_t unaccounted; /* admitted without an account, since start */
};

int limits_open(struct limits *, const struct limits_options *);
void limits_done(struct limits *);
/* Admits a session and fills the share, or says why not (REFUSED_SOURCE_SESSIONS to _BYTES). */
enum refusal limits_admit(struct limits *, const struct address *, uint64_t mono_us,
                          struct limits_share *);
void limits_leave(struct limits *, struct limits_share *);
/* Counts bytes moved; false when the source or its network has had more than its share. */
bool limits_spend(struct limits *, const struct limits_share *, size_t n, uint64_t mono_us);
/* The same for the work of a handshake; false also when all together have had theirs. */
bool limits_handshake(struct limits *, const struct limits_share *, uint64_t mono_us);
