#include "base/base64.h"

int base64_digit(uint8_t letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return letter - 'A';
	if (letter >= 'a' && letter <= 'z')
		return letter - 'a' + 26;
	if (letter >= '0' && letter <= '9')
		return letter - '0' + 52;
	return letter == '+' || letter == '-' ? 62 : letter == '/' || letter == '_' ? 63 : -1;
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

bool base64_decode_whole(struct bytes text, struct writer *w)
{
	size_t letters = text.len;
	while (letters && text.len - letters < 2 && text.at[letters - 1] == '=')
		letters--;
	for (size_t i = 0; i < letters; i++)
		if (base64_digit(text.at[i]) < 0 || text.at[i] == '-' || text.at[i] == '_')
			return false;
	if (text.len % 4)
		return false;
	base64_decode(text, w);
	return !w->bad;
}

void base64_encode(struct bytes b, struct writer *w)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < b.len; i += 3) {
		const size_t n = b.len - i < 3 ? b.len - i : 3;
		const uint32_t v = (uint32_t)b.at[i] << 16 | (n > 1 ? (uint32_t)b.at[i + 1] << 8 : 0) | (n > 2 ? b.at[i + 2] : 0);
		write_u8(w, (uint8_t)letters[v >> 18]);
		write_u8(w, (uint8_t)letters[v >> 12 & 63]);
		write_u8(w, n > 1 ? (uint8_t)letters[v >> 6 & 63] : '=');
		write_u8(w, n > 2 ? (uint8_t)letters[v & 63] : '=');
	}
}
