#include "share/anonymise/layers_inner.h"
#include "base/base64.h"
#include <ctype.h>

#define HEX_LEAST 4      /* bytes */
#define BASE64_LEAST 6   /* letters, which are four bytes */
#define UTF16_LEAST 6    /* letters */
#define ESCAPE_MAX 10    /* letters of one */

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : isxdigit(c) ? (c | 0x20) - 'a' + 10 : -1;
}

static uint8_t hex_letter(unsigned digit, uint8_t like)
{
	const uint8_t c = (uint8_t)"0123456789abcdef"[digit & 15];
	return isupper(like) ? (uint8_t)toupper(c) : c;
}

/* What could not be searched must not pass as clean. */
static uint8_t *room_of(const struct hidden *h, struct arena *arena, size_t n)
{
	uint8_t *room = arena_alloc(arena, n);
	if (!room)
		*h->failed = true;
	return room;
}

/* One escape: how many letters it takes (0: it is none), the base of its number, where that stands. */
struct escape {
	size_t len, digits, digit_count;
	unsigned base;
	uint8_t value;
};

static bool number_at(const uint8_t *t, size_t len, size_t at, size_t count, unsigned base, struct escape *e)
{
	unsigned v = 0;
	if (at + count > len || !count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const int d = hex_digit(t[at + i]);
		if (d < 0 || (unsigned)d >= base)
			return false;
		v = v * base + (unsigned)d;
	}
	*e = (struct escape){.len = at + count, .digits = at, .digit_count = count, .base = base, .value = (uint8_t)v};
	return v <= 255;
}

static bool entity_at(const uint8_t *t, size_t len, struct escape *e)
{
	if (len < 4 || t[1] != '#')
		return false;
	const bool hex = (t[2] | 0x20) == 'x';
	const size_t from = hex ? 3 : 2;
	size_t end = from;
	while (end < len && end < ESCAPE_MAX && hex_digit(t[end]) >= 0)
		end++;
	if (end == len || t[end] != ';' || !number_at(t, len, from, end - from, hex ? 16 : 10, e))
		return false;
	e->len = end + 1;
	return true;
}

static bool broken_dot(const uint8_t *t, size_t len, struct escape *e)
{
	static const char *const dots[] = {"[.]", "(.)", "{.}", "[dot]", "(dot)", NULL};
	for (size_t i = 0; dots[i]; i++) {
		const size_t n = strlen(dots[i]);
		if (len >= n && !strncasecmp((const char *)t, dots[i], n)) {
			*e = (struct escape){.len = n, .value = '.'};
			return true;
		}
	}
	return false;
}

static bool escape_at(const uint8_t *t, size_t len, struct escape *e)
{
	switch (t[0]) {
	case '%':
	case '=':
		return number_at(t, len, 1, 2, 16, e);
	case '\\':
		if (len > 1 && t[1] == 'x')
			return number_at(t, len, 2, 2, 16, e);
		if (len > 1 && t[1] == 'u')
			return number_at(t, len, 2, 4, 16, e);
		return number_at(t, len, 1, 3, 8, e);
	case '&':
		return entity_at(t, len, e);
	case '[': case '(': case '{':
		return broken_dot(t, len, e);
	default:
		return false;
	}
}

/* The same escape with another byte; a broken dot stays what it was. */
static void escape_write(uint8_t *at, const struct escape *e, uint8_t value)
{
	unsigned v = value;
	for (size_t i = e->digit_count; i-- > 0; v /= e->base)
		at[e->digits + i] = hex_letter(v % e->base, at[e->digits + i]);
}

static bool unescape(const struct hidden *h, uint8_t *t, size_t len, struct arena *arena, unsigned depth)
{
	struct escape e;
	uint8_t *plain = room_of(h, arena, len), *before = room_of(h, arena, len);
	size_t n = 0, escapes = 0;
	if (!plain || !before)
		return false;
	for (size_t at = 0; at < len; n++) {
		const bool is = escape_at(t + at, len - at, &e);
		plain[n] = before[n] = is ? e.value : t[at];
		at += is ? e.len : 1;
		escapes += is;
	}
	if (!escapes || !clean_at(h, plain, n, arena, depth + 1))
		return false;
	for (size_t at = 0, i = 0; at < len; i++) {
		const bool is = escape_at(t + at, len - at, &e);
		const size_t step = is ? e.len : 1;
		if (plain[i] != before[i] && is)
			escape_write(t + at, &e, plain[i]);
		else if (plain[i] != before[i])
			t[at] = plain[i];
		at += step;
	}
	return true;
}

/* Where the next pair of digits stands behind `at`: directly, or behind what dumps have between. */
static size_t next_pair(const uint8_t *t, size_t len, size_t at)
{
	if (at < len && (t[at] == ' ' || t[at] == ':' || t[at] == '-' || t[at] == ','))
		at++;
	while (at < len && t[at] == ' ')
		at++;
	if (at + 1 < len && t[at] == '0' && (t[at + 1] | 0x20) == 'x')
		at += 2;
	return at + 1 < len && hex_digit(t[at]) >= 0 && hex_digit(t[at + 1]) >= 0 ? at : len;
}

static bool unhex_run(const struct hidden *h, uint8_t *t, size_t len, size_t from, struct arena *arena, unsigned depth)
{
	size_t n = 0, i = 0;
	for (size_t at = next_pair(t, len, from); at < len; at = next_pair(t, len, at + 2))
		n++;
	uint8_t *plain = n >= HEX_LEAST ? room_of(h, arena, n) : NULL;
	if (!plain)
		return false;
	for (size_t at = next_pair(t, len, from); at < len; at = next_pair(t, len, at + 2))
		plain[i++] = (uint8_t)(hex_digit(t[at]) << 4 | hex_digit(t[at + 1]));
	if (!clean_at(h, plain, n, arena, depth + 1))
		return false;
	i = 0;
	for (size_t at = next_pair(t, len, from); at < len; at = next_pair(t, len, at + 2), i++) {
		t[at] = hex_letter(plain[i] >> 4, t[at]);
		t[at + 1] = hex_letter(plain[i], t[at + 1]);
	}
	return true;
}

/* A run of digits may have one more before it, so both places are tried. */
static bool unhex(const struct hidden *h, uint8_t *t, size_t len, struct arena *arena, unsigned depth)
{
	bool changed = false;
	for (size_t at = 0; at + 2 * HEX_LEAST <= len;) {
		size_t end = at;
		if (hex_digit(t[at]) < 0) {
			at++;
			continue;
		}
		/* The run's end as both readings see it at most: what is not part of it ends both. */
		for (size_t next = next_pair(t, len, at); next < len; next = next_pair(t, len, next + 2))
			end = next + 2;
		if (end == at) {
			at++;
			continue;
		}
		changed |= unhex_run(h, t, end < len ? end + 1 : len, at, arena, depth);
		changed |= unhex_run(h, t, end < len ? end + 1 : len, at + 1, arena, depth);
		at = end;
	}
	return changed;
}

static void base64_write(uint8_t *t, const uint8_t *plain, const uint8_t *before, size_t n, bool url)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	for (size_t i = 0; i < n; i += 3) {
		uint32_t group = 0, old = 0;
		const size_t have = n - i < 3 ? n - i : 3;
		for (size_t k = 0; k < 3; k++) {
			group = group << 8 | (k < have ? plain[i + k] : 0);
			old = old << 8 | (k < have ? before[i + k] : 0);
		}
		for (size_t k = 0; group != old && k <= have; k++) {
			const unsigned digit = group >> (18 - 6 * k) & 63;
			t[i / 3 * 4 + k] = (uint8_t)(digit < 62 ? letters[digit] : digit == 62 ? (url ? '-' : '+') : url ? '_' : '/');
		}
	}
}

static bool unbase64_run(const struct hidden *h, uint8_t *t, size_t len, struct arena *arena, unsigned depth)
{
	bool url = false;
	size_t n = 0;
	uint8_t *plain = room_of(h, arena, 2 * (len + 3)), *before;
	if (!plain)
		return false;
	before = plain + len + 3;
	for (size_t i = 0; i < len; i += 4) {
		uint32_t group = 0;
		const size_t have = len - i < 4 ? len - i : 4;
		for (size_t k = 0; k < 4; k++) {
			const int digit = k < have ? base64_digit(t[i + k]) : 0;
			group = group << 6 | (uint32_t)(digit < 0 ? 0 : digit);
			url |= k < have && (t[i + k] == '-' || t[i + k] == '_');
		}
		for (size_t k = 0; k + 1 < have; k++)
			plain[n++] = (uint8_t)(group >> (16 - 8 * k));
	}
	memcpy(before, plain, n);
	if (!clean_at(h, plain, n, arena, depth + 1))
		return false;
	base64_write(t, plain, before, n, url);
	return true;
}

static bool unbase64(const struct hidden *h, uint8_t *t, size_t len, struct arena *arena, unsigned depth)
{
	bool changed = false;
	for (size_t at = 0; at < len;) {
		size_t end = at;
		while (end < len && base64_digit(t[end]) >= 0)
			end++;
		for (size_t k = 0; k < 4 && end - at >= BASE64_LEAST + k; k++)
			changed |= unbase64_run(h, t + at + k, end - at - k, arena, depth);
		at = end + 1;
	}
	return changed;
}

/* high: where in a pair the byte is that is nought. */
static bool unutf16(const struct hidden *h, uint8_t *t, size_t len, unsigned high, struct arena *arena, unsigned depth)
{
	bool changed = false;
	for (size_t at = 0; at + 2 * UTF16_LEAST <= len;) {
		size_t n = 0;
		while (at + 2 * n + 1 < len && t[at + 2 * n + high] == 0 && t[at + 2 * n + 1 - high] >= 0x20)
			n++;
		uint8_t *plain = n >= UTF16_LEAST ? room_of(h, arena, n) : NULL;
		for (size_t i = 0; plain && i < n; i++)
			plain[i] = t[at + 2 * i + 1 - high];
		if (plain && clean_at(h, plain, n, arena, depth + 1)) {
			changed = true;
			for (size_t i = 0; i < n; i++)
				t[at + 2 * i + 1 - high] = plain[i];
		}
		at += n ? 2 * n : 1;
	}
	return changed;
}

/* What a text could be wrapped in, by its letters, so that most texts are looked at once. */
struct signs {
	bool escapes, hex, base64, wide;
};

static struct signs signs_of(const uint8_t *t, size_t len)
{
	struct signs s = {0};
	size_t hex = 0, letters = 0, noughts = 0;
	for (size_t i = 0; i < len; i++) {
		const uint8_t c = t[i];
		hex += hex_digit(c) >= 0;
		noughts += c == 0;
		letters = base64_digit(c) >= 0 ? letters + 1 : 0;
		s.base64 |= letters >= BASE64_LEAST;
		s.escapes |= c == '%' || c == '=' || c == '\\' || c == '&' || c == '[' || c == '(' || c == '{';
	}
	s.hex = hex >= 2 * HEX_LEAST;
	s.wide = noughts >= UTF16_LEAST;
	return s;
}

bool layers_clean(const struct hidden *h, uint8_t *t, size_t len, struct arena *arena, unsigned depth)
{
	const struct signs s = signs_of(t, len);
	bool changed = false;
	if (depth >= LAYERS_DEPTH)
		return false;
	if (s.escapes)
		changed |= unescape(h, t, len, arena, depth);
	for (unsigned high = 0; s.wide && high < 2; high++)
		changed |= unutf16(h, t, len, high, arena, depth);
	if (s.hex)
		changed |= unhex(h, t, len, arena, depth);
	if (s.base64)
		changed |= unbase64(h, t, len, arena, depth);
	return changed;
}
