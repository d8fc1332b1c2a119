/*
 * Patterns: text, with |hex| between bars.
 *
 * Between bars stand bytes in hex, `??` for any byte, `4?` and `?4` for half of one, `c0/c0` for
 * value and mask, `??*12` for twelve of them.  Outside of bars stand bytes as they are, and
 * \r \n \t \0 \\ \| \xHH.
 */
#include "passive/telescope/signatures_inner.h"

struct pattern {
	struct signatures *s;
	const struct signature_source *source;
	struct bytes text;
	size_t at;
	unsigned count;
};

static int pattern_complain(const struct pattern *p, const char *what)
{
	return signature_complain(p->source, "pattern, column %zu: %s", p->at + 1, what);
}

static int put(struct pattern *p, uint8_t value, uint8_t mask)
{
	struct signatures *s = p->s;
	if (p->count == PATTERN_MAX)
		return pattern_complain(p, "longer than 256 bytes");
	if (s->n.bytes == PATTERN_BYTES_MAX)
		return pattern_complain(p, "the patterns of all rules have more than 65536 bytes");
	s->bytes[s->n.bytes] = value & mask;
	s->masks[s->n.bytes++] = mask;
	p->count++;
	return 0;
}

static int half(const struct pattern *p, size_t at)
{
	uint8_t c = at < p->text.len ? p->text.at[at] : 0;
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Two digits; false when they are not there. */
static bool hex_byte(struct pattern *p, uint8_t *out)
{
	int high = half(p, p->at), low = half(p, p->at + 1);
	if (high < 0 || low < 0)
		return false;
	*out = (uint8_t)(high << 4 | low);
	p->at += 2;
	return true;
}

/* Two digits either of which may be a question mark. */
static bool masked_byte(struct pattern *p, uint8_t *value, uint8_t *mask)
{
	*value = *mask = 0;
	for (unsigned i = 0; i < 2; i++) {
		int digit = half(p, p->at + i);
		bool any = p->at + i < p->text.len && p->text.at[p->at + i] == '?';
		if (digit < 0 && !any)
			return false;
		*value = (uint8_t)(*value << 4 | (any ? 0 : digit));
		*mask = (uint8_t)(*mask << 4 | (any ? 0 : 15));
	}
	p->at += 2;
	return true;
}

static bool next_is(struct pattern *p, char c)
{
	if (p->at >= p->text.len || p->text.at[p->at] != c)
		return false;
	p->at++;
	return true;
}

static int put_hex(struct pattern *p)
{
	uint8_t value, mask;
	unsigned times = 0;
	if (!masked_byte(p, &value, &mask))
		return pattern_complain(p, "between bars stand bytes as 0d, ??, 4?, c0/c0, ??*12");
	if (next_is(p, '/') && (mask != 0xff || !hex_byte(p, &mask)))
		return pattern_complain(p, "a mask is two digits behind a whole byte, c0/c0");
	if (next_is(p, '*')) {
		while (p->at < p->text.len && p->text.at[p->at] >= '0' && p->text.at[p->at] <= '9' && times < 1000)
			times = times * 10 + p->text.at[p->at++] - '0';
		if (times == 0 || times > PATTERN_MAX)
			return pattern_complain(p, "a number from 1 to 256 stands behind *");
	}
	int bad = 0;
	for (unsigned i = 0; i < (times ? times : 1) && !bad; i++)
		bad = put(p, value, mask);
	return bad;
}

static int put_bars(struct pattern *p)
{
	for (;;) {
		while (next_is(p, ' '))
			continue;
		if (next_is(p, '|'))
			return 0;
		if (p->at >= p->text.len)
			return pattern_complain(p, "the closing | is missing");
		int bad = put_hex(p);
		if (bad)
			return bad;
	}
}

static int put_escape(struct pattern *p)
{
	static const char from[] = "rnt0\\|", to[] = "\r\n\t\0\\|";
	const char *known = p->at < p->text.len && p->text.at[p->at] ? strchr(from, p->text.at[p->at]) : NULL;
	uint8_t value;
	if (known) {
		p->at++;
		return put(p, (uint8_t)to[known - from], 0xff);
	}
	if (!next_is(p, 'x') || !hex_byte(p, &value))
		return pattern_complain(p, "behind \\ stands r, n, t, 0, \\, | or xHH");
	return put(p, value, 0xff);
}

static int put_text(struct pattern *p, uint8_t c, bool nocase)
{
	bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	/* YAML makes two bytes of "\xe9" in double quotes, which nobody means. */
	if (c > 0x7e || (c < 0x20 && !memchr("\r\n\t", c, 3)))
		return pattern_complain(p, "a byte that is no plain letter or sign; |e9| would be right");
	return put(p, c, nocase && letter ? 0xdf : 0xff);
}

int signature_pattern(struct signatures *s, struct bytes text, bool nocase,
		      const struct signature_source *source, struct part *out)
{
	struct pattern p = {.s = s, .source = source, .text = text};
	unsigned first = s->n.bytes;
	while (p.at < text.len) {
		uint8_t c = text.at[p.at++];
		int bad = c == '|' ? put_bars(&p) : c == '\\' ? put_escape(&p) : put_text(&p, c, nocase);
		if (bad)
			return bad;
	}
	if (p.count == 0)
		return pattern_complain(&p, "empty; what the payload holds would be right");
	*out = (struct part){.bytes = (uint16_t)first, .count = (uint16_t)p.count};
	return 0;
}
