/*
 * The other side: a client that knows how to greet, for rehearsals, fuzzing, benches, and backends.
 *
 * It says all it has to say for a key exchange at once, and takes part in what follows; for
 * rehearsals its secret is the same each time.  It checks no host key.
 */
#pragma once
#include "passive/services/ssh/cipher.h"

#define PEER_HELLO_MAX 1024

struct ssh_peer {
	const char *cipher, *mac; /* names; set before */
	const char *version;      /* NULL: "SSH-2.0-rehearsal" */
	const uint8_t *secret;    /* EXCHANGE_RANDOM bytes; NULL: the same each time */
	uint8_t init[PEER_HELLO_MAX];
	size_t init_len;
	struct ssh_flow in, out;
	struct umac umac_in, umac_out;
};

/* Version, KEXINIT and the public value of curve25519-sha256. */
void peer_hello(struct ssh_peer *, struct writer *);
/*
 * Takes what the server says to that, up to its NEWKEYS; ours is written.  0: more must come
 * (nothing was taken), 1: from here on all is encrypted, -1: it said something else.
 */
int peer_agree(struct ssh_peer *, struct reader *said, struct writer *);
bool peer_send(struct ssh_peer *, struct bytes payload, struct writer *);
/* One message; `room` as for flow_open(). */
static inline enum flow_opened peer_receive(struct ssh_peer *p, struct reader *r, uint8_t *room,
                                            struct bytes *payload)
{
	return flow_open(&p->in, r, room, payload);
}
void peer_done(struct ssh_peer *);

/* What a client says to log in and run a command: messages for peer_send(). */
void peer_write_service(struct writer *);
void peer_write_password(struct writer *, const char *user, const char *password);
void peer_write_open(struct writer *);
void peer_write_exec(struct writer *, const char *command);
