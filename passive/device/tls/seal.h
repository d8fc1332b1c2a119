/*
 * TLS between a peer and a session: bytes of the wire on one side, plain ones on the other.
 *
 * One tls_room a worker holds what sessions share: contexts, keys, certificates, and the bytes on
 * their way out.  A session's part is made when its first byte has come, so whoever only connects
 * costs nothing.  Nothing here does I/O, and after tls_room_open() nothing opens a file.
 */
#pragma once
#include "passive/device/tls/certificate.h"
#include "passive/device/tls/hello.h"

#define TLS_TERMS_MAX 512      /* different ways to speak TLS, of all personas together */
#define TLS_IDENTITIES_MAX 512 /* certificates kept; one costs a signature to make again */
#define TLS_WIRE_MAX (64u << 20)
#define TLS_IN_MAX (64u << 10)     /* of the wire, not yet read */
#define TLS_HELD_MAX (256u << 10) /* said before the handshake was through */

struct tls; /* of one session */

struct tls_room {
	struct tls_pool pool;
	uint64_t sessions, sessions_max;
	struct buffer wire; /* what the last call wants sent; the caller consumes it */
	void *method; /* of OpenSSL: how it reads and writes */
	struct tls_context *contexts;
	struct tls_cached *cached;
	const struct tls_terms *usual; /* of a device that says nothing of it */
	struct arena arena;
	uint8_t *scratch; /* of a hello in pieces */
};

/* What the first words of the peer said, and what came of it. */
struct tls_greeting {
	bool whole; /* it was a ClientHello: `hello` is filled in */
	struct tls_hello hello;
	const char *version, *cipher; /* agreed on; NULL: nothing was */
	uint8_t alpn[128];            /* names with commas between */
	size_t alpn_len;
};

enum tls_state {
	TLS_WAITING, /* for the rest of the handshake */
	TLS_OPEN,
	TLS_ENDED, /* by the peer, or for what it sent */
};

int tls_room_open(struct tls_room *, uint64_t device_key, size_t pool, uint64_t sessions_max);
void tls_room_done(struct tls_room *);

/* `terms` NULL: the usual.  NULL when there is no memory or there are too many sessions. */
struct tls *tls_new(struct tls_room *, const struct tls_terms *terms, const struct persona_look *,
                    const char *alpn, bool old_only);
void tls_free(struct tls *);
/* Takes bytes of the wire; they are kept until tls_read() has seen to them. */
int tls_hear(struct tls *, struct bytes);
/* Goes on with the handshake.  What is to be sent stands in the room's wire after any call. */
void tls_shake(struct tls *);
/* Plain bytes once it is through: how many, 0 when there are none. */
size_t tls_read(struct tls *, uint8_t *out, size_t size);
enum tls_state tls_state(const struct tls *);
/* Says plain bytes, after the handshake when it is still under way; false: too many, or broken. */
bool tls_say(struct tls *, struct bytes);
void tls_end(struct tls *); /* says that nothing more comes (close_notify) */
/* What was greeted with, once: NULL before, and after it has been given. */
const struct tls_greeting *tls_greeting(struct tls *);
/* The name of the server that the peer asked for; empty: none. */
struct bytes tls_name(const struct tls *);
/* The certificate as it is shown, DER.  Lives as long as the session. */
struct bytes tls_certificate(struct tls *, struct arena *);
