/* Checking signatures of keys that clients offer: Ed25519, RSA and ECDSA on P-256. */
#include "passive/services/ssh/auth_inner.h"
#include <openssl/core_names.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

void ssh_write_fingerprint(struct bytes blob, struct writer *w)
{
	uint8_t digest[32], text[48];
	if (!EVP_Q_digest(NULL, "SHA256", NULL, blob.at, blob.len, digest, NULL))
		return;
	EVP_EncodeBlock(text, digest, sizeof digest);
	write_bytes(w, text, 43);
}

static EVP_PKEY *key_ed25519(struct reader *r)
{
	struct bytes point = read_string(r);
	return reader_ok(r) && point.len == 32
	               ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point.at, 32)
	               : NULL;
}

static EVP_PKEY *key_of(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;
	if (params && c && EVP_PKEY_fromdata_init(c) > 0)
		EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(c);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *key_rsa(struct reader *r)
{
	struct bytes e = read_string(r), n = read_string(r);
	if (!reader_ok(r) || e.len > 8 || n.len > 1025 || n.len < 64)
		return NULL;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *exponent = BN_bin2bn(e.at, (int)e.len, NULL), *modulus = BN_bin2bn(n.at, (int)n.len, NULL);
	EVP_PKEY *key = NULL;
	if (build && exponent && modulus && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
		key = key_of("RSA", build);
	BN_free(exponent);
	BN_free(modulus);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *key_ecdsa(struct reader *r)
{
	struct bytes curve = read_string(r), point = read_string(r);
	if (!reader_ok(r) || !bytes_equal_text(curve, "nistp256") || point.len != 65)
		return NULL;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;
	if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.at, point.len))
		key = key_of("EC", build);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *key_open(struct bytes blob)
{
	struct reader r = reader_of_bytes(blob);
	struct bytes type = read_string(&r);
	if (bytes_equal_text(type, "ssh-ed25519"))
		return key_ed25519(&r);
	if (bytes_equal_text(type, "ssh-rsa"))
		return key_rsa(&r);
	if (bytes_equal_text(type, "ecdsa-sha2-nistp256"))
		return key_ecdsa(&r);
	return NULL;
}

bool ssh_key_usable(struct bytes algorithm, struct bytes blob)
{
	struct reader r = reader_of_bytes(blob);
	struct bytes type = read_string(&r);
	bool rsa = bytes_equal_text(algorithm, "rsa-sha2-256") || bytes_equal_text(algorithm, "rsa-sha2-512");
	if (!bytes_equal(type, rsa ? BYTES("ssh-rsa") : algorithm))
		return false;
	EVP_PKEY *key = key_open(blob);
	EVP_PKEY_free(key);
	return key != NULL;
}

static const char *digest_of(struct bytes algorithm)
{
	return bytes_equal_text(algorithm, "rsa-sha2-512") ? "SHA512"
	       : bytes_equal_text(algorithm, "ssh-rsa")    ? "SHA1"
	       : bytes_equal_text(algorithm, "ssh-ed25519") ? NULL
	                                                    : "SHA256";
}

/* The two numbers of ECDSA in DER, as libcrypto wants them. */
static struct bytes ecdsa_der(struct bytes pair, uint8_t room[128])
{
	struct reader r = reader_of_bytes(pair);
	struct bytes x = read_string(&r), y = read_string(&r);
	ECDSA_SIG *s = reader_ok(&r) && x.len <= 40 && y.len <= 40 ? ECDSA_SIG_new() : NULL;
	BIGNUM *a = s ? BN_bin2bn(x.at, (int)x.len, NULL) : NULL, *b = s ? BN_bin2bn(y.at, (int)y.len, NULL) : NULL;
	uint8_t *at = room;
	int n = 0;
	if (a && b && ECDSA_SIG_set0(s, a, b)) {
		n = i2d_ECDSA_SIG(s, &at);
	} else {
		BN_free(a);
		BN_free(b);
	}
	ECDSA_SIG_free(s);
	return (struct bytes){room, n > 0 ? (size_t)n : 0};
}

bool ssh_key_verify(struct bytes id, struct bytes request, struct bytes blob, struct bytes signature)
{
	uint8_t message[SSH_PAYLOAD_MAX + SSH_HASH_MAX + 4], der[128];
	struct reader r = reader_of_bytes(signature);
	struct bytes algorithm = read_string(&r), value = read_string(&r);
	struct writer w = writer_of(message, sizeof message);
	write_string(&w, id);
	write_span(&w, request);
	if (!reader_ok(&r) || w.bad || !ssh_key_usable(algorithm, blob))
		return false;
	if (bytes_start_with(algorithm, "ecdsa-"))
		value = ecdsa_der(value, der);
	EVP_PKEY *key = key_open(blob);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = key && c &&
	            EVP_DigestVerifyInit_ex(c, NULL, digest_of(algorithm), NULL, NULL, key, NULL) > 0 &&
	            EVP_DigestVerify(c, value.at, value.len, message, writer_used(&w)) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
	return good;
}
