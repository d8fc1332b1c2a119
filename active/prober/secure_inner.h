/*
 * TLS of one connection over memory, for probes that are secure.
 *
 * Nothing is verified: an attacker's device shows a self-signed certificate, and the
 * certificate itself is what we came for.  No server name is sent (the target is an
 * address, RFC 6066 3).  Old versions and weak keys are accepted, since devices have them.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

struct secure_context; /* one per process, opened before it gives up its rights */
struct secure;         /* one per connection */
struct asking;
struct event;

int secure_context_open(struct secure_context **, struct fault *);
void secure_context_close(struct secure_context *);

enum secure_state { SECURE_SHAKING, SECURE_READY };

struct secure *secure_new(struct secure_context *); /* NULL: no memory */
void secure_free(struct secure *);
void secure_hear(struct secure *, struct bytes wire);
int secure_step(struct secure *); /* enum secure_state, or ERR_BAD when the handshake failed */
void secure_say(struct secure *, struct bytes plain);
size_t secure_read(struct secure *, uint8_t *plain, size_t n); /* 0: nothing more now */
struct bytes secure_unsent(struct secure *);
void secure_sent(struct secure *, size_t n);
/* Fills the tls.* fields and signals of what was learned. */
void secure_report(struct secure *, struct asking *, struct event *);

/* The same for a certificate alone (DER); what is no certificate is left out. */
void certificate_report(struct bytes der, struct asking *, struct event *);
