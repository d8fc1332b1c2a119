#include "lab/xor_inner.h"

static bool belongs(uint8_t c, uint8_t key)
{
	return c != 0 && xor_printable(c ^ key);
}

void xor_string_read(struct bytes content, size_t at, uint8_t key, struct xor_string *s)
{
	size_t start = at, end = at;
	while (start && at - start < XOR_STRING_MAX / 2 && belongs(content.at[start - 1], key))
		start--;
	while (end < content.len && end - start < XOR_STRING_MAX && belongs(content.at[end], key))
		end++;
	s->start = start;
	s->len = end - start;
	for (size_t i = 0; i < s->len; i++)
		s->text[i] = content.at[start + i] ^ key;
}
