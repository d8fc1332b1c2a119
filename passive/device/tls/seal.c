#include "passive/device/tls/seal.h"
#include "base/random.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#define ARENA_MAX (64u << 10)

struct tls_context {
	const struct tls_terms *terms;
	bool old_only;
	SSL_CTX *ctx;
};

struct tls_cached {
	const struct tls_terms *terms;
	uint64_t seed, until_s;
	struct tls_identity identity;
};

struct tls {
	struct tls_room *room;
	SSL *ssl;
	struct buffer in;   /* of the wire, not yet read */
	struct buffer held; /* plain, for after the handshake */
	struct tls_greeting greeting;
	uint8_t name_len;
	bool greeted, told, ended, closed;
	uint64_t seed; /* of the device: its tickets are its own */
	const char *alpn;
	uint8_t name[TLS_NAME_MAX];
};

/* The wire as OpenSSL sees it: it reads what came and writes into the room's buffer. */
static int wire_read(BIO *bio, char *out, size_t size, size_t *n)
{
	struct tls *t = BIO_get_data(bio);
	struct bytes b = buffer_bytes(&t->in);
	BIO_clear_retry_flags(bio);
	*n = b.len < size ? b.len : size;
	if (*n == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	memcpy(out, b.at, *n);
	buffer_consume(&t->in, *n);
	return 1;
}

static int wire_write(BIO *bio, const char *at, size_t size, size_t *n)
{
	struct tls *t = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	*n = size;
	return buffer_append(&t->room->wire, at, size) == 0;
}

static long wire_control(BIO *bio, int what, long number, void *at)
{
	(void)bio;
	(void)number;
	(void)at;
	return what == BIO_CTRL_FLUSH;
}

static int wire_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *wire_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "session");
	if (method && BIO_meth_set_read_ex(method, wire_read) && BIO_meth_set_write_ex(method, wire_write) &&
	    BIO_meth_set_ctrl(method, wire_control) && BIO_meth_set_create(method, wire_create))
		return method;
	BIO_meth_free(method);
	return NULL;
}

/*
 * Keys of tickets follow from the device, so that a ticket of one address means nothing at
 * another and no two share the name that each ticket begins with.
 */
static int ticket_key(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int make)
{
	const struct tls *t = SSL_get_app_data(ssl);
	uint8_t names[32], secret[32], seal[32];
	uint64_t key = t->room->pool.device_key;
	tls_derive(key, "ticket name", t->seed, 0, names);
	tls_derive(key, "ticket cipher", t->seed, 0, secret);
	tls_derive(key, "ticket seal", t->seed, 0, seal);
	OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, seal, sizeof seal),
	                       OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
	                       OSSL_PARAM_construct_end()};
	if (make) {
		uint64_t drawn[2] = {random_secret(), random_secret()};
		memcpy(name, names, 16);
		memcpy(iv, drawn, sizeof drawn);
	} else if (memcmp(name, names, 16)) {
		return 0;
	}
	if (!EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, secret, iv, make) ||
	    !EVP_MAC_CTX_set_params(mac, params))
		return -1;
	return 1;
}

/* The protocol of the service when the client offers it; others go on without (RFC 7301 3.2). */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned in_len, void *arg)
{
	const struct tls *t = SSL_get_app_data(ssl);
	struct reader r = reader_of(in, in_len);
	(void)arg;
	while (t->alpn && reader_left(&r)) {
		struct bytes name = read_bytes(&r, read_u8(&r));
		if (!reader_ok(&r) || !bytes_equal_text(name, t->alpn))
			continue;
		*out = name.at;
		*out_len = (unsigned char)name.len;
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *context_make(const struct tls_terms *t, bool old_only)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx)
		return NULL;
	int max = old_only && t->version_max > 2 ? 2 : t->version_max;
	/* Old devices speak what today's level of security refuses; nothing here is worth guarding. */
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
	                                 (t->tickets ? 0 : SSL_OP_NO_TICKET) |
	                                 (t->server_order ? SSL_OP_CIPHER_SERVER_PREFERENCE : 0));
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_dh_auto(ctx, 1);
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key);
	SSL_CTX_set_max_cert_list(ctx, 4096);
	bool ok = SSL_CTX_set_min_proto_version(ctx, tls_version_number(t->version_min)) == 1 &&
	          SSL_CTX_set_max_proto_version(ctx, tls_version_number(max)) == 1 &&
	          SSL_CTX_set_cipher_list(ctx, t->ciphers) == 1;
	if (!t->tickets)
		ok = ok && SSL_CTX_set_num_tickets(ctx, 0) == 1;
	if (ok)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static SSL_CTX *context_of(struct tls_room *r, const struct tls_terms *t, bool old_only)
{
	size_t i = 0;
	while (i < TLS_TERMS_MAX && r->contexts[i].ctx &&
	       (r->contexts[i].terms != t || r->contexts[i].old_only != old_only))
		i++;
	if (i == TLS_TERMS_MAX)
		return NULL;
	if (!r->contexts[i].ctx)
		r->contexts[i] = (struct tls_context){t, old_only, context_make(t, old_only)};
	return r->contexts[i].ctx;
}

static const struct tls_identity *identity_of(struct tls_room *r, const struct tls_terms *t,
                                              const struct persona_look *look)
{
	uint64_t now_s = look->time_us / 1000000;
	struct tls_cached *c = &r->cached[random_mix(look->seed ^ (uintptr_t)t) % TLS_IDENTITIES_MAX];
	if (c->terms == t && c->seed == look->seed && now_s < c->until_s)
		return &c->identity;
	tls_identity_done(&c->identity);
	/* One that is renewed at its end is looked at again after an hour. */
	*c = (struct tls_cached){t, look->seed, now_s + 3600, {0}};
	if (tls_identity_make(&r->pool, t, look, &c->identity) == 0)
		return &c->identity;
	c->terms = NULL;
	return NULL;
}

int tls_room_open(struct tls_room *r, uint64_t device_key, size_t pool, uint64_t sessions_max)
{
	struct fault fault;
	*r = (struct tls_room){.pool = {.device_key = device_key, .size = pool},
	                       .sessions_max = sessions_max,
	                       .wire = BUFFER(TLS_WIRE_MAX),
	                       .arena = ARENA(ARENA_MAX)};
	struct tls_terms *usual = arena_alloc(&r->arena, sizeof *usual);
	r->contexts = calloc(TLS_TERMS_MAX, sizeof *r->contexts);
	r->cached = calloc(TLS_IDENTITIES_MAX, sizeof *r->cached);
	r->scratch = malloc(TLS_HELLO_MAX);
	r->method = wire_method();
	if (!usual || !r->method || !r->contexts || !r->cached || !r->scratch ||
	    tls_terms_read(NULL, "", "tls", &r->arena, usual, &fault) < 0) {
		tls_room_done(r);
		return ERR_MEMORY;
	}
	r->usual = usual;
	context_of(r, usual, false); /* what the library loads at its first use, it loads now */
	return 0;
}

void tls_room_done(struct tls_room *r)
{
	for (size_t i = 0; r->contexts && i < TLS_TERMS_MAX; i++)
		SSL_CTX_free(r->contexts[i].ctx);
	for (size_t i = 0; r->cached && i < TLS_IDENTITIES_MAX; i++)
		tls_identity_done(&r->cached[i].identity);
	tls_pool_done(&r->pool);
	BIO_meth_free(r->method);
	free(r->contexts);
	free(r->cached);
	free(r->scratch);
	buffer_done(&r->wire);
	arena_done(&r->arena);
	*r = (struct tls_room){0};
}

static bool ssl_open(struct tls *t, const struct tls_terms *terms, const struct persona_look *look, bool old_only)
{
	SSL_CTX *ctx = context_of(t->room, terms, old_only);
	const struct tls_identity *identity = ctx ? identity_of(t->room, terms, look) : NULL;
	BIO *bio = identity ? BIO_new(t->room->method) : NULL;
	t->ssl = bio ? SSL_new(ctx) : NULL;
	if (!t->ssl) {
		BIO_free(bio);
		return false;
	}
	BIO_set_data(bio, t);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, t);
	SSL_set_accept_state(t->ssl);
	return SSL_use_certificate(t->ssl, identity->certificate) == 1 &&
	       SSL_use_PrivateKey(t->ssl, identity->key) == 1 &&
	       SSL_set_session_id_context(t->ssl, (const uint8_t *)&t->seed, sizeof t->seed) == 1;
}

struct tls *tls_new(struct tls_room *r, const struct tls_terms *terms, const struct persona_look *look,
                    const char *alpn, bool old_only)
{
	if (r->sessions >= r->sessions_max)
		return NULL;
	struct tls *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	*t = (struct tls){.room = r,
	                  .in = BUFFER(TLS_IN_MAX),
	                  .held = BUFFER(TLS_HELD_MAX),
	                  .seed = look->seed,
	                  .alpn = alpn};
	r->sessions++;
	if (ssl_open(t, terms ? terms : r->usual, look, old_only))
		return t;
	tls_free(t);
	return NULL;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	buffer_done(&t->in);
	buffer_done(&t->held);
	t->room->sessions--;
	free(t);
}

/* Before OpenSSL takes the hello away; what lies in pieces is looked at again with the next. */
static void greeting_read(struct tls *t)
{
	struct tls_hello *h = &t->greeting.hello;
	enum tls_hello_found found = tls_hello_read(buffer_bytes(&t->in), t->room->scratch, h);
	if (found == TLS_HELLO_MORE)
		return;
	t->greeted = true;
	t->greeting.whole = found == TLS_HELLO_WHOLE;
	if (!t->greeting.whole)
		return;
	struct writer w = writer_of(t->greeting.alpn, sizeof t->greeting.alpn);
	tls_alpn_write(h->alpn, &w);
	t->greeting.alpn_len = writer_used(&w);
	t->name_len = (uint8_t)h->name.len;
	if (h->name.len)
		memcpy(t->name, h->name.at, h->name.len);
	/* The hello itself is about to be read away. */
	h->alpn = (struct bytes){0};
	h->name = tls_name(t);
}

int tls_hear(struct tls *t, struct bytes b)
{
	return buffer_append(&t->in, b.at, b.len);
}

static void held_say(struct tls *t)
{
	struct bytes b = buffer_bytes(&t->held);
	if (b.len && SSL_is_init_finished(t->ssl) && tls_say(t, b))
		buffer_done(&t->held);
}

/* What a call of the library that wants to be repeated, or never, means for the session. */
static void failed(struct tls *t)
{
	int why = SSL_get_error(t->ssl, 0);
	t->ended = why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
	if (why == SSL_ERROR_ZERO_RETURN) /* farewell is answered with farewell */
		SSL_shutdown(t->ssl);
}

void tls_shake(struct tls *t)
{
	if (t->ended || buffer_len(&t->in) == 0)
		return;
	if (!t->greeted)
		greeting_read(t);
	if (!t->greeted && buffer_len(&t->in) < TLS_HELLO_MAX)
		return;
	t->greeted = true;
	ERR_clear_error();
	if (SSL_do_handshake(t->ssl) != 1)
		failed(t);
	else
		held_say(t);
}

size_t tls_read(struct tls *t, uint8_t *out, size_t size)
{
	size_t n = 0;
	if (t->ended)
		return 0;
	ERR_clear_error();
	if (SSL_read_ex(t->ssl, out, size, &n) != 1) {
		failed(t);
		return 0;
	}
	return n;
}

enum tls_state tls_state(const struct tls *t)
{
	return t->ended ? TLS_ENDED : SSL_is_init_finished(t->ssl) ? TLS_OPEN : TLS_WAITING;
}

bool tls_say(struct tls *t, struct bytes b)
{
	if (t->ended || t->closed)
		return false;
	if (!SSL_is_init_finished(t->ssl))
		return buffer_append(&t->held, b.at, b.len) == 0;
	ERR_clear_error();
	while (b.len) {
		size_t n = 0;
		if (SSL_write_ex(t->ssl, b.at, b.len, &n) != 1)
			return false;
		b.at += n;
		b.len -= n;
	}
	return true;
}

void tls_end(struct tls *t)
{
	if (t->closed || t->ended || !SSL_is_init_finished(t->ssl))
		return;
	t->closed = true;
	ERR_clear_error();
	SSL_shutdown(t->ssl);
}

const struct tls_greeting *tls_greeting(struct tls *t)
{
	if (!t->greeted || t->told)
		return NULL;
	t->told = true;
	const SSL_CIPHER *cipher = SSL_get_pending_cipher(t->ssl);
	if (!cipher)
		cipher = SSL_get_current_cipher(t->ssl);
	if (cipher && !t->ended) {
		t->greeting.cipher = SSL_CIPHER_standard_name(cipher);
		t->greeting.version = SSL_get_version(t->ssl);
	}
	return &t->greeting;
}

struct bytes tls_name(const struct tls *t)
{
	return (struct bytes){t->name, t->name_len};
}

struct bytes tls_certificate(struct tls *t, struct arena *arena)
{
	X509 *x = SSL_get_certificate(t->ssl);
	int n = x ? i2d_X509(x, NULL) : 0;
	uint8_t *at = n > 0 ? arena_alloc(arena, (size_t)n) : NULL, *end = at;
	if (!at || i2d_X509(x, &end) != n)
		return (struct bytes){0};
	return (struct bytes){at, (size_t)n};
}
