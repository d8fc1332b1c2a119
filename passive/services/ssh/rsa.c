/* RSA keys that follow from a seed, and signatures by them (RFC 8017 8.2). */
#include "passive/services/ssh/host_key.h"
#include "passive/services/ssh/wire.h"
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define RSA_BYTES_MAX 512

struct ssh_rsa {
	BIGNUM *n, *e, *p, *q, *dp, *dq, *inverse; /* of q modulo p */
};

struct digest_info {
	const char *name;
	size_t len;
	struct bytes prefix;
};

static const struct digest_info digests[] = {
        {"SHA1", 20, BYTES("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14")},
        {"SHA256", 32,
         BYTES("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")},
        {"SHA512", 64,
         BYTES("\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40")},
};

/* Bytes that follow from seed and label, by hashing a counter. */
static bool stretch(const uint8_t seed[32], uint8_t label, uint8_t *out, size_t n)
{
	uint8_t in[34], block[32];
	memcpy(in, seed, 32);
	in[32] = label;
	for (uint8_t i = 0; n; i++) {
		size_t take = n < sizeof block ? n : sizeof block;
		in[33] = i;
		if (!EVP_Digest(in, sizeof in, block, NULL, EVP_sha256(), NULL))
			return false;
		memcpy(out, block, take);
		out += take;
		n -= take;
	}
	return true;
}

/* The first prime from a point on that goes with the exponent; both highest bits are set. */
static bool prime_make(const uint8_t seed[32], uint8_t label, unsigned bits, const BIGNUM *e,
                       BIGNUM *out, BN_CTX *c)
{
	uint8_t start[RSA_BYTES_MAX / 2];
	BIGNUM *less = BN_CTX_get(c), *common = BN_CTX_get(c);
	if (!common || !stretch(seed, label, start, bits / 8))
		return false;
	start[0] |= 0xc0;
	start[bits / 8 - 1] |= 1;
	if (!BN_bin2bn(start, (int)(bits / 8), out))
		return false;
	for (; BN_add_word(out, 2);) {
		int prime = BN_check_prime(out, c, NULL);
		if (prime < 0)
			return false;
		if (!prime)
			continue;
		if (!BN_copy(less, out) || !BN_sub_word(less, 1) || !BN_gcd(common, less, e, c))
			return false;
		if (BN_is_one(common))
			return true;
	}
	return false;
}

void rsa_free(struct ssh_rsa *k)
{
	if (!k)
		return;
	BIGNUM *const all[] = {k->n, k->e, k->p, k->q, k->dp, k->dq, k->inverse};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		BN_clear_free(all[i]);
	free(k);
}

static bool numbers_make(struct ssh_rsa *k, const uint8_t seed[32], unsigned bits, BN_CTX *c)
{
	BIGNUM **const all[] = {&k->n, &k->e, &k->p, &k->q, &k->dp, &k->dq};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!(*all[i] = BN_new()))
			return false;
	BIGNUM *d = BN_CTX_get(c), *less_p = BN_CTX_get(c), *less_q = BN_CTX_get(c),
	       *both = BN_CTX_get(c);
	return both && BN_set_word(k->e, 65537) && prime_make(seed, 'p', bits / 2, k->e, k->p, c) &&
	       prime_make(seed, 'q', bits / 2, k->e, k->q, c) && BN_mul(k->n, k->p, k->q, c) &&
	       BN_sub(less_p, k->p, BN_value_one()) && BN_sub(less_q, k->q, BN_value_one()) &&
	       BN_mul(both, less_p, less_q, c) && BN_mod_inverse(d, k->e, both, c) &&
	       BN_mod(k->dp, d, less_p, c) && BN_mod(k->dq, d, less_q, c) &&
	       (k->inverse = BN_mod_inverse(NULL, k->q, k->p, c)) != NULL;
}

struct ssh_rsa *rsa_make(const uint8_t seed[32], unsigned bits)
{
	struct ssh_rsa *k = calloc(1, sizeof *k);
	BN_CTX *c = k ? BN_CTX_new() : NULL;
	bool ok = false;
	if (c) {
		BN_CTX_start(c);
		ok = numbers_make(k, seed, bits, c);
		BN_CTX_end(c);
	}
	BN_CTX_free(c);
	if (ok)
		return k;
	rsa_free(k);
	return NULL;
}

static void write_number(const BIGNUM *v, struct writer *w)
{
	uint8_t b[RSA_BYTES_MAX];
	int n = BN_num_bytes(v);
	write_mpint(w, (struct bytes){b, (size_t)(n <= (int)sizeof b ? BN_bn2bin(v, b) : 0)});
}

void rsa_write_blob(const struct ssh_rsa *k, struct writer *w)
{
	write_string_text(w, "ssh-rsa");
	write_number(k->e, w);
	write_number(k->n, w);
}

/* By the Chinese remainder theorem, as RFC 8017 5.1.2 has it. */
static bool private_power(const struct ssh_rsa *k, const uint8_t *in, uint8_t *out, size_t n)
{
	BN_CTX *c = BN_CTX_new();
	BN_CTX_start(c);
	BIGNUM *m = BN_CTX_get(c), *a = BN_CTX_get(c), *b = BN_CTX_get(c);
	bool ok = b && BN_bin2bn(in, (int)n, m) && BN_mod_exp(a, m, k->dp, k->p, c) &&
	          BN_mod_exp(b, m, k->dq, k->q, c) && BN_mod_sub(a, a, b, k->p, c) &&
	          BN_mod_mul(a, a, k->inverse, k->p, c) && BN_mul(a, a, k->q, c) && BN_add(a, a, b) &&
	          BN_bn2binpad(a, out, (int)n) == (int)n;
	BN_CTX_end(c);
	BN_CTX_free(c);
	return ok;
}

bool rsa_sign(const struct ssh_rsa *k, const char *digest, struct bytes message, struct writer *out)
{
	uint8_t padded[RSA_BYTES_MAX], power[RSA_BYTES_MAX], made[64];
	const struct digest_info *d = digests;
	size_t n = (size_t)BN_num_bytes(k->n);
	while (strcmp(d->name, digest))
		d++;
	if (n > sizeof padded || !EVP_Q_digest(NULL, d->name, NULL, message.at, message.len, made, NULL))
		return false;
	struct writer w = writer_of(padded, n);
	write_u8(&w, 0);
	write_u8(&w, 1);
	while (writer_left(&w) > d->prefix.len + d->len + 1)
		write_u8(&w, 0xff);
	write_u8(&w, 0);
	write_span(&w, d->prefix);
	write_bytes(&w, made, d->len);
	if (!private_power(k, padded, power, n))
		return false;
	write_string(out, (struct bytes){power, n});
	return true;
}
