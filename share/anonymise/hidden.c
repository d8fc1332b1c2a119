#include "share/anonymise/hidden_inner.h"
#include <ctype.h>

static void mark(struct hidden *h, uint8_t first) { h->exact_firsts[first / 64] |= UINT64_C(1) << first % 64; }

void hidden_add(struct hidden *h, const struct address *a)
{
	for (size_t i = 0; i < h->exact_count; i++)
		if (address_equal(&h->exact[i], a))
			return;
	if (h->exact_count == HIDDEN_EXACT_MAX || address_is_zero(a))
		return;
	h->exact[h->exact_count++] = *a;
	const bool v4 = address_is_v4(a);
	mark(h, a->b[v4 ? 12 : 0]);
	mark(h, a->b[v4 ? 15 : 0]);
}

bool hidden_nothing(const struct hidden *h)
{
	return !h->every && !h->exact_count && (!h->own || (!h->own->all.count && !h->own->name_count));
}

static bool is_one(const struct hidden *h, const struct address *a, enum hidden_surely surely)
{
	for (size_t i = 0; i < h->exact_count; i++)
		if (address_equal(&h->exact[i], a))
			return true;
	if (surely == HIDDEN_ADDRESS && h->every)
		return true;
	if (!h->own || surely == HIDDEN_TURNED)
		return false;
	return prefix_set_holds(surely <= HIDDEN_LIKELY ? &h->own->all : &h->own->narrow, a);
}

static uint32_t word_at(const struct address *a, unsigned at)
{
	return (uint32_t)a->b[at] << 24 | (uint32_t)a->b[at + 1] << 16 | (uint32_t)a->b[at + 2] << 8 | a->b[at + 3];
}

/* Addresses of IPv4 within one of IPv6, by the prefixes that say that there is one. */
static size_t embedded(const struct address *a, struct address out[2])
{
	static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b}, zero[12];
	static const uint8_t isatap[4] = {0, 0, 0x5e, 0xfe}; /* RFC 5214 6.1; with or without the bit of uniqueness */
	if (!memcmp(a->b, nat64, sizeof nat64) || (!memcmp(a->b, zero, sizeof zero) && a->b[12])) { /* RFC 6052, 4291 2.5.5.1 */
		out[0] = address_v4(word_at(a, 12));
		return 1;
	}
	if (a->b[0] == 0x20 && a->b[1] == 0x02) { /* RFC 3056 */
		out[0] = address_v4(word_at(a, 2));
		return 1;
	}
	if (word_at(a, 0) == 0x20010000) { /* RFC 4380 4: the server's, and the client's turned over */
		out[0] = address_v4(word_at(a, 4));
		out[1] = address_v4(~word_at(a, 12));
		return 2;
	}
	if ((a->b[8] & ~2) == isatap[0] && !memcmp(a->b + 9, isatap + 1, 3)) {
		out[0] = address_v4(word_at(a, 12));
		return 1;
	}
	return 0;
}

bool hidden_is(const struct hidden *h, const struct address *a, enum hidden_surely surely)
{
	struct address within[2];
	if (is_one(h, a, surely))
		return true;
	if (address_is_v4(a))
		return false;
	for (size_t i = 0, n = embedded(a, within); i < n; i++)
		if (is_one(h, &within[i], surely))
			return true;
	return false;
}

static bool of_word(uint8_t c) { return isalnum(c) || c == '-'; }

/* A dot of the name may be a label's length, as DNS sends it (RFC 1035 3.1). */
static bool same_letter(char name, uint8_t c) { return tolower(c) == name || (name == '.' && c > 0 && c < 64); }

size_t hidden_name(const struct hidden *h, struct bytes text, size_t at)
{
	if (!h->own || (at && of_word(text.at[at - 1])))
		return 0;
	for (size_t i = 0; i < h->own->name_count; i++) {
		const char *name = h->own->names[i];
		size_t n = 0;
		while (name[n] && at + n < text.len && same_letter(name[n], text.at[at + n]))
			n++;
		if (!name[n] && (at + n == text.len || !of_word(text.at[at + n])))
			return n;
	}
	return 0;
}
