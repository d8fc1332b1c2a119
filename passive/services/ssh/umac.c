/* UMAC's three layers of hashing and its pad, in the words of RFC 4418 sections 3 to 5. */
#include "base/little.h"
#include "passive/services/ssh/umac.h"

#define BLOCK 16
#define CHUNK 1024
#define PRIME36 0xffffffffbu /* 2^36 - 5 */
#define OFFSET64 59u             /* 2^64 - 59 is the prime of POLY */
#define MASK64 0x01ffffff01ffffffu

typedef unsigned __int128 uint128;

static uint64_t load_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* KDF (3.2.1): the blocks of AES over index and counter. */
static bool derive(EVP_CIPHER_CTX *aes, uint8_t index, uint8_t *out, size_t n)
{
	for (uint64_t i = 1; n; i++) {
		uint8_t in[BLOCK] = {[7] = index}, block[BLOCK];
		int len;
		for (size_t k = 0; k < 8; k++)
			in[8 + k] = (uint8_t)(i >> 8 * (7 - k));
		if (!EVP_EncryptUpdate(aes, block, &len, in, BLOCK))
			return false;
		size_t take = n < BLOCK ? n : BLOCK;
		memcpy(out, block, take);
		out += take;
		n -= take;
	}
	return true;
}

static EVP_CIPHER_CTX *aes_open(const uint8_t key[UMAC_KEY])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	if (c && EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, key, NULL))
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

static bool keys_derive(struct umac *u, EVP_CIPHER_CTX *aes, uint8_t pad_key[UMAC_KEY])
{
	uint8_t l1[sizeof u->l1], l2[4 * 24], l3[4 * 64], mask[4 * 4];
	size_t streams = u->tag / 4;
	if (!derive(aes, 0, pad_key, UMAC_KEY) ||
	    !derive(aes, 1, l1, CHUNK + (streams - 1) * 16) || !derive(aes, 2, l2, streams * 24) ||
	    !derive(aes, 3, l3, streams * 64) || !derive(aes, 4, mask, streams * 4))
		return false;
	for (size_t i = 0; i < (CHUNK + (streams - 1) * 16) / 4; i++)
		u->l1[i] = (uint32_t)load_be(l1 + 4 * i, 4);
	for (size_t s = 0; s < streams; s++) {
		u->l2[s] = load_be(l2 + 24 * s, 8) & MASK64;
		u->l3_mask[s] = (uint32_t)load_be(mask + 4 * s, 4);
		for (size_t k = 0; k < 8; k++)
			u->l3[s][k] = load_be(l3 + 64 * s + 8 * k, 8) % PRIME36;
	}
	return true;
}

bool umac_start(struct umac *u, const uint8_t key[UMAC_KEY], size_t tag)
{
	uint8_t pad_key[UMAC_KEY];
	*u = (struct umac){.tag = tag};
	EVP_CIPHER_CTX *aes = aes_open(key);
	bool ok = aes && keys_derive(u, aes, pad_key);
	EVP_CIPHER_CTX_free(aes);
	if (ok)
		u->pad = aes_open(pad_key);
	return u->pad != NULL;
}

void umac_done(struct umac *u)
{
	EVP_CIPHER_CTX_free(u->pad);
	u->pad = NULL;
}

/* NH (5.2.2) of whole groups of 32 bytes. */
static uint64_t hash_chunk(const uint32_t *key, const uint8_t *m, size_t n)
{
	uint64_t y = 0;
	for (size_t i = 0; i < n; i += 32, key += 8)
		for (size_t k = 0; k < 4; k++)
			y += (uint64_t)(uint32_t)((uint32_t)little_get(m + i + 4 * k, 4) + key[k]) *
			     (uint32_t)((uint32_t)little_get(m + i + 4 * k + 16, 4) + key[k + 4]);
	return y;
}

/* One step of POLY (5.3.2); k is below 2^57, so that 2^64 - 59 divides quickly enough. */
static uint64_t poly_word(uint64_t y, uint64_t k, uint64_t m)
{
	const uint64_t prime = 0 - (uint64_t)OFFSET64;
	if (m >= 0xffffffff00000000u) {
		y = (uint64_t)(((uint128)k * y + (prime - 1)) % prime);
		m -= OFFSET64;
	}
	return (uint64_t)(((uint128)k * y + m) % prime);
}

static uint64_t chunk_at(const struct umac *u, size_t stream, struct bytes *m)
{
	uint8_t last[CHUNK];
	const uint32_t *key = u->l1 + 4 * stream;
	size_t n = m->len < CHUNK ? m->len : CHUNK;
	uint64_t y = 8u * n;
	if (n == CHUNK) {
		y += hash_chunk(key, m->at, n);
	} else { /* with zeros up to whole groups, of which there is at least one */
		size_t padded = n == 0 ? 32 : (n + 31) / 32 * 32;
		memset(last, 0, padded);
		if (n)
			memcpy(last, m->at, n);
		y += hash_chunk(key, last, padded);
	}
	m->at = n ? m->at + n : m->at;
	m->len -= n;
	return y;
}

static uint32_t stream_hash(const struct umac *u, size_t stream, struct bytes m)
{
	bool one = m.len <= CHUNK;
	uint64_t b = one ? chunk_at(u, stream, &m) : 1, sum = 0;
	while (!one && m.len)
		b = poly_word(b, u->l2[stream], chunk_at(u, stream, &m));
	/* L3 (5.4) over 16 bytes whose upper half is zero: four of the eight keys matter. */
	for (size_t k = 4; k < 8; k++)
		sum += (b >> 16 * (7 - k) & 0xffff) * u->l3[stream][k];
	return (uint32_t)(sum % PRIME36) ^ u->l3_mask[stream];
}

bool umac_tag(const struct umac *u, uint64_t nonce, struct bytes message, uint8_t tag[UMAC_TAG_MAX])
{
	uint8_t in[BLOCK] = {0}, pad[BLOCK];
	/* PDF (4.2): two tags of 8 bytes come of one block. */
	size_t from = u->tag == 8 ? 8 * (nonce & 1) : 0;
	uint64_t whole = u->tag == 8 ? nonce & ~(uint64_t)1 : nonce;
	int len;
	for (size_t k = 0; k < 8; k++)
		in[k] = (uint8_t)(whole >> 8 * (7 - k));
	if (!EVP_EncryptUpdate(u->pad, pad, &len, in, BLOCK))
		return false;
	for (size_t s = 0; s < u->tag / 4; s++) {
		uint32_t h = stream_hash(u, s, message);
		for (size_t k = 0; k < 4; k++)
			tag[4 * s + k] = pad[from + 4 * s + k] ^ (uint8_t)(h >> 8 * (3 - k));
	}
	return true;
}
