/*
 * Keys and certificates of decoys, made from the device key: the same address shows the same
 * certificate in every worker and after every start, and nothing is kept on disk.
 *
 * A key of P-256 belongs to one address.  RSA keys take a tenth of a second to find, so there is
 * a small pool of them that addresses share, each found when it is first needed; many real
 * devices share the key of their firmware.
 */
#pragma once
#include "base/error.h"
#include "passive/persona.h"
#include "passive/device/tls/terms.h"
#include <openssl/x509.h>

#define TLS_POOL_MAX 64

struct tls_pool {
	uint64_t device_key;
	size_t size; /* keys of each kind of RSA, 1 to TLS_POOL_MAX */
	EVP_PKEY *rsa[TLS_EC][TLS_POOL_MAX];
};

struct tls_identity {
	EVP_PKEY *key;
	X509 *certificate;
};

void tls_pool_done(struct tls_pool *);
/* 0 or ERR_MEMORY; `out` owns a reference of both. */
int tls_identity_make(struct tls_pool *, const struct tls_terms *, const struct persona_look *,
                      struct tls_identity *out);
void tls_identity_done(struct tls_identity *);
/* 32 bytes that follow from the device key and what they are for. */
void tls_derive(uint64_t device_key, const char *what, uint64_t number, uint64_t counter, uint8_t out[32]);
