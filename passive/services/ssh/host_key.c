/* Ed25519, ECDSA and RSA host keys of one decoy. */
#include "passive/services/ssh/host_key.h"
#include "passive/services/ssh/wire.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#define ECDSA "ecdsa-sha2-nistp256"
#define POINT 65

struct curve_work { /* what a signature on P-256 needs */
	BN_CTX *context;
	EC_GROUP *group;
	EC_POINT *point;
	BIGNUM *secret, *nonce, *r, *s, *digest;
};

static bool work_open(struct curve_work *k)
{
	*k = (struct curve_work){.context = BN_CTX_new(),
	                         .group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
	if (!k->context || !k->group)
		return false;
	BN_CTX_start(k->context);
	BIGNUM **const all[] = {&k->secret, &k->nonce, &k->r, &k->s, &k->digest};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		*all[i] = BN_CTX_get(k->context);
	k->point = EC_POINT_new(k->group);
	return k->digest && k->point;
}

static void work_done(struct curve_work *k)
{
	EC_POINT_free(k->point);
	EC_GROUP_free(k->group);
	if (k->context)
		BN_CTX_end(k->context);
	BN_CTX_free(k->context);
}

/* A number from 1 to the order less 1, of hashes of the given texts. */
static bool scalar_make(struct curve_work *k, struct bytes a, struct bytes b, BIGNUM *out)
{
	uint8_t wide[64];
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	BIGNUM *less = BN_CTX_get(k->context);
	bool ok = c && less && EVP_DigestInit_ex(c, EVP_sha512(), NULL) &&
	          EVP_DigestUpdate(c, a.at, a.len) && EVP_DigestUpdate(c, b.at, b.len) &&
	          EVP_DigestFinal_ex(c, wide, NULL) &&
	          BN_sub(less, EC_GROUP_get0_order(k->group), BN_value_one()) &&
	          BN_bin2bn(wide, sizeof wide, out) && BN_mod(out, out, less, k->context) &&
	          BN_add_word(out, 1);
	EVP_MD_CTX_free(c);
	return ok;
}

static bool ecdsa_secret(const struct session *s, struct curve_work *k)
{
	uint8_t seed[32];
	session_secret(s, "ssh host key ecdsa", false, seed);
	return work_open(k) && scalar_make(k, (struct bytes){seed, sizeof seed}, BYTES("key"), k->secret);
}

static bool ecdsa_blob(const struct session *s, struct writer *w)
{
	struct curve_work k;
	uint8_t point[POINT];
	bool ok = ecdsa_secret(s, &k) &&
	          EC_POINT_mul(k.group, k.point, k.secret, NULL, NULL, k.context) &&
	          EC_POINT_point2oct(k.group, k.point, POINT_CONVERSION_UNCOMPRESSED, point, POINT,
	                             k.context) == POINT;
	work_done(&k);
	write_string_text(w, ECDSA);
	write_string_text(w, "nistp256");
	write_string(w, (struct bytes){point, POINT});
	return ok;
}

static void write_scalar(struct writer *w, const BIGNUM *v)
{
	uint8_t b[32];
	BN_bn2binpad(v, b, sizeof b);
	write_mpint(w, (struct bytes){b, sizeof b});
}

/*
 * The nonce follows from key and message, as in RFC 6979 if by another hash: it never comes
 * twice for two messages, and a rehearsal gives the same answer every time.
 */
static bool ecdsa_sign(const struct session *s, struct bytes message, struct writer *out)
{
	struct curve_work k;
	uint8_t digest[32], secret[32], two[80];
	struct writer w = writer_of(two, sizeof two);
	bool ok = ecdsa_secret(s, &k) && EVP_Q_digest(NULL, "SHA256", NULL, message.at, message.len, digest, NULL);
	const BIGNUM *order = ok ? EC_GROUP_get0_order(k.group) : NULL;
	ok = ok && BN_bn2binpad(k.secret, secret, sizeof secret) > 0 &&
	     scalar_make(&k, (struct bytes){secret, sizeof secret}, (struct bytes){digest, 32}, k.nonce) &&
	     EC_POINT_mul(k.group, k.point, k.nonce, NULL, NULL, k.context) &&
	     EC_POINT_get_affine_coordinates(k.group, k.point, k.r, NULL, k.context) &&
	     BN_mod(k.r, k.r, order, k.context) && BN_bin2bn(digest, sizeof digest, k.digest) &&
	     BN_mod_mul(k.s, k.r, k.secret, order, k.context) &&
	     BN_mod_add(k.s, k.s, k.digest, order, k.context) &&
	     BN_mod_inverse(k.nonce, k.nonce, order, k.context) &&
	     BN_mod_mul(k.s, k.s, k.nonce, order, k.context);
	if (ok) {
		write_scalar(&w, k.r);
		write_scalar(&w, k.s);
		write_string(out, writer_bytes(&w));
	}
	work_done(&k);
	return ok;
}

static bool keys_make(const struct session *s, struct ssh_ready_keys *k)
{
	uint8_t seed[32], public[32];
	size_t n = sizeof public;
	struct writer ed25519 = writer_of(k->ed25519_blob, sizeof k->ed25519_blob),
	              ecdsa = writer_of(k->ecdsa_blob, sizeof k->ecdsa_blob);
	session_secret(s, "ssh host key ed25519", false, seed);
	k->ed25519 = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
	if (!k->ed25519 || !EVP_PKEY_get_raw_public_key(k->ed25519, public, &n) || !ecdsa_blob(s, &ecdsa))
		return false;
	write_string_text(&ed25519, "ssh-ed25519");
	write_string(&ed25519, (struct bytes){public, n});
	k->of = *session_local(s);
	return !ed25519.bad && !ecdsa.bad;
}

/* Found where the address's hash says, or made there in place of another's. */
static const struct ssh_ready_keys *keys_of(const struct session *s)
{
	struct ssh_shared *shared = session_shared(s);
	struct ssh_ready_keys *k = &shared->ready[session_device_seed(s) % SSH_KEYS_READY];
	if (k->ed25519 && address_equal(&k->of, session_local(s)))
		return k;
	EVP_PKEY_free(k->ed25519);
	k->ed25519 = NULL;
	if (keys_make(s, k))
		return k;
	EVP_PKEY_free(k->ed25519);
	k->ed25519 = NULL;
	return NULL;
}

static bool ed25519_sign(const struct session *s, struct bytes message, struct writer *out)
{
	const struct ssh_ready_keys *k = keys_of(s);
	EVP_MD_CTX *c = k ? EVP_MD_CTX_new() : NULL;
	uint8_t made[64];
	size_t n = sizeof made;
	bool ok = c && EVP_DigestSignInit(c, NULL, NULL, NULL, k->ed25519) &&
	          EVP_DigestSign(c, made, &n, message.at, message.len);
	EVP_MD_CTX_free(c);
	if (ok)
		write_string(out, (struct bytes){made, n});
	return ok;
}

static const struct ssh_rsa *rsa_of(const struct session *s, unsigned bits)
{
	struct ssh_shared *shared = session_shared(s);
	uint8_t choice[32], seed[32];
	char purpose[40];
	session_secret(s, "ssh rsa choice", false, choice);
	unsigned at = choice[0] % SSH_RSA_POOL;
	struct ssh_rsa **slot = &shared->rsa[bits <= 1024 ? 0 : bits <= 2048 ? 1 : 2][at];
	if (!*slot) {
		snprintf(purpose, sizeof purpose, "ssh rsa %u %u", bits, at);
		session_secret(s, purpose, true, seed);
		*slot = rsa_make(seed, bits);
	}
	return *slot;
}

void host_keys_done(struct ssh_shared *shared)
{
	for (size_t i = 0; i < sizeof shared->rsa / sizeof *shared->rsa; i++)
		for (size_t k = 0; k < SSH_RSA_POOL; k++)
			rsa_free(shared->rsa[i][k]);
	for (size_t i = 0; i < SSH_KEYS_READY; i++)
		EVP_PKEY_free(shared->ready[i].ed25519);
}

bool host_key_blob(const struct session *s, struct bytes algorithm, unsigned rsa_bits,
                   struct writer *blob)
{
	bool ed25519 = bytes_equal_text(algorithm, "ssh-ed25519");
	if (ed25519 || bytes_equal_text(algorithm, ECDSA)) {
		const struct ssh_ready_keys *k = keys_of(s);
		if (k)
			write_bytes(blob, ed25519 ? k->ed25519_blob : k->ecdsa_blob,
			            ed25519 ? SSH_ED25519_BLOB : SSH_ECDSA_BLOB);
		return k != NULL;
	}
	const struct ssh_rsa *rsa = rsa_of(s, rsa_bits);
	if (rsa)
		rsa_write_blob(rsa, blob);
	return rsa != NULL;
}

bool host_key_sign(const struct session *s, struct bytes algorithm, unsigned rsa_bits,
                   struct bytes message, struct writer *signature)
{
	write_string(signature, algorithm);
	if (bytes_equal_text(algorithm, "ssh-ed25519"))
		return ed25519_sign(s, message, signature);
	if (bytes_equal_text(algorithm, ECDSA))
		return ecdsa_sign(s, message, signature);
	const struct ssh_rsa *rsa = rsa_of(s, rsa_bits);
	return rsa && rsa_sign(rsa,
	                       bytes_equal_text(algorithm, "rsa-sha2-512")   ? "SHA512"
	                       : bytes_equal_text(algorithm, "rsa-sha2-256") ? "SHA256"
	                                                                     : "SHA1",
	                       message, signature);
}
