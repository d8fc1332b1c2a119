#include "share/anonymise/spelled_inner.h"
#include <ctype.h>

#define PARTS_MAX 4
#define NUMBER_LEAST (UINT32_C(1) << 24) /* below begins what no host has: 0.0.0.0/8 */
#define V6_TEXT_MAX 45
#define NIBBLES 32

struct part {
	uint64_t value, octal; /* as decimal or hexadecimal, and as inet_aton() reads it */
	uint8_t base;
	size_t end;
};

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static int hex_digit(uint8_t c) { return is_digit(c) ? c - '0' : isxdigit(c) ? (c | 0x20) - 'a' + 10 : -1; }

static uint8_t byte_at(struct bytes t, size_t at) { return at < t.len ? t.at[at] : 0; }

static bool part_read(struct bytes t, size_t at, struct part *p)
{
	const size_t start = at;
	*p = (struct part){.base = 10};
	if (byte_at(t, at) == '0' && (byte_at(t, at + 1) | 0x20) == 'x' && hex_digit(byte_at(t, at + 2)) >= 0) {
		p->base = 16;
		for (at += 2; hex_digit(byte_at(t, at)) >= 0 && at - start <= 2 + 8; at++)
			p->value = p->value << 4 | (uint64_t)hex_digit(byte_at(t, at));
		p->octal = p->value;
		p->end = at;
		return p->value <= UINT32_MAX;
	}
	bool octal = byte_at(t, at) == '0';
	for (; is_digit(byte_at(t, at)) && at - start <= 12; at++) {
		p->value = p->value * 10 + (byte_at(t, at) - '0');
		p->octal = p->octal << 3 | (uint64_t)(byte_at(t, at) - '0');
		octal &= byte_at(t, at) < '8';
	}
	if (!octal || at - start < 2)
		p->octal = p->value;
	p->end = at;
	return at > start && at - start <= 12;
}

static bool is_between(uint8_t c) { return c == '.' || c == '-' || c == '_' || c == ','; }

/* Parts of one kind one behind the other; DNS's labels say their length where others have a dot. */
static size_t parts_read(struct bytes t, size_t at, struct part parts[PARTS_MAX], uint8_t *between)
{
	size_t n = 0;
	*between = 0;
	while (n < PARTS_MAX && part_read(t, at, &parts[n])) {
		const uint8_t c = byte_at(t, parts[n].end);
		at = parts[n++].end + 1;
		size_t label = 0;
		while (label < 4 && is_digit(byte_at(t, at + label)))
			label++;
		const bool counts = c >= 1 && c <= 3 && label == c;
		const uint8_t now = counts ? 1 : c;
		if (n == PARTS_MAX || (!counts && !is_between(c)) || (n > 1 && now != *between))
			break;
		*between = now;
	}
	return n;
}

static bool offer(const struct hidden *h, struct spelled *s, uint32_t value, enum hidden_surely surely)
{
	s->address = address_v4(value);
	return hidden_is(h, &s->address, surely);
}

static bool four_parts(const struct hidden *h, const struct part p[PARTS_MAX], struct spelled *s)
{
	for (int octal = 0; octal < 2; octal++) {
		uint32_t forward = 0, backward = 0;
		bool fits = true;
		for (unsigned i = 0; i < PARTS_MAX; i++) {
			const uint64_t v = octal ? p[i].octal : p[i].value;
			fits &= v <= 255;
			forward = forward << 8 | (uint32_t)(v & 255);
			backward |= (uint32_t)(v & 255) << 8 * i;
		}
		s->spelling = SPELLED_PARTS;
		if (fits && offer(h, s, forward, s->between == '.' || s->between == 1 ? HIDDEN_ADDRESS : HIDDEN_LIKELY))
			return true;
		s->spelling = SPELLED_TURNED_PARTS;
		if (fits && offer(h, s, backward, HIDDEN_LIKELY))
			return true;
	}
	return false;
}

/*
 * inet_aton(3): the last part fills what the others leave.  "10.1" is more often a version than an address, so
 * that a plain one counts only where a host is named.
 */
static bool fewer_parts(const struct hidden *h, struct bytes t, const struct part *p, size_t n, struct spelled *s)
{
	const uint8_t before = s->at ? t.at[s->at - 1] : 0;
	const bool host = before == '/' || before == '@';
	s->spelling = SPELLED_PARTS;
	for (int octal = 0; octal < 2; octal++) {
		uint64_t v = 0;
		bool odd = host, fits = true;
		for (size_t i = 0; i < n; i++) {
			const uint64_t one = octal ? p[i].octal : p[i].value, max = i + 1 < n ? 255 : UINT32_MAX >> 8 * (n - 1);
			fits &= one <= max;
			odd |= one > 255 || p[i].base == 16 || p[i].octal != p[i].value;
			v |= i + 1 < n ? one << (24 - 8 * i) : one;
		}
		if (fits && odd && offer(h, s, (uint32_t)v, HIDDEN_LIKELY))
			return true;
	}
	return false;
}

static bool one_number(const struct hidden *h, const struct part *p, struct spelled *s)
{
	for (int octal = 0; octal < 2; octal++) {
		const uint64_t v = octal ? p->octal : p->value;
		if (v < NUMBER_LEAST || v > UINT32_MAX || (octal && p->octal == p->value))
			continue;
		s->base = octal ? 8 : p->base;
		s->spelling = SPELLED_NUMBER;
		if (offer(h, s, (uint32_t)v, HIDDEN_NUMBER))
			return true;
		s->spelling = SPELLED_TURNED_NUMBER;
		if (offer(h, s, __builtin_bswap32((uint32_t)v), HIDDEN_NUMBER))
			return true;
	}
	return false;
}

static bool find_v4(const struct hidden *h, struct bytes t, size_t at, struct spelled *s)
{
	struct part parts[PARTS_MAX];
	if (at && (is_digit(t.at[at - 1]) || ((t.at[at - 1] | 0x20) == 'x' && at > 1 && t.at[at - 2] == '0')))
		return false;
	size_t n = parts_read(t, at, parts, &s->between);
	s->at = at;
	if (n == PARTS_MAX) {
		s->len = parts[3].end - at;
		if (four_parts(h, parts, s))
			return true;
	}
	if (n == 0)
		return false;
	s->len = parts[n - 1].end - at;
	if ((n == 2 || n == 3) && s->between == '.' && fewer_parts(h, t, parts, n, s))
		return true;
	s->len = parts[0].end - at;
	return one_number(h, &parts[0], s);
}

static bool find_nibbles(const struct hidden *h, struct bytes t, size_t at, struct spelled *s)
{
	struct address forward = {{0}}, backward = {{0}};
	for (unsigned i = 0; i < NIBBLES; i++) {
		const int digit = hex_digit(byte_at(t, at + 2 * i));
		const uint8_t c = byte_at(t, at + 2 * i + 1);
		if (digit < 0 || (i + 1 < NIBBLES && c != '.' && c != 1))
			return false;
		forward.b[i / 2] |= (uint8_t)(digit << (i % 2 ? 0 : 4));
		backward.b[15 - i / 2] |= (uint8_t)(digit << (i % 2 ? 4 : 0));
	}
	*s = (struct spelled){.at = at, .len = 2 * NIBBLES - 1, .spelling = SPELLED_NIBBLES, .address = backward};
	if (hidden_is(h, &backward, HIDDEN_ADDRESS))
		return true;
	s->address = forward;
	return hidden_is(h, &forward, HIDDEN_LIKELY);
}

/* The longest run that reads as an address; a port or the end of a sentence may stand behind it. */
static bool find_v6(const struct hidden *h, struct bytes t, size_t at, struct spelled *s)
{
	size_t n = 0;
	unsigned colons = 0;
	if (at && hex_digit(t.at[at - 1]) >= 0)
		return false;
	while (n < V6_TEXT_MAX && (hex_digit(byte_at(t, at + n)) >= 0 || byte_at(t, at + n) == ':' || byte_at(t, at + n) == '.')) {
		colons += t.at[at + n] == ':';
		n++;
	}
	if (colons < 2)
		return false;
	*s = (struct spelled){.at = at, .spelling = SPELLED_V6};
	for (; n >= 3; n--) {
		const uint8_t last = t.at[at + n - 1];
		s->len = n;
		if (hex_digit(byte_at(t, at + n)) < 0 && (last != ':' || byte_at(t, at + n - 2) == ':') &&
		    address_parse((struct bytes){t.at + at, n}, &s->address) && !address_is_zero(&s->address))
			return hidden_is(h, &s->address, HIDDEN_ADDRESS);
	}
	return false;
}

bool spelled_find(const struct hidden *h, struct bytes t, size_t from, struct spelled *s)
{
	for (size_t at = from; at < t.len; at++) {
		const uint8_t c = t.at[at];
		*s = (struct spelled){0};
		if (is_digit(c) && find_v4(h, t, at, s))
			return true;
		if ((c == ':' || hex_digit(c) >= 0) && (find_v6(h, t, at, s) || find_nibbles(h, t, at, s)))
			return true;
		const size_t name = h->own && h->own->letters[c] ? hidden_name(h, t, at) : 0;
		if (name) {
			*s = (struct spelled){.at = at, .len = name, .spelling = SPELLED_NAME};
			return true;
		}
	}
	return false;
}
