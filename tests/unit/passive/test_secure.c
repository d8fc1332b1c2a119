/* TLS of the room, met with OpenSSL's client: over real sockets, whole and in pieces. */
#include "passive/device/tls/seal.h"
#include "tests/unit/passive/stage.h"
#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOPBACK 0x7f000001u

struct client {
	struct stage_set *set;
	int fd;
	size_t chunk; /* bytes sent at once */
	bool wraps;   /* its handshake goes in the parrot's packets */
	struct buffer packets;
	SSL_CTX *context;
	SSL *ssl;
};

static struct client client_new(struct stage_set *set, int fd, size_t chunk, int version)
{
	struct client c = {.set = set, .fd = fd, .chunk = chunk, .packets = BUFFER(1u << 20)};
	c.context = SSL_CTX_new(TLS_client_method());
	CHECK(c.context);
	SSL_CTX_set_security_level(c.context, 0);
	CHECK(SSL_CTX_set_max_proto_version(c.context, version) == 1);
	CHECK(SSL_CTX_set_min_proto_version(c.context, version) == 1);
	CHECK(SSL_CTX_set_cipher_list(c.context, "ALL") == 1);
	CHECK(SSL_CTX_set_alpn_protos(c.context, (const uint8_t *)"\2h2\10http/1.1", 12) == 0);
	c.ssl = SSL_new(c.context);
	SSL_set_bio(c.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_tlsext_host_name(c.ssl, "cam.example");
	SSL_set_connect_state(c.ssl);
	return c;
}

static void client_done(struct client *c)
{
	close(c->fd);
	SSL_free(c->ssl);
	SSL_CTX_free(c->context);
	buffer_done(&c->packets);
}

static void send_all(struct client *c, const uint8_t *at, size_t n)
{
	while (n) {
		size_t k = n < c->chunk ? n : c->chunk;
		ssize_t sent = send(c->fd, at, k, MSG_NOSIGNAL);
		if (sent < 0)
			return; /* it has hung up: the reader sees that */
		at += sent;
		n -= (size_t)sent;
		turn(c->set);
	}
}

/* What OpenSSL wants sent, and what has come for it; false at the end of the stream. */
static bool pump(struct client *c)
{
	uint8_t at[20000];
	bool wraps = c->wraps && !SSL_is_init_finished(c->ssl);
	int n = BIO_read(SSL_get_wbio(c->ssl), at + 3, sizeof at - 3);
	if (n > 0 && wraps) {
		at[0] = 'P';
		at[1] = (uint8_t)(n >> 8);
		at[2] = (uint8_t)n;
		send_all(c, at, (size_t)n + 3);
	} else if (n > 0) {
		send_all(c, at + 3, (size_t)n);
	}
	turn(c->set);
	ssize_t got = recv(c->fd, at, sizeof at, MSG_DONTWAIT);
	if (got == 0 || (got < 0 && errno == ECONNRESET))
		return false;
	if (got > 0 && c->wraps && !SSL_is_init_finished(c->ssl)) {
		CHECK(buffer_append(&c->packets, at, (size_t)got) == 0);
		while (buffer_len(&c->packets) >= 3) {
			struct bytes b = buffer_bytes(&c->packets);
			size_t len = (size_t)b.at[1] << 8 | b.at[2];
			if (b.len < len + 3)
				break;
			CHECK(b.at[0] == 'P');
			BIO_write(SSL_get_rbio(c->ssl), b.at + 3, (int)len);
			buffer_consume(&c->packets, len + 3);
		}
	} else if (got > 0) {
		BIO_write(SSL_get_rbio(c->ssl), at, (int)got);
	}
	return true;
}

static bool shake_hands(struct client *c)
{
	uint64_t start_us = clock_mono_us();
	while (SSL_do_handshake(c->ssl) != 1) {
		if (!pump(c))
			return false;
		CHECK(clock_mono_us() - start_us < PATIENCE_MS * 1000u);
	}
	bool wraps = c->wraps; /* the last flight goes in packets, too */
	uint8_t at[20000];
	int n = BIO_read(SSL_get_wbio(c->ssl), at + 3, sizeof at - 3);
	if (n > 0) {
		at[0] = 'P';
		at[1] = (uint8_t)(n >> 8);
		at[2] = (uint8_t)n;
		send_all(c, wraps ? at : at + 3, (size_t)n + (wraps ? 3 : 0));
	}
	return true;
}

static void ask(struct client *c, const char *say, const char *answer)
{
	char got[200000];
	size_t n = 0, want = strlen(answer);
	if (*say)
		CHECK(SSL_write(c->ssl, say, (int)strlen(say)) == (int)strlen(say));
	uint64_t start_us = clock_mono_us();
	while (n < want) {
		int k = SSL_read(c->ssl, got + n, (int)(sizeof got - n));
		if (k > 0)
			n += (size_t)k;
		else
			CHECK_SAY(pump(c), "the end came before \"%s\"", answer);
		CHECK_SAY(clock_mono_us() - start_us < PATIENCE_MS * 1000u, "waited for \"%s\"", answer);
	}
	CHECK_SAY(n == want && !memcmp(got, answer, n), "it said \"%.*s\"", (int)n, got);
}

static void digest_of_certificate(const struct client *c, uint8_t digest[32])
{
	X509 *x = SSL_get1_peer_certificate(c->ssl);
	unsigned n = 32;
	CHECK(x && X509_digest(x, EVP_sha256(), digest, &n));
	EVP_PKEY *key = X509_get_pubkey(x);
	CHECK(X509_verify(x, key) == 1);
	EVP_PKEY_free(key);
	X509_free(x);
}

static struct client sealed(struct stage_set *set, uint32_t to, const char *word, size_t chunk, int version)
{
	int fd = dial(set, LOOPBACK, to, SOCK_STREAM);
	talk(set, fd, word, "hello\ngo\n");
	struct client c = client_new(set, fd, chunk, version);
	c.wraps = word[0] == 'w';
	CHECK(shake_hands(&c));
	return c;
}

TEST(secure_sessions_go_on_in_plain_for_the_service)
{
	struct stage_set *set = stage_set_open("");
	static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION};
	for (size_t i = 0; i < 6; i++) {
		struct client c = sealed(set, LOOPBACK, "seal\n", i % 2 ? 7 : 20000, versions[i / 2]);
		ask(&c, "", "sealed\n");
		ask(&c, "a\nwait 20\nwho\n", "a\nwaited\ncam.example\n");
		ask(&c, "bye\n", "");
		int n = 0;
		while ((n = SSL_read(c.ssl, &n, 1)) != 0 && pump(&c))
			;
		CHECK(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN);
		client_done(&c);
	}
	UNTIL(set, event_of(set->journal, "session.closed", 5));
	json_t *seen = event_of(set->journal, "client.seen", 4);
	CHECK(seen && !event_of(set->journal, "client.seen", 6));
	CHECK(!strcmp(text_of(seen, "tls.name"), "cam.example"));
	CHECK(!strcmp(text_of(seen, "tls.alpn"), "h2,http/1.1"));
	CHECK(!strcmp(text_of(seen, "tls.version"), "TLSv1.2"));
	CHECK(!strncmp(text_of(seen, "tls.ja4"), "t12d", 4) && strlen(text_of(seen, "tls.ja3")) == 32);
	CHECK(!strcmp(text_of(event_of(set->journal, "client.seen", 0), "tls.version"), "TLSv1"));
	stage_set_close(set);
}

TEST(secure_handshakes_go_in_packets_of_the_service)
{
	struct stage_set *set = stage_set_open("");
	for (size_t chunk = 1; chunk < 30000; chunk *= 20000) {
		struct client c = sealed(set, LOOPBACK, "wrap\n", chunk, TLS1_2_VERSION);
		ask(&c, "b\n", "sealed\nb\n");
		client_done(&c);
	}
	UNTIL(set, event_of(set->journal, "session.closed", 1));
	stage_set_close(set);
}

TEST(secure_certificates_stay_with_their_address)
{
	uint8_t digests[4][32];
	for (size_t i = 0; i < 4; i++) {
		struct stage_set *set = stage_set_open("  decoys: [{prefix: 127.0.0.0/8, personas: [camera]}]\n");
		struct client c = sealed(set, LOOPBACK + (i == 3), "seal\n", 20000, TLS1_2_VERSION);
		digest_of_certificate(&c, digests[i]);
		client_done(&c);
		UNTIL(set, event_of(set->journal, "session.closed", 0));
		stage_set_close(set);
	}
	CHECK(!memcmp(digests[0], digests[1], 32) && !memcmp(digests[0], digests[2], 32));
	CHECK(memcmp(digests[0], digests[3], 32));
}

TEST(secure_sessions_and_handshakes_are_limited)
{
	struct stage_set *set = stage_set_open("  limits: {secure_sessions: 2}\n");
	struct client a = sealed(set, LOOPBACK, "seal\n", 20000, TLS1_2_VERSION);
	struct client b = sealed(set, LOOPBACK, "seal\n", 20000, TLS1_2_VERSION);
	int fd = caller(set);
	talk(set, fd, "seal\n", "hello\ngo\n");
	UNTIL(set, event_of(set->journal, "session.closed", 0));
	CHECK(!strcmp(text_of(event_of(set->journal, "session.closed", 0), "close.reason"), "limit"));
	close(fd);
	ask(&a, "x\n", "sealed\nx\n");
	client_done(&a);
	client_done(&b);
	UNTIL(set, event_of(set->journal, "session.closed", 2));
	stage_set_close(set);

	set = stage_set_open("  limits: {handshakes: 1}\n");
	unsigned shaken = 0;
	for (size_t i = 0; i < 20; i++) {
		fd = caller(set);
		talk(set, fd, "seal\n", "hello\ngo\n");
		struct client c = client_new(set, fd, 20000, TLS1_2_VERSION);
		shaken += shake_hands(&c);
		client_done(&c);
	}
	CHECK_SAY(shaken > 0 && shaken < 20, "%u of 20 handshakes were let through", shaken);
	UNTIL(set, event_of(set->journal, "session.closed", 19));
	stage_set_close(set);
}

TEST(secure_sessions_end_with_what_is_no_tls)
{
	struct stage_set *set = stage_set_open("");
	static const char *const said[] = {"GET / HTTP/1.0\r\n\r\n", "\x16\x03\x01\x00\x05\x02\x00\x00\x01x",
	                                   "\x80\x14\x01\x03\x01 no cipher of mine, nor anything"};
	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		int fd = caller(set);
		talk(set, fd, "seal\n", "hello\ngo\n");
		size_t n = i == 1 ? 10 : strlen(said[i]);
		CHECK(send(fd, said[i], n, 0) == (ssize_t)n);
		UNTIL(set, event_of(set->journal, "session.closed", i));
		close(fd);
	}
	CHECK(!event_of(set->journal, "client.seen", 0));
	stage_set_close(set);
}

static void write_list(struct writer *w, const uint16_t *items, size_t count)
{
	write_u16(w, (uint16_t)(2 * count));
	for (size_t i = 0; i < count; i++)
		write_u16(w, items[i]);
}

/* The example of JA4's own description: a Chrome's hello, with GREASE in all its lists. */
static size_t chrome_hello(uint8_t *out, size_t size)
{
	static const uint16_t ciphers[] = {0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
	                                   0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
	static const uint16_t bare[] = {0x3a3a, 0x001b, 0x0033, 0x4469, 0x0005, 0x0017, 0x000b, 0x0023,
	                                0xff01, 0x000a, 0x002d, 0x0012, 0x0015};
	static const uint16_t signatures[] = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601};
	uint8_t room[1024];
	struct writer e = writer_of(room, sizeof room), w = writer_of(out, size);
	for (size_t i = 0; i < sizeof bare / sizeof *bare; i++) {
		write_u16(&e, bare[i]);
		write_u16(&e, 0);
	}
	write_bytes(&e, "\0\0\0\20\0\16\0\0\13example.com", 20);
	write_bytes(&e, "\0\20\0\16\0\14\2h2\10http/1.1", 18);
	write_bytes(&e, "\0\53\0\7\6\x2a\x2a\3\4\3\3", 11);
	write_bytes(&e, "\0\15\0\22", 4);
	write_list(&e, signatures, 8);
	size_t body = 2 + 32 + 1 + 2 + sizeof ciphers + 2 + 2 + writer_used(&e);
	write_bytes(&w, "\26\3\1", 3);
	write_u16(&w, (uint16_t)(body + 4));
	write_u32(&w, (uint32_t)(0x01000000 | body));
	write_u16(&w, 0x0303);
	write_zero(&w, 33);
	write_list(&w, ciphers, 16);
	write_bytes(&w, "\1", 2);
	write_u16(&w, (uint16_t)writer_used(&e));
	write_span(&w, writer_bytes(&e));
	CHECK(!w.bad && !e.bad);
	return writer_used(&w);
}

TEST(secure_hellos_have_the_digests_that_others_compute)
{
	uint8_t stream[2048], pieces[8192], scratch[TLS_HELLO_MAX];
	struct tls_hello h, again;
	size_t n = chrome_hello(stream, sizeof stream);
	CHECK(tls_hello_read((struct bytes){stream, n}, scratch, &h) == TLS_HELLO_WHOLE);
	CHECK_SAY(!strcmp(h.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1"), "%s", h.ja4);
	CHECK(bytes_equal_text(h.name, "example.com"));
	for (size_t cut = 0; cut < n; cut++)
		CHECK(tls_hello_read((struct bytes){stream, cut}, scratch, &again) == TLS_HELLO_MORE);
	struct writer w = writer_of(pieces, sizeof pieces);
	for (size_t i = 5; i < n; i++) {
		write_bytes(&w, "\26\3\1\0\1", 5);
		write_u8(&w, stream[i]);
	}
	CHECK(tls_hello_read(writer_bytes(&w), scratch, &again) == TLS_HELLO_WHOLE);
	CHECK(!strcmp(h.ja4, again.ja4) && !strcmp(h.ja3, again.ja3));
}

TEST(secure_certificates_say_what_the_persona_says)
{
	struct arena arena = ARENA(1u << 20);
	struct yaml_node *root;
	struct fault fault;
	struct tls_terms t;
	struct tls_pool pool = {.device_key = 7, .size = 1};
	struct tls_identity one, two;
	struct persona_look look;
	struct address local = address_v4(0xc0000217);
	static const char text[] = "{subject: \"/C=JP/O=Maker/CN=%{address}\", issuer: /CN=Maker CA, key: ec, since: 2010-01-01,"
	                           " days: 7300, names: [\"IP:%{address}\"], serial_bytes: 8, form: server}";
	CHECK(yaml_read(bytes_of_text(text), "t", &arena, &root, &fault) == 0);
	CHECK_SAY(tls_terms_read(root, "t", "tls", &arena, &t, &fault) == 0, "%s", fault.text);
	persona_look(&persona_plain, 99, &local, 1427846400000000u, &look);
	CHECK(tls_identity_make(&pool, &t, &look, &one) == 0 && tls_identity_make(&pool, &t, &look, &two) == 0);
	CHECK(X509_cmp(one.certificate, two.certificate) == 0);
	CHECK(X509_verify(one.certificate, one.key) == 1);
	char *subject = X509_NAME_oneline(X509_get_subject_name(one.certificate), NULL, 0);
	CHECK_SAY(!strcmp(subject, "/C=JP/O=Maker/CN=192.0.2.23"), "%s", subject);
	OPENSSL_free(subject);
	CHECK(X509_check_ip_asc(one.certificate, "192.0.2.23", 0) == 1);
	const ASN1_TIME *since = X509_get0_notBefore(one.certificate);
	CHECK(ASN1_TIME_cmp_time_t(since, 1262304000) > 0 && ASN1_TIME_cmp_time_t(since, 1262304300) < 0);
	tls_identity_done(&one);
	tls_identity_done(&two);
	tls_pool_done(&pool);
	static const char *const wrong[] = {"{subject: Maker}", "{subject: /XYZ=a}", "{min: tls1.2, max: tls1.0}",
	                                    "{ciphers: none-such}", "{since: yesterday}", "{keys: ec}"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK(yaml_read(bytes_of_text(wrong[i]), "t", &arena, &root, &fault) == 0);
		CHECK_SAY(tls_terms_read(root, "t", "tls", &arena, &t, &fault) < 0, "%s", wrong[i]);
	}
	arena_done(&arena);
}
