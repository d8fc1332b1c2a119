#include "passive/telescope/reactive/answer.h"
#include <net/ethernet.h>

#define MAC 6
#define TAGS_MAX 4
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_QINQ_OLD 0x9100
#define IP4_HEADER 20
#define IP6_HEADER 40
#define TCP_HEADER 20
#define OPTION_MSS_LENGTH 4
#define PROTO_TCP 6
/* As a Linux server looks from its own network. */
#define TTL 64
#define IP4_DONT_FRAGMENT 0x4000
#define IP4_FRAGMENT_MASK 0x3fff /* more fragments, and the offset */
#define MSS_V4 1460
#define MSS_V6 1440

static bool is_tag(uint16_t type)
{
	return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD;
}

/* A group address is never an answer's sender, and who sent to a group waits for no answer. */
static bool is_group(struct bytes mac) { return mac.len && (mac.at[0] & 1); }

static bool ethernet_turn(struct reader *r, struct turned *out)
{
	struct writer w = writer_of(out->header, sizeof out->header);
	struct bytes to = read_bytes(r, MAC), from = read_bytes(r, MAC);
	uint16_t type = read_u16(r);
	write_span(&w, from);
	write_span(&w, to);
	write_u16(&w, type);
	for (int i = 0; i < TAGS_MAX && is_tag(type); i++) {
		write_u16(&w, read_u16(r));
		type = read_u16(r);
		write_u16(&w, type);
	}
	out->length = (uint8_t)writer_used(&w);
	return reader_ok(r) && !w.bad && !is_group(to) && !is_group(from) &&
	       (type == ETHERTYPE_IP || type == ETHERTYPE_IPV6);
}

static bool link_turn(uint16_t link, struct reader *r, struct turned *out)
{
	out->length = 0;
	switch (link) {
	case LINK_ETHERNET:
		return ethernet_turn(r, out);
	case LINK_RAW:
	case LINK_RAW_OLD:
	case LINK_IPV4:
	case LINK_IPV6:
		return true;
	default:
		return false;
	}
}

/* TCP right behind a whole IP header of that version. */
static bool is_plain_tcp(struct reader r, uint32_t version)
{
	uint8_t first = read_u8(&r);
	if (first >> 4 != version)
		return false;
	if (version == 6) {
		read_bytes(&r, 5);
		return read_u8(&r) == PROTO_TCP && reader_ok(&r);
	}
	read_bytes(&r, 5);
	uint16_t fragment = read_u16(&r);
	read_u8(&r);
	return read_u8(&r) == PROTO_TCP && reader_ok(&r) && !(fragment & IP4_FRAGMENT_MASK);
}

bool answer_turn(const struct packet_batch *b, unsigned lane, struct turned *out, size_t *ip_length)
{
	struct reader r = reader_of_bytes(b->frame[lane]);
	if (!link_turn(b->link[lane], &r, out) || !is_plain_tcp(r, b->column[COLUMN_VERSION][lane]))
		return false;
	size_t before = b->frame[lane].len - reader_left(&r);
	size_t wire = b->wire_length[lane] > before ? b->wire_length[lane] - before : 0;
	size_t said = b->column[COLUMN_LENGTH][lane];
	*ip_length = said < wire ? said : wire;
	return true;
}

static bool is_v4(const struct answer *a) { return address_is_v4(&a->to); }

static size_t tcp_length(const struct answer *a)
{
	return TCP_HEADER + (a->mss ? OPTION_MSS_LENGTH : 0);
}

size_t answer_ip_length(const struct answer *a)
{
	return (is_v4(a) ? IP4_HEADER : IP6_HEADER) + tcp_length(a);
}

/* RFC 1071; the sum of an even number of bytes. */
static uint32_t sum(uint32_t so_far, struct bytes b)
{
	struct reader r = reader_of_bytes(b);
	while (reader_left(&r) >= 2)
		so_far += read_u16(&r);
	return so_far;
}

static uint16_t checksum(uint32_t all)
{
	while (all >> 16)
		all = (all & 0xffff) + (all >> 16);
	return (uint16_t)~all;
}

static struct bytes on_the_wire(const struct address *a, bool v4)
{
	return v4 ? (struct bytes){a->b + 12, 4} : (struct bytes){a->b, 16};
}

static void write_ip4(const struct answer *a, struct writer *w)
{
	uint8_t *start = w->at;
	write_u16(w, 0x4500);
	write_u16(w, (uint16_t)answer_ip_length(a));
	write_u16(w, 0); /* no identification is needed where nothing may be fragmented (RFC 6864) */
	write_u16(w, IP4_DONT_FRAGMENT);
	write_u8(w, TTL);
	write_u8(w, PROTO_TCP);
	uint8_t *at = w->at;
	write_u16(w, 0);
	write_span(w, on_the_wire(&a->from, true));
	write_span(w, on_the_wire(&a->to, true));
	if (w->bad)
		return;
	struct writer patch = writer_of(at, 2);
	write_u16(&patch, checksum(sum(0, (struct bytes){start, IP4_HEADER})));
}

static void write_ip6(const struct answer *a, struct writer *w)
{
	write_u32(w, 0x60000000);
	write_u16(w, (uint16_t)tcp_length(a));
	write_u8(w, PROTO_TCP);
	write_u8(w, TTL);
	write_span(w, on_the_wire(&a->from, false));
	write_span(w, on_the_wire(&a->to, false));
}

static void write_tcp(const struct answer *a, struct writer *w)
{
	uint8_t *start = w->at;
	bool v4 = is_v4(a);
	write_u16(w, a->from_port);
	write_u16(w, a->to_port);
	write_u32(w, a->sequence);
	write_u32(w, a->acknowledged);
	write_u8(w, (uint8_t)(tcp_length(a) / 4 << 4));
	write_u8(w, a->flags);
	write_u16(w, a->window);
	uint8_t *at = w->at;
	write_u32(w, 0); /* checksum and urgent pointer */
	if (a->mss)
		write_u32(w, 2u << 24 | OPTION_MSS_LENGTH << 16 | (v4 ? MSS_V4 : MSS_V6));
	if (w->bad)
		return;
	/* RFC 9293 3.1: over a pseudo-header of the addresses, the protocol and the length. */
	uint32_t all = sum(PROTO_TCP + (uint32_t)tcp_length(a), on_the_wire(&a->from, v4));
	all = sum(all, on_the_wire(&a->to, v4));
	struct writer patch = writer_of(at, 2);
	write_u16(&patch, checksum(sum(all, (struct bytes){start, tcp_length(a)})));
}

void answer_write(const struct answer *a, struct writer *w)
{
	write_bytes(w, a->turned->header, a->turned->length);
	if (is_v4(a))
		write_ip4(a, w);
	else
		write_ip6(a, w);
	write_tcp(a, w);
}
