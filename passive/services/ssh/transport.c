/* Messages out, and those that any phase may bring (RFC 4253 sections 6 and 11). */
#include "passive/services/ssh/relay.h"
#include "base/random.h"

void ssh_random(struct ssh *h, uint8_t *out, size_t n)
{
	uint64_t drawn[4];
	uint8_t key[32], iv[16] = {0};
	int len;
	for (size_t i = 0; i < 4; i++)
		drawn[i] = session_random(h->session);
	memset(out, 0, n);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	if (c && EVP_Digest(drawn, sizeof drawn, key, NULL, EVP_sha256(), NULL) &&
	    EVP_EncryptInit_ex(c, EVP_chacha20(), NULL, key, iv))
		EVP_EncryptUpdate(c, out, &len, out, (int)n);
	EVP_CIPHER_CTX_free(c);
}

/* OpenSSH pads with zeros while nothing is encrypted, Dropbear always with noise. */
static uint64_t noise(struct ssh *h)
{
	if (!h->out.cipher && h->software->family != SSH_DROPBEAR)
		return 0;
	return h->noise = random_mix(h->noise);
}

bool ssh_compress_out(struct ssh *h)
{
	if (h->compresses_out)
		h->zlib_out = zlib_begin(h->zlib_out, session_arena(h->session), true);
	return h->zlib_out || !h->compresses_out;
}

bool ssh_compress_in(struct ssh *h)
{
	if (h->compresses_in)
		h->zlib_in = zlib_begin(h->zlib_in, session_arena(h->session), false);
	return h->zlib_in || !h->compresses_in;
}

void ssh_send(struct ssh *h, struct bytes payload)
{
	uint8_t sealed[SSH_SEALED_MAX], smaller[SSH_PAYLOAD_MAX];
	struct writer w = writer_of(sealed, sizeof sealed);
	if (h->zlib_out && h->compresses_out) {
		struct writer z = writer_of(smaller, sizeof smaller);
		if (!zlib_deflate(h->zlib_out, payload, &z))
			return;
		payload = writer_bytes(&z);
	}
	if (flow_seal(&h->out, payload, noise(h), &w))
		session_say_bytes(h->session, writer_bytes(&w));
}

void ssh_send_number(struct ssh *h, enum ssh_message message, uint32_t number)
{
	uint8_t b[5];
	struct writer w = writer_of(b, sizeof b);
	write_u8(&w, (uint8_t)message);
	write_u32(&w, number);
	ssh_send(h, writer_bytes(&w));
}

enum service_next ssh_disconnect(struct ssh *h, const char *why)
{
	uint8_t b[256];
	struct writer w = writer_of(b, sizeof b);
	/* Dropbear hangs up without a word. */
	if (h->software->family == SSH_DROPBEAR)
		return SERVICE_CLOSE;
	write_u8(&w, SSH_DISCONNECT);
	write_u32(&w, SSH_REASON_PROTOCOL_ERROR);
	write_string_text(&w, why);
	write_string_text(&w, "");
	ssh_send(h, writer_bytes(&w));
	return SERVICE_CLOSE;
}

void ssh_unimplemented(struct ssh *h)
{
	ssh_send_number(h, SSH_UNIMPLEMENTED, h->in.sequence - 1);
}

/* What comes before the log-in's own messages are due. */
static enum service_next take_early(struct ssh *h, uint8_t message, struct reader *r)
{
	if (message == SSH_SERVICE_REQUEST && h->phase != SSH_AT_KEYS)
		return ssh_service_request(h, r);
	if (h->phase == SSH_AT_AUTH && message == SSH_AUTH_REQUEST)
		return ssh_auth_request(h, r);
	if (h->phase == SSH_AT_AUTH && message == SSH_AUTH_INFO_RESPONSE)
		return ssh_auth_response(h, r);
	if (h->phase == SSH_AT_KEYS && h->software->family == SSH_DROPBEAR && message < SSH_KEXINIT)
		return SERVICE_CLOSE;
	ssh_unimplemented(h);
	return SERVICE_CONTINUE;
}

/* Strict key exchange lets nothing pass in the first one but what belongs to it. */
static bool is_too_many(const struct ssh *h, uint8_t message)
{
	return h->strict && h->phase == SSH_AT_KEYS && message != SSH_DISCONNECT &&
	       (message < SSH_KEXINIT || message > SSH_KEX_LAST);
}

enum service_next ssh_take(struct ssh *h, struct bytes payload)
{
	uint8_t larger[SSH_PAYLOAD_MAX + 1];
	struct writer z = writer_of(larger, sizeof larger);
	if (h->zlib_in && h->compresses_in) {
		if (!zlib_inflate(h->zlib_in, payload, &z) || writer_used(&z) == 0)
			return SERVICE_CLOSE;
		payload = writer_bytes(&z);
	}
	struct reader r = reader_of_bytes(payload);
	uint8_t message = read_u8(&r);
	if (is_too_many(h, message)) {
		char why[80];
		snprintf(why, sizeof why, "strict KEX violation: unexpected packet type %u (seqnr %u)",
		         message, h->in.sequence - 1);
		return ssh_disconnect(h, why);
	}
	switch (message) {
	case SSH_DISCONNECT:
		return SERVICE_CLOSE;
	case SSH_IGNORE:
	case SSH_UNIMPLEMENTED:
	case SSH_DEBUG:
		/* A debug message without its flag is cut short. */
		return message == SSH_DEBUG && reader_left(&r) < 1 ? SERVICE_CLOSE : SERVICE_CONTINUE;
	case SSH_EXT_INFO:
		if (h->phase != SSH_AT_KEYS)
			return SERVICE_CONTINUE;
		break;
	}
	if (message >= SSH_KEXINIT && message <= SSH_KEX_LAST)
		return ssh_kex_take(h, message, payload);
	if (h->phase != SSH_AT_CONNECTION)
		return take_early(h, message, &r);
	return ssh_relay_is_through(h) ? ssh_relay_take(h, payload) : ssh_connection_take(h, message, &r);
}
