/* Reading credentials. */
#define OPENSSL_SUPPRESS_DEPRECATED /* MD5(): the newer interface reads files at its first use */
#include "passive/services/http/auth.h"
#include "base/random.h"
#include "base/base64.h"
#include <openssl/md5.h>

#define HEX_CHARS 32
#define DIGEST_TEXT_MAX 1024

/* The dictionaries of Mirai and its descendants, and what web logins are tried with. */
static const char *const common_secrets[] = {
	"admin",        "12345",         "123456",   "password",     "",           "1234",
	"888888",       "666666",        "xc3511",   "vizxv",        "admin123",   "root",
	"user",         "guest",         "pass",     "54321",        "123456789",  "12345678",
	"default",      "administrator", "support",  "service",      "supervisor", "system",
	"9999",         "0000",          "00000000", "1111",         "111111",     "4321",
	"7ujMko0admin", "meinsm",        "tlJwpbo6", "fucker",       "smcadmin",   "1234567890",
	"qwerty",       "changeme",      "ubnt",     "telecomadmin", "admin1234",  "hikadmin",
	"jvc",
};

static bool read_basic(struct bytes rest, struct auth *a)
{
	struct writer w = writer_of(a->room, sizeof a->room);
	base64_decode(rest, &w); /* what does not fit is cut */
	struct bytes pair = writer_bytes(&w);
	size_t colon = bytes_find(pair, ":");
	size_t skip = colon < pair.len ? colon + 1 : colon;
	a->kind = AUTH_BASIC;
	a->user = (struct bytes){pair.at, colon};
	a->secret = (struct bytes){pair.at + skip, pair.len - skip};
	a->secret_known = true;
	return true;
}

static void md5_hex(struct bytes text, char out[HEX_CHARS + 1])
{
	uint8_t digest[MD5_DIGEST_LENGTH];
	MD5(text.at, text.len, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

struct digest {
	struct bytes user, realm, nonce, uri, response, qop, count, cnonce;
};

/* name=value or name="value", parted by commas, in any order (RFC 7616 3.4). */
static void read_parameters(struct bytes rest, struct digest *d)
{
	const struct {
		const char *name;
		struct bytes *slot;
	} known[] = {
		{"username", &d->user}, {"realm", &d->realm},   {"nonce", &d->nonce},
		{"uri", &d->uri},       {"qop", &d->qop},       {"response", &d->response},
		{"nc", &d->count},      {"cnonce", &d->cnonce},
	};
	while (rest.len) {
		size_t equals = bytes_find(rest, "=");
		if (equals == rest.len)
			return;
		struct bytes name = bytes_trim((struct bytes){rest.at, equals});
		rest.at += equals + 1;
		rest.len -= equals + 1;
		bool quoted = rest.len && rest.at[0] == '"';
		struct bytes value = {rest.at + quoted, rest.len - quoted};
		value.len = bytes_find(value, quoted ? "\"" : ",");
		size_t used = (size_t)(value.at - rest.at) + value.len;
		struct bytes after = {rest.at + used, rest.len - used};
		size_t comma = bytes_find(after, ",");
		size_t skip = comma < after.len ? comma + 1 : comma;
		rest = (struct bytes){after.at + skip, after.len - skip};
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			if (bytes_equal_nocase(name, known[i].name))
				*known[i].slot = quoted ? value : bytes_trim(value);
	}
}

static bool digest_fits(const struct digest *d, struct bytes method, struct bytes secret)
{
	uint8_t text[DIGEST_TEXT_MAX];
	char ha1[HEX_CHARS + 1], ha2[HEX_CHARS + 1], want[HEX_CHARS + 1];
	struct writer w = writer_of(text, sizeof text);
	const struct bytes colon = BYTES(":");
	const struct bytes first[] = {d->user, colon, d->realm, colon, secret};
	for (size_t i = 0; i < sizeof first / sizeof *first; i++)
		write_span(&w, first[i]);
	md5_hex(writer_bytes(&w), ha1);
	bool whole = !w.bad;
	w = writer_of(text, sizeof text);
	write_span(&w, method);
	write_span(&w, colon);
	write_span(&w, d->uri);
	md5_hex(writer_bytes(&w), ha2);
	whole &= !w.bad;
	w = writer_of(text, sizeof text);
	write_text(&w, ha1);
	write_span(&w, colon);
	write_span(&w, d->nonce);
	const struct bytes protection[] = {colon, d->count, colon, d->cnonce, colon, d->qop};
	for (size_t i = 0; d->qop.len && i < sizeof protection / sizeof *protection; i++)
		write_span(&w, protection[i]);
	write_span(&w, colon);
	write_text(&w, ha2);
	md5_hex(writer_bytes(&w), want);
	return whole && !w.bad && bytes_equal_nocase(d->response, want);
}

const struct persona_credential *auth_credentials(const struct persona *p, size_t *count)
{
	bool own = p->http.credential_count;
	*count = own ? p->http.credential_count : p->credential_count;
	return own ? p->http.credentials : p->credentials;
}

bool auth_accepts(const struct persona *p, uint64_t device_seed, struct bytes user,
		  struct bytes secret)
{
	if (!p->http.credential_count)
		return persona_accepts(p, device_seed, user, secret);
	for (size_t i = 0; i < p->http.credential_count; i++)
		if (bytes_equal(user, p->http.credentials[i].user) &&
		    bytes_equal(secret, p->http.credentials[i].secret))
			return true;
	return false;
}

bool auth_guess(const struct persona *p, struct bytes user, bool (*fits)(const void *, struct bytes), const void *of,
		struct bytes *secret)
{
	size_t count;
	const struct persona_credential *known = auth_credentials(p, &count);
	for (size_t i = 0; i < count; i++) {
		*secret = known[i].secret;
		if (bytes_equal(known[i].user, user) && fits(of, *secret))
			return true;
	}
	for (size_t i = 0; i < sizeof common_secrets / sizeof *common_secrets; i++) {
		*secret = bytes_of_text(common_secrets[i]);
		if (fits(of, *secret))
			return true;
	}
	return false;
}

struct digest_asked {
	const struct digest *digest;
	struct bytes method;
};

static bool asked_fits(const void *of, struct bytes secret)
{
	const struct digest_asked *a = of;
	return digest_fits(a->digest, a->method, secret);
}

static bool read_digest(struct bytes rest, struct bytes method, const struct persona *p,
			const char nonces[2][AUTH_NONCE_CHARS + 1], struct auth *a)
{
	struct digest d = {0};
	read_parameters(rest, &d);
	bool ours = bytes_equal_text(d.nonce, nonces[0]) || bytes_equal_text(d.nonce, nonces[1]);
	a->kind = AUTH_DIGEST;
	a->user = d.user;
	a->secret = d.response;
	struct bytes secret;
	a->secret_known = ours && auth_guess(p, d.user, asked_fits, &(struct digest_asked){&d, method}, &secret);
	if (a->secret_known)
		a->secret = secret;
	return d.user.len || d.response.len;
}

bool auth_read(struct bytes field, struct bytes method, const struct persona *p,
	       const char nonces[2][AUTH_NONCE_CHARS + 1], struct auth *a)
{
	*a = (struct auth){.kind = AUTH_NONE};
	struct bytes rest = bytes_trim(field), scheme = bytes_word(&rest);
	if (bytes_equal_nocase(scheme, "Basic"))
		return read_basic(rest, a);
	return bytes_equal_nocase(scheme, "Digest") && read_digest(rest, method, p, nonces, a);
}

void auth_nonce(uint64_t device_seed, uint64_t hour, char out[AUTH_NONCE_CHARS + 1])
{
	uint64_t first = random_mix(device_seed ^ random_mix(hour)), second = random_mix(~first);
	snprintf(out, AUTH_NONCE_CHARS + 1, "%016llx%016llx", (unsigned long long)first,
		 (unsigned long long)second);
}

static bool digest_of(struct bytes field, struct digest *d)
{
	struct bytes rest = bytes_trim(field), scheme = bytes_word(&rest);
	*d = (struct digest){0};
	if (!bytes_equal_nocase(scheme, "Digest"))
		return false;
	read_parameters(rest, d);
	return true;
}

bool auth_digest_fits(struct bytes field, struct bytes method, struct bytes secret)
{
	struct digest d;
	return digest_of(field, &d) && digest_fits(&d, method, secret);
}

void auth_write_proof(struct bytes field, struct bytes method, struct writer *w)
{
	struct digest d;
	if (!digest_of(field, &d))
		return;
	const struct bytes parts[] = {d.response, d.user, d.realm, method, d.uri, d.nonce, d.count, d.cnonce, d.qop};
	write_text(w, "$response");
	for (size_t i = 0; i < sizeof parts / sizeof *parts && (i < 6 || d.qop.len); i++) {
		write_text(w, "$");
		write_span(w, parts[i]);
	}
}
