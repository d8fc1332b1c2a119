/* Hashes of recorders. */
#define OPENSSL_SUPPRESS_DEPRECATED /* MD5(): the newer interface reads files at its first use */
#include "passive/services/dvr/dvr.h"
#include <openssl/md5.h>

#define JOINED_MAX 512

void dvr_hash(struct bytes secret, char out[DVR_HASH_CHARS + 1])
{
	static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint8_t digest[MD5_DIGEST_LENGTH];
	MD5(secret.len ? secret.at : (const uint8_t *)"", secret.len, digest);
	for (size_t i = 0; i < DVR_HASH_CHARS; i++)
		out[i] = letters[(digest[2 * i] + digest[2 * i + 1]) % 62];
	out[DVR_HASH_CHARS] = '\0';
}

void dvr_md5(const struct bytes *parts, size_t count, char out[DVR_MD5_CHARS + 1])
{
	uint8_t room[JOINED_MAX], digest[MD5_DIGEST_LENGTH];
	struct writer w = writer_of(room, sizeof room);
	for (size_t i = 0; i < count; i++) {
		write_text(&w, i ? ":" : "");
		write_span(&w, parts[i]);
	}
	MD5(room, writer_used(&w), digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(out + 2 * i, 3, "%02X", digest[i]);
}

static const struct persona *persona_of(const struct session *s)
{
	return session_persona(s) ? session_persona(s) : &persona_plain;
}

bool dvr_login(struct session *s, struct bytes user, bool (*fits)(const void *, struct bytes), const void *of, struct bytes proof)
{
	struct bytes secret;
	bool known = auth_guess(persona_of(s), user, fits, of, &secret);
	bool accepted = known && auth_accepts(persona_of(s), session_device_seed(s), user, secret);
	session_login_decided(s, user, known ? secret : (struct bytes){0}, proof, accepted);
	return accepted;
}

bool dvr_login_plain(struct session *s, struct bytes user, struct bytes secret)
{
	bool accepted = auth_accepts(persona_of(s), session_device_seed(s), user, secret);
	session_login_decided(s, user, secret, (struct bytes){0}, accepted);
	return accepted;
}
