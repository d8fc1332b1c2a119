/*
 * SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, 7677) as MongoDB wraps them.  For SHA-1 the secret is
 * md5(user:mongo:password) in hexadecimal.  What was said is kept for crackers.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* MD5(): the newer interface reads files at its first use */
#include "passive/services/mongodb/mongodb.h"
#include "base/random.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>

#define SALT_MAX 28
#define DIGEST_MAX 32

static struct bytes attribute(struct bytes message, char name)
{
	while (message.len) {
		const uint8_t *comma = memchr(message.at, ',', message.len);
		size_t n = comma ? (size_t)(comma - message.at) : message.len;
		if (n > 1 && message.at[0] == (uint8_t)name && message.at[1] == '=')
			return (struct bytes){message.at + 2, n - 2};
		n += n < message.len;
		message = (struct bytes){message.at + n, message.len - n};
	}
	return (struct bytes){0};
}

static size_t user_salt(const struct mongo *m, uint8_t salt[SALT_MAX])
{
	uint64_t seed = session_device_seed(m->session) ^ m->sha256;
	size_t len = m->sha256 ? 28 : 16;
	for (size_t i = 0; i < m->user.len; i++)
		seed = random_mix(seed ^ m->user.at[i]);
	for (size_t i = 0; i < len; i++) {
		salt[i] = (uint8_t)seed;
		seed = random_mix(seed);
	}
	return len;
}

static unsigned iterations(const struct mongo *m)
{
	return m->sha256 ? 15000 : 10000; /* MongoDB's defaults */
}

void mongo_sasl_start(struct mongo *m, struct bytes command, struct bson *out)
{
	struct bson_element e;
	struct arena *arena = session_arena(m->session);
	char text[300], nonce[MONGO_NONCE + 1] = "", salt_text[48];
	uint8_t salt[SALT_MAX];
	struct bytes mechanism = bson_find_text(command, "mechanism");
	m->sha256 = bytes_equal_text(mechanism, "SCRAM-SHA-256");
	if (!m->sha256 && !bytes_equal_text(mechanism, "SCRAM-SHA-1")) {
		mongo_error(out, 334, "MechanismUnavailable",
			    "Received authentication for mechanism %.*s which is not enabled",
			    (int)(mechanism.len < 64 ? mechanism.len : 64), (const char *)mechanism.at);
		return;
	}
	struct bytes message = bson_find(command, "payload", &e) && e.type == BSON_BINARY ? e.value : (struct bytes){0};
	size_t bare = bytes_find(message, ",,");
	struct bytes user = attribute(message, 'n'), theirs = attribute(message, 'r');
	if (bare == message.len || !theirs.len || theirs.len > 64 || message.len > 512) {
		mongo_error(out, 17, "ProtocolError", "Incorrect number of arguments for first SCRAM client message");
		return;
	}
	m->user = arena_copy(arena, user);
	m->client_first = arena_copy(arena, (struct bytes){message.at + bare + 2, message.len - bare - 2});
	size_t len = user_salt(m, salt);
	EVP_EncodeBlock((uint8_t *)salt_text, salt, (int)len);
	for (size_t i = 0; i < MONGO_NONCE; i++)
		nonce[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
			[session_random(m->session) % 64];
	snprintf(text, sizeof text, "r=%.*s%s,s=%s,i=%u", (int)theirs.len, (const char *)theirs.at, nonce, salt_text,
		 iterations(m));
	m->server_first = arena_copy(arena, bytes_of_text(text));
	bson_int32(out, "conversationId", 1);
	bson_bool(out, "done", false);
	bson_binary(out, "payload", bytes_of_text(text));
	bson_double(out, "ok", 1);
}

struct challenge {
	const struct mongo *m;
	struct bytes spoken;
	uint8_t proof[48];
	uint8_t *signature;
};

static bool fits(const void *arg, struct bytes secret)
{
	const struct challenge *c = arg;
	const EVP_MD *digest = c->m->sha256 ? EVP_sha256() : EVP_sha1();
	unsigned size = c->m->sha256 ? 32 : 20, len = 0;
	uint8_t salt[SALT_MAX], salted[DIGEST_MAX], key[DIGEST_MAX], stored[DIGEST_MAX], mask[DIGEST_MAX];
	char text[256], hashed[33];
	size_t salt_len = user_salt(c->m, salt);
	if (!c->m->sha256) {
		uint8_t md5[MD5_DIGEST_LENGTH];
		int n = snprintf(text, sizeof text, "%.*s:mongo:%.*s", (int)(c->m->user.len < 96 ? c->m->user.len : 96),
				 (const char *)c->m->user.at, (int)(secret.len < 96 ? secret.len : 96),
				 (const char *)secret.at);
		MD5((const uint8_t *)text, (size_t)n, md5);
		for (size_t i = 0; i < sizeof md5; i++)
			snprintf(hashed + 2 * i, 3, "%02x", md5[i]);
		secret = bytes_of_text(hashed);
	}
	if (!PKCS5_PBKDF2_HMAC((const char *)secret.at, (int)secret.len, salt, (int)salt_len, (int)iterations(c->m),
			       digest, (int)size, salted))
		return false;
	HMAC(digest, salted, (int)size, (const uint8_t *)"Client Key", 10, key, &len);
	EVP_Digest(key, size, stored, &len, digest, NULL);
	HMAC(digest, stored, (int)size, c->spoken.at, c->spoken.len, mask, &len);
	for (size_t i = 0; i < size; i++)
		mask[i] ^= key[i];
	HMAC(digest, salted, (int)size, (const uint8_t *)"Server Key", 10, key, &len);
	HMAC(digest, key, (int)size, c->spoken.at, c->spoken.len, c->signature, &len);
	return !memcmp(mask, c->proof, size);
}

static void answer_signature(struct mongo *m, const uint8_t *signature, struct bson *out)
{
	char text[64] = "v=";
	EVP_EncodeBlock((uint8_t *)text + 2, signature, m->sha256 ? 32 : 20);
	m->let_in = true;
	bson_int32(out, "conversationId", 1);
	bson_bool(out, "done", false);
	bson_binary(out, "payload", bytes_of_text(text));
	bson_double(out, "ok", 1);
}

void mongo_sasl_continue(struct mongo *m, struct bytes command, struct bson *out)
{
	struct bson_element e;
	uint8_t spoken[1536], signature[DIGEST_MAX];
	char proof[1800];
	struct writer w = writer_of(spoken, sizeof spoken);
	struct challenge c = {.m = m, .signature = signature};
	struct bytes last = bson_find(command, "payload", &e) && e.type == BSON_BINARY ? e.value : (struct bytes){0};
	struct bytes shown = attribute(last, 'p');
	if (!last.len && m->let_in) { /* the last word, which has nothing to say */
		bson_int32(out, "conversationId", 1);
		bson_bool(out, "done", true);
		bson_binary(out, "payload", (struct bytes){0});
		bson_double(out, "ok", 1);
		return;
	}
	write_span(&w, m->client_first);
	write_text(&w, ",");
	write_span(&w, m->server_first);
	write_text(&w, ",");
	write_span(&w, (struct bytes){last.at, bytes_find(last, ",p=")});
	c.spoken = writer_bytes(&w);
	snprintf(proof, sizeof proof, "$mongodb-scram$*%d*%.*s*%.*s*%.*s", m->sha256,
		 (int)(m->user.len < 96 ? m->user.len : 96), (const char *)m->user.at, (int)c.spoken.len,
		 (const char *)c.spoken.at, (int)(shown.len < 64 ? shown.len : 64), (const char *)shown.at);
	size_t wanted = m->sha256 ? 44 : 28;
	bool whole = !w.bad && m->server_first.len && shown.len == wanted &&
		     EVP_DecodeBlock(c.proof, shown.at, (int)wanted) > 0;
	if (whole && accounts_prove(m->session, &m->device->accounts, m->user, fits, &c, bytes_of_text(proof)))
		answer_signature(m, signature, out);
	else
		mongo_error(out, 18, "AuthenticationFailed", "Authentication failed.");
	m->server_first = (struct bytes){0};
}
