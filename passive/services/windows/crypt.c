#define OPENSSL_SUPPRESS_DEPRECATED /* the newer interface reads files at its first use */
/* MD4 to AES-GCM, over libcrypto's plain functions. */
#include "passive/services/windows/crypt.h"
#include <openssl/aes.h>
#include <openssl/des.h>
#include <openssl/md4.h>
#include <openssl/md5.h>
#include <openssl/modes.h>
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

void crypt_md5_pieces(const struct bytes *pieces, uint8_t out[CRYPT_MD])
{
	MD5_CTX c;
	MD5_Init(&c);
	for (; pieces->at; pieces++)
		MD5_Update(&c, pieces->at, pieces->len);
	MD5_Final(out, &c);
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

static void mac_add(const AES_KEY *aes, uint8_t mac[16], const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		mac[i] ^= at[i];
	AES_encrypt(mac, mac, aes);
}

/* RFC 3610 2.2: the first block, then what stands beside, its length (below 65280) in front. */
static void mac_begin(const AES_KEY *aes, const struct crypt_sealed *c, uint8_t mac[16])
{
	uint8_t block[16] = {0};
	size_t width = 15 - c->nonce.len, n = c->beside.len < 14 ? c->beside.len : 14;
	mac[0] = (uint8_t)(0x40 | 7 << 3 | (width - 1));
	memcpy(mac + 1, c->nonce.at, c->nonce.len);
	for (size_t i = 0; i < width; i++)
		mac[15 - i] = i < sizeof(size_t) ? (uint8_t)(c->text.len >> 8 * i) : 0;
	AES_encrypt(mac, mac, aes);
	block[0] = (uint8_t)(c->beside.len >> 8);
	block[1] = (uint8_t)c->beside.len;
	memcpy(block + 2, c->beside.at, n);
	mac_add(aes, mac, block, 16);
	for (size_t at = n; at < c->beside.len; at += 16)
		mac_add(aes, mac, c->beside.at + at, c->beside.len - at < 16 ? c->beside.len - at : 16);
}

/* libcrypto's plain functions have GCM but no CCM that one may call. */
static void ccm(const AES_KEY *aes, const struct crypt_sealed *c, bool opens, uint8_t *out,
		uint8_t tag[16])
{
	uint8_t mac[16] = {0}, counter[16] = {0}, stream[16], piece[16];
	mac_begin(aes, c, mac);
	counter[0] = (uint8_t)(14 - c->nonce.len);
	memcpy(counter + 1, c->nonce.at, c->nonce.len);
	AES_encrypt(counter, tag, aes);
	for (size_t at = 0; at < c->text.len; at += 16) {
		size_t n = c->text.len - at < 16 ? c->text.len - at : 16;
		for (size_t i = 15; i > c->nonce.len && ++counter[i] == 0; i--)
			;
		AES_encrypt(counter, stream, aes);
		memcpy(piece, c->text.at + at, n);
		if (!opens)
			mac_add(aes, mac, piece, n);
		for (size_t i = 0; i < n; i++)
			out[at + i] = piece[i] ^ stream[i];
		if (opens)
			mac_add(aes, mac, out + at, n);
	}
	for (size_t i = 0; i < 16; i++)
		tag[i] ^= mac[i];
}

static void seal(const uint8_t key[16], const struct crypt_sealed *c, bool opens, uint8_t *out,
		 uint8_t tag[16])
{
	AES_KEY aes;
	AES_set_encrypt_key(key, 128, &aes);
	if (!c->gcm) {
		ccm(&aes, c, opens, out, tag);
		return;
	}
	GCM128_CONTEXT *context = CRYPTO_gcm128_new(&aes, (block128_f)AES_encrypt);
	memset(tag, 0, 16);
	if (!context)
		return;
	CRYPTO_gcm128_setiv(context, c->nonce.at, c->nonce.len);
	CRYPTO_gcm128_aad(context, c->beside.at, c->beside.len);
	if (opens)
		CRYPTO_gcm128_decrypt(context, c->text.at, out, c->text.len);
	else
		CRYPTO_gcm128_encrypt(context, c->text.at, out, c->text.len);
	CRYPTO_gcm128_tag(context, tag, 16);
	CRYPTO_gcm128_release(context);
}

void crypt_aes_seal(const uint8_t key[16], const struct crypt_sealed *c, uint8_t *out, uint8_t tag[16])
{
	seal(key, c, false, out, tag);
}

void crypt_aes_open(const uint8_t key[16], const struct crypt_sealed *c, uint8_t *out, uint8_t tag[16])
{
	seal(key, c, true, out, tag);
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
