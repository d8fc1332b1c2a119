/* What stands where an address was found: of the same length, or what it becomes. */
#include "share/anonymise/spelled_inner.h"
#include "event/event.h"

/* Noughts with as many of what was between as an address has: 0.0.0.0000 is still 0.0.0.0. */
static void mask_parts(uint8_t *at, size_t len, uint8_t between)
{
	for (size_t i = 0; i < len; i++)
		if (between != 1)
			at[i] = i % 2 && i < 6 && i + 1 < len && between ? between : '0';
		else if (at[i] > between + 2)
			at[i] = '0'; /* the labels keep their lengths */
}

static void mask_v6(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = i < 2 || (i - 2) % 5 == 4 ? ':' : '0';
	if (len > 3 && at[len - 1] == ':') {
		at[len - 1] = '0';
		at[len - 2] = ':';
	}
}

void spelled_mask(const struct spelled *s, uint8_t *at)
{
	const uint8_t *first = at;
	switch (s->spelling) {
	case SPELLED_PARTS:
	case SPELLED_TURNED_PARTS:
		mask_parts(at, s->len, s->between);
		return;
	case SPELLED_V6:
		mask_v6(at, s->len);
		return;
	case SPELLED_NIBBLES:
		for (size_t i = 0; i < s->len; i += 2)
			at[i] = '0';
		return;
	case SPELLED_NAME:
		/* Labels' lengths of DNS are kept, so that what follows is still read. */
		for (size_t i = 0; i < s->len; i++)
			if (first[i] >= 0x40 || (first[i] >= '0' && first[i] <= '9'))
				at[i] = 'x';
		return;
	case SPELLED_NUMBER:
	case SPELLED_TURNED_NUMBER:
		memset(at, '0', s->len);
		if (s->base == 16)
			at[1] = 'x';
		return;
	}
}

static void write_parts(struct writer *w, uint32_t v, uint8_t between)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i)
			write_u8(w, between);
		write_fmt(w, "%u", v >> (24 - 8 * i) & 255);
	}
}

static void write_number(struct writer *w, uint32_t v, uint8_t base)
{
	write_fmt(w, base == 16 ? "0x%08x" : base == 8 ? "0%o" : "%u", v);
}

static void write_nibbles(struct writer *w, const struct address *a)
{
	for (unsigned i = 32; i-- > 0;)
		write_fmt(w, i ? "%x." : "%x", a->b[i / 2] >> (i % 2 ? 0 : 4) & 15);
}

void spelled_write(const struct hidden *h, const struct spelled *s, struct writer *w)
{
	char text[ADDRESS_TEXT_MAX];
	if (s->spelling == SPELLED_NAME) {
		write_text(w, OWN_NAME_INSTEAD);
		return;
	}
	const struct address a = h->becomes(h->arg, &s->address);
	const bool v4 = address_is_v4(&a);
	const uint32_t v = v4 ? address_to_v4(&a) : 0;
	switch (s->spelling) {
	case SPELLED_PARTS:
	case SPELLED_TURNED_PARTS:
		if (v4)
			write_parts(w, s->spelling == SPELLED_PARTS ? v : __builtin_bswap32(v), s->between ? s->between : '.');
		else
			write_text(w, address_format(&a, text));
		return;
	case SPELLED_NUMBER:
	case SPELLED_TURNED_NUMBER:
		write_number(w, s->spelling == SPELLED_NUMBER ? v : __builtin_bswap32(v), s->base);
		return;
	case SPELLED_NIBBLES:
		write_nibbles(w, &a);
		return;
	default:
		write_text(w, address_format(&a, text));
	}
}
