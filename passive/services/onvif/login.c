/*
 * WS-UsernameToken (WSS UsernameToken Profile 1.0): a digest is base64(SHA1(nonce + created +
 * password)).  The password is found out by trying those of the device and of attackers.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA1(): the newer interface reads files at its first use */
#include "base/random.h"
#include "passive/services/http/auth.h"
#include "base/base64.h"
#include "passive/services/onvif/onvif.h"
#include <openssl/sha.h>

#define NONCE_MAX 128
#define SALTED_MAX 512

struct token {
	struct bytes nonce, created;
	uint8_t digest[SHA_DIGEST_LENGTH];
};

static bool token_fits(const void *of, struct bytes secret)
{
	const struct token *t = of;
	uint8_t room[SALTED_MAX], digest[SHA_DIGEST_LENGTH];
	struct writer w = writer_of(room, sizeof room);
	write_span(&w, t->nonce);
	write_span(&w, t->created);
	write_span(&w, secret);
	SHA1(room, writer_used(&w), digest);
	return !w.bad && memcmp(digest, t->digest, sizeof digest) == 0;
}

/* A client repeats its name and password with every request, with a nonce of its own each time. */
static bool is_new(uint64_t *mark, struct bytes user, struct bytes secret, bool accepted)
{
	uint64_t h = accepted;
	for (size_t i = 0; i < user.len; i++)
		h = random_mix(h ^ user.at[i]);
	h = random_mix(h ^ 256);
	for (size_t i = 0; i < secret.len; i++)
		h = random_mix(h ^ secret.at[i]);
	bool fresh = *mark != (h | 1);
	*mark = h | 1;
	return fresh;
}

bool onvif_login(const struct api_call *c, uint64_t *login_mark)
{
	const struct persona *p = session_persona(c->session) ? session_persona(c->session) : &persona_plain;
	uint8_t nonce_room[NONCE_MAX], digest_room[64];
	char proof_room[SALTED_MAX];
	struct bytes user = soap_text(c->body, "Username"), sent = soap_text(c->body, "Password"), nonce = soap_text(c->body, "Nonce"), secret = {0};
	if (!user.len) /* clients send an empty one before they are told which */
		return false;
	struct token t = {.created = soap_text(c->body, "Created")};
	struct writer n = writer_of(nonce_room, sizeof nonce_room), d = writer_of(digest_room, sizeof digest_room),
	              proof = writer_of(proof_room, sizeof proof_room);
	base64_decode(nonce, &n);
	base64_decode(sent, &d);
	t.nonce = writer_bytes(&n);
	bool known = true;
	if (nonce.len && writer_used(&d) == sizeof t.digest) {
		memcpy(t.digest, digest_room, sizeof t.digest);
		known = auth_guess(p, user, token_fits, &t, &secret);
		write_text(&proof, "digest=");
		write_span(&proof, sent);
		write_text(&proof, " nonce=");
		write_span(&proof, nonce);
		write_text(&proof, " created=");
		write_span(&proof, t.created);
	} else {
		secret = sent; /* PasswordText */
	}
	bool accepted = known && auth_accepts(p, session_device_seed(c->session), user, secret);
	if (is_new(login_mark, user, known ? secret : sent, accepted))
		session_login_decided(c->session, user, known ? secret : (struct bytes){0},
		                      proof.bad ? (struct bytes){0} : writer_bytes(&proof), accepted);
	return accepted;
}
