/* NTLM from the server's side: the challenge, and what its answer proves. */
#include "passive/services/windows/ntlm.h"
#include "passive/accounts.h"
#include "passive/persona.h"
#include "passive/services/windows/crypt.h"
#include "passive/services/windows/wide.h"

enum ntlm_flag {
	FLAG_UNICODE = 1,
	FLAG_REQUEST_TARGET = 4,
	FLAG_SIGN = 0x10,
	FLAG_SEAL = 0x20,
	FLAG_NTLM = 0x200,
	FLAG_ALWAYS_SIGN = 0x8000,
	FLAG_TARGET_DOMAIN = 0x10000,
	FLAG_TARGET_SERVER = 0x20000,
	FLAG_EXTENDED = 0x80000,
	FLAG_TARGET_INFO = 0x800000,
	FLAG_VERSION = 0x2000000,
	FLAG_128 = 0x20000000,
	FLAG_KEY_EXCHANGE = 0x40000000,
	FLAG_56 = (int)0x80000000,
};

enum { AV_END, AV_COMPUTER, AV_DOMAIN, AV_DNS_COMPUTER, AV_DNS_DOMAIN, AV_DNS_FOREST, AV_TIME = 7 };

enum ntlm_type ntlm_find(struct bytes in, struct bytes *message)
{
	static const uint8_t mark[8] = "NTLMSSP";
	for (size_t i = 0; i + 12 <= in.len; i++) {
		if (in.at[i] != 'N' || memcmp(in.at + i, mark, sizeof mark) != 0)
			continue;
		*message = (struct bytes){in.at + i, in.len - i};
		uint64_t type = little_get(in.at + i + 8, 4);
		return type <= NTLM_AUTHENTICATE ? (enum ntlm_type)type : NTLM_NONE;
	}
	return NTLM_NONE;
}

uint32_t ntlm_negotiate_flags(struct bytes m)
{
	return m.len >= 16 ? (uint32_t)little_get(m.at + 12, 4) : 0;
}

static void write_pair(struct writer *w, uint16_t id, const char *text)
{
	write_le16(w, id);
	size_t length_at = writer_used(w);
	write_le16(w, 0);
	write_utf16(w, bytes_of_text(text));
	write_little_at(w, length_at, writer_used(w) - length_at - 2, 2);
}

static void write_target(struct writer *w, const struct ntlm_host *h, uint64_t utc_us)
{
	write_pair(w, AV_DOMAIN, h->domain);
	write_pair(w, AV_COMPUTER, h->computer);
	write_pair(w, AV_DNS_DOMAIN, h->dns_domain);
	write_pair(w, AV_DNS_COMPUTER, h->dns_computer);
	if (h->dns_forest[0])
		write_pair(w, AV_DNS_FOREST, h->dns_forest);
	write_le16(w, AV_TIME);
	write_le16(w, 8);
	write_le64(w, filetime_of_us(utc_us));
	write_le32(w, AV_END);
}

/* MS-NLMP 2.2.1.2; the version stands between the head and the payload, as Windows has it. */
void ntlm_write_challenge(struct writer *w, const struct ntlm_host *h, uint32_t asked,
			  const uint8_t challenge[8], uint64_t utc_us)
{
	uint32_t kept = FLAG_UNICODE | FLAG_REQUEST_TARGET | FLAG_SIGN | FLAG_SEAL | FLAG_ALWAYS_SIGN |
			FLAG_EXTENDED | FLAG_VERSION | FLAG_128 | FLAG_KEY_EXCHANGE | (uint32_t)FLAG_56;
	uint32_t flags = (asked & kept) | FLAG_NTLM | FLAG_TARGET_INFO |
			 (h->dns_forest[0] ? FLAG_TARGET_DOMAIN : FLAG_TARGET_SERVER);
	size_t start = writer_used(w), name_len;
	write_bytes(w, "NTLMSSP", 8);
	write_le32(w, NTLM_CHALLENGE);
	write_zero(w, 8);
	write_le32(w, flags);
	write_bytes(w, challenge, 8);
	write_zero(w, 16);
	write_u8(w, h->major);
	write_u8(w, h->minor);
	write_le16(w, h->build);
	write_le32(w, 0x0f000000); /* NTLMSSP_REVISION_W2K3 */
	size_t name_at = writer_used(w);
	if (flags & FLAG_UNICODE)
		write_utf16(w, bytes_of_text(h->domain));
	else
		write_text(w, h->domain);
	name_len = writer_used(w) - name_at;
	size_t target_at = writer_used(w);
	write_target(w, h, utc_us);
	write_little_at(w, start + 12, name_len, 2);
	write_little_at(w, start + 14, name_len, 2);
	write_little_at(w, start + 16, name_at - start, 4);
	write_little_at(w, start + 40, writer_used(w) - target_at, 2);
	write_little_at(w, start + 42, writer_used(w) - target_at, 2);
	write_little_at(w, start + 44, target_at - start, 4);
}

static struct bytes read_field(struct reader *r, struct bytes whole, bool *bad)
{
	size_t len = read_le16(r);
	read_le16(r);
	size_t offset = read_le32(r);
	return len ? bytes_part(whole, offset, len, bad) : (struct bytes){whole.at, 0};
}

static struct bytes name_text(struct bytes name, uint32_t flags, char text[NTLM_NAME_MAX])
{
	if (flags & FLAG_UNICODE)
		return utf16_text(name, text, NTLM_NAME_MAX);
	size_t n = name.len < NTLM_NAME_MAX - 1 ? name.len : NTLM_NAME_MAX - 1;
	memcpy(text, name.at, n);
	text[n] = '\0';
	return (struct bytes){(uint8_t *)text, n};
}

bool ntlm_read(struct bytes m, struct ntlm_login *out)
{
	struct reader r = reader_of_bytes(m);
	bool bad = false;
	read_bytes(&r, 12);
	out->lm = read_field(&r, m, &bad);
	out->nt = read_field(&r, m, &bad);
	struct bytes domain = read_field(&r, m, &bad), user = read_field(&r, m, &bad),
		     workstation = read_field(&r, m, &bad);
	/* The oldest clients end here (MS-NLMP 2.2.1.3 has it optional in practice). */
	out->session_key = reader_left(&r) >= 12 ? read_field(&r, m, &bad) : (struct bytes){m.at, 0};
	out->flags = reader_left(&r) >= 4 ? read_le32(&r) : FLAG_UNICODE;
	if (!reader_ok(&r) || bad || out->nt.len > NTLM_RESPONSE_MAX || out->lm.len > NTLM_RESPONSE_MAX)
		return false;
	out->domain = name_text(domain, out->flags, out->domain_text);
	out->user = name_text(user, out->flags, out->user_text);
	out->workstation = name_text(workstation, out->flags, out->workstation_text);
	return true;
}

static void nt_hash(struct bytes secret, uint8_t out[16])
{
	uint8_t room[512];
	struct writer w = writer_of(room, sizeof room);
	write_utf16(&w, secret);
	crypt_md4(writer_bytes(&w), out);
}

/* NTLMv1's answer: the challenge under three DES keys out of the hash (MS-NLMP 6, DESL()). */
static void des_answer(const uint8_t hash[16], const uint8_t challenge[8], uint8_t out[24])
{
	uint8_t keys[21] = {0};
	memcpy(keys, hash, 16);
	for (size_t i = 0; i < 3; i++)
		crypt_des(keys + 7 * i, challenge, out + 8 * i);
}

static bool fits_first(const struct ntlm_login *l, const uint8_t hash[16], uint8_t key[16])
{
	uint8_t challenge[16], digest[16], answer[24];
	bool extended = l->flags & FLAG_EXTENDED && l->lm.len == 24;
	memcpy(challenge, l->challenge, 8);
	crypt_md4((struct bytes){hash, 16}, key);
	if (extended) { /* "NTLM2 session": the client's nonce goes in (MS-NLMP 3.3.1) */
		memcpy(challenge + 8, l->lm.at, 8);
		const struct bytes both[] = {{challenge, 16}, {0}};
		uint8_t base[16];
		memcpy(base, key, 16);
		crypt_hmac_md5((struct bytes){base, 16}, both, key);
		crypt_md5(both[0], digest);
		memcpy(challenge, digest, 8);
	}
	des_answer(hash, challenge, answer);
	return memcmp(answer, l->nt.at, 24) == 0;
}

/* Both LM and NT fields hold an answer of the same making, LMv2 with a nonce of eight bytes. */
static struct bytes answer_second(const struct ntlm_login *l)
{
	return l->nt.len > 24 ? l->nt : l->lm;
}

/* MS-NLMP 3.3.2; `domain` is hashed as the client sent it. */
static bool fits_second(const struct ntlm_login *l, const uint8_t hash[16], uint8_t key[16])
{
	struct bytes answer = answer_second(l);
	uint8_t room[4 * NTLM_NAME_MAX], owf[16], proof[16];
	char upper[NTLM_NAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	for (size_t i = 0; i < l->user.len; i++)
		upper[i] = (char)(l->user.at[i] >= 'a' && l->user.at[i] <= 'z' ? l->user.at[i] - 32
									       : l->user.at[i]);
	write_utf16(&w, (struct bytes){(uint8_t *)upper, l->user.len});
	write_utf16(&w, l->domain);
	const struct bytes names[] = {writer_bytes(&w), {0}};
	crypt_hmac_md5((struct bytes){hash, 16}, names, owf);
	const struct bytes said[] = {{l->challenge, 8}, {answer.at + 16, answer.len - 16}, {0}};
	crypt_hmac_md5((struct bytes){owf, 16}, said, proof);
	const struct bytes base[] = {{proof, 16}, {0}};
	crypt_hmac_md5((struct bytes){owf, 16}, base, key);
	return memcmp(proof, answer.at, 16) == 0;
}

/* The key that the client chose, when it did, lies under the one that both can compute. */
static void exchange_key(const struct ntlm_login *l, uint8_t key[16])
{
	uint8_t chosen[16];
	if (!(l->flags & FLAG_KEY_EXCHANGE) || l->session_key.len != 16)
		return;
	crypt_rc4((struct bytes){key, 16}, l->session_key, chosen);
	memcpy(key, chosen, 16);
}

bool ntlm_fits(const struct ntlm_login *l, struct bytes secret, uint8_t key[16])
{
	uint8_t hash[16];
	nt_hash(secret, hash);
	bool second = l->nt.len > 24 || (l->nt.len < 24 && l->lm.len == 24);
	bool fits = l->nt.len == 24 ? fits_first(l, hash, key) : second && fits_second(l, hash, key);
	if (fits)
		exchange_key(l, key);
	return fits;
}

static void write_hex(struct writer *w, struct bytes b)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < b.len; i++) {
		write_u8(w, (uint8_t)digits[b.at[i] >> 4]);
		write_u8(w, (uint8_t)digits[b.at[i] & 15]);
	}
}

/* NetNTLMv2 (hashcat 5600), else NetNTLMv1 (5500), as john reads them, too. */
void ntlm_write_proof(const struct ntlm_login *l, struct writer *w)
{
	write_span(w, l->user);
	write_text(w, "::");
	write_span(w, l->domain);
	write_text(w, ":");
	if (l->nt.len != 24) {
		struct bytes answer = answer_second(l);
		write_hex(w, (struct bytes){l->challenge, 8});
		write_text(w, ":");
		write_hex(w, (struct bytes){answer.at, 16});
		write_text(w, ":");
		write_hex(w, (struct bytes){answer.at + 16, answer.len - 16});
		return;
	}
	write_hex(w, l->lm);
	write_text(w, ":");
	write_hex(w, l->nt);
	write_text(w, ":");
	write_hex(w, (struct bytes){l->challenge, 8});
}

/* The nth password of that user. */
static bool secret_nth(struct session *s, const struct option_list *own, struct bytes user,
		       size_t n, struct bytes *secret)
{
	const struct persona *p = session_persona(s) ? session_persona(s) : &persona_plain;
	const struct account *accounts = own ? own->items : NULL;
	size_t count = own ? own->count : 0;
	for (size_t i = 0; i < count; i++)
		if (names_equal(user, bytes_of_text(accounts[i].user)) && n-- == 0) {
			*secret = bytes_of_text(accounts[i].password ? accounts[i].password : "");
			return true;
		}
	for (size_t i = 0; count == 0 && i < p->credential_count; i++)
		if (names_equal(user, p->credentials[i].user) && n-- == 0) {
			*secret = p->credentials[i].secret;
			return true;
		}
	return false;
}

struct ntlm_try {
	const struct ntlm_login *login;
	uint8_t *key;
};

static bool try_fits(const void *arg, struct bytes secret)
{
	const struct ntlm_try *t = arg;
	return ntlm_fits(t->login, secret, t->key);
}

enum ntlm_outcome ntlm_decide(struct session *s, const struct option_list *own,
			      const struct ntlm_login *l, uint8_t key[16])
{
	char text[2 * NTLM_NAME_MAX + 2 * NTLM_RESPONSE_MAX + 128];
	struct writer w = writer_of(text, sizeof text);
	struct bytes secret;
	memset(key, 0, 16);
	if (l->user.len == 0 && l->nt.len == 0) {
		exchange_key(l, key);
		session_login_decided(s, l->user, l->user, (struct bytes){0}, true);
		return NTLM_ANONYMOUS;
	}
	if (l->nt.len >= 24 || l->lm.len == 24)
		ntlm_write_proof(l, &w);
	for (size_t n = 0; secret_nth(s, own, l->user, n, &secret); n++)
		if (ntlm_fits(l, secret, key)) {
			session_login_decided(s, l->user, secret, writer_bytes(&w), true);
			return NTLM_ACCEPTED;
		}
	uint8_t found[ACCOUNTS_FOUND];
	if (accounts_find_bait(s, l->user, try_fits, &(struct ntlm_try){l, key}, found)) {
		secret = (struct bytes){found, sizeof found};
		bool opens = session_bait_opens(s, l->user, secret);
		session_login_decided(s, l->user, secret, writer_bytes(&w), opens);
		if (opens)
			return NTLM_ACCEPTED;
	} else {
		session_login_decided(s, l->user, (struct bytes){0}, writer_bytes(&w), false);
	}
	memset(key, 0, 16);
	return NTLM_REFUSED;
}

static void direction_key(const uint8_t key[16], const char *magic, uint8_t out[16])
{
	uint8_t room[128];
	struct writer w = writer_of(room, sizeof room);
	write_bytes(&w, key, 16);
	write_bytes(&w, magic, strlen(magic) + 1);
	crypt_md5(writer_bytes(&w), out);
}

void ntlm_seal_keys(const uint8_t key[16], uint32_t flags, bool by_server, struct ntlm_seal *out)
{
	static const char *const signing[] = {
		"session key to client-to-server signing key magic constant",
		"session key to server-to-client signing key magic constant"};
	static const char *const sealing[] = {
		"session key to client-to-server sealing key magic constant",
		"session key to server-to-client sealing key magic constant"};
	direction_key(key, signing[by_server], out->sign_key);
	direction_key(key, sealing[by_server], out->seal_key); /* with 128 bits; nobody has less */
	out->flags = flags;
}

static void digest_first(const struct ntlm_seal *seal, struct bytes message, uint8_t digest[16])
{
	static const uint8_t number[4] = {0};
	const struct bytes pieces[] = {{number, 4}, message, {0}};
	crypt_hmac_md5((struct bytes){seal->sign_key, 16}, pieces, digest);
}

void ntlm_sign_first(const uint8_t key[16], uint32_t flags, bool by_server, struct bytes message,
		     uint8_t signature[16])
{
	struct ntlm_seal seal;
	uint8_t digest[16];
	ntlm_seal_keys(key, flags, by_server, &seal);
	digest_first(&seal, message, digest);
	memset(signature, 0, 16);
	signature[0] = 1;
	if (flags & FLAG_KEY_EXCHANGE)
		crypt_rc4((struct bytes){seal.seal_key, 16}, (struct bytes){digest, 8}, signature + 4);
	else
		memcpy(signature + 4, digest, 8);
}

void ntlm_seal_first(const struct ntlm_seal *seal, struct bytes message, uint8_t *sealed)
{
	uint8_t digest[16], under[8];
	digest_first(seal, message, digest);
	memset(sealed, 0, 16);
	sealed[0] = 1;
	crypt_rc4_twice((struct bytes){seal->seal_key, 16}, message, sealed + 16,
			(struct bytes){digest, 8}, under);
	memcpy(sealed + 4, seal->flags & FLAG_KEY_EXCHANGE ? under : digest, 8);
}
