/*
 * CredSSP (MS-CSSP): NTLM inside TLS, bound to the certificate's key.  Who proves the planted
 * password is given the server's half of the binding and then sends user and password in clear.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256(): the newer interface reads files at its first use */
#include "passive/services/rdp/rdp.h"
#include "passive/services/windows/der.h"
#include "passive/services/windows/wide.h"
#include <openssl/sha.h>
#include <openssl/x509.h>

#define KEY_MAX 1024 /* bytes of a public key */
#define CREDSSP_VERSION 6

struct request {
	uint8_t version;
	struct bytes token, binding, credentials, nonce;
};

static struct bytes only_octets(struct bytes b)
{
	struct reader r = reader_of_bytes(b), content;
	return der_enter(&r, 0x04, &content) ? read_rest(&content) : (struct bytes){0};
}

static bool request_read(struct bytes b, struct request *out)
{
	struct reader r = reader_of_bytes(b), list;
	if (!der_enter(&r, 0x30, &list))
		return false;
	while (reader_left(&list)) {
		uint8_t tag;
		struct bytes content = der_next(&list, &tag);
		if (!reader_ok(&list))
			return false;
		switch (tag) {
		case 0xa0:
			out->version = content.len >= 3 ? content.at[content.len - 1] : 0;
			break;
		case 0xa1:
			out->token = content;
			break;
		case 0xa2:
			out->credentials = only_octets(content);
			break;
		case 0xa3:
			out->binding = only_octets(content);
			break;
		case 0xa5:
			out->nonce = only_octets(content);
		}
	}
	return true;
}

/* A TSRequest with one thing beside its version. */
static void say_request(struct session *s, const struct rdp *rdp, struct bytes field)
{
	uint8_t room[NTLM_CHALLENGE_MAX + KEY_MAX];
	struct writer w = writer_of(room, sizeof room);
	const uint8_t version[] = {0xa0, 3, 2, 1, rdp->version};
	der_write_head(&w, 0x30, sizeof version + field.len);
	write_bytes(&w, version, sizeof version);
	write_span(&w, field);
	if (!w.bad)
		session_say_bytes(s, writer_bytes(&w));
}

static void say_octets(struct session *s, const struct rdp *rdp, uint8_t tag, struct bytes octets)
{
	uint8_t room[KEY_MAX + 64];
	struct writer w = writer_of(room, sizeof room);
	der_write_head(&w, tag, der_whole(octets.len));
	der_write(&w, 0x04, octets);
	say_request(s, rdp, writer_bytes(&w));
}

static void say_token(struct session *s, const struct rdp *rdp, struct bytes token)
{
	uint8_t room[NTLM_CHALLENGE_MAX + 256];
	struct writer w = writer_of(room, sizeof room);
	size_t octets = der_whole(token.len), field = der_whole(octets), one = der_whole(field);
	der_write_head(&w, 0xa1, der_whole(one));
	der_write_head(&w, 0x30, one);
	der_write_head(&w, 0x30, field);
	der_write_head(&w, 0xa0, octets);
	der_write(&w, 0x04, token);
	say_request(s, rdp, writer_bytes(&w));
}

static void challenge(struct session *s, struct rdp *rdp, struct bytes token, struct bytes message)
{
	uint8_t room[NTLM_CHALLENGE_MAX], wrapped_room[NTLM_CHALLENGE_MAX + 128];
	struct writer w = writer_of(room, sizeof room);
	struct writer wrapped = writer_of(wrapped_room, sizeof wrapped_room);
	struct bytes whole = token;
	little_put(rdp->challenge, session_random(s), 8);
	ntlm_write_challenge(&w, &rdp->host, ntlm_negotiate_flags(message), rdp->challenge,
			     session_time_us(s));
	/* Bare from who came bare; Windows' own client wraps it in SPNEGO. */
	for (size_t i = 0; i < whole.len && whole.at + i < message.at; i++)
		if (whole.at[i] == 0x60) {
			spnego_write_answer(&wrapped, SPNEGO_INCOMPLETE, true, writer_bytes(&w),
					    (struct bytes){0});
			say_token(s, rdp, writer_bytes(&wrapped));
			return;
		}
	say_token(s, rdp, writer_bytes(&w));
}

/* SubjectPublicKey of our certificate, as both sides hash or send it. */
static size_t public_key(struct session *s, uint8_t out[KEY_MAX])
{
	struct bytes der = session_secure_certificate(s);
	const uint8_t *at = der.at;
	X509 *certificate = der.len ? d2i_X509(NULL, &at, (int)der.len) : NULL;
	const ASN1_BIT_STRING *key = certificate ? X509_get0_pubkey_bitstr(certificate) : NULL;
	size_t len = key && key->length <= KEY_MAX ? (size_t)key->length : 0;
	if (len)
		memcpy(out, key->data, len);
	X509_free(certificate);
	return len;
}

/* From version 5 on a hash with the client's nonce, before that the key with one added to it. */
static void say_binding(struct session *s, struct rdp *rdp, const uint8_t key[16], uint32_t flags)
{
	static const char magic[] = "CredSSP Server-To-Client Binding Hash";
	uint8_t own[KEY_MAX], sealed[KEY_MAX + 16], digest[SHA256_DIGEST_LENGTH];
	size_t len = public_key(s, own);
	struct bytes plain = {own, len};
	struct ntlm_seal seal;
	if (rdp->version >= 5 && rdp->nonce_given) {
		SHA256_CTX c;
		SHA256_Init(&c);
		SHA256_Update(&c, magic, sizeof magic);
		SHA256_Update(&c, rdp->nonce, sizeof rdp->nonce);
		SHA256_Update(&c, own, len);
		SHA256_Final(digest, &c);
		plain = (struct bytes){digest, sizeof digest};
	} else if (len) {
		own[0]++;
	}
	ntlm_seal_keys(key, flags, true, &seal);
	ntlm_seal_first(&seal, plain, sealed);
	say_octets(s, rdp, 0xa3, (struct bytes){sealed, plain.len + 16});
}

static void say_refusal(struct session *s, const struct rdp *rdp)
{
	uint8_t field[] = {0xa4, 6, 2, 4, 0xc0, 0, 0, 0x6d};
	/* Versions 2 and 5 know no error and are only hung up on. */
	if (rdp->version > 2 && rdp->version != 5)
		say_request(s, rdp, (struct bytes){field, sizeof field});
}

static enum service_next proved(struct session *s, struct rdp *rdp, struct bytes message)
{
	struct ntlm_login l = {0};
	uint8_t key[16];
	if (!ntlm_read(message, &l))
		return SERVICE_CLOSE;
	memcpy(l.challenge, rdp->challenge, 8);
	if (l.workstation.len) {
		struct event *e = session_report(s, EVENT_REQUEST_SEEN);
		event_set_bytes(e, FIELD_METHOD, BYTES("nla"));
		event_set_bytes(e, FIELD_AGENT, l.workstation);
		event_set_bytes(e, FIELD_HOST_NAME, l.domain);
	}
	if (ntlm_decide(s, &rdp->device->accounts, &l, key) != NTLM_ACCEPTED) {
		say_refusal(s, rdp);
		return SERVICE_CLOSE;
	}
	say_binding(s, rdp, key, l.flags);
	rdp->phase = RDP_NLA_CREDENTIALS;
	return SERVICE_CONTINUE;
}

enum service_next rdp_credssp(struct session *s, struct rdp *rdp, struct bytes b)
{
	struct request q = {0};
	struct bytes message;
	if (!request_read(b, &q))
		return SERVICE_CLOSE;
	/* All editions speak version 6 since the update of 2018 (CVE-2018-0886). */
	rdp->version = q.version < CREDSSP_VERSION ? q.version : CREDSSP_VERSION;
	if (q.nonce.len == sizeof rdp->nonce) {
		memcpy(rdp->nonce, q.nonce.at, q.nonce.len);
		rdp->nonce_given = true;
	}
	if (rdp->phase == RDP_NLA_CREDENTIALS) { /* sealed credentials, which are those we know */
		rdp->phase = RDP_CONFERENCE;
		rdp->logged_in = true;
		static const uint8_t allowed[4] = {0};
		if (rdp->protocol == RDP_HYBRID_EX)
			session_say_bytes(s, (struct bytes){allowed, 4});
		return SERVICE_CONTINUE;
	}
	switch (ntlm_find(q.token, &message)) {
	case NTLM_NEGOTIATE:
		challenge(s, rdp, q.token, message);
		return SERVICE_CONTINUE;
	case NTLM_AUTHENTICATE:
		return proved(s, rdp, message);
	default:
		return SERVICE_CLOSE;
	}
}
