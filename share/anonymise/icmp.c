/* ICMP (RFC 792, 4884) and ICMPv6 (RFC 4443, 4861): they quote packets, and name routers and neighbours. */
#include "share/anonymise/packet_inner.h"

#define QUOTE_AT 8

static bool quotes(unsigned type) { return type == 3 || type == 4 || type == 5 || type == 11 || type == 12; }

/* The quote is of what was sent to whoever answers, so its addresses stand the other way round. */
static void quote_change(struct packet *p, uint8_t *at, size_t len, unsigned depth)
{
	const bool before = p->quoted;
	const unsigned version = len ? at[0] >> 4 : 0;
	const size_t claimed = version == 4 && len >= 4 ? (size_t)(at[2] << 8 | at[3])
			     : version == 6 && len >= 6 ? 40 + (size_t)(at[4] << 8 | at[5]) : len;
	struct sum none = {0};
	p->quoted = !before;
	packet_ip(p, at, len, depth + 1);
	p->quoted = before;
	/* Behind it extensions, of which some name interfaces by their addresses (RFC 5837). */
	if (claimed < len)
		packet_clean(p, at + claimed, len - claimed, &none);
}

void icmp_change(struct packet *p, uint8_t *at, size_t len, unsigned depth)
{
	struct sum s = {0}, none = {0};
	const uint16_t before = sum_of(at, len);
	if (len < 4)
		return;
	if (len >= QUOTE_AT && at[0] == 5)
		packet_change_v4(p, at + 4, PLACE_SRC, &none); /* the better router */
	if (len > QUOTE_AT && quotes(at[0]))
		quote_change(p, at + QUOTE_AT, len - QUOTE_AT, depth);
	else if (len > QUOTE_AT)
		packet_clean(p, at + QUOTE_AT, len - QUOTE_AT, &none);
	sum_changed(&s, before, sum_of(at, len));
	sum_apply(&s, at + 2);
}

/* RFC 4861 4.6: link addresses, prefixes, the packet that is redirected. */
static void neighbour_options(struct packet *p, uint8_t *at, size_t len)
{
	struct sum none = {0};
	for (size_t i = 0; i + 8 <= len;) {
		const size_t n = 8 * (size_t)at[i + 1];
		if (n == 0 || n > len - i)
			break;
		if (at[i] == 3 && n >= 32)
			packet_change_v6(p, at + i + 16, PLACE_DST, &none);
		else if (at[i] == 4 && n > 8)
			packet_clean(p, at + i + 8, n - 8, &none);
		else
			memset(at + i + 2, 0, n - 2);
		i += n;
	}
}

static void neighbour_change(struct packet *p, uint8_t *at, size_t len)
{
	static const size_t fixed[] = {8, 16, 24, 24, 40}; /* of types 133 to 137 */
	const size_t header = fixed[at[0] - 133];
	struct sum none = {0};
	for (size_t i = 8; at[0] >= 135 && i + 16 <= header && i + 16 <= len; i += 16)
		packet_change_v6(p, at + i, PLACE_DST, &none);
	if (header < len)
		neighbour_options(p, at + header, len - header);
}

void icmpv6_change(struct packet *p, uint8_t *at, size_t len, struct sum s, unsigned depth)
{
	struct sum none = {0};
	const uint16_t before = sum_of(at, len);
	if (len < 4)
		return;
	if (at[0] >= 133 && at[0] <= 137)
		neighbour_change(p, at, len);
	else if (len > QUOTE_AT && at[0] >= 1 && at[0] <= 4)
		quote_change(p, at + QUOTE_AT, len - QUOTE_AT, depth);
	else if (len > QUOTE_AT)
		packet_clean(p, at + QUOTE_AT, len - QUOTE_AT, &none);
	sum_changed(&s, before, sum_of(at, len));
	sum_apply(&s, at + 2);
}
