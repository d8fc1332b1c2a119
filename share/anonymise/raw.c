/* Addresses as bytes: answers of DNS, requests to proxies, binary protocols. */
#include "share/anonymise/layers_inner.h"
#include <ctype.h>

static bool marked(const uint64_t *set, unsigned first) { return set[first / 64] >> first % 64 & 1; }

/* Four letters are rather a word: of those only what is exactly known counts. */
static bool is_word(const uint8_t *b) { return isprint(b[0]) && isprint(b[1]) && isprint(b[2]) && isprint(b[3]); }

static bool is_exact(const struct hidden *h, const struct address *a)
{
	for (size_t i = 0; i < h->exact_count; i++)
		if (address_equal(&h->exact[i], a))
			return true;
	return false;
}

static bool replace_v4(const struct hidden *h, uint8_t *at)
{
	const uint32_t word = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	for (int turned = 0; turned < 2; turned++) {
		const struct address a = address_v4(turned ? __builtin_bswap32(word) : word);
		if (!(is_word(at) ? is_exact(h, &a) : hidden_is(h, &a, turned ? HIDDEN_TURNED : HIDDEN_NUMBER)))
			continue;
		const struct address now = h->becomes(h->arg, &a);
		const uint32_t v = address_is_v4(&now) ? address_to_v4(&now) : 0;
		for (unsigned i = 0; i < 4; i++)
			at[turned ? 3 - i : i] = (uint8_t)(v >> (24 - 8 * i));
		return true;
	}
	return false;
}

static bool replace_v6(const struct hidden *h, uint8_t *at)
{
	struct address a;
	memcpy(a.b, at, sizeof a.b);
	if (address_is_v4(&a) || !hidden_is(h, &a, HIDDEN_NUMBER))
		return false;
	a = h->becomes(h->arg, &a);
	if (address_is_v4(&a))
		memset(a.b, 0, sizeof a.b);
	memcpy(at, a.b, sizeof a.b);
	return true;
}

/* Whether bytes that begin so may be one of those that are known exactly, from either end. */
static bool begins(const struct hidden *h, const uint8_t *at, bool *v6)
{
	bool found = false;
	for (size_t i = 0; i < h->exact_count; i++) {
		const uint8_t *b = h->exact[i].b;
		if (address_is_v4(&h->exact[i]))
			found |= (at[0] == b[12] && at[1] == b[13]) || (at[0] == b[15] && at[1] == b[14]);
		else
			*v6 |= at[0] == b[0] && at[1] == b[1];
	}
	return found;
}

bool bytes_clean(const struct hidden *h, uint8_t *text, size_t len)
{
	bool changed = false;
	for (size_t at = 0; at + 4 <= len; at++) {
		const unsigned first = (unsigned)text[at] << 8 | text[at + 1];
		bool v6 = h->own && marked(h->own->firsts_v6, first), v4 = h->own && marked(h->own->firsts, first);
		if (marked(h->exact_firsts, text[at]))
			v4 |= begins(h, text + at, &v6);
		if (v6 && at + 16 <= len && replace_v6(h, text + at)) {
			changed = true;
			at += 15;
		} else if (v4 && replace_v4(h, text + at)) {
			changed = true;
			at += 3;
		}
	}
	return changed;
}
