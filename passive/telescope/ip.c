/*
 * IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200 4).
 */
#include "passive/telescope/packet_inner.h"

enum {
	NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AUTHENTICATION = 51,
	NEXT_DESTINATION = 60,
};
enum { FRAGMENT_RESERVED = 0x8000, FRAGMENT_DF = 0x4000, FRAGMENT_MORE = 0x2000, FRAGMENT_OFFSET = 0x1fff };

/* What was captured of the `length` bytes that follow; more than that is the link's padding. */
static struct bytes captured(const struct reader *r, size_t length)
{
	size_t left = reader_left(r);
	return (struct bytes){r->at, left < length ? left : length};
}

static bool ipv4_read(struct reader *r, struct packet_head *h)
{
	unsigned header = (read_u8(r) & 15u) * 4;
	h->version = 4;
	h->tos = read_u8(r);
	h->length = read_u16(r);
	h->id = read_u16(r);
	uint16_t word = read_u16(r);
	h->ttl = read_u8(r);
	h->proto = read_u8(r);
	read_u16(r);
	h->src = address_v4(read_u32(r));
	h->dst = address_v4(read_u32(r));
	/* A length of 0 is what segmentation offload leaves behind; no wire carried that. */
	if (header < IPV4_HEADER || h->length < header)
		return false;
	h->options = header - IPV4_HEADER;
	read_bytes(r, h->options);
	h->df = word & FRAGMENT_DF;
	h->fragment = word & FRAGMENT_OFFSET;
	h->part = word & (FRAGMENT_OFFSET | FRAGMENT_MORE);
	h->quirks = (h->df ? QUIRK_DF : 0) | (h->df && h->id ? QUIRK_ID_PLUS : 0) |
		    (!h->df && !h->id ? QUIRK_ID_MINUS : 0) |
		    (h->tos & 3 ? QUIRK_ECN : 0) | (word & FRAGMENT_RESERVED ? QUIRK_ZERO_PLUS : 0);
	h->rest_length = h->length - header;
	h->rest = captured(r, h->rest_length);
	return reader_ok(r);
}

static bool is_extension(uint8_t next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_FRAGMENT ||
	       next == NEXT_AUTHENTICATION || next == NEXT_DESTINATION;
}

static void extension_read(struct reader *r, struct packet_head *h)
{
	uint8_t kind = h->proto, next = read_u8(r), length = read_u8(r);
	if (kind == NEXT_FRAGMENT) {
		uint16_t word = read_u16(r);
		h->id = read_u32(r);
		h->fragment = word & 0xfff8;
		h->part = word & 0xfff9; /* neither: an atomic fragment (RFC 6946), which is whole */
	} else {
		/* RFC 4302 2.2 counts in units of 4, the others in units of 8. */
		read_bytes(r, kind == NEXT_AUTHENTICATION ? (length + 2u) * 4 - 2 : (length + 1u) * 8 - 2);
	}
	if (reader_ok(r))
		h->proto = next;
}

static bool ipv6_read(struct reader *r, struct packet_head *h)
{
	uint32_t word = read_u32(r);
	h->version = 6;
	h->tos = word >> 20 & 0xff;
	uint32_t payload = read_u16(r);
	h->length = IPV6_HEADER + payload;
	h->proto = read_u8(r);
	h->ttl = read_u8(r);
	struct bytes src = read_bytes(r, sizeof h->src.b), dst = read_bytes(r, sizeof h->dst.b);
	if (!reader_ok(r))
		return false;
	memcpy(h->src.b, src.at, sizeof h->src.b);
	memcpy(h->dst.b, dst.at, sizeof h->dst.b);
	h->quirks = (h->tos & 3 ? QUIRK_ECN : 0) | (word & 0xfffff ? QUIRK_FLOW : 0);
	h->rest = captured(r, payload);
	struct reader rest = reader_of_bytes(h->rest);
	for (unsigned i = 0; is_extension(h->proto) && !h->fragment && !h->cut; i++) {
		if (i < IPV6_EXTENSIONS_MAX)
			extension_read(&rest, h);
		h->cut = i == IPV6_EXTENSIONS_MAX || !reader_ok(&rest);
	}
	if (!h->cut) {
		h->options = (unsigned)(rest.at - h->rest.at);
		h->rest = read_rest(&rest);
		h->rest_length = payload - h->options;
	}
	return true;
}

bool ip_read(enum network network, struct reader *r, struct packet_head *h)
{
	if (!reader_ok(r) || reader_left(r) == 0)
		return false;
	uint8_t version = r->at[0] >> 4;
	if (version == 4 && network != NETWORK_IPV6)
		return ipv4_read(r, h);
	if (version == 6 && network != NETWORK_IPV4)
		return ipv6_read(r, h);
	return false;
}
