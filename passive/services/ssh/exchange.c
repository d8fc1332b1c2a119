/* Each method of key exchange over libcrypto's numbers and curves. */
#include "passive/services/ssh/exchange.h"
#include "passive/services/ssh/sntrup761.h"
#include "passive/services/ssh/wire.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#define X25519 32
#define GROUP_BYTES_MAX 1024
#define EXPONENT_BYTES 64 /* twice the strength of any key that comes of it */
#define POINT_MAX 133

static const struct ssh_exchange exchanges[] = {
        {"curve25519-sha256", "SHA256", EXCHANGE_CURVE25519, 0},
        {"curve25519-sha256@libssh.org", "SHA256", EXCHANGE_CURVE25519, 0},
        {"sntrup761x25519-sha512", "SHA512", EXCHANGE_SNTRUP, 0},
        {"sntrup761x25519-sha512@openssh.com", "SHA512", EXCHANGE_SNTRUP, 0},
        {"ecdh-sha2-nistp256", "SHA256", EXCHANGE_ECDH, 256},
        {"ecdh-sha2-nistp384", "SHA384", EXCHANGE_ECDH, 384},
        {"ecdh-sha2-nistp521", "SHA512", EXCHANGE_ECDH, 521},
        {"diffie-hellman-group1-sha1", "SHA1", EXCHANGE_GROUP, 1024},
        {"diffie-hellman-group14-sha1", "SHA1", EXCHANGE_GROUP, 2048},
        {"diffie-hellman-group14-sha256", "SHA256", EXCHANGE_GROUP, 2048},
        {"diffie-hellman-group16-sha512", "SHA512", EXCHANGE_GROUP, 4096},
        {"diffie-hellman-group18-sha512", "SHA512", EXCHANGE_GROUP, 8192},
        {"diffie-hellman-group-exchange-sha1", "SHA1", EXCHANGE_CHOSEN_GROUP, 0},
        {"diffie-hellman-group-exchange-sha256", "SHA256", EXCHANGE_CHOSEN_GROUP, 0},
};

const struct ssh_exchange *ssh_exchange_named(struct bytes name)
{
	for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++)
		if (bytes_equal_text(name, exchanges[i].name))
			return &exchanges[i];
	return NULL;
}

/* The sizes of an ordinary /etc/ssh/moduli for which RFC 3526 has a prime. */
unsigned exchange_group_size(uint32_t least, uint32_t wanted, uint32_t most)
{
	static const unsigned sizes[] = {2048, 3072, 4096, 6144, 8192};
	unsigned best = 0;
	if (most < least || wanted < least || most < wanted)
		return 0;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (sizes[i] >= least && sizes[i] <= most && best < wanted)
			best = sizes[i];
	return best;
}

static BIGNUM *group_prime(unsigned size)
{
	switch (size) {
	case 1024:
		return BN_get_rfc2409_prime_1024(NULL);
	case 2048:
		return BN_get_rfc3526_prime_2048(NULL);
	case 3072:
		return BN_get_rfc3526_prime_3072(NULL);
	case 4096:
		return BN_get_rfc3526_prime_4096(NULL);
	case 6144:
		return BN_get_rfc3526_prime_6144(NULL);
	default:
		return BN_get_rfc3526_prime_8192(NULL);
	}
}

static bool write_number(const BIGNUM *v, struct writer *w)
{
	uint8_t b[GROUP_BYTES_MAX];
	int n = BN_num_bytes(v);
	if (n > (int)sizeof b)
		return false;
	write_mpint(w, (struct bytes){b, (size_t)BN_bn2bin(v, b)});
	return true;
}

bool exchange_group_prime(unsigned size, struct writer *mpint)
{
	BIGNUM *p = group_prime(size);
	bool ok = p && write_number(p, mpint);
	BN_free(p);
	return ok;
}

static bool curve25519(const uint8_t *random, struct bytes theirs, uint8_t ours[X25519],
                       uint8_t shared[X25519])
{
	size_t n = X25519, m = X25519;
	if (theirs.len != X25519)
		return false;
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, random, X25519);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, theirs.at, X25519);
	EVP_PKEY_CTX *c = key && peer ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	bool ok = c && EVP_PKEY_get_raw_public_key(key, ours, &n) && EVP_PKEY_derive_init(c) > 0 &&
	          EVP_PKEY_derive_set_peer(c, peer) > 0 && EVP_PKEY_derive(c, shared, &m) > 0;
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(key);
	return ok;
}

static bool answer_curve25519(const uint8_t *random, struct bytes theirs, struct writer *ours,
                              struct writer *shared)
{
	uint8_t point[X25519], secret[X25519];
	if (!curve25519(random, theirs, point, secret))
		return false;
	write_bytes(ours, point, X25519);
	write_mpint(shared, (struct bytes){secret, X25519});
	return true;
}

/* K is the hash of both secrets, and goes as a string. */
static bool answer_sntrup(const uint8_t *random, struct bytes theirs, struct writer *ours,
                          struct writer *shared)
{
	uint8_t ciphertext[SNTRUP_CIPHERTEXT], point[X25519], secrets[SNTRUP_KEY + X25519], k[64];
	struct bytes curve = {theirs.at + SNTRUP_PUBLIC, X25519};
	if (theirs.len != SNTRUP_PUBLIC + X25519 ||
	    !sntrup761_encapsulate(theirs.at, random + X25519, ciphertext, secrets) ||
	    !curve25519(random, curve, point, secrets + SNTRUP_KEY) ||
	    !EVP_Q_digest(NULL, "SHA512", NULL, secrets, sizeof secrets, k, NULL))
		return false;
	write_bytes(ours, ciphertext, sizeof ciphertext);
	write_bytes(ours, point, sizeof point);
	write_string(shared, (struct bytes){k, sizeof k});
	return true;
}

struct curve { /* one exchange on a curve of NIST's */
	BN_CTX *context;
	EC_GROUP *group;
	EC_POINT *peer, *point;
	BIGNUM *secret, *x;
};

static bool curve_open(struct curve *k, unsigned size)
{
	int nid = size == 256 ? NID_X9_62_prime256v1 : size == 384 ? NID_secp384r1 : NID_secp521r1;
	*k = (struct curve){.context = BN_CTX_new(), .group = EC_GROUP_new_by_curve_name(nid)};
	if (!k->context || !k->group)
		return false;
	BN_CTX_start(k->context);
	k->secret = BN_CTX_get(k->context);
	k->x = BN_CTX_get(k->context);
	k->peer = EC_POINT_new(k->group);
	k->point = EC_POINT_new(k->group);
	return k->x && k->peer && k->point;
}

static void curve_done(struct curve *k)
{
	EC_POINT_free(k->peer);
	EC_POINT_free(k->point);
	EC_GROUP_free(k->group);
	if (k->context)
		BN_CTX_end(k->context);
	BN_CTX_free(k->context);
}

static bool answer_ecdh(unsigned size, const uint8_t *random, struct bytes theirs, struct writer *ours,
                        struct writer *shared)
{
	struct curve k;
	uint8_t point[POINT_MAX], x[POINT_MAX / 2];
	size_t n = (size + 7) / 8, len = 0;
	bool ok = theirs.len == 2 * n + 1 && theirs.at[0] == POINT_CONVERSION_UNCOMPRESSED;
	ok = curve_open(&k, size) && ok &&
	     EC_POINT_oct2point(k.group, k.peer, theirs.at, theirs.len, k.context) &&
	     BN_bin2bn(random, EXPONENT_BYTES + 16, k.secret) &&
	     BN_mod(k.secret, k.secret, EC_GROUP_get0_order(k.group), k.context) &&
	     EC_POINT_mul(k.group, k.point, k.secret, NULL, NULL, k.context) &&
	     (len = EC_POINT_point2oct(k.group, k.point, POINT_CONVERSION_UNCOMPRESSED, point,
	                               sizeof point, k.context)) != 0 &&
	     EC_POINT_mul(k.group, k.point, NULL, k.peer, k.secret, k.context) &&
	     EC_POINT_get_affine_coordinates(k.group, k.point, k.x, NULL, k.context) &&
	     BN_bn2binpad(k.x, x, (int)n) == (int)n;
	curve_done(&k);
	write_bytes(ours, point, len);
	if (ok)
		write_mpint(shared, (struct bytes){x, n});
	return ok;
}

/* The peer's number must lie between 1 and p - 1 (RFC 4253 8). */
static bool group_compute(const BIGNUM *p, const uint8_t *random, struct bytes theirs,
                          struct writer *ours, struct writer *shared, BN_CTX *c)
{
	BIGNUM *generator = BN_CTX_get(c), *x = BN_CTX_get(c), *peer = BN_CTX_get(c),
	       *number = BN_CTX_get(c), *less = BN_CTX_get(c);
	return less && BN_set_word(generator, 2) && BN_bin2bn(random, EXPONENT_BYTES, x) &&
	       BN_bin2bn(theirs.at, (int)theirs.len, peer) && BN_sub(less, p, BN_value_one()) &&
	       BN_cmp(peer, BN_value_one()) > 0 && BN_cmp(peer, less) < 0 &&
	       BN_mod_exp(number, generator, x, p, c) && write_number(number, ours) &&
	       BN_mod_exp(number, peer, x, p, c) && write_number(number, shared);
}

static bool answer_group(unsigned size, const uint8_t *random, struct bytes theirs, struct writer *ours,
                         struct writer *shared)
{
	BIGNUM *p = group_prime(size);
	BN_CTX *c = BN_CTX_new();
	bool ok = false;
	if (p && c && theirs.len <= GROUP_BYTES_MAX + 1) {
		BN_CTX_start(c);
		ok = group_compute(p, random, theirs, ours, shared, c);
		BN_CTX_end(c);
	}
	BN_CTX_free(c);
	BN_free(p);
	return ok;
}

bool exchange_answer(const struct ssh_exchange *x, unsigned group_size,
                     const uint8_t random[EXCHANGE_RANDOM], struct bytes theirs, struct writer *ours,
                     struct writer *shared)
{
	switch ((enum exchange_kind)x->kind) {
	case EXCHANGE_CURVE25519:
		return answer_curve25519(random, theirs, ours, shared);
	case EXCHANGE_SNTRUP:
		return answer_sntrup(random, theirs, ours, shared);
	case EXCHANGE_ECDH:
		return answer_ecdh(x->size, random, theirs, ours, shared);
	default:
		return answer_group(group_size, random, theirs, ours, shared);
	}
}
