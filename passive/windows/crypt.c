#define OPENSSL_SUPPRESS_DEPRECATED /* the newer interface reads files at its first use */
/* MD4 to AES-CMAC, over libcrypto's plain functions. */
#include "passive/windows/crypt.h"
#include <openssl/aes.h>
#include <openssl/des.h>
#include <openssl/md4.h>
#include <openssl/md5.h>
#include <openssl/rc4.h>
#include <openssl/sha.h>

#define BLOCK 64 /* of MD5 and SHA-256 */

void crypt_md4(struct bytes b, uint8_t out[CRYPT_MD])
{
	MD4(b.at, b.len, out);
}

void crypt_md5(struct bytes b, uint8_t out[CRYPT_MD])
{
	MD5(b.at, b.len, out);
}

static void pad_key(struct bytes key, uint8_t with, uint8_t pad[BLOCK])
{
	memset(pad, with, BLOCK);
	for (size_t i = 0; i < key.len && i < BLOCK; i++)
		pad[i] ^= key.at[i];
}

void crypt_hmac_md5(struct bytes key, const struct bytes *pieces, uint8_t out[CRYPT_MD])
{
	uint8_t pad[BLOCK], inner[CRYPT_MD];
	MD5_CTX c;
	MD5_Init(&c);
	pad_key(key, 0x36, pad);
	MD5_Update(&c, pad, sizeof pad);
	for (; pieces->at; pieces++)
		MD5_Update(&c, pieces->at, pieces->len);
	MD5_Final(inner, &c);
	MD5_Init(&c);
	pad_key(key, 0x5c, pad);
	MD5_Update(&c, pad, sizeof pad);
	MD5_Update(&c, inner, sizeof inner);
	MD5_Final(out, &c);
}

void crypt_hmac_sha256(struct bytes key, const struct bytes *pieces, uint8_t out[CRYPT_SHA256])
{
	uint8_t pad[BLOCK], inner[CRYPT_SHA256];
	SHA256_CTX c;
	SHA256_Init(&c);
	pad_key(key, 0x36, pad);
	SHA256_Update(&c, pad, sizeof pad);
	for (; pieces->at; pieces++)
		SHA256_Update(&c, pieces->at, pieces->len);
	SHA256_Final(inner, &c);
	SHA256_Init(&c);
	pad_key(key, 0x5c, pad);
	SHA256_Update(&c, pad, sizeof pad);
	SHA256_Update(&c, inner, sizeof inner);
	SHA256_Final(out, &c);
}

void crypt_sha512(const struct bytes *pieces, uint8_t out[CRYPT_SHA512])
{
	SHA512_CTX c;
	SHA512_Init(&c);
	for (; pieces->at; pieces++)
		SHA512_Update(&c, pieces->at, pieces->len);
	SHA512_Final(out, &c);
}

void crypt_des_parity(const uint8_t key[8], const uint8_t in[8], uint8_t out[8])
{
	DES_key_schedule schedule;
	DES_cblock k, from, to;
	memcpy(k, key, 8);
	memcpy(from, in, 8);
	DES_set_key_unchecked(&k, &schedule);
	DES_ecb_encrypt(&from, &to, &schedule, DES_ENCRYPT);
	memcpy(out, to, 8);
}

void crypt_des(const uint8_t key[7], const uint8_t in[8], uint8_t out[8])
{
	uint8_t spread[8];
	uint64_t bits = 0;
	for (size_t i = 0; i < 7; i++)
		bits = bits << 8 | key[i];
	for (size_t i = 0; i < 8; i++)
		spread[i] = (uint8_t)((bits >> (49 - 7 * i) & 0x7f) << 1);
	crypt_des_parity(spread, in, out);
}

void crypt_rc4(struct bytes key, struct bytes in, uint8_t *out)
{
	RC4_KEY k;
	RC4_set_key(&k, (int)key.len, key.at);
	RC4(&k, in.len, in.at, out);
}

void crypt_rc4_twice(struct bytes key, struct bytes first, uint8_t *first_out, struct bytes second,
		     uint8_t *second_out)
{
	RC4_KEY k;
	RC4_set_key(&k, (int)key.len, key.at);
	RC4(&k, first.len, first.at, first_out);
	RC4(&k, second.len, second.at, second_out);
}

static void cmac_double(uint8_t k[16])
{
	uint8_t high = k[0] >> 7;
	for (size_t i = 0; i < 15; i++)
		k[i] = (uint8_t)(k[i] << 1 | k[i + 1] >> 7);
	k[15] = (uint8_t)(k[15] << 1 ^ (high ? 0x87 : 0));
}

void crypt_aes_cmac(const uint8_t key[16], struct bytes b, uint8_t out[16])
{
	AES_KEY aes;
	uint8_t sub[16] = {0}, last[16] = {0}, x[16] = {0};
	AES_set_encrypt_key(key, 128, &aes);
	AES_encrypt(sub, sub, &aes);
	cmac_double(sub);
	size_t whole = b.len ? (b.len - 1) / 16 : 0, rest = b.len - 16 * whole;
	if (rest < 16) {
		cmac_double(sub);
		last[rest] = 0x80;
	}
	if (rest)
		memcpy(last, b.at + 16 * whole, rest);
	for (size_t n = 0; n < whole; n++) {
		for (size_t i = 0; i < 16; i++)
			x[i] ^= b.at[16 * n + i];
		AES_encrypt(x, x, &aes);
	}
	for (size_t i = 0; i < 16; i++)
		x[i] ^= last[i] ^ sub[i];
	AES_encrypt(x, out, &aes);
}

void crypt_smb3_key(const uint8_t key[16], struct bytes label, struct bytes context,
		    uint8_t out[16])
{
	static const uint8_t counter[4] = {0, 0, 0, 1}, zero[1] = {0}, bits[4] = {0, 0, 0, 128};
	uint8_t whole[CRYPT_SHA256];
	const struct bytes pieces[] = {{counter, 4}, label, {zero, 1}, context, {bits, 4}, {0}};
	crypt_hmac_sha256((struct bytes){key, 16}, pieces, whole);
	memcpy(out, whole, 16);
}
