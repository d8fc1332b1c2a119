/*
 * A decoy's host keys: made from the installation's secret, so that an address keeps its keys
 * for ever and nothing has to be stored.  Making an RSA key takes a good part of a second; so
 * the decoys share a pool of them, made when first asked for and kept by the process.
 */
#pragma once
#include "passive/service.h"
#include <openssl/evp.h>

#define SSH_KEY_BLOB_MAX 1100      /* of RSA with 8192 bits */
#define SSH_SIGNATURE_MAX 1100
#define SSH_RSA_POOL 8

struct ssh_rsa; /* a private key */

#define SSH_KEYS_READY 128 /* decoys whose small keys a process keeps at hand */
#define SSH_ED25519_BLOB 51
#define SSH_ECDSA_BLOB 104

struct ssh_ready_keys { /* of one address */
	struct address of;
	EVP_PKEY *ed25519; /* NULL: the place is free */
	uint8_t ed25519_blob[SSH_ED25519_BLOB], ecdsa_blob[SSH_ECDSA_BLOB];
};

struct ssh_shared { /* of all sessions in a process: session_shared() */
	struct ssh_rsa *rsa[3][SSH_RSA_POOL]; /* of 1024, 2048 and 3072 bits */
	struct ssh_ready_keys ready[SSH_KEYS_READY];
};

/* The key that this algorithm of the host key signs with, as it goes over the wire. */
bool host_key_blob(const struct session *, struct bytes algorithm, unsigned rsa_bits,
                   struct writer *blob);
/* A signature over the message by that algorithm, as it goes over the wire. */
bool host_key_sign(const struct session *, struct bytes algorithm, unsigned rsa_bits,
                   struct bytes message, struct writer *signature);
void host_keys_done(struct ssh_shared *);

/* rsa.c: a key whose primes follow from the seed alone.  NULL: no memory. */
struct ssh_rsa *rsa_make(const uint8_t seed[32], unsigned bits);
void rsa_free(struct ssh_rsa *);
void rsa_write_blob(const struct ssh_rsa *, struct writer *);
/* PKCS #1 v1.5 with "SHA1", "SHA256" or "SHA512". */
bool rsa_sign(const struct ssh_rsa *, const char *digest, struct bytes message, struct writer *);
