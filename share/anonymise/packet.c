/*
 * Packets of captures: what they are addressed with, and what they quote and say of addresses.
 *
 * All lengths are those that the packet claims, never more than what was captured; what is not understood is
 * searched as bytes.
 */
#include "share/anonymise/packet_inner.h"
#include "share/anonymise/clean_inner.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define EXTENSIONS_MAX 8

enum proto { HOP_BY_HOP = 0, ICMP = 1, IP_IN_IP = 4, TCP = 6, UDP = 17, IP6_IN_IP = 41, ROUTING = 43, FRAGMENT = 44, GRE = 47, ICMPV6 = 58, NO_NEXT = 59, DESTINATION = 60 };

static uint16_t get_u16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

/* Groups and the like are nobody's. */
static bool is_nobody(const struct address *a)
{
	static const struct address unspecified;
	if (address_is_v4(a)) {
		const uint32_t v = address_to_v4(a);
		return v == 0 || v >> 28 == 14 || v == UINT32_MAX;
	}
	return a->b[0] == 0xff || address_equal(a, &unspecified);
}

struct address packet_address(const struct packet *p, const struct address *a, enum place where)
{
	struct view *v = p->view;
	const struct view_rule *r = view_is_own(v, a) || (v->bare && where == PLACE_DST) ? &v->dst : &v->src;
	if (is_nobody(a))
		return *a;
	struct address now = view_address_by(v, a, r);
	if (address_is_v4(a) && !address_is_v4(&now)) /* a token, of which as much as there is room for */
		now = address_v4((uint32_t)now.b[12] << 24 | (uint32_t)now.b[13] << 16 | (uint32_t)now.b[14] << 8 | now.b[15]);
	return now;
}

void packet_change_v4(const struct packet *p, uint8_t *at, enum place where, struct sum *s)
{
	const struct address a = address_v4((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]);
	const struct address now = packet_address(p, &a, where);
	const uint16_t before = sum_of(at, 4);
	memcpy(at, now.b + 12, 4);
	sum_changed(s, before, sum_of(at, 4));
}

void packet_change_v6(const struct packet *p, uint8_t *at, enum place where, struct sum *s)
{
	struct address a;
	memcpy(a.b, at, sizeof a.b);
	const struct address now = packet_address(p, &a, where);
	const uint16_t before = sum_of(at, 16);
	if (address_is_v4(&a)) /* nobody sends it, and it must not be mistaken for one of IPv4 */
		memset(at, 0, 16);
	else
		memcpy(at, now.b, 16);
	sum_changed(s, before, sum_of(at, 16));
}

void packet_clean(struct packet *p, uint8_t *at, size_t len, struct sum *s)
{
	struct view *v = p->view;
	if (!len || (v->dst_passes && v->src.action == VIEW_PASS))
		return;
	if (!p->hiding) {
		const struct address *both[] = {&p->src, &p->dst};
		view_hide(v);
		for (size_t i = 0; i < 2; i++) {
			const bool dst = view_is_own(v, both[i]) || (v->bare && i == 1);
			if (!is_nobody(both[i]) && (dst ? v->dst.action : v->src.action) != VIEW_PASS)
				view_hide_also(v, both[i], dst ? &v->dst : &v->src);
		}
		p->hiding = true;
	}
	const uint16_t before = sum_of(at, len);
	struct arena arena = arena_over(v->room, sizeof v->room, VIEW_ARENA_MAX);
	clean_in_place(&v->hidden, at, len, &arena);
	arena_done(&arena);
	sum_changed(s, before, sum_of(at, len));
}

/* RFC 791 3.1: routes that the packet took or takes, and who stamped it. */
static void ipv4_routes(const struct packet *p, uint8_t *at, size_t len)
{
	struct sum none = {0};
	for (size_t i = 0; i + 2 < len && at[i] != 0;) {
		const size_t n = at[i] == 1 ? 1 : at[i + 1];
		const unsigned kind = at[i];
		size_t first = i + 3, step = 4;
		if (n == 0 || n > len - i)
			return;
		if (kind == 68) { /* timestamps: with the addresses before them, or alone */
			first = i + 4;
			step = (at[i + 3] & 15) ? 8 : 0;
		}
		for (size_t k = first; (kind == 7 || kind == 131 || kind == 137 || kind == 68) && step && k + 4 <= i + n; k += step)
			packet_change_v4(p, at + k, PLACE_SRC, &none);
		i += n;
	}
}

static void fix(uint8_t *at, size_t len, size_t checksum, const struct sum *s)
{
	if (checksum + 2 <= len)
		sum_apply(s, at + checksum);
}

/* RFC 8684 3.4.1: further addresses of one end; behind the kind and length stand subtype and address number. */
static void tcp_addresses(const struct packet *p, uint8_t *at, size_t len)
{
	struct sum none = {0};
	for (size_t i = 0; i + 1 < len && at[i] != 0;) {
		const size_t n = at[i] == 1 ? 1 : at[i + 1];
		if (n == 0 || n > len - i)
			return;
		if (at[i] == 30 && n >= 8 && at[i + 2] >> 4 == 3 && n >= 20)
			packet_change_v6(p, at + i + 4, PLACE_SRC, &none);
		else if (at[i] == 30 && n >= 8 && at[i + 2] >> 4 == 3)
			packet_change_v4(p, at + i + 4, PLACE_SRC, &none);
		i += n;
	}
}

/* Within options addresses begin at odd places as well, where their bytes are the other halves of words. */
static void options_change(const struct packet *p, uint8_t *at, size_t len, struct sum *s,
			   void (*change)(const struct packet *, uint8_t *, size_t))
{
	if (!len)
		return;
	const uint16_t before = sum_of(at, len);
	change(p, at, len);
	sum_changed(s, before, sum_of(at, len));
}

static void tcp_change(struct packet *p, uint8_t *at, size_t len, struct sum s)
{
	const size_t header = len > 12 ? (size_t)(at[12] >> 4) * 4 : len;
	if (header >= 20 && header <= len) {
		options_change(p, at + 20, header - 20, &s, tcp_addresses);
		packet_clean(p, at + header, len - header, &s);
	} else if (len > 20) {
		packet_clean(p, at + 20, len - 20, &s);
	}
	fix(at, len, 16, &s);
}

static void udp_change(struct packet *p, uint8_t *at, size_t len, struct sum s)
{
	if (len < 8)
		return;
	const bool none = get_u16(at + 6) == 0; /* RFC 768: not summed; a sum that is nought is sent as ones */
	packet_clean(p, at + 8, len - 8, &s);
	if (none)
		return;
	sum_apply(&s, at + 6);
	if (get_u16(at + 6) == 0)
		at[6] = at[7] = 0xff;
}

static void gre_change(struct packet *p, uint8_t *at, size_t len, unsigned depth)
{
	struct sum none = {0};
	if (len < 4)
		return;
	const size_t header = 4 + 4 * (size_t)!!(at[0] & 0x80) + 4 * (size_t)!!(at[0] & 0x20) + 4 * (size_t)!!(at[0] & 0x10);
	const unsigned type = get_u16(at + 2);
	const uint16_t before = sum_of(at, len);
	struct sum s = {0};
	if (header > len)
		return;
	if (type == 0x0800 || type == 0x86dd)
		packet_ip(p, at + header, len - header, depth + 1);
	else
		packet_clean(p, at + header, len - header, &none);
	sum_changed(&s, before, sum_of(at, len));
	if (at[0] & 0x80) /* RFC 2784 2.3: of header and payload */
		sum_apply(&s, at + 4);
}

/* s: what changed in the addresses, which TCP, UDP and ICMPv6 sum as well. */
static void transport_change(struct packet *p, unsigned proto, uint8_t *at, size_t len, struct sum s, unsigned depth)
{
	struct sum none = {0};
	switch (proto) {
	case TCP:
		tcp_change(p, at, len, s);
		return;
	case UDP:
		udp_change(p, at, len, s);
		return;
	case ICMP:
		icmp_change(p, at, len, depth);
		return;
	case ICMPV6:
		icmpv6_change(p, at, len, s, depth);
		return;
	case IP_IN_IP:
	case IP6_IN_IP:
		packet_ip(p, at, len, depth + 1);
		return;
	case GRE:
		gre_change(p, at, len, depth);
		return;
	default:
		packet_clean(p, at, len, &none);
	}
}

/* What stands behind the packet is padding of the link; in a quote it is ICMP's, and told of elsewhere. */
static size_t within(uint8_t *at, size_t len, size_t claimed, size_t least, bool quoted)
{
	if (claimed < least || claimed >= len)
		return len;
	if (!quoted)
		memset(at + claimed, 0, len - claimed);
	return claimed;
}

static void ipv4_change(struct packet *p, uint8_t *at, size_t len, unsigned depth)
{
	const size_t header = (size_t)(at[0] & 15) * 4;
	struct sum s = {0}, addresses = {0};
	if (header < IPV4_HEADER || header > len) {
		memset(at, 0, len);
		return;
	}
	const enum place first = p->quoted ? PLACE_DST : PLACE_SRC, second = p->quoted ? PLACE_SRC : PLACE_DST;
	const size_t claimed = within(at, len, get_u16(at + 2), header, p->quoted);
	const bool later = get_u16(at + 6) & 0x1fff;
	packet_change_v4(p, at + 12, first, &addresses);
	packet_change_v4(p, at + 16, second, &addresses);
	s = addresses;
	options_change(p, at + IPV4_HEADER, header - IPV4_HEADER, &s, ipv4_routes);
	sum_apply(&s, at + 10);
	/* A later fragment has no header of its own, and its bytes are summed in the first. */
	transport_change(p, later ? (unsigned)NO_NEXT : at[9], at + header, claimed - header, addresses, depth);
}

/* RFC 8200 4: headers between; addresses in those of routing. */
static size_t skip_extensions(struct packet *p, uint8_t *at, size_t len, unsigned *proto)
{
	size_t i = IPV6_HEADER;
	struct sum none = {0};
	for (unsigned k = 0; k < EXTENSIONS_MAX; k++) {
		const bool known = *proto == HOP_BY_HOP || *proto == ROUTING || *proto == DESTINATION || *proto == FRAGMENT;
		if (!known || i + 8 > len)
			return i;
		const size_t n = *proto == FRAGMENT ? 8 : 8 * ((size_t)at[i + 1] + 1);
		if (n > len - i)
			return i;
		for (size_t a = i + 8; *proto == ROUTING && a + 16 <= i + n; a += 16)
			packet_change_v6(p, at + a, PLACE_DST, &none);
		const bool later = *proto == FRAGMENT && get_u16(at + i + 2) >> 3;
		*proto = later ? (unsigned)NO_NEXT : at[i];
		i += n;
	}
	return i;
}

static void ipv6_change(struct packet *p, uint8_t *at, size_t len, unsigned depth)
{
	struct sum addresses = {0};
	if (len < IPV6_HEADER) {
		memset(at, 0, len);
		return;
	}
	const enum place first = p->quoted ? PLACE_DST : PLACE_SRC, second = p->quoted ? PLACE_SRC : PLACE_DST;
	const size_t claimed = within(at, len, IPV6_HEADER + get_u16(at + 4), IPV6_HEADER + 1, p->quoted);
	unsigned proto = at[6];
	packet_change_v6(p, at + 8, first, &addresses);
	packet_change_v6(p, at + 24, second, &addresses);
	const size_t header = skip_extensions(p, at, claimed, &proto);
	transport_change(p, proto, at + header, claimed - header, addresses, depth);
}

void packet_ip(struct packet *p, uint8_t *at, size_t len, unsigned depth)
{
	const unsigned version = len ? at[0] >> 4 : 0;
	if (version == 4 && len >= IPV4_HEADER && depth < PACKET_DEPTH) {
		if (!p->addressed) {
			p->src = address_v4((uint32_t)get_u16(at + 12) << 16 | get_u16(at + 14));
			p->dst = address_v4((uint32_t)get_u16(at + 16) << 16 | get_u16(at + 18));
		}
		p->addressed = true;
		ipv4_change(p, at, len, depth);
	} else if (version == 6 && len >= IPV6_HEADER && depth < PACKET_DEPTH) {
		if (!p->addressed) {
			memcpy(p->src.b, at + 8, 16);
			memcpy(p->dst.b, at + 24, 16);
		}
		p->addressed = true;
		ipv6_change(p, at, len, depth);
	} else {
		memset(at, 0, len);
	}
}
