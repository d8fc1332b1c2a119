/* The three mechanisms; LOGIN's prompts are those that clients compare. */
#include "passive/services/mail/sasl.h"
#include "base/base64.h"
#include "passive/services/windows/crypt.h"
#include <openssl/evp.h>

#define ANSWER_MAX 1024 /* decoded */

enum mechanism { MECHANISM_PLAIN, MECHANISM_LOGIN, MECHANISM_CRAM, MECHANISM_NONE };

static enum sasl_next ask(struct sasl *sasl, const char *text)
{
	EVP_EncodeBlock((uint8_t *)sasl->prompt, (const uint8_t *)text, (int)strlen(text));
	return SASL_MORE;
}

static void keep_user(struct sasl *sasl, struct bytes user)
{
	sasl->user_len = (uint8_t)(user.len < SASL_USER_MAX ? user.len : SASL_USER_MAX);
	if (sasl->user_len)
		memcpy(sasl->user, user.at, sasl->user_len);
}

static enum sasl_next decide(struct session *s, const struct option_list *accounts, struct bytes user,
			     struct bytes secret)
{
	return accounts_accept(s, accounts, user, secret) ? SASL_IN : SASL_REFUSED;
}

static struct bytes until_nul(struct bytes *rest)
{
	size_t n = 0;
	while (n < rest->len && rest->at[n])
		n++;
	struct bytes word = {rest->at, n};
	size_t taken = n < rest->len ? n + 1 : n;
	rest->at += taken;
	rest->len -= taken;
	return word;
}

static enum sasl_next plain(struct session *s, struct sasl *sasl, const struct option_list *accounts, struct bytes answer)
{
	until_nul(&answer); /* whom to act for */
	struct bytes user = until_nul(&answer);
	keep_user(sasl, user);
	return user.len ? decide(s, accounts, user, answer) : SASL_REFUSED;
}

struct cram {
	const char *challenge;
	struct bytes digest; /* 32 hexadecimal digits */
};

static bool cram_fits(const void *challenge, struct bytes secret)
{
	const struct cram *cram = challenge;
	const struct bytes pieces[] = {bytes_of_text(cram->challenge), {0}};
	uint8_t md[CRYPT_MD];
	char text[2 * CRYPT_MD + 1];
	crypt_hmac_md5(secret, pieces, md);
	for (size_t i = 0; i < CRYPT_MD; i++)
		snprintf(text + 2 * i, 3, "%02x", md[i]);
	return bytes_equal_nocase(cram->digest, text);
}

/* The proof is what hashcat reads as mode 10200 and john as cram-md5. */
static enum sasl_next cram(struct session *s, struct sasl *sasl, const struct option_list *accounts,
			   struct bytes answer, struct bytes encoded)
{
	size_t space = answer.len;
	while (space && answer.at[space - 1] != ' ')
		space--;
	if (space == 0 || answer.len - space != (size_t)2 * CRYPT_MD)
		return SASL_REFUSED;
	keep_user(sasl, (struct bytes){answer.at, space - 1});
	struct cram cram = {sasl->challenge, {answer.at + space, answer.len - space}};
	char proof[SASL_PROMPT_MAX + 2 * ANSWER_MAX];
	struct writer w = writer_of(proof, sizeof proof);
	write_fmt(&w, "$cram_md5$%s$", sasl->prompt);
	write_span(&w, encoded);
	bool in = accounts_prove(s, accounts, (struct bytes){answer.at, space - 1}, cram_fits, &cram,
				 writer_bytes(&w));
	return in ? SASL_IN : SASL_REFUSED;
}

enum sasl_next sasl_continue(struct session *s, struct sasl *sasl, const struct option_list *accounts,
			     struct bytes line)
{
	uint8_t room[ANSWER_MAX];
	struct writer w = writer_of(room, sizeof room);
	if (bytes_equal_text(line, "*"))
		return SASL_CANCELLED;
	if (!base64_decode_whole(line, &w))
		return w.bad ? SASL_REFUSED : SASL_BROKEN;
	struct bytes answer = writer_bytes(&w);
	if (sasl->mechanism == MECHANISM_PLAIN)
		return plain(s, sasl, accounts, answer);
	if (sasl->mechanism == MECHANISM_CRAM)
		return cram(s, sasl, accounts, answer, line);
	if (sasl->step++ == 0) {
		keep_user(sasl, answer);
		return ask(sasl, "Password:");
	}
	return decide(s, accounts, (struct bytes){sasl->user, sasl->user_len}, answer);
}

static enum mechanism mechanism_of(const char *offered, struct bytes name)
{
	static const char *const names[] = {"PLAIN", "LOGIN", "CRAM-MD5"};
	struct bytes rest = bytes_of_text(offered);
	while (rest.len) {
		struct bytes word = bytes_word(&rest);
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			if (bytes_equal_nocase(word, names[i]) && bytes_equal_nocase(name, names[i]))
				return (enum mechanism)i;
	}
	return MECHANISM_NONE;
}

enum sasl_next sasl_begin(struct session *s, struct sasl *sasl, const struct option_list *accounts,
			  const char *offered, struct bytes name, struct bytes first)
{
	*sasl = (struct sasl){.mechanism = (uint8_t)mechanism_of(offered, name)};
	if (sasl->mechanism == MECHANISM_NONE)
		return SASL_UNKNOWN;
	if (sasl->mechanism == MECHANISM_CRAM) {
		char host[64];
		session_expand(s, "%{hostname}", host, sizeof host);
		snprintf(sasl->challenge, sizeof sasl->challenge, "<%016llx.%llu@%.40s>",
			 (unsigned long long)session_random(s),
			 (unsigned long long)(session_time_us(s) / 1000000), host);
		return ask(sasl, sasl->challenge);
	}
	if (first.at) /* "=" stands for an empty one, RFC 4954 4 */
		return sasl_continue(s, sasl, accounts, bytes_equal_text(first, "=") ? (struct bytes){0} : first);
	return ask(sasl, sasl->mechanism == MECHANISM_LOGIN ? "Username:" : "");
}
