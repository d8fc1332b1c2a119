#include "passive/device/tls/certificate.h"
#include "base/random.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define DAY_S 86400u
#define PRIME_BYTES_MAX 256
#define FIRST_START_S 15 /* a device makes its key so long after its clock began, or later */
#define FIRST_START_SPREAD_S 180

void tls_derive(uint64_t device_key, const char *what, uint64_t number, uint64_t counter, uint8_t out[32])
{
	uint8_t room[128];
	struct writer w = writer_of(room, sizeof room);
	write_u64(&w, device_key);
	write_u64(&w, number);
	write_u64(&w, counter);
	write_text(&w, what);
	if (w.bad || !EVP_Digest(room, writer_used(&w), out, NULL, EVP_sha256(), NULL))
		abort(); /* a certificate that changed with each start would betray the decoy */
}

/* The first prime above a number drawn from the device key, with e = 65537 in mind. */
static BIGNUM *prime_find(uint64_t device_key, const char *what, uint64_t number, size_t bytes, BN_CTX *ctx)
{
	uint8_t drawn[PRIME_BYTES_MAX];
	for (size_t i = 0; i < bytes; i += 32)
		tls_derive(device_key, what, number, i, drawn + i);
	drawn[0] |= 0xc0; /* so that the product has its whole length */
	drawn[bytes - 1] |= 1;
	BIGNUM *p = BN_bin2bn(drawn, (int)bytes, NULL);
	while (p && (BN_mod_word(p, 65537) == 1 || BN_check_prime(p, ctx, NULL) != 1))
		if (!BN_add_word(p, 2))
			break;
	return p;
}

struct rsa_numbers { /* in the order of their parameters */
	BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qi;
};

static bool rsa_compute(struct rsa_numbers *r, BN_CTX *ctx)
{
	BIGNUM *p1 = BN_dup(r->p), *q1 = BN_dup(r->q), *phi = BN_new();
	r->n = BN_new();
	r->e = BN_new();
	r->dp = BN_new();
	r->dq = BN_new();
	bool ok = p1 && q1 && phi && r->n && r->e && r->dp && r->dq && BN_set_word(r->e, 65537) &&
	          BN_mul(r->n, r->p, r->q, ctx) && BN_sub_word(p1, 1) && BN_sub_word(q1, 1) &&
	          BN_mul(phi, p1, q1, ctx);
	r->d = ok ? BN_mod_inverse(NULL, r->e, phi, ctx) : NULL;
	r->qi = ok ? BN_mod_inverse(NULL, r->q, r->p, ctx) : NULL;
	ok = r->d && r->qi && BN_mod(r->dp, r->d, p1, ctx) && BN_mod(r->dq, r->d, q1, ctx);
	BN_free(p1);
	BN_free(q1);
	BN_free(phi);
	return ok;
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *rsa_make(uint64_t device_key, size_t bits, uint64_t number)
{
	static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
	                                    OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
	                                    OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
	                                    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
	BN_CTX *ctx = BN_CTX_new();
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	struct rsa_numbers r = {0};
	BIGNUM **const all = &r.n;
	EVP_PKEY *key = NULL;
	r.p = ctx ? prime_find(device_key, "prime p", number * 8192 + bits, bits / 16, ctx) : NULL;
	r.q = ctx ? prime_find(device_key, "prime q", number * 8192 + bits, bits / 16, ctx) : NULL;
	if (r.p && r.q && BN_cmp(r.p, r.q) < 0)
		BN_swap(r.p, r.q);
	bool ok = r.p && r.q && build && rsa_compute(&r, ctx);
	for (size_t i = 0; i < sizeof names / sizeof *names && ok; i++)
		ok = OSSL_PARAM_BLD_push_BN(build, names[i], all[i]);
	if (ok)
		key = key_from("RSA", build);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		BN_clear_free(all[i]);
	OSSL_PARAM_BLD_free(build);
	BN_CTX_free(ctx);
	return key;
}

static EVP_PKEY *ec_from(const BIGNUM *secret, const EC_GROUP *group, BN_CTX *ctx)
{
	uint8_t point[65];
	EVP_PKEY *key = NULL;
	EC_POINT *at = EC_POINT_new(group);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	if (at && build && EC_POINT_mul(group, at, secret, NULL, NULL, ctx) &&
	    EC_POINT_point2oct(group, at, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, ctx) == sizeof point &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret))
		key = key_from("EC", build);
	OSSL_PARAM_BLD_free(build);
	EC_POINT_free(at);
	return key;
}

/* A number of 1 to the group's order less one. */
static BIGNUM *scalar_draw(uint64_t device_key, const char *what, uint64_t number, uint64_t counter,
                           const BIGNUM *order, BN_CTX *ctx)
{
	uint8_t drawn[32];
	BIGNUM *less = BN_dup(order);
	tls_derive(device_key, what, number, counter, drawn);
	BIGNUM *k = BN_bin2bn(drawn, sizeof drawn, NULL);
	if (!k || !less || !BN_sub_word(less, 1) || !BN_mod(k, k, less, ctx) || !BN_add_word(k, 1)) {
		BN_free(k);
		k = NULL;
	}
	BN_free(less);
	return k;
}

static EVP_PKEY *ec_make(uint64_t device_key, uint64_t seed)
{
	BN_CTX *ctx = BN_CTX_new();
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BIGNUM *secret = ctx && group
	                         ? scalar_draw(device_key, "ec key", seed, 0, EC_GROUP_get0_order(group), ctx)
	                         : NULL;
	EVP_PKEY *key = secret ? ec_from(secret, group, ctx) : NULL;
	BN_clear_free(secret);
	EC_GROUP_free(group);
	BN_CTX_free(ctx);
	return key;
}

static EVP_PKEY *key_of(struct tls_pool *pool, enum tls_key kind, uint64_t seed)
{
	static const size_t bits[TLS_EC] = {1024, 2048, 4096};
	if (kind == TLS_EC)
		return ec_make(pool->device_key, seed);
	size_t at = random_mix(seed ^ pool->device_key) % pool->size;
	EVP_PKEY **key = &pool->rsa[kind][at];
	if (!*key)
		*key = rsa_make(pool->device_key, bits[kind], at);
	if (*key)
		EVP_PKEY_up_ref(*key);
	return *key;
}

void tls_pool_done(struct tls_pool *pool)
{
	for (size_t kind = 0; kind < TLS_EC; kind++)
		for (size_t i = 0; i < TLS_POOL_MAX; i++) {
			EVP_PKEY_free(pool->rsa[kind][i]);
			pool->rsa[kind][i] = NULL;
		}
}

static void expand(const struct persona_look *look, const char *text, char *out, size_t size)
{
	struct writer w = writer_of(out, size - 1);
	persona_expand(look, bytes_of_text(text), &w);
	*w.at = '\0';
}

/* "/C=US/CN=name"; terms.c has checked it.  A value ends at the next slash. */
static bool name_fill(X509_NAME *name, const struct persona_look *look, const char *text)
{
	char whole[1024];
	char *left = whole, *part;
	bool ok = name != NULL;
	expand(look, text, whole, sizeof whole);
	while (ok && (part = strsep(&left, "/")) != NULL) {
		char *value = strchr(part, '=');
		if (!value)
			continue;
		*value++ = '\0';
		ok = X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (const uint8_t *)value, -1, -1, 0);
	}
	return ok;
}

static bool serial_fill(X509 *x, const struct tls_terms *t, uint64_t device_key, uint64_t seed, uint64_t since)
{
	uint8_t drawn[32];
	if (t->serial_bytes == 0)
		return ASN1_INTEGER_set(X509_get_serialNumber(x), 0);
	tls_derive(device_key, "serial", seed, since, drawn);
	drawn[0] = (uint8_t)((drawn[0] & 0x7f) | 0x40); /* positive, and of that length */
	BIGNUM *n = BN_bin2bn(drawn, (int)t->serial_bytes, NULL);
	bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

/* When it began to be valid.  What is renewed at its end began a whole number of terms before. */
static uint64_t valid_since_s(const struct tls_terms *t, uint64_t seed, uint64_t now_s)
{
	uint64_t drawn = random_mix(seed ^ 0x74696d65), term = t->days * DAY_S;
	if (t->since_s)
		return t->since_s + FIRST_START_S + drawn % FIRST_START_SPREAD_S;
	uint64_t phase = drawn % term;
	return now_s < phase ? now_s : now_s - (now_s - phase) % term;
}

static bool extension_add(X509 *x, X509V3_CTX *ctx, int nid, const char *text)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, text);
	bool ok = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return ok;
}

static bool extensions_add(X509 *x, const struct tls_terms *t, const struct persona_look *look, EVP_PKEY *key)
{
	char names[1024], text[256];
	struct writer w = writer_of(names, sizeof names - 1);
	X509V3_CTX ctx;
	bool ok = true;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509V3_set_issuer_pkey(&ctx, key);
	if (t->form == TLS_FORM_CA)
		ok = extension_add(x, &ctx, NID_subject_key_identifier, "hash") &&
		     extension_add(x, &ctx, NID_authority_key_identifier, "keyid") &&
		     extension_add(x, &ctx, NID_basic_constraints, "critical,CA:TRUE");
	else if (t->form == TLS_FORM_SERVER)
		ok = extension_add(x, &ctx, NID_ext_key_usage, "serverAuth") &&
		     extension_add(x, &ctx, NID_key_usage,
		                   t->key == TLS_EC ? "digitalSignature,keyAgreement"
		                                    : "keyEncipherment,dataEncipherment");
	for (size_t i = 0; i < t->names.count; i++) {
		expand(look, ((const char *const *)t->names.items)[i], text, sizeof text);
		write_fmt(&w, "%s%s", i ? "," : "", text);
	}
	*w.at = '\0';
	return ok && (!t->names.count || extension_add(x, &ctx, NID_subject_alt_name, names));
}

static X509 *certificate_fill(const struct tls_terms *t, const struct persona_look *look, uint64_t device_key,
                              EVP_PKEY *key)
{
	X509 *x = X509_new();
	uint64_t since = valid_since_s(t, look->seed, look->time_us / 1000000);
	bool bare = t->form == TLS_FORM_PLAIN && !t->names.count;
	X509_NAME *subject = x ? X509_get_subject_name(x) : NULL;
	if (x && X509_set_version(x, bare ? X509_VERSION_1 : X509_VERSION_3) &&
	    serial_fill(x, t, device_key, look->seed, since) &&
	    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)since) &&
	    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(since + t->days * DAY_S)) &&
	    X509_set_pubkey(x, key) && name_fill(subject, look, t->subject) &&
	    (t->issuer ? name_fill(X509_get_issuer_name(x), look, t->issuer) : X509_set_issuer_name(x, subject)) &&
	    (bare || extensions_add(x, t, look, key)))
		return x;
	X509_free(x);
	return NULL;
}

/* s = (h + r d) / k mod n, k drawn from what is signed: the library's own k is another each time. */
static ECDSA_SIG *ec_sign(struct tls_pool *pool, uint64_t seed, const uint8_t hash[32])
{
	BN_CTX *ctx = BN_CTX_new();
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *at = group ? EC_POINT_new(group) : NULL;
	BIGNUM *r = BN_new(), *s = BN_new(), *h = BN_bin2bn(hash, 32, NULL), *d = NULL, *k = NULL;
	ECDSA_SIG *out = ctx && at && r && s && h ? ECDSA_SIG_new() : NULL;
	if (out) {
		const BIGNUM *n = EC_GROUP_get0_order(group);
		struct reader head = reader_of(hash, 8);
		d = scalar_draw(pool->device_key, "ec key", seed, 0, n, ctx);
		k = scalar_draw(pool->device_key, "ec nonce", seed, read_u64(&head), n, ctx);
		if (d && k && EC_POINT_mul(group, at, k, NULL, NULL, ctx) &&
		    EC_POINT_get_affine_coordinates(group, at, r, NULL, ctx) && BN_nnmod(r, r, n, ctx) &&
		    BN_mod_mul(s, r, d, n, ctx) && BN_mod_add(s, s, h, n, ctx) && BN_mod_inverse(k, k, n, ctx) &&
		    BN_mod_mul(s, s, k, n, ctx) && ECDSA_SIG_set0(out, r, s)) {
			r = s = NULL;
		} else {
			ECDSA_SIG_free(out);
			out = NULL;
		}
	}
	BN_clear_free(d);
	BN_clear_free(k);
	BN_free(h);
	BN_free(r);
	BN_free(s);
	EC_POINT_free(at);
	EC_GROUP_free(group);
	BN_CTX_free(ctx);
	return out;
}

static void write_der(struct writer *w, uint8_t tag, size_t len)
{
	write_u8(w, tag);
	if (len > 0xff)
		write_u8(w, 0x82);
	else if (len > 0x7f)
		write_u8(w, 0x81);
	write_be(w, len, len > 0xff ? 2 : 1);
}

/* The same certificate with a signature that is the same each time (RFC 5280 4.1). */
static X509 *ec_resign(X509 *x, struct tls_pool *pool, uint64_t seed)
{
	static const uint8_t algorithm[] = {0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2};
	uint8_t room[4096 + 256], hash[32], *tbs = NULL, *signature = NULL;
	X509 *out = NULL;
	int n = i2d_re_X509_tbs(x, &tbs), m = 0;
	ECDSA_SIG *sig = NULL;
	if (n > 0 && n < 4096 && EVP_Digest(tbs, (size_t)n, hash, NULL, EVP_sha256(), NULL))
		sig = ec_sign(pool, seed, hash);
	if (sig)
		m = i2d_ECDSA_SIG(sig, &signature);
	if (m > 0 && m < 0x7f) {
		struct writer w = writer_of(room, sizeof room);
		write_der(&w, 0x30, (size_t)n + sizeof algorithm + 3 + (size_t)m);
		write_bytes(&w, tbs, (size_t)n);
		write_bytes(&w, algorithm, sizeof algorithm);
		write_der(&w, 3, (size_t)m + 1);
		write_u8(&w, 0);
		write_bytes(&w, signature, (size_t)m);
		const uint8_t *at = room;
		out = w.bad ? NULL : d2i_X509(NULL, &at, (long)writer_used(&w));
	}
	ECDSA_SIG_free(sig);
	OPENSSL_free(tbs);
	OPENSSL_free(signature);
	return out;
}

int tls_identity_make(struct tls_pool *pool, const struct tls_terms *t, const struct persona_look *look,
                      struct tls_identity *out)
{
	EVP_PKEY *key = key_of(pool, (enum tls_key)t->key, look->seed);
	X509 *x = key ? certificate_fill(t, look, pool->device_key, key) : NULL;
	bool ok = x && X509_sign(x, key, t->key != TLS_EC && t->hash ? EVP_sha1() : EVP_sha256()) > 0;
	if (ok && t->key == TLS_EC) {
		X509 *again = ec_resign(x, pool, look->seed);
		X509_free(x);
		x = again;
		ok = x != NULL;
	}
	if (!ok) {
		EVP_PKEY_free(key);
		X509_free(x);
		return ERR_MEMORY;
	}
	*out = (struct tls_identity){key, x};
	return 0;
}

void tls_identity_done(struct tls_identity *i)
{
	EVP_PKEY_free(i->key);
	X509_free(i->certificate);
	*i = (struct tls_identity){0};
}
