/*
 * Start-up and log-in: md5, SCRAM-SHA-256 or a password in clear, as pg_hba.conf would say.
 *
 * An answer to md5 or SCRAM is kept with what it answers, so that the password can be guessed
 * afterwards.  For SCRAM the salt of a user is the same at every try, as it is stored.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* MD5(): the newer interface reads files at its first use */
#include "passive/services/postgresql/postgresql.h"
#include "base/random.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#define PROTOCOL_3 0x00030000
#define TLS_REQUEST 80877103
#define GSS_REQUEST 80877104
#define CANCEL_REQUEST 80877102
#define ITERATIONS 4096 /* SCRAM_DEFAULT_ITERATIONS */
#define SALT 16

static struct bytes user_of(const struct postgres *p)
{
	return (struct bytes){p->user, p->user_len};
}

static bool startup_error(struct postgres *p, const char *state, unsigned later, const char *what)
{
	const struct postgres_error e = {.severity = "FATAL", .state = state, .file = "postmaster.c",
					 .line = (unsigned)p->device->startup_line + later,
					 .routine = "ProcessStartupPacket"};
	postgres_error(p, &e, "%s", what);
	return false;
}

static bool denied(struct postgres *p)
{
	const struct postgres_error e = {.severity = "FATAL", .state = "28P01", .file = "auth.c",
					 .line = 334, .routine = "auth_failed"};
	postgres_error(p, &e, "password authentication failed for user \"%.*s\"", p->user_len,
		       (const char *)p->user);
	return false;
}

static void parameter(struct postgres *p, const char *name, const char *value)
{
	char room[256];
	int n = snprintf(room, sizeof room, "%s%c%s", name, 0, value);
	postgres_message(p, 'S', (struct bytes){(const uint8_t *)room, (size_t)n + 1});
}

static bool admitted(struct postgres *p)
{
	char version[128], user[POSTGRES_USER_MAX + 1];
	uint8_t key[8];
	struct writer w = writer_of(key, sizeof key);
	bytes_copy_text(user_of(p), user, sizeof user);
	snprintf(version, sizeof version, "%s (%s)", p->device->version, p->device->package);
	postgres_message(p, 'R', BYTES("\0\0\0\0"));
	if (!sql_database_there(&p->sql, p->database)) {
		const struct postgres_error e = {.severity = "FATAL", .state = "3D000", .file = "postinit.c",
						 .line = 948, .routine = "InitPostgres"};
		postgres_error(p, &e, "database \"%.*s\" does not exist",
			       (int)(p->database.len < 63 ? p->database.len : 63), (const char *)p->database.at);
		return false;
	}
	parameter(p, "application_name", "");
	parameter(p, "client_encoding", "UTF8");
	parameter(p, "DateStyle", "ISO, MDY");
	if (strncmp(p->device->version, "13", 2) > 0) {
		parameter(p, "default_transaction_read_only", "off");
		parameter(p, "in_hot_standby", "off");
	}
	parameter(p, "integer_datetimes", "on");
	parameter(p, "IntervalStyle", "postgres");
	parameter(p, "is_superuser", "on");
	parameter(p, "server_encoding", "UTF8");
	parameter(p, "server_version", version);
	parameter(p, "session_authorization", user);
	parameter(p, "standard_conforming_strings", "on");
	parameter(p, "TimeZone", "Etc/UTC");
	p->pid = (uint32_t)(700 + (session_device_seed(p->session) ^ session_time_us(p->session) / 7000000) % 30000);
	write_u32(&w, p->pid);
	write_u32(&w, (uint32_t)session_random(p->session));
	postgres_message(p, 'K', writer_bytes(&w));
	p->phase = POSTGRES_READY;
	postgres_ready(p);
	return true;
}

static void md5_text(const void *at, size_t len, char out[33])
{
	uint8_t digest[MD5_DIGEST_LENGTH];
	MD5(at, len, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

struct md5_challenge {
	const struct postgres *p;
	struct bytes answer;
};

/* "md5" + md5(md5(secret + user) + salt). */
static bool fits_md5(const void *arg, struct bytes secret)
{
	const struct md5_challenge *c = arg;
	char first[256 + POSTGRES_USER_MAX], second[32 + 4 + 1], text[36] = "md5";
	struct writer w = writer_of(first, sizeof first);
	write_span(&w, secret);
	write_span(&w, user_of(c->p));
	md5_text(first, writer_used(&w), second);
	memcpy(second + 32, c->p->salt, 4);
	md5_text(second, 36, text + 3);
	return !w.bad && bytes_equal_text(c->answer, text);
}

static bool judge_md5(struct postgres *p, struct bytes answer)
{
	char proof[256];
	struct md5_challenge c = {p, answer};
	struct bytes shown = answer;
	if (bytes_start_with(answer, "md5"))
		shown = (struct bytes){answer.at + 3, answer.len - 3};
	snprintf(proof, sizeof proof, "$postgres$%.*s*%02x%02x%02x%02x*%.*s", p->user_len, (const char *)p->user,
		 p->salt[0], p->salt[1], p->salt[2], p->salt[3], (int)(shown.len < 64 ? shown.len : 64),
		 (const char *)shown.at);
	if (accounts_prove(p->session, &p->device->accounts, user_of(p), fits_md5, &c, bytes_of_text(proof)))
		return admitted(p);
	return denied(p);
}

static void user_salt(const struct postgres *p, uint8_t salt[SALT])
{
	uint64_t seed = session_device_seed(p->session);
	for (size_t i = 0; i < p->user_len; i++)
		seed = random_mix(seed ^ p->user[i]);
	for (size_t i = 0; i < SALT; i++) {
		salt[i] = (uint8_t)(seed >> 8 * (i % 8));
		seed = i == 7 ? random_mix(seed) : seed;
	}
}

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

/* SASLInitialResponse: mechanism, and "n,,n=,r=nonce" (RFC 5802). */
static bool scram_first(struct postgres *p, struct bytes payload)
{
	char text[256], encoded[32];
	uint8_t salt[SALT];
	const uint8_t *nul = memchr(payload.at, 0, payload.len);
	size_t skip = nul ? (size_t)(nul - payload.at) + 5 : payload.len;
	if (skip > payload.len)
		return denied(p);
	struct bytes message = {payload.at + skip, payload.len - skip}, nonce = attribute(message, 'r');
	size_t bare = bytes_find(message, ",,");
	if (nonce.len == 0 || nonce.len > 64 || message.len > 512 || bare + 2 > message.len)
		return denied(p);
	for (size_t i = 0; i < POSTGRES_NONCE; i++)
		p->nonce[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
			[session_random(p->session) % 64];
	user_salt(p, salt);
	EVP_EncodeBlock((uint8_t *)encoded, salt, SALT);
	snprintf(text, sizeof text, "r=%.*s%s,s=%s,i=%u", (int)nonce.len, (const char *)nonce.at, p->nonce, encoded,
		 ITERATIONS);
	p->client_first =
		arena_copy(session_arena(p->session), (struct bytes){message.at + bare + 2, message.len - bare - 2});
	p->server_first = arena_copy(session_arena(p->session), bytes_of_text(text));
	if (!p->client_first.at || !p->server_first.at)
		return false;
	char room[300] = "\0\0\0\13";
	memcpy(room + 4, text, strlen(text));
	postgres_message(p, 'R', (struct bytes){(const uint8_t *)room, 4 + strlen(text)});
	p->phase = POSTGRES_SCRAM_LAST;
	return true;
}

struct scram_challenge {
	const struct postgres *p;
	struct bytes spoken; /* AuthMessage */
	uint8_t proof[64];
	uint8_t *server_signature;
};

static void hmac(const uint8_t key[32], struct bytes text, uint8_t out[32])
{
	unsigned len = 32;
	HMAC(EVP_sha256(), key, 32, text.at, text.len, out, &len);
}

static bool fits_scram(const void *arg, struct bytes secret)
{
	const struct scram_challenge *c = arg;
	uint8_t salt[SALT], salted[32], key[32], stored[32], signature[32];
	user_salt(c->p, salt);
	if (!PKCS5_PBKDF2_HMAC((const char *)secret.at, (int)secret.len, salt, SALT, ITERATIONS, EVP_sha256(), 32, salted))
		return false;
	hmac(salted, BYTES("Client Key"), key);
	SHA256(key, 32, stored);
	hmac(stored, c->spoken, signature);
	for (size_t i = 0; i < 32; i++)
		signature[i] ^= key[i];
	hmac(salted, BYTES("Server Key"), key);
	hmac(key, c->spoken, c->server_signature);
	return !memcmp(signature, c->proof, 32);
}

/* "c=biws,r=nonce,p=proof". */
static bool scram_last(struct postgres *p, struct bytes payload)
{
	uint8_t spoken[1536], signature[32];
	struct writer w = writer_of(spoken, sizeof spoken);
	struct bytes proof = attribute(payload, 'p');
	size_t without = bytes_find(payload, ",p=");
	struct scram_challenge c = {.p = p, .server_signature = signature};
	write_span(&w, p->client_first);
	write_text(&w, ",");
	write_span(&w, p->server_first);
	write_text(&w, ",");
	write_span(&w, (struct bytes){payload.at, without});
	if (w.bad || proof.len != 44 || EVP_DecodeBlock(c.proof, proof.at, 44) < 32)
		return denied(p);
	c.spoken = writer_bytes(&w);
	char kept[1800], answer[64];
	snprintf(kept, sizeof kept, "$scram$%.*s$%.*s$%.*s", p->user_len, (const char *)p->user, (int)c.spoken.len,
		 (const char *)c.spoken.at, (int)proof.len, (const char *)proof.at);
	if (!accounts_prove(p->session, &p->device->accounts, user_of(p), fits_scram, &c, bytes_of_text(kept)))
		return denied(p);
	memcpy(answer, "\0\0\0\14v=", 6);
	EVP_EncodeBlock((uint8_t *)answer + 6, signature, 32);
	postgres_message(p, 'R', (struct bytes){(const uint8_t *)answer, 6 + 44});
	return admitted(p);
}

bool postgres_secret(struct postgres *p, struct bytes payload)
{
	if (p->phase == POSTGRES_SCRAM_FIRST)
		return scram_first(p, payload);
	if (p->phase == POSTGRES_SCRAM_LAST)
		return scram_last(p, payload);
	if (payload.len && payload.at[payload.len - 1] == 0)
		payload.len--;
	if (p->device->way == POSTGRES_MD5)
		return judge_md5(p, payload);
	if (accounts_accept(p->session, &p->device->accounts, user_of(p), payload))
		return admitted(p);
	return denied(p);
}

static void ask_secret(struct postgres *p)
{
	p->phase = POSTGRES_SECRET;
	if (p->device->way == POSTGRES_SCRAM) {
		p->phase = POSTGRES_SCRAM_FIRST;
		postgres_message(p, 'R', BYTES("\0\0\0\12SCRAM-SHA-256\0\0"));
	} else if (p->device->way == POSTGRES_MD5) {
		uint8_t room[8] = {0, 0, 0, 5};
		uint64_t salt = session_random(p->session);
		memcpy(p->salt, &salt, 4);
		memcpy(room + 4, p->salt, 4);
		postgres_message(p, 'R', (struct bytes){room, 8});
	} else {
		postgres_message(p, 'R', BYTES("\0\0\0\3"));
	}
}

static struct bytes read_text(struct reader *r)
{
	const uint8_t *nul = memchr(r->at, 0, reader_left(r));
	struct bytes b = read_bytes(r, nul ? (size_t)(nul - r->at) : reader_left(r));
	read_u8(r);
	return b;
}

static void read_parameters(struct postgres *p, struct reader *r)
{
	while (reader_left(r)) {
		struct bytes name = read_text(r);
		if (!name.len)
			return;
		struct bytes value = read_text(r);
		if (bytes_equal_text(name, "user")) {
			p->user_len = (uint8_t)(value.len < POSTGRES_USER_MAX ? value.len : POSTGRES_USER_MAX);
			memcpy(p->user, value.at, p->user_len);
		} else if (bytes_equal_text(name, "database")) {
			p->database = arena_copy(session_arena(p->session), value);
		}
	}
}

/* The packet without its length. */
bool postgres_startup(struct postgres *p, struct bytes packet)
{
	struct reader r = reader_of_bytes(packet);
	uint32_t protocol = read_u32(&r);
	if (protocol == TLS_REQUEST && packet.len == 4 && p->device->tls && !session_is_secure(p->session)) {
		session_say(p->session, "S");
		session_secure(p->session);
		return true;
	}
	if ((protocol == TLS_REQUEST || protocol == GSS_REQUEST) && packet.len == 4) {
		session_say(p->session, "N");
		return true;
	}
	if (protocol == CANCEL_REQUEST)
		return false;
	if (protocol >> 16 < 3) { /* such a client reads errors of another form */
		session_say(p->session, "EFATAL:  unsupported frontend protocol %u.%u: server supports 3.0 to 3.0\n%c",
			    protocol >> 16, protocol & 0xffff, 0);
		return false;
	}
	if (protocol >> 16 > 3) {
		char what[96];
		snprintf(what, sizeof what, "unsupported frontend protocol %u.%u: server supports 3.0 to 3.0",
			 protocol >> 16, protocol & 0xffff);
		return startup_error(p, "0A000", 0, what);
	}
	if (!reader_left(&r) || packet.at[packet.len - 1])
		return startup_error(p, "08P01", 112,
				     "invalid startup packet layout: expected terminator as last byte");
	read_parameters(p, &r);
	if (!p->user_len)
		return startup_error(p, "28000", 129, "no PostgreSQL user name specified in startup packet");
	if (!p->database.len)
		p->database = user_of(p);
	if (p->device->way == POSTGRES_TRUST) {
		session_login_decided(p->session, user_of(p), (struct bytes){0}, (struct bytes){0}, true);
		return admitted(p);
	}
	ask_secret(p);
	return true;
}
