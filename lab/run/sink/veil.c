#include "lab/run/sink/veil.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define CHUNK 16384

enum { EC, RSA_OLD, KEYS };

struct veil_side {
	SSL_CTX *context;
	EVP_PKEY *keys[KEYS];
	struct buffer secrets;
};

struct veil_key {
	EVP_PKEY *key;
};

struct veil_key *veil_key_make(void)
{
	struct veil_key *k = calloc(1, sizeof *k);
	/*
	 * Short, since it is for clients of twenty years ago and protects nothing: 2048 bits take
	 * seconds to find on a busy machine.
	 */
	if (k)
		k->key = EVP_RSA_gen(1024);
	return k;
}

void veil_key_free(struct veil_key *k)
{
	if (k)
		EVP_PKEY_free(k->key);
	free(k);
}

struct veil {
	SSL *ssl;
	struct veil_side *side;
	char name[VEIL_NAME_MAX + 1];
};

/* A record of a handshake (RFC 8446 5.1), its version from SSL 3.0 to what comes after TLS 1.2. */
bool veil_recognises(struct bytes first)
{
	return first.len >= 3 && first.at[0] == 22 && first.at[1] == 3 && first.at[2] <= 4;
}

static void secret_keep(const SSL *ssl, const char *line)
{
	struct veil *s = SSL_get_app_data(ssl);
	if (s && !buffer_append(&s->side->secrets, line, strlen(line)))
		buffer_append(&s->side->secrets, "\n", 1);
}

static X509 *certificate_make(EVP_PKEY *key, const char *name)
{
	X509 *x = X509_new();
	X509_NAME *subject = x ? X509_get_subject_name(x) : NULL;
	char alternative[VEIL_NAME_MAX + 8];
	snprintf(alternative, sizeof alternative, "DNS:%s", name);
	/* An extension's text is a small language of its own: a name with a comma would be two. */
	bool plain = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == strlen(name);
	bool good = subject && X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
		    X509_gmtime_adj(X509_getm_notBefore(x), -86400 * 30) &&
		    X509_gmtime_adj(X509_getm_notAfter(x), 86400 * 60) && X509_set_pubkey(x, key) &&
		    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) &&
		    X509_set_issuer_name(x, subject);
	if (good && plain && *name) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
		good = e && X509_add_ext(x, e, -1);
		X509_EXTENSION_free(e);
	}
	if (good && X509_sign(x, key, EVP_sha256()))
		return x;
	X509_free(x);
	return NULL;
}

static int name_asked(SSL *ssl, int *alert, void *arg)
{
	struct veil *s = SSL_get_app_data(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	(void)alert, (void)arg;
	snprintf(s->name, sizeof s->name, "%s", name ? name : "");
	/* An X.509 common name has 64 characters (RFC 5280 A.1). */
	for (size_t i = 0; i < KEYS && name && strlen(name) <= 64; i++) {
		X509 *x = s->side->keys[i] ? certificate_make(s->side->keys[i], name) : NULL;
		if (x)
			SSL_use_certificate(ssl, x);
		X509_free(x);
	}
	return SSL_TLSEXT_ERR_OK;
}

static bool key_use(struct veil_side *s, EVP_PKEY *key)
{
	X509 *x = key ? certificate_make(key, "localhost") : NULL;
	bool good = x && SSL_CTX_use_certificate(s->context, x) && SSL_CTX_use_PrivateKey(s->context, key);
	X509_free(x);
	return good;
}

int veil_side_open(struct veil_side **out, const struct veil_key *old, struct fault *fault)
{
	struct veil_side *s = calloc(1, sizeof *s);
	if (!s)
		return ERR_MEMORY;
	s->secrets = BUFFER(VEIL_SECRETS_MAX);
	s->keys[EC] = EVP_EC_gen("P-256");
	if (old && old->key && EVP_PKEY_up_ref(old->key))
		s->keys[RSA_OLD] = old->key;
	s->context = SSL_CTX_new(TLS_server_method());
	bool good = s->context && SSL_CTX_set_min_proto_version(s->context, 0) &&
		    SSL_CTX_set_cipher_list(s->context, "ALL:@SECLEVEL=0") && key_use(s, s->keys[EC]);
	if (good && s->keys[RSA_OLD])
		good = key_use(s, s->keys[RSA_OLD]);
	if (!good) {
		veil_side_close(s);
		return fault_set(fault, ERR_SYSTEM, "sink: TLS cannot be set up");
	}
	SSL_CTX_set_tlsext_servername_callback(s->context, name_asked);
	SSL_CTX_set_keylog_callback(s->context, secret_keep);
	SSL_CTX_set_session_cache_mode(s->context, SSL_SESS_CACHE_OFF);
	*out = s;
	return 0;
}

void veil_side_close(struct veil_side *s)
{
	if (!s)
		return;
	SSL_CTX_free(s->context);
	for (size_t i = 0; i < KEYS; i++)
		EVP_PKEY_free(s->keys[i]);
	buffer_done(&s->secrets);
	free(s);
}

struct bytes veil_side_secrets(const struct veil_side *s) { return buffer_bytes(&s->secrets); }

struct veil *veil_open(struct veil_side *side)
{
	struct veil *s = calloc(1, sizeof *s);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	if (!s || !in || !out || !(s->ssl = SSL_new(side->context))) {
		BIO_free(in);
		BIO_free(out);
		free(s);
		return NULL;
	}
	s->side = side;
	SSL_set_app_data(s->ssl, s);
	SSL_set_bio(s->ssl, in, out);
	SSL_set_accept_state(s->ssl);
	return s;
}

void veil_close(struct veil *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	free(s);
}

static bool wire_take(struct veil *s, struct buffer *wire)
{
	BIO *out = SSL_get_wbio(s->ssl);
	for (;;) {
		size_t pending = BIO_ctrl_pending(out);
		if (!pending)
			return true;
		size_t n = pending < CHUNK ? pending : CHUNK;
		uint8_t *room = buffer_room(wire, n);
		int got = room ? BIO_read(out, room, (int)n) : -1;
		if (got <= 0)
			return false;
		buffer_grown(wire, (size_t)got);
	}
}

bool veil_take(struct veil *s, struct bytes b, struct buffer *plain, struct buffer *wire)
{
	if (b.len && BIO_write(SSL_get_rbio(s->ssl), b.at, (int)b.len) != (int)b.len)
		return false;
	ERR_clear_error();
	if (!SSL_is_init_finished(s->ssl)) {
		int n = SSL_do_handshake(s->ssl);
		int why = n == 1 ? SSL_ERROR_NONE : SSL_get_error(s->ssl, n);
		wire_take(s, wire);
		if (why != SSL_ERROR_NONE)
			return why == SSL_ERROR_WANT_READ;
	}
	for (;;) {
		uint8_t *room = buffer_room(plain, CHUNK);
		if (!room)
			return wire_take(s, wire) && buffer_len(plain) > 0;
		int n = SSL_read(s->ssl, room, CHUNK);
		if (n > 0) {
			buffer_grown(plain, (size_t)n);
			continue;
		}
		wire_take(s, wire);
		return SSL_get_error(s->ssl, n) == SSL_ERROR_WANT_READ;
	}
}

bool veil_say(struct veil *s, struct bytes b, struct buffer *wire)
{
	ERR_clear_error();
	return (!b.len || SSL_write(s->ssl, b.at, (int)b.len) == (int)b.len) && wire_take(s, wire);
}

void veil_end(struct veil *s, struct buffer *wire)
{
	ERR_clear_error();
	SSL_shutdown(s->ssl);
	wire_take(s, wire);
}

const char *veil_name(const struct veil *s) { return s->name; }
bool veil_stands(const struct veil *s) { return SSL_is_init_finished(s->ssl); }
