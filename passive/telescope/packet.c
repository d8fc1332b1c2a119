/*
 * From a frame to a lane of a batch.
 *
 * Most of what arrives is Ethernet, IPv4 without options and not in fragments, and TCP, UDP or
 * ICMP, captured whole.  take_common() finds that out with a few comparisons and reads straight
 * on; anything else goes through the checked reader.
 */
#include "passive/telescope/packet_inner.h"

static inline uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline bool is_syn(uint8_t flags) { return (flags & 7) == 2; } /* without FIN and RST */

static inline void lane_frame(struct packet_batch *b, unsigned i, uint16_t link, struct bytes frame,
			      uint32_t wire_length, uint64_t time_us)
{
	b->time_us[i] = time_us;
	b->frame[i] = frame;
	b->wire_length[i] = wire_length;
	b->link[i] = link;
}

static inline void lane_ports(struct packet_batch *b, unsigned i, uint32_t sport, uint32_t dport)
{
	b->column[COLUMN_SPORT][i] = sport;
	b->column[COLUMN_DPORT][i] = dport;
}

static inline void lane_payload(struct packet_batch *b, unsigned i, struct bytes payload, uint32_t length)
{
	b->payload[i] = payload;
	b->column[COLUMN_PAYLOAD][i] = length;
}

static inline void lane_no_options(struct packet_batch *b, unsigned i)
{
	b->column[COLUMN_MSS][i] = 0;
	b->column[COLUMN_WSCALE][i] = NO_WSCALE;
	b->column[COLUMN_OPTIONS][i] = 0;
	b->column[COLUMN_TSVAL][i] = 0;
	b->column[COLUMN_SHAPE][i] = 0;
}

static inline void lane_no_tcp(struct packet_batch *b, unsigned i)
{
	b->column[COLUMN_FLAGS][i] = 0;
	b->column[COLUMN_SEQ][i] = 0;
	b->column[COLUMN_ACK][i] = 0;
	b->column[COLUMN_WINDOW][i] = 0;
	lane_no_options(b, i);
}

/* header: TCP_HEADER bytes; options: those that were captured. */
static inline void lane_tcp(struct packet_batch *b, unsigned i, const uint8_t *header, struct bytes options,
			    bool checked, uint32_t quirks, unsigned ip_options)
{
	uint8_t flags = header[13];
	lane_ports(b, i, be16(header), be16(header + 2));
	b->column[COLUMN_SEQ][i] = be32(header + 4);
	b->column[COLUMN_ACK][i] = be32(header + 8);
	b->column[COLUMN_FLAGS][i] = flags;
	b->column[COLUMN_WINDOW][i] = be16(header + 14);
	if (!is_syn(flags)) {
		lane_no_options(b, i);
		return;
	}
	struct tcp_shape *s = &b->shape[i];
	s->window = be16(header + 14);
	s->version = (uint8_t)b->column[COLUMN_VERSION][i];
	s->ip_options = (uint8_t)(ip_options < 255 ? ip_options : 255);
	s->payload = b->column[COLUMN_PAYLOAD][i] != 0;
	s->flags = flags & (2 | 16);
	tcp_syn_read(b, i, header, options, checked, quirks);
}

/* False when the header is cut or lies. */
static bool tcp_take(struct packet_batch *b, unsigned i, const struct packet_head *h)
{
	struct reader r = reader_of_bytes(h->rest);
	struct bytes header = read_bytes(&r, TCP_HEADER);
	if (!reader_ok(&r))
		return false;
	unsigned length = (header.at[12] >> 4) * 4u;
	if (length < TCP_HEADER || length > h->rest_length)
		return false;
	size_t said = length - TCP_HEADER, left = reader_left(&r);
	struct bytes options = read_bytes(&r, said < left ? said : left);
	lane_payload(b, i, read_rest(&r), h->rest_length - length);
	lane_tcp(b, i, header.at, options, true, h->quirks | (options.len < said ? QUIRK_BAD : 0), h->options);
	return true;
}

static bool udp_take(struct packet_batch *b, unsigned i, const struct packet_head *h)
{
	struct reader r = reader_of_bytes(h->rest);
	uint16_t sport = read_u16(&r), dport = read_u16(&r);
	uint32_t length = read_u16(&r);
	read_u16(&r);
	/* A first fragment holds less than its datagram. */
	if (h->part && length > h->rest_length)
		length = h->rest_length;
	if (!reader_ok(&r) || length < UDP_HEADER || length > h->rest_length)
		return false;
	length -= UDP_HEADER;
	size_t left = reader_left(&r);
	lane_ports(b, i, sport, dport);
	lane_payload(b, i, read_bytes(&r, left < length ? left : length), length);
	return true;
}

static bool icmp_take(struct packet_batch *b, unsigned i, const struct packet_head *h)
{
	struct reader r = reader_of_bytes(h->rest);
	uint8_t type = read_u8(&r), code = read_u8(&r);
	read_u16(&r);
	if (!reader_ok(&r))
		return false;
	lane_ports(b, i, type, code);
	lane_payload(b, i, read_rest(&r), h->rest_length - 4);
	return true;
}

static void lane_ip(struct packet_batch *b, unsigned i, const struct packet_head *h)
{
	b->src[i] = h->src;
	b->dst[i] = h->dst;
	b->column[COLUMN_VERSION][i] = h->version;
	b->column[COLUMN_PROTO][i] = h->proto;
	b->column[COLUMN_TTL][i] = h->ttl;
	b->column[COLUMN_TOS][i] = h->tos;
	b->column[COLUMN_IPID][i] = h->id;
	b->column[COLUMN_DF][i] = h->df;
	b->column[COLUMN_FRAGMENT][i] = h->fragment;
	b->column[COLUMN_LENGTH][i] = h->length;
	b->column[COLUMN_SRC][i] = be32(h->src.b + 12);
	b->column[COLUMN_DST][i] = be32(h->dst.b + 12);
	lane_ports(b, i, 0, 0);
	lane_payload(b, i, h->cut ? (struct bytes){0} : h->rest, h->cut ? 0 : h->rest_length);
	lane_no_tcp(b, i);
}

static void transport_take(struct packet_batch *b, unsigned i, struct packet_counts *counts,
			   const struct packet_head *h)
{
	bool (*take)(struct packet_batch *, unsigned, const struct packet_head *) = NULL;
	uint64_t *count = &counts->other_transport;
	if (h->proto == TRANSPORT_TCP)
		take = tcp_take, count = &counts->tcp;
	else if (h->proto == TRANSPORT_UDP)
		take = udp_take, count = &counts->udp;
	else if (h->proto == TRANSPORT_ICMP && h->version == 4)
		take = icmp_take, count = &counts->icmp;
	else if (h->proto == TRANSPORT_ICMP6 && h->version == 6)
		take = icmp_take, count = &counts->icmp6;
	++*count;
	if (h->cut || (take && !h->fragment && !take(b, i, h))) {
		counts->short_transport++;
		lane_payload(b, i, (struct bytes){0}, 0);
	}
}

bool packet_take_checked(struct packet_batch *b, struct packet_counts *counts, const struct watched *w,
			 uint16_t link, struct bytes frame, uint32_t wire_length, uint64_t time_us)
{
	counts->frames++;
	counts->bytes += wire_length;
	struct reader r = reader_of_bytes(frame);
	enum network network = link_strip(link, &r);
	if (reader_ok(&r) && network == NETWORK_OTHER) {
		counts->not_ip++;
		return false;
	}
	struct packet_head h = {0};
	if (!ip_read(network, &r, &h)) {
		counts->malformed++;
		return false;
	}
	if (!watched_holds(w, &h.dst)) {
		counts->elsewhere++;
		return false;
	}
	unsigned i = b->count++;
	lane_frame(b, i, link, frame, wire_length, time_us);
	lane_ip(b, i, &h);
	transport_take(b, i, counts, &h);
	counts->taken++;
	counts->ip_bytes += h.length;
	counts->fragments += h.part;
	h.version == 4 ? counts->v4++ : counts->v6++;
	return true;
}

/* An Ethernet frame with a whole IPv4 packet that has a transport header of fixed size. */
static inline bool is_common(uint16_t link, struct bytes frame)
{
	if (link != LINK_ETHERNET || frame.len < ETHERNET_HEADER + IPV4_HEADER + UDP_HEADER)
		return false;
	const uint8_t *ip = frame.at + ETHERNET_HEADER;
	if ((be32(ip - 2) & 0xffffff00u) != 0x08004500u || be16(ip + 6) & 0x3fff)
		return false;
	uint32_t length = be16(ip + 2);
	if (length < IPV4_HEADER + UDP_HEADER || length > frame.len - ETHERNET_HEADER)
		return false;
	const uint8_t *rest = ip + IPV4_HEADER;
	switch (ip[9]) {
	case TRANSPORT_TCP:
		return length >= IPV4_HEADER + TCP_HEADER && rest[12] >= TCP_HEADER / 4 << 4 &&
		       IPV4_HEADER + (rest[12] >> 4) * 4u <= length;
	case TRANSPORT_UDP:
		return be16(rest + 4) >= UDP_HEADER && IPV4_HEADER + (uint32_t)be16(rest + 4) <= length;
	default:
		return ip[9] == TRANSPORT_ICMP;
	}
}

static inline void lane_common_ip(struct packet_batch *b, unsigned i, const uint8_t *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	memcpy(b->src[i].b, mapped, sizeof mapped);
	memcpy(b->src[i].b + 12, ip + 12, 4);
	memcpy(b->dst[i].b, mapped, sizeof mapped);
	memcpy(b->dst[i].b + 12, ip + 16, 4);
	b->column[COLUMN_VERSION][i] = 4;
	b->column[COLUMN_PROTO][i] = ip[9];
	b->column[COLUMN_TTL][i] = ip[8];
	b->column[COLUMN_TOS][i] = ip[1];
	b->column[COLUMN_IPID][i] = be16(ip + 4);
	b->column[COLUMN_DF][i] = ip[6] >> 6 & 1;
	b->column[COLUMN_FRAGMENT][i] = 0;
	b->column[COLUMN_LENGTH][i] = be16(ip + 2);
	b->column[COLUMN_SRC][i] = be32(ip + 12);
	b->column[COLUMN_DST][i] = be32(ip + 16);
}

static inline void take_common_tcp(struct packet_batch *b, unsigned i, const uint8_t *ip, uint32_t length)
{
	const uint8_t *tcp = ip + IPV4_HEADER;
	unsigned header = (tcp[12] >> 4) * 4u;
	uint32_t payload = length - IPV4_HEADER - header;
	bool df = ip[6] & 0x40, id = be16(ip + 4);
	/* Of the identification by df and id, as no processor foresees the two. */
	static const uint16_t of_id[2][2] = {{QUIRK_ID_MINUS, 0}, {QUIRK_DF, QUIRK_DF | QUIRK_ID_PLUS}};
	uint32_t quirks = of_id[df][id];
	quirks |= (ip[1] & 3 ? QUIRK_ECN : 0) | (ip[6] & 0x80 ? QUIRK_ZERO_PLUS : 0);
	lane_payload(b, i, (struct bytes){tcp + header, payload}, payload);
	lane_tcp(b, i, tcp, (struct bytes){tcp + TCP_HEADER, header - TCP_HEADER}, false, quirks, 0);
}

bool packet_take(struct packet_batch *b, struct packet_counts *counts, const struct watched *w,
		 uint16_t link, struct bytes frame, uint32_t wire_length, uint64_t time_us)
{
	if (!is_common(link, frame))
		return packet_take_checked(b, counts, w, link, frame, wire_length, time_us);
	const uint8_t *ip = frame.at + ETHERNET_HEADER, *rest = ip + IPV4_HEADER;
	uint32_t length = be16(ip + 2);
	counts->frames++;
	counts->bytes += wire_length;
	if (!watched_holds_v4(w, be32(ip + 16))) {
		counts->elsewhere++;
		return false;
	}
	unsigned i = b->count++;
	lane_frame(b, i, link, frame, wire_length, time_us);
	lane_common_ip(b, i, ip);
	counts->taken++;
	counts->v4++;
	counts->ip_bytes += length;
	if (ip[9] == TRANSPORT_TCP) {
		counts->tcp++;
		take_common_tcp(b, i, ip, length);
		return true;
	}
	lane_no_tcp(b, i);
	if (ip[9] == TRANSPORT_UDP) {
		uint32_t payload = be16(rest + 4) - UDP_HEADER;
		counts->udp++;
		lane_ports(b, i, be16(rest), be16(rest + 2));
		lane_payload(b, i, (struct bytes){rest + UDP_HEADER, payload}, payload);
	} else {
		counts->icmp++;
		lane_ports(b, i, rest[0], rest[1]);
		lane_payload(b, i, (struct bytes){rest + 4, length - IPV4_HEADER - 4}, length - IPV4_HEADER - 4);
	}
	return true;
}
