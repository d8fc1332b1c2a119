#include "cli/escapes.h"

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint8_t escape_read(struct bytes line, size_t *at)
{
	static const char names[] = "nrtabfve0\\\"'", values[] = "\n\r\t\a\b\f\v\033\0\\\"'";
	const char *name = *at + 1 < line.len ? memchr(names, line.at[*at + 1], sizeof names - 1) : NULL;
	if (name) {
		*at += 2;
		return (uint8_t)values[name - names];
	}
	if (*at + 3 < line.len && line.at[*at + 1] == 'x' && hex_digit(line.at[*at + 2]) >= 0 &&
	    hex_digit(line.at[*at + 3]) >= 0) {
		*at += 4;
		return (uint8_t)(hex_digit(line.at[*at - 2]) << 4 | hex_digit(line.at[*at - 1]));
	}
	return line.at[(*at)++];
}

struct bytes escapes_read(char *line, size_t len)
{
	struct bytes from = {(const uint8_t *)line, len};
	size_t n = 0;
	for (size_t at = 0; at < len;)
		line[n++] = from.at[at] == '\\' ? (char)escape_read(from, &at) : line[at++];
	return (struct bytes){from.at, n};
}
