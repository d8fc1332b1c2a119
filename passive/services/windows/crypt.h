/*
 * The cryptography of Windows log-ins, old and small: all from libcrypto's plain functions,
 * which, other than its newer ones, read no file at their first use and know MD4 and RC4.
 */
#pragma once
#include "base/bytes.h"

enum { CRYPT_MD = 16, CRYPT_SHA256 = 32, CRYPT_SHA512 = 64 };

void crypt_md4(struct bytes, uint8_t out[CRYPT_MD]);
void crypt_md5(struct bytes, uint8_t out[CRYPT_MD]);
/* Of several pieces, one after the other; the list ends with a piece whose `at` is NULL. */
void crypt_md5_pieces(const struct bytes *pieces, uint8_t out[CRYPT_MD]);
void crypt_hmac_md5(struct bytes key, const struct bytes *pieces, uint8_t out[CRYPT_MD]);
void crypt_hmac_sha256(struct bytes key, const struct bytes *pieces, uint8_t out[CRYPT_SHA256]);
void crypt_sha512(const struct bytes *pieces, uint8_t out[CRYPT_SHA512]);
/* One block under 56 bits of key (MS-NLMP 6, DES()). */
void crypt_des(const uint8_t key[7], const uint8_t in[8], uint8_t out[8]);
/* One block under a key as it stands, eight bytes with parity. */
void crypt_des_parity(const uint8_t key[8], const uint8_t in[8], uint8_t out[8]);
/* Both pieces under one stream. */
void crypt_rc4_twice(struct bytes key, struct bytes first, uint8_t *first_out, struct bytes second,
		     uint8_t *second_out);
void crypt_rc4(struct bytes key, struct bytes in, uint8_t *out);
void crypt_aes_cmac(const uint8_t key[16], struct bytes, uint8_t out[16]); /* RFC 4493 */
/*
 * AES-128 in counter mode with a tag of 16 bytes, CCM (RFC 3610) or GCM (SP 800-38D): `beside` is
 * under the tag only.  In place is allowed; who opens compares the tag by itself.
 */
struct crypt_sealed {
	bool gcm;
	struct bytes nonce, beside, text;
};
void crypt_aes_seal(const uint8_t key[16], const struct crypt_sealed *, uint8_t *out, uint8_t tag[16]);
void crypt_aes_open(const uint8_t key[16], const struct crypt_sealed *, uint8_t *out, uint8_t tag[16]);
/* 128 bits derived in counter mode (SP 800-108) as SMB 3 does; label and context with their NUL. */
void crypt_smb3_key(const uint8_t key[16], struct bytes label, struct bytes context,
		    uint8_t out[16]);
