#include "passive/services/http/base64.h"

static int base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

void base64_decode(struct bytes text, struct writer *w)
{
	uint32_t bits = 0;
	unsigned held = 0;
	for (size_t i = 0; i < text.len && text.at[i] != '='; i++) {
		int digit = base64_digit(text.at[i]);
		if (digit < 0)
			continue;
		bits = bits << 6 | (uint32_t)digit;
		held += 6;
		if (held >= 8) {
			held -= 8;
			write_u8(w, (uint8_t)(bits >> held));
		}
	}
}
