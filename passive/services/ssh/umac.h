/*
 * UMAC (RFC 4418) with AES and tags of 8 or 16 bytes, for messages up to 16 MiB: the MAC that
 * OpenSSH prefers beside ciphers that do not authenticate by themselves.
 */
#pragma once
#include "base/bytes.h"
#include <openssl/evp.h>

#define UMAC_KEY 16
#define UMAC_TAG_MAX 16

struct umac {
	EVP_CIPHER_CTX *pad; /* AES under the key of the pad */
	size_t tag;          /* 8 or 16 */
	uint32_t l1[(1024 + 16 * 3) / 4];
	uint64_t l2[4];
	uint64_t l3[4][8];
	uint32_t l3_mask[4];
};

/* False when libcrypto has no memory; umac_done() is due in any case. */
bool umac_start(struct umac *, const uint8_t key[UMAC_KEY], size_t tag);
/* Of one message; the same nonce must not come twice. */
bool umac_tag(const struct umac *, uint64_t nonce, struct bytes message, uint8_t tag[UMAC_TAG_MAX]);
void umac_done(struct umac *);
