#include "share/networks/ranges_inner.h"

void network_of_prefix(struct network *n, uint32_t bits)
{
	const unsigned whole = bits + (address_is_v4(&n->first) ? 96 : 0);
	const struct prefix p = prefix_of(&n->first, whole < 128 ? whole : 128);
	n->first = n->last = p.base;
	for (unsigned bit = p.bits; bit < 128; bit++)
		n->last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

bool network_of_count(struct network *n, uint64_t count)
{
	uint64_t first = address_to_v4(&n->first);
	if (!count || count > UINT32_MAX || first + count - 1 > UINT32_MAX)
		return false;
	n->last = address_v4((uint32_t)(first + count - 1));
	return true;
}

void country_read(struct bytes b, char out[3])
{
	out[0] = '\0';
	if (b.len != 2)
		return;
	for (size_t i = 0; i < 2; i++) {
		char c = (char)b.at[i];
		c = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
		if (c < 'A' || c > 'Z')
			return;
		out[i] = c;
	}
	out[2] = '\0';
	static const char *const none[] = {"ZZ", "XX", "AP", "EU"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (!strcmp(out, none[i]))
			out[0] = '\0';
}

size_t split_at_bars(struct bytes text, struct bytes *out, size_t max)
{
	size_t count = 0;
	while (count < max) {
		size_t n = bytes_find(text, "|");
		out[count++] = (struct bytes){text.at, n};
		if (n == text.len)
			break;
		text = (struct bytes){text.at + n + 1, text.len - n - 1};
	}
	return count;
}
