/* User agents, public keys and wallets in text: long words, each with a shape or a checksum of its own. */
#include "event/indicator_inner.h"
#include <openssl/sha.h>

#define WORD_MIN 25
#define AGENT_MAX 400
#define BITCOIN_BYTES 25
#define KEY_MAX 1200

static struct bytes slice(struct bytes b, size_t from, size_t to)
{
	return (struct bytes){b.at + from, to - from};
}

static bool one_of(uint8_t c, const char *set) { return c && strchr(set, c); }

static bool word_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void tell(const struct text_look *look, enum indicator_type type, struct bytes value, unsigned confidence)
{
	size_t at = (size_t)(value.at - look->text.at);
	look->found(look->arg, &(struct indicator){
		.type = type, .value = value, .how = look->how, .confidence = confidence * look->confidence / 100,
		.offset = look->offset == UINT64_MAX ? UINT64_MAX : look->offset + at});
}

static int base58_value(uint8_t c)
{
	static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* Base58Check: 21 bytes and the first four of their double SHA-256. */
static bool bitcoin_holds(struct bytes word)
{
	uint8_t out[BITCOIN_BYTES] = {0}, once[32], twice[32];
	for (size_t i = 0; i < word.len; i++) {
		int carry = base58_value(word.at[i]);
		if (carry < 0)
			return false;
		for (size_t k = BITCOIN_BYTES; k-- > 0;) {
			carry += 58 * out[k];
			out[k] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry)
			return false;
	}
	SHA256(out, BITCOIN_BYTES - 4, once);
	SHA256(once, sizeof once, twice);
	return !memcmp(out + BITCOIN_BYTES - 4, twice, 4);
}

/* BIP 173 and 350: a BCH code over 32 letters; 1 or 0x2bc830a3 remains. */
static bool bech32_holds(struct bytes word)
{
	static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
	uint32_t rest = 1;
	static const uint8_t prefix[] = {'b' >> 5, 'c' >> 5, 0, 'b' & 31, 'c' & 31};
	for (size_t i = 0; i < sizeof prefix + word.len - 3; i++) {
		const char *at = i < sizeof prefix ? NULL : strchr(letters, word.at[3 + i - sizeof prefix]);
		if (i >= sizeof prefix && !at)
			return false;
		uint32_t top = rest >> 25;
		rest = (rest & 0x1ffffff) << 5 ^ (i < sizeof prefix ? prefix[i] : (uint32_t)(at - letters));
		for (unsigned k = 0; k < 5; k++)
			if (top >> k & 1)
				rest ^= generator[k];
	}
	return rest == 1 || rest == 0x2bc830a3;
}

static bool all_base58(struct bytes word)
{
	for (size_t i = 0; i < word.len; i++)
		if (base58_value(word.at[i]) < 0)
			return false;
	return true;
}

static bool all_hex(struct bytes word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!one_of(word.at[i], "0123456789abcdefABCDEF"))
			return false;
	return true;
}

static void wallet_look(const struct text_look *look, struct bytes word)
{
	uint8_t first = word.at[0];
	if ((first == '1' || first == '3') && word.len <= 35 && bitcoin_holds(word))
		tell(look, INDICATOR_WALLET, word, 100);
	else if (word.len >= 42 && word.len <= 62 && bytes_start_with(word, "bc1") && bech32_holds(word))
		tell(look, INDICATOR_WALLET, word, 100);
	else if (word.len == 95 && (first == '4' || first == '8') && all_base58(word))
		tell(look, INDICATOR_WALLET, word, 90); /* Monero */
	else if (word.len == 42 && bytes_start_with(word, "0x") && all_hex(slice(word, 2, 42)))
		tell(look, INDICATOR_WALLET, word, 50); /* Ethereum, unless it is some other number */
}

static void words_look(const struct text_look *look)
{
	struct bytes text = look->text;
	for (size_t i = 0; i < text.len;) {
		/* A long word covers every WORD_MIN-th byte: most text is stepped over. */
		size_t last = i + WORD_MIN - 1;
		if (last >= text.len)
			return;
		while (last > i && word_byte(text.at[last]))
			last--;
		if (last > i || !word_byte(text.at[i])) {
			i = last + 1;
			continue;
		}
		size_t end = i;
		while (end < text.len && word_byte(text.at[end]))
			end++;
		wallet_look(look, slice(text, i, end));
		i = end + 1;
	}
}

/* A client that names itself: "Mozilla/5.0 (…) …", or what follows "User-Agent:". */
static void agents_look(const struct text_look *look)
{
	static const char *const marks[] = {"User-Agent: ", "Mozilla/", "Opera/", NULL};
	for (const char *const *mark = marks; *mark; mark++) {
		struct bytes rest = look->text;
		bool named = (*mark)[0] == 'U';
		for (;;) {
			size_t at = bytes_find(rest, *mark);
			if (at == rest.len)
				break;
			rest = slice(rest, named ? at + strlen(*mark) : at, rest.len);
			size_t n = 0;
			while (n < rest.len && n < AGENT_MAX && rest.at[n] >= 0x20 && rest.at[n] < 0x7f && !one_of(rest.at[n], "\"'`") &&
			       !(rest.at[n] == '\\' && n + 1 < rest.len && one_of(rest.at[n + 1], "rn")))
				n++;
			struct bytes agent = bytes_trim(slice(rest, 0, n));
			if (agent.len > 3 && !memchr(agent.at, '%', agent.len) && (named || agent.len > 16))
				tell(look, INDICATOR_AGENT, agent, named ? 100 : 90);
			rest = slice(rest, n || !rest.len ? n : 1, rest.len);
		}
	}
}

/* Keys for SSH that an intruder leaves in authorized_keys (RFC 4253 6.6, RFC 8709). */
static void keys_look(const struct text_look *look)
{
	static const char *const marks[] = {"ssh-rsa AAAA", "ssh-ed25519 AAAA", "ssh-dss AAAA", "ecdsa-sha2-nistp256 AAAA", NULL};
	for (const char *const *mark = marks; *mark; mark++) {
		struct bytes rest = look->text;
		for (size_t at; (at = bytes_find(rest, *mark)) < rest.len;) {
			rest = slice(rest, at, rest.len);
			size_t n = strlen(*mark);
			while (n < rest.len && n < KEY_MAX && (word_byte(rest.at[n]) || one_of(rest.at[n], "+/=")))
				n++;
			tell(look, INDICATOR_KEY, slice(rest, 0, n), 100);
			rest = slice(rest, n, rest.len);
		}
	}
}

void indicator_words_look(const struct text_look *look)
{
	if (look->text.len < 12)
		return;
	words_look(look);
	agents_look(look);
	if (look->text.len > 40)
		keys_look(look);
}
