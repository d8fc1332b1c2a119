#include "passive/device/shell/escape.h"

static int digit_of(uint8_t c, int base)
{
	int v = c >= '0' && c <= '9'   ? c - '0'
	        : c >= 'a' && c <= 'f' ? c - 'a' + 10
	        : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                               : 99;
	return v < base ? v : -1;
}

/* Up to `most` digits; returns how many there were. */
static size_t read_digits(struct bytes t, size_t i, size_t most, int base, uint8_t *out)
{
	unsigned v = 0;
	size_t n = 0;
	for (; n < most && i + n < t.len && digit_of(t.at[i + n], base) >= 0; n++) {
		unsigned next = v * (unsigned)base + (unsigned)digit_of(t.at[i + n], base);
		if (next > 255)
			break;
		v = next;
	}
	*out = (uint8_t)v;
	return n;
}

bool escape_read(struct bytes t, size_t *i, struct writer *out)
{
	static const char from[] = "abefnrtv\\", to[] = "\a\b\033\f\n\r\t\v\\";
	size_t at = *i + 1;
	uint8_t c = at < t.len ? t.at[at] : 0, v;
	if (c == 'c')
		return false;
	const char *simple = c ? strchr(from, c) : NULL;
	if (simple) {
		write_u8(out, (uint8_t)to[simple - from]);
		*i = at + 1;
		return true;
	}
	if (c == 'x') {
		size_t n = read_digits(t, at + 1, 2, 16, &v);
		if (n) {
			write_u8(out, v);
			*i = at + 1 + n;
			return true;
		}
	} else if (digit_of(c, 8) >= 0) {
		if (c == '0' && at + 1 < t.len && digit_of(t.at[at + 1], 8) >= 0)
			at++;
		*i = at + read_digits(t, at, 3, 8, &v);
		write_u8(out, v);
		return true;
	}
	write_u8(out, '\\');
	*i = at;
	return true;
}
