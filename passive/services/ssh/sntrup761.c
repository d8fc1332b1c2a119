/* Encapsulation of Streamlined NTRU Prime 761, written from its specification. */
#include "passive/services/ssh/sntrup761.h"
#include <openssl/evp.h>

#define P 761
#define Q 4591
#define W 286
#define HALF ((Q - 1) / 2)
#define ROUNDED_BYTES 1007
#define SMALL_BYTES ((P + 3) / 4)
#define HASH 32
#define LIMIT 16384 /* of the encoding: a radix from here on gives a byte off */
#define LEVELS 11   /* 761 values become one in ten halvings */

/* Small elements: coefficients -1, 0, 1. */
static void short_choose(const uint8_t random[SNTRUP_RANDOM], int8_t r[P])
{
	uint16_t place[P];
	for (size_t i = 0; i < P; i++) {
		place[i] = (uint16_t)i;
		r[i] = 0;
	}
	for (size_t i = 0; i < W; i++) {
		uint32_t draw;
		memcpy(&draw, random + 4 * i, 4);
		size_t k = i + (size_t)((uint64_t)draw * (P - i) >> 32);
		uint16_t chosen = place[k];
		place[k] = place[i];
		r[chosen] = random[4 * W + i / 8] >> i % 8 & 1 ? 1 : -1;
	}
}

static void small_encode(const int8_t r[P], uint8_t out[SMALL_BYTES])
{
	memset(out, 0, SMALL_BYTES);
	for (size_t i = 0; i < P; i++)
		out[i / 4] |= (uint8_t)((r[i] + 1) << i % 4 * 2);
}

/* h * r in (Z/q)[x] / (x^p - x - 1), coefficients of -2295 .. 2295. */
static void multiply(const int16_t h[P], const int8_t r[P], int16_t out[P])
{
	int32_t sum[2 * P] = {0};
	for (size_t i = 0; i < P; i++) {
		if (r[i] > 0)
			for (size_t k = 0; k < P; k++)
				sum[i + k] += h[k];
		else if (r[i] < 0)
			for (size_t k = 0; k < P; k++)
				sum[i + k] -= h[k];
	}
	for (size_t i = 2 * P - 2; i >= P; i--) { /* x^p = x + 1 */
		sum[i - P] += sum[i];
		sum[i - P + 1] += sum[i];
	}
	for (size_t i = 0; i < P; i++) {
		int32_t v = sum[i] % Q;
		out[i] = (int16_t)(v > HALF ? v - Q : v < -HALF ? v + Q : v);
	}
}

/* Encode (3.2): mixed radix, two values at a time. */
static size_t radix_encode(uint16_t v[P], uint16_t m[P], uint8_t *out)
{
	uint8_t *at = out;
	size_t n = P;
	for (; n > 1; n = (n + 1) / 2) {
		size_t i;
		for (i = 0; i + 1 < n; i += 2) {
			uint32_t r = v[i] + (uint32_t)v[i + 1] * m[i], radix = (uint32_t)m[i] * m[i + 1];
			for (; radix >= LIMIT; radix = (radix + 255) >> 8, r >>= 8)
				*at++ = (uint8_t)r;
			v[i / 2] = (uint16_t)r;
			m[i / 2] = (uint16_t)radix;
		}
		if (i < n) {
			v[i / 2] = v[i];
			m[i / 2] = m[i];
		}
	}
	for (uint32_t r = v[0], radix = m[0]; radix > 1; radix = (radix + 255) >> 8, r >>= 8)
		*at++ = (uint8_t)r;
	return (size_t)(at - out);
}

struct level { /* what one halving takes off the front */
	uint16_t radix[P];
	uint32_t bottom[P / 2 + 1], scale[P / 2 + 1];
	size_t n;
};

static void level_read(struct level *from, struct level *to, struct reader *r)
{
	size_t i;
	for (i = 0; i + 1 < from->n; i += 2) {
		uint32_t radix = (uint32_t)from->radix[i] * from->radix[i + 1], low = 0, scale = 1;
		for (; radix >= LIMIT; radix = (radix + 255) >> 8, scale <<= 8)
			low += read_u8(r) * scale;
		from->bottom[i / 2] = low;
		from->scale[i / 2] = scale;
		to->radix[i / 2] = (uint16_t)radix;
	}
	if (i < from->n)
		to->radix[i / 2] = from->radix[i];
	to->n = (from->n + 1) / 2;
}

/* Decode (3.2) with one radix for all; whatever the bytes say gives values below it. */
static bool radix_decode(struct reader *in, uint16_t radix, uint16_t out[P])
{
	struct level levels[LEVELS];
	size_t deep = 0;
	levels[0].n = P;
	for (size_t i = 0; i < P; i++)
		levels[0].radix[i] = radix;
	for (; levels[deep].n > 1; deep++)
		level_read(&levels[deep], &levels[deep + 1], in);
	uint32_t top = levels[deep].radix[0], low = top > 1 ? read_u8(in) : 0;
	if (top > 256)
		low += (uint32_t)read_u8(in) << 8;
	out[0] = (uint16_t)(low % top);
	while (deep-- > 0) {
		const struct level *l = &levels[deep];
		size_t n = l->n;
		if (n % 2)
			out[n - 1] = out[n / 2];
		for (size_t i = n / 2; i-- > 0;) {
			uint32_t r = l->bottom[i] + l->scale[i] * out[i];
			out[2 * i + 1] = (uint16_t)(r / l->radix[2 * i] % l->radix[2 * i + 1]);
			out[2 * i] = (uint16_t)(r % l->radix[2 * i]);
		}
	}
	return reader_ok(in) && reader_left(in) == 0;
}

/* Hash (4.3): SHA-512 behind a byte, its first half. */
static bool hash(uint8_t prefix, struct bytes a, struct bytes b, uint8_t out[HASH])
{
	uint8_t digest[64];
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = c && EVP_DigestInit_ex(c, EVP_sha512(), NULL) && EVP_DigestUpdate(c, &prefix, 1) &&
	          EVP_DigestUpdate(c, a.at, a.len) && EVP_DigestUpdate(c, b.at, b.len) &&
	          EVP_DigestFinal_ex(c, digest, NULL);
	EVP_MD_CTX_free(c);
	if (ok)
		memcpy(out, digest, HASH);
	return ok;
}

/* Round to multiples of three, which travel as their thirds. */
static void rounded_encode(const int16_t c[P], uint8_t out[ROUNDED_BYTES])
{
	uint16_t v[P], m[P];
	for (size_t i = 0; i < P; i++) {
		v[i] = (uint16_t)((c[i] + HALF + 1) / 3); /* HALF is a multiple of three */
		m[i] = (Q + 2) / 3;
	}
	radix_encode(v, m, out);
}

bool sntrup761_encapsulate(const uint8_t public_key[SNTRUP_PUBLIC],
                           const uint8_t random[SNTRUP_RANDOM],
                           uint8_t ciphertext[SNTRUP_CIPHERTEXT], uint8_t key[SNTRUP_KEY])
{
	struct reader in = reader_of(public_key, SNTRUP_PUBLIC);
	uint16_t coded[P];
	int16_t h[P], product[P];
	int8_t r[P];
	uint8_t small[SMALL_BYTES], of_small[HASH], of_key[HASH];
	if (!radix_decode(&in, Q, coded))
		return false;
	for (size_t i = 0; i < P; i++)
		h[i] = (int16_t)(coded[i] - HALF);
	short_choose(random, r);
	small_encode(r, small);
	multiply(h, r, product);
	rounded_encode(product, ciphertext);
	const struct bytes none = {0}, small_hash = {of_small, HASH};
	return hash(3, (struct bytes){small, SMALL_BYTES}, none, of_small) &&
	       hash(4, (struct bytes){public_key, SNTRUP_PUBLIC}, none, of_key) &&
	       hash(2, small_hash, (struct bytes){of_key, HASH}, ciphertext + ROUNDED_BYTES) &&
	       hash(1, small_hash, (struct bytes){ciphertext, SNTRUP_CIPHERTEXT}, key);
}
