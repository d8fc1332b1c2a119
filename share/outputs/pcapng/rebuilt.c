#include "share/outputs/pcapng/rebuilt_inner.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };
enum { FLAG_SYN = 2, FLAG_ACK = 16 };
#define OPTIONS_MAX 40
#define IP_LENGTH_MAX 65535

static unsigned proto_of(struct bytes word)
{
	static const struct { const char *name; unsigned number; } protos[] = {
		{"tcp", PROTO_TCP}, {"udp", PROTO_UDP}, {"icmp", PROTO_ICMP}, {"icmp6", PROTO_ICMP6}, {"icmpv6", PROTO_ICMP6}};
	for (size_t i = 0; i < sizeof protos / sizeof *protos; i++)
		if (bytes_equal_text(word, protos[i].name))
			return protos[i].number;
	return 0;
}

/* A number off the front, and the separator behind it. */
static unsigned take_number(struct bytes *b)
{
	unsigned v = 0;
	size_t i = 0;
	for (; i < b->len && b->at[i] >= '0' && b->at[i] <= '9' && v < 100000; i++)
		v = 10 * v + (b->at[i] - '0');
	i += i < b->len;
	*b = (struct bytes){b->at + i, b->len - i};
	return v;
}

static void write_option(struct writer *w, unsigned kind, unsigned mss, unsigned scale)
{
	write_u8(w, (uint8_t)kind);
	switch (kind) {
	case 0: case 1:
		break;
	case 2:
		write_u8(w, 4);
		write_u16(w, (uint16_t)mss);
		break;
	case 3:
		write_u8(w, 3);
		write_u8(w, (uint8_t)scale);
		break;
	case 8:
		write_u8(w, 10);
		write_u64(w, 0); /* its clock is not kept */
		break;
	default:
		write_u8(w, 2);
	}
}

/* "64240_2-4-8-1-3_1460_7": window, kinds in order, MSS, scale. */
static unsigned write_options(struct writer *w, struct bytes ja4t)
{
	struct bytes rest = ja4t;
	unsigned window = take_number(&rest);
	struct bytes kinds = {rest.at, bytes_find(rest, "_")};
	rest = (struct bytes){rest.at + kinds.len + (kinds.len < rest.len), rest.len - kinds.len - (kinds.len < rest.len)};
	unsigned mss = take_number(&rest), scale = take_number(&rest);
	if (!bytes_equal_text(kinds, "00"))
		while (kinds.len && !w->bad)
			write_option(w, take_number(&kinds), mss, scale);
	return window;
}

static void write_tcp(struct writer *w, const struct event *e, uint64_t flags)
{
	uint8_t options[OPTIONS_MAX] = {0};
	struct writer o = writer_of(options, sizeof options);
	unsigned window = 0;
	if ((flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN)
		window = write_options(&o, event_bytes(e, FIELD_FLOW_JA4T));
	size_t n = o.bad ? 0 : (writer_used(&o) + 3) / 4 * 4;
	write_zero(w, 8); /* sequence numbers are not kept */
	write_u8(w, (uint8_t)((20 + n) / 4 << 4));
	write_u8(w, (uint8_t)flags);
	write_u16(w, (uint16_t)window);
	write_zero(w, 4);
	write_bytes(w, options, n);
}

static void write_transport(struct writer *w, const struct event *e, unsigned proto, size_t left)
{
	uint64_t dport = event_number(e, FIELD_DPORT, 0);
	if (proto == PROTO_ICMP || proto == PROTO_ICMP6) { /* type and code stand in the port */
		write_u16(w, (uint16_t)(event_get(e, FIELD_DPORT) ? dport : event_number(e, FIELD_SPORT, 0)));
		write_zero(w, 6);
		return;
	}
	if (proto != PROTO_TCP && proto != PROTO_UDP)
		return;
	write_u16(w, (uint16_t)event_number(e, FIELD_SPORT, 0));
	write_u16(w, (uint16_t)dport);
	if (proto == PROTO_TCP) {
		write_tcp(w, e, event_number(e, FIELD_FLOW_FLAGS, 0));
	} else {
		write_u16(w, (uint16_t)(left > 8 ? left : 8));
		write_u16(w, 0);
	}
}

static uint32_t sum_of(const uint8_t *at, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	return sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

/* Of what is there in full; the sum over a payload that is not there cannot be known, and stays zero. */
static void put_sums(struct rebuilt *p, bool v4, unsigned proto)
{
	size_t header = v4 ? 20 : 40, n = p->len - header, at = proto == PROTO_TCP ? 16 : proto == PROTO_UDP ? 6 : 2;
	const uint8_t *addresses = p->bytes + (v4 ? 12 : 8);
	if (v4)
		put_sum(p->bytes + 10, sum_of(p->bytes, 20, 0));
	if (p->len_wire != p->len || n < at + 2)
		return;
	uint32_t pseudo = proto == PROTO_ICMP ? 0 : sum_of(addresses, v4 ? 8 : 32, proto + (uint32_t)n);
	put_sum(p->bytes + header + at, sum_of(p->bytes + header, n, pseudo));
}

static void write_ip(struct writer *w, const struct address *src, const struct address *dst, unsigned proto, unsigned ttl,
		     size_t len)
{
	if (address_is_v4(src)) {
		write_u16(w, 0x4500);
		write_u16(w, (uint16_t)len);
		write_u32(w, 0); /* identification is not kept */
		write_u8(w, (uint8_t)ttl);
		write_u8(w, (uint8_t)proto);
		write_u16(w, 0);
		write_u32(w, address_to_v4(src));
		write_u32(w, dst ? address_to_v4(dst) : 0);
		return;
	}
	write_u32(w, 0x60000000);
	write_u16(w, (uint16_t)(len - 40));
	write_u8(w, (uint8_t)proto);
	write_u8(w, (uint8_t)ttl);
	write_bytes(w, src->b, 16);
	if (dst)
		write_bytes(w, dst->b, 16);
	else
		write_zero(w, 16);
}

bool packet_rebuild(const struct event *e, struct rebuilt *p)
{
	struct address src, dst;
	unsigned proto = proto_of(event_bytes(e, FIELD_PROTO)), ttl = (unsigned)event_number(e, FIELD_FLOW_TTL_MAX, 64) & 255;
	if (!proto || !event_address(e, FIELD_SRC, &src))
		return false;
	bool v4 = address_is_v4(&src);
	bool known = event_address(e, FIELD_DST, &dst) && address_is_v4(&dst) == v4;
	uint64_t packets = event_number(e, FIELD_FLOW_PACKETS, 0), bytes = event_number(e, FIELD_FLOW_BYTES, 0);
	size_t header = v4 ? 20 : 40;
	size_t length = packets && bytes % packets == 0 && bytes / packets <= IP_LENGTH_MAX ? bytes / packets : 0;
	struct writer t = writer_of(p->bytes + header, sizeof p->bytes - header);
	write_transport(&t, e, proto, length > header ? length - header : 0);
	p->len = header + writer_used(&t);
	p->len_wire = length > p->len ? length : p->len;
	struct writer ip = writer_of(p->bytes, header);
	write_ip(&ip, &src, known ? &dst : NULL, proto, ttl, p->len_wire);
	if (t.bad || ip.bad)
		return false;
	put_sums(p, v4, proto);
	return true;
}
