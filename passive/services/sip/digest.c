/*
 * Digest (RFC 2617, 3261 22) as PJSIP and Sofia check it.
 *
 * Nothing is kept between the challenge and its answer: the nonce tells when and to whom it was
 * given.  What is recorded is what hashcat reads as mode 11400.
 */
#include "passive/services/sip/sip.h"
#include "passive/services/windows/crypt.h"
#include <stdlib.h>

#define NONCE_LIFE_S 32 /* res_pjsip_authenticator_digest's default */
#define TEXT_MAX 2048
#define HEX (2 * CRYPT_MD)

struct digest {
	struct bytes user, realm, nonce, uri, response, qop, count, cnonce, method;
};

static void md5_hex(const struct bytes *pieces, size_t count, char out[HEX + 1])
{
	uint8_t text[TEXT_MAX], md[CRYPT_MD];
	struct writer w = writer_of(text, sizeof text);
	for (size_t i = 0; i < count; i++) {
		if (i)
			write_u8(&w, ':');
		write_span(&w, pieces[i]);
	}
	crypt_md5(writer_bytes(&w), md);
	for (size_t i = 0; i < CRYPT_MD; i++)
		snprintf(out + 2 * i, 3, "%02x", md[i]);
}

static bool digest_fits(const void *challenge, struct bytes secret)
{
	const struct digest *d = challenge;
	char ha1[HEX + 1], ha2[HEX + 1], want[HEX + 1];
	md5_hex((const struct bytes[]){d->user, d->realm, secret}, 3, ha1);
	md5_hex((const struct bytes[]){d->method, d->uri}, 2, ha2);
	const struct bytes one = bytes_of_text(ha1), two = bytes_of_text(ha2);
	if (d->qop.len)
		md5_hex((const struct bytes[]){one, d->nonce, d->count, d->cnonce, d->qop, two}, 6, want);
	else
		md5_hex((const struct bytes[]){one, d->nonce, two}, 3, want);
	return bytes_equal_nocase(d->response, want);
}

static bool never(const void *challenge, struct bytes secret)
{
	(void)challenge, (void)secret;
	return false;
}

void sip_realm(const struct session *s, char *out, size_t size)
{
	const struct sip_device *d = session_device(s);
	session_expand(s, d->realm ? d->realm : d->software == SIP_FREESWITCH ? "%{address}" : "asterisk", out, size);
}

static void nonce_hash(const struct session *s, uint64_t time_s, char out[HEX + 1])
{
	char address[ADDRESS_TEXT_MAX], time[24];
	uint8_t secret[32];
	session_secret(s, "sip nonce", false, secret);
	address_format(session_peer(s), address);
	snprintf(time, sizeof time, "%llu", (unsigned long long)time_s);
	md5_hex((const struct bytes[]){bytes_of_text(time), bytes_of_text(address), {secret, sizeof secret}}, 3, out);
}

/* The time in a UUID of FreeSWITCH's is hidden under this. */
static uint32_t time_mask(const struct session *s)
{
	uint8_t secret[32];
	uint32_t mask;
	session_secret(s, "sip time", false, secret);
	memcpy(&mask, secret, sizeof mask);
	return mask;
}

void sip_nonce(const struct session *s, uint64_t time_s, char out[SIP_NONCE_MAX])
{
	const struct sip_device *d = session_device(s);
	char hash[HEX + 1];
	nonce_hash(s, time_s, hash);
	if (d->software == SIP_FREESWITCH)
		snprintf(out, SIP_NONCE_MAX, "%08x-%.4s-4%.3s-a%.3s-%.12s", (uint32_t)time_s ^ time_mask(s), hash,
			 hash + 4, hash + 7, hash + 10);
	else
		snprintf(out, SIP_NONCE_MAX, "%llu/%s", (unsigned long long)time_s, hash);
}

static bool is_own_nonce(const struct session *s, struct bytes nonce)
{
	const struct sip_device *d = session_device(s);
	char text[SIP_NONCE_MAX], own[SIP_NONCE_MAX];
	uint64_t now_s = session_time_us(s) / 1000000, then_s;
	if (!bytes_copy_text(nonce, text, sizeof text))
		return false;
	if (d->software == SIP_FREESWITCH)
		then_s = (uint32_t)strtoul(text, NULL, 16) ^ time_mask(s);
	else
		then_s = strtoull(text, NULL, 10);
	sip_nonce(s, then_s, own);
	return strcmp(text, own) == 0 && then_s <= now_s && now_s - then_s <= NONCE_LIFE_S;
}

static void write_proof(const struct session *s, const struct digest *d, struct writer *w)
{
	char ours[ADDRESS_TEXT_MAX], theirs[ADDRESS_TEXT_MAX];
	struct bytes rest = d->uri, scheme = {0};
	size_t colon = bytes_find(rest, ":");
	if (colon < rest.len) {
		scheme = (struct bytes){rest.at, colon};
		rest = (struct bytes){rest.at + colon + 1, rest.len - colon - 1};
	}
	size_t port = bytes_find(rest, ":");
	struct bytes suffix = {rest.at + port, rest.len - port};
	if (suffix.len)
		suffix.at++, suffix.len--;
	address_format(session_local(s), ours);
	address_format(session_peer(s), theirs);
	write_fmt(w, "$sip$*%s*%s", ours, theirs);
	const struct bytes parts[] = {d->user, d->realm, d->method, scheme, {rest.at, port}, suffix, d->nonce,
				      d->cnonce, d->count, d->qop, BYTES("MD5"), d->response};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		write_u8(w, '*');
		write_span(w, parts[i]);
	}
}

static bool digest_read(const struct sip_request *r, struct digest *d)
{
	struct bytes field = r->authorization, scheme = bytes_word(&field);
	*d = (struct digest){.method = r->method};
	if (!bytes_equal_nocase(scheme, "Digest") || field.len > TEXT_MAX / 2)
		return false;
	sip_parameter(field, "username", ',', &d->user);
	sip_parameter(field, "realm", ',', &d->realm);
	sip_parameter(field, "nonce", ',', &d->nonce);
	sip_parameter(field, "uri", ',', &d->uri);
	sip_parameter(field, "response", ',', &d->response);
	sip_parameter(field, "qop", ',', &d->qop);
	sip_parameter(field, "nc", ',', &d->count);
	sip_parameter(field, "cnonce", ',', &d->cnonce);
	return d->response.len == HEX;
}

enum sip_login sip_log_in(struct session *s, const struct sip_request *r)
{
	const struct sip_device *device = session_device(s);
	char realm[128];
	uint8_t proof[TEXT_MAX];
	struct writer w = writer_of(proof, sizeof proof);
	struct digest d;
	struct bytes secret;
	if (!digest_read(r, &d))
		return SIP_LOGIN_NONE;
	sip_realm(s, realm, sizeof realm);
	bool own = is_own_nonce(s, d.nonce) && bytes_equal_text(d.realm, realm);
	if (!own && accounts_secret(s, &device->accounts, d.user, &secret) && digest_fits(&d, secret))
		return SIP_LOGIN_STALE;
	write_proof(s, &d, &w);
	bool in = accounts_prove(s, &device->accounts, d.user, own ? digest_fits : never, &d,
				 w.bad ? (struct bytes){0} : writer_bytes(&w));
	return in ? SIP_LOGIN_IN : SIP_LOGIN_REFUSED;
}
