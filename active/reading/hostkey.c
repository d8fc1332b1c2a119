#include "active/reading/hostkey_inner.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#define POINT_LEN 65        /* of P-256, not compressed */
#define SECRET_MAX 257      /* an mpint of 2,048 bits */
#define TALK_MAX 40960      /* all that is hashed */
#define EXPONENT 4096       /* of 2: far beyond the modulus, so that what is sent shows no pattern */

enum family { X25519, P256, GROUP14, GROUP1 };

struct hostkey_method {
	const char *name;
	enum family family;
	const EVP_MD *(*hash)(void);
};

static const struct hostkey_method methods[] = {
	{"curve25519-sha256", X25519, EVP_sha256},
	{"curve25519-sha256@libssh.org", X25519, EVP_sha256},
	{"ecdh-sha2-nistp256", P256, EVP_sha256},
	{"diffie-hellman-group14-sha256", GROUP14, EVP_sha256},
	{"diffie-hellman-group14-sha1", GROUP14, EVP_sha1},
	{"diffie-hellman-group1-sha1", GROUP1, EVP_sha1},
};

/* The generator of P-256 (SEC 2, 2.4.2): the public half of 1. */
static const uint8_t generator[POINT_LEN] = {
	0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
	0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
	0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
	0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
	0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};

static bool list_holds(struct bytes list, const char *name)
{
	while (list.len) {
		size_t n = bytes_find(list, ",");
		if (bytes_equal_text((struct bytes){list.at, n}, name))
			return true;
		size_t taken = n < list.len ? n + 1 : n;
		list = (struct bytes){list.at + taken, list.len - taken};
	}
	return false;
}

const struct hostkey_method *hostkey_method_choose(struct bytes theirs)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (list_holds(theirs, methods[i].name))
			return &methods[i];
	return NULL;
}

const char *hostkey_method_name(const struct hostkey_method *m) { return m->name; }

const char *hostkey_type_choose(struct bytes theirs)
{
	static const char *const types[] = {
		"ssh-ed25519",         "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa",
		"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-dss",
	};
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (list_holds(theirs, types[i]))
			return types[i];
	return NULL;
}

/* RFC 4251 5: no leading zeros, but one where the first bit is set. */
static void write_mpint(struct writer *w, struct bytes n)
{
	while (n.len && n.at[0] == 0)
		n = (struct bytes){n.at + 1, n.len - 1};
	bool zero = n.len && n.at[0] & 0x80;
	write_u32(w, (uint32_t)(n.len + zero));
	if (zero)
		write_u8(w, 0);
	write_span(w, n);
}

static void write_string(struct writer *w, struct bytes b)
{
	write_u32(w, (uint32_t)b.len);
	write_span(w, b);
}

static struct bytes read_string(struct reader *r)
{
	uint32_t n = read_u32(r);
	return read_bytes(r, n);
}

/* base^EXPONENT within the method's group, big-endian; negative: no memory or no number. */
static int power(enum family family, const BIGNUM *base, uint8_t out[SECRET_MAX])
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = family == GROUP14 ? BN_get_rfc3526_prime_2048(NULL) : BN_get_rfc2409_prime_1024(NULL);
	BIGNUM *e = BN_new(), *n = BN_new();
	int len = -1;
	if (ctx && p && e && n && BN_cmp(base, p) < 0 && BN_set_word(e, EXPONENT) &&
	    BN_mod_exp(n, base, e, p, ctx))
		len = BN_bn2bin(n, out);
	BN_free(n);
	BN_free(e);
	BN_free(p);
	BN_CTX_free(ctx);
	return len;
}

static bool write_power(enum family family, const BIGNUM *base, struct writer *w)
{
	uint8_t out[SECRET_MAX];
	int len = base ? power(family, base, out) : -1;
	if (len > 0)
		write_mpint(w, (struct bytes){out, (size_t)len});
	return len > 0 && !w->bad;
}

/* As a string with its length, so an mpint, too. */
bool hostkey_method_half(const struct hostkey_method *m, struct writer *half)
{
	static const uint8_t nine[32] = {9}; /* RFC 7748 4.1 */
	if (m->family == X25519 || m->family == P256) {
		write_string(half, m->family == X25519 ? (struct bytes){nine, sizeof nine}
						       : (struct bytes){generator, sizeof generator});
		return !half->bad;
	}
	BIGNUM *two = BN_new();
	bool done = two && BN_set_word(two, 2) && write_power(m->family, two, half);
	BN_free(two);
	return done;
}

/* What both sides would have in common: the server's half itself, or that to our exponent. */
static bool write_secret(const struct hostkey_method *m, struct bytes theirs, struct writer *w)
{
	if (m->family == X25519) {
		write_mpint(w, theirs);
		return theirs.len == 32;
	}
	if (m->family == P256) {
		if (theirs.len != POINT_LEN || theirs.at[0] != 4)
			return false;
		write_mpint(w, (struct bytes){theirs.at + 1, 32});
		return true;
	}
	BIGNUM *f = theirs.len <= SECRET_MAX ? BN_bin2bn(theirs.at, (int)theirs.len, NULL) : NULL;
	bool done = f && !BN_is_zero(f) && !BN_is_one(f) && write_power(m->family, f, w);
	BN_free(f);
	return done;
}

static EVP_PKEY *key_from(const char *kind, OSSL_PARAM_BLD *build)
{
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *key_rsa(struct bytes e, struct bytes n)
{
	/* A modulus that would keep us busy is no key of a host. */
	if (!e.len || e.len > 8 || n.len < 64 || n.len > 1025)
		return NULL;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *en = BN_bin2bn(e.at, (int)e.len, NULL), *nn = BN_bin2bn(n.at, (int)n.len, NULL);
	EVP_PKEY *key = NULL;
	if (build && en && nn && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, nn) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, en))
		key = key_from("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(en);
	BN_free(nn);
	return key;
}

static EVP_PKEY *key_curve(struct bytes curve, struct bytes point)
{
	const char *group = bytes_equal_text(curve, "nistp256")   ? "prime256v1"
			    : bytes_equal_text(curve, "nistp384") ? "secp384r1"
			    : bytes_equal_text(curve, "nistp521") ? "secp521r1"
								  : NULL;
	OSSL_PARAM_BLD *build = group && point.len && point.len < 160 ? OSSL_PARAM_BLD_new() : NULL;
	EVP_PKEY *key = NULL;
	if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.at, point.len))
		key = key_from("EC", build);
	OSSL_PARAM_BLD_free(build);
	return key;
}

/* RFC 8709 4, RFC 4253 6.6, RFC 5656 3.1. */
static EVP_PKEY *key_read(struct bytes blob)
{
	struct reader r = reader_of_bytes(blob);
	struct bytes type = read_string(&r), first = read_string(&r), second = {0};
	if (bytes_equal_text(type, "ssh-ed25519"))
		return reader_ok(&r) && first.len == 32
			       ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, first.at, 32)
			       : NULL;
	second = read_string(&r);
	if (!reader_ok(&r))
		return NULL;
	if (bytes_equal_text(type, "ssh-rsa"))
		return key_rsa(first, second);
	return bytes_start_with(type, "ecdsa-sha2-") ? key_curve(first, second) : NULL;
}

/* RFC 5656 3.1.2 has two mpints where OpenSSL wants DER; how long it is, 0 when it is none. */
static int signature_to_der(struct bytes raw, uint8_t **der)
{
	struct reader r = reader_of_bytes(raw);
	struct bytes a = read_string(&r), b = read_string(&r);
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *rn = BN_bin2bn(a.at, (int)a.len, NULL), *sn = BN_bin2bn(b.at, (int)b.len, NULL);
	int len = 0;
	if (s && rn && sn && reader_ok(&r) && a.len && a.len < 80 && b.len && b.len < 80 &&
	    ECDSA_SIG_set0(s, rn, sn)) {
		rn = sn = NULL;
		len = i2d_ECDSA_SIG(s, der);
	}
	BN_free(rn);
	BN_free(sn);
	ECDSA_SIG_free(s);
	return len > 0 ? len : 0;
}

static const EVP_MD *signature_hash(struct bytes name)
{
	static const struct {
		const char *name;
		const EVP_MD *(*hash)(void);
	} known[] = {
		{"rsa-sha2-512", EVP_sha512},        {"rsa-sha2-256", EVP_sha256},
		{"ssh-rsa", EVP_sha1},               {"ecdsa-sha2-nistp256", EVP_sha256},
		{"ecdsa-sha2-nistp384", EVP_sha384}, {"ecdsa-sha2-nistp521", EVP_sha512},
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (bytes_equal_text(name, known[i].name))
			return known[i].hash();
	return NULL; /* Ed25519 has its own */
}

static bool signature_fits(EVP_PKEY *key, struct bytes signature, const uint8_t *digest, size_t n)
{
	struct reader r = reader_of_bytes(signature);
	struct bytes name = read_string(&r), raw = read_string(&r);
	bool curve = bytes_start_with(name, "ecdsa-"), edwards = bytes_equal_text(name, "ssh-ed25519");
	const EVP_MD *hash = signature_hash(name);
	uint8_t *der = NULL;
	int len = curve ? signature_to_der(raw, &der) : (int)raw.len;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool fits = reader_ok(&r) && (hash || edwards) && len > 0 && ctx &&
		    EVP_DigestVerifyInit(ctx, NULL, hash, NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, curve ? der : raw.at, (size_t)len, digest, n) == 1;
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	return fits;
}

bool hostkey_is_proved(const struct hostkey_method *m, const struct hostkey_talk *t)
{
	uint8_t hashed[TALK_MAX], digest[EVP_MAX_MD_SIZE];
	struct writer w = writer_of(hashed, sizeof hashed);
	unsigned n = 0;
	write_string(&w, t->client_version);
	write_string(&w, t->server_version);
	write_string(&w, t->client_init);
	write_string(&w, t->server_init);
	write_string(&w, t->key);
	bool able = hostkey_method_half(m, &w);
	write_string(&w, t->half);
	able = able && write_secret(m, t->half, &w) && !w.bad &&
	       EVP_Digest(hashed, writer_used(&w), digest, &n, m->hash(), NULL) == 1;
	EVP_PKEY *key = able ? key_read(t->key) : NULL;
	bool proved = key && signature_fits(key, t->signature, digest, n);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return proved;
}
