#include "active/prober/secure_inner.h"
#include "active/probe.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct secure_context {
	SSL_CTX *ssl;
};

struct secure {
	SSL *ssl;
	BIO *in, *out; /* owned by ssl */
	bool ready, failed;
};

FIELD(TLS_VERSION, "tls.version", TEXT, 0, "TLS version that was agreed on");
FIELD(TLS_CIPHER, "tls.cipher", TEXT, 0, "cipher suite that the host chose");

static int nothing_is_verified(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

int secure_context_open(struct secure_context **out, struct fault *fault)
{
	struct secure_context *c = calloc(1, sizeof *c);
	if (c)
		c->ssl = SSL_CTX_new(TLS_client_method());
	if (!c || !c->ssl) {
		free(c);
		return fault_set(fault, ERR_MEMORY, "tls: no memory for its context");
	}
	SSL_CTX_set_verify(c->ssl, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_cert_verify_callback(c->ssl, nothing_is_verified, NULL);
	SSL_CTX_set_min_proto_version(c->ssl, TLS1_VERSION);
	SSL_CTX_set_security_level(c->ssl, 0);
	SSL_CTX_set_options(c->ssl, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_cipher_list(c->ssl, "ALL:!aNULL:!eNULL:@SECLEVEL=0") != 1) {
		secure_context_close(c);
		return fault_set(fault, ERR_SYSTEM, "tls: OpenSSL offers no cipher suite");
	}
	*out = c;
	return 0;
}

void secure_context_close(struct secure_context *c)
{
	if (!c)
		return;
	SSL_CTX_free(c->ssl);
	free(c);
}

struct secure *secure_new(struct secure_context *c)
{
	struct secure *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->ssl = SSL_new(c->ssl);
	s->in = BIO_new(BIO_s_mem());
	s->out = BIO_new(BIO_s_mem());
	if (!s->ssl || !s->in || !s->out) {
		SSL_free(s->ssl);
		BIO_free(s->in);
		BIO_free(s->out);
		free(s);
		return NULL;
	}
	SSL_set_bio(s->ssl, s->in, s->out);
	SSL_set_connect_state(s->ssl);
	return s;
}

void secure_free(struct secure *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	free(s);
}

/* What a call that did not succeed means; OpenSSL's queue of errors is of no use to us. */
static bool secure_waits(struct secure *s, int result)
{
	int why = SSL_get_error(s->ssl, result);
	ERR_clear_error();
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

void secure_hear(struct secure *s, struct bytes wire)
{
	if (wire.len && BIO_write(s->in, wire.at, (int)wire.len) != (int)wire.len)
		s->failed = true;
}

int secure_step(struct secure *s)
{
	if (s->ready)
		return SECURE_READY;
	if (s->failed)
		return ERR_BAD;
	int result = SSL_do_handshake(s->ssl);
	if (result == 1) {
		s->ready = true;
		return SECURE_READY;
	}
	s->failed = !secure_waits(s, result);
	return s->failed ? ERR_BAD : SECURE_SHAKING;
}

void secure_say(struct secure *s, struct bytes plain)
{
	/* A memory BIO takes all at once, so there is nothing to try again. */
	if (plain.len && SSL_write(s->ssl, plain.at, (int)plain.len) != (int)plain.len) {
		ERR_clear_error();
		s->failed = true;
	}
}

size_t secure_read(struct secure *s, uint8_t *plain, size_t n)
{
	if (!s->ready || s->failed)
		return 0;
	int got = SSL_read(s->ssl, plain, (int)n);
	if (got > 0)
		return (size_t)got;
	s->failed = !secure_waits(s, got);
	return 0;
}

struct bytes secure_unsent(struct secure *s)
{
	char *at = NULL;
	long n = BIO_get_mem_data(s->out, &at);
	return (struct bytes){(const uint8_t *)at, n > 0 ? (size_t)n : 0};
}

void secure_sent(struct secure *s, size_t n)
{
	if (n >= secure_unsent(s).len)
		(void)BIO_reset(s->out);
}

void secure_report(struct secure *s, struct asking *a, struct event *answer)
{
	X509 *certificate = SSL_get0_peer_certificate(s->ssl);
	if (s->ready) {
		event_set_text(answer, TLS_VERSION, SSL_get_version(s->ssl));
		event_set_text(answer, TLS_CIPHER, SSL_get_cipher_name(s->ssl));
	}
	uint8_t *der = NULL;
	int n = certificate ? i2d_X509(certificate, &der) : 0;
	if (n > 0)
		certificate_report((struct bytes){der, (size_t)n}, a, answer);
	OPENSSL_free(der);
	ERR_clear_error();
}
