#include "tests/unit/passive/frames.h"
#include <stdlib.h>

static const uint8_t scanner_mac[6] = {2, 0, 0, 0, 0, 0x11}, sensor_mac[6] = {2, 0, 0, 0, 0, 0x22};

const struct bytes linux_options = BYTES("\2\4\5\xb4\4\2\10\12\0\0\0\1\0\0\0\0\1\3\3\7");
const struct bytes mss_option = BYTES("\2\4\5\xb4");

static struct address parsed(const char *text)
{
	struct address a;
	if (!address_parse(bytes_of_text(text), &a))
		abort();
	return a;
}

static void write_ip(const struct segment *s, size_t tcp, struct writer *w)
{
	const struct address from = parsed(s->source), to = parsed(s->destination);
	if (!address_is_v4(&to)) {
		write_u32(w, 0x60000000);
		write_u16(w, (uint16_t)tcp);
		write_u8(w, 6);
		write_u8(w, s->ttl ? s->ttl : 64);
		write_bytes(w, from.b, 16);
		write_bytes(w, to.b, 16);
		return;
	}
	write_u16(w, 0x4500);
	write_u16(w, (uint16_t)(20 + tcp));
	write_u16(w, s->ipid);
	write_u16(w, 0);
	write_u8(w, s->ttl ? s->ttl : 64);
	write_u8(w, 6);
	write_u16(w, 0); /* nobody here looks at the checksums of others */
	write_bytes(w, from.b + 12, 4);
	write_bytes(w, to.b + 12, 4);
}

size_t segment_frame(const struct segment *s, uint8_t frame[FRAME_MAX])
{
	struct writer w = writer_of(frame, FRAME_MAX);
	const struct address to = parsed(s->destination);
	size_t tcp = 20 + s->options.len + s->payload.len;
	write_bytes(&w, sensor_mac, 6);
	write_bytes(&w, scanner_mac, 6);
	if (s->vlan) {
		write_u16(&w, 0x8100);
		write_u16(&w, s->vlan);
	}
	write_u16(&w, address_is_v4(&to) ? 0x0800 : 0x86dd);
	write_ip(s, tcp, &w);
	write_u16(&w, s->source_port);
	write_u16(&w, s->port);
	write_u32(&w, s->sequence);
	write_u32(&w, s->acknowledged);
	write_u8(&w, (uint8_t)((20 + s->options.len) / 4 << 4));
	write_u8(&w, s->flags);
	write_u16(&w, 1024);
	write_u32(&w, 0);
	write_span(&w, s->options);
	write_span(&w, s->payload);
	if (w.bad)
		abort();
	return writer_used(&w);
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The one's complement sum over whole 16-bit words, RFC 1071. */
static uint32_t words(struct bytes b)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < b.len; i += 2)
		sum += (uint32_t)b.at[i] << 8 | b.at[i + 1];
	return sum + (b.len & 1 ? (uint32_t)b.at[b.len - 1] << 8 : 0);
}

static struct bytes read_ip(struct reader *r, struct answered *a, uint32_t *pseudo)
{
	struct bytes ip = {r->at, reader_left(r)};
	uint8_t version = (uint8_t)(ip.len ? ip.at[0] >> 4 : 0);
	struct reader h = *r;
	a->from = a->to = address_v4(0);
	if (version == 4) {
		read_u16(&h);
		a->ip_length = read_u16(&h);
		a->right = folded(words((struct bytes){ip.at, 20})) == 0xffff && ip.at[0] == 0x45;
		read_u32(&h);
		a->ttl = read_u8(&h);
		a->right = a->right && read_u8(&h) == 6;
		read_u16(&h);
		memcpy(a->from.b + 12, read_bytes(&h, 4).at, 4);
		memcpy(a->to.b + 12, read_bytes(&h, 4).at, 4);
		*pseudo = words((struct bytes){ip.at + 12, 8});
	} else {
		read_u32(&h);
		a->ip_length = (uint16_t)(40 + read_u16(&h));
		a->right = read_u8(&h) == 6 && version == 6;
		a->ttl = read_u8(&h);
		memcpy(a->from.b, read_bytes(&h, 16).at, 16);
		memcpy(a->to.b, read_bytes(&h, 16).at, 16);
		*pseudo = words((struct bytes){ip.at + 8, 32});
	}
	a->right = a->right && a->ip_length == ip.len;
	return read_rest(&h);
}

struct answered answered_read(struct bytes frame)
{
	struct answered a = {0};
	struct reader r = reader_of_bytes(frame);
	uint32_t pseudo;
	memcpy(a.mac_to, read_bytes(&r, 6).at, 6);
	memcpy(a.mac_from, read_bytes(&r, 6).at, 6);
	uint16_t type = read_u16(&r);
	if (type == 0x8100) {
		a.vlan = read_u16(&r);
		type = read_u16(&r);
	}
	struct bytes tcp = read_ip(&r, &a, &pseudo);
	a.right = a.right && folded(pseudo + 6 + (uint32_t)tcp.len + words(tcp)) == 0xffff;
	struct reader t = reader_of_bytes(tcp);
	a.from_port = read_u16(&t);
	a.to_port = read_u16(&t);
	a.sequence = read_u32(&t);
	a.acknowledged = read_u32(&t);
	a.right = a.right && (size_t)(read_u8(&t) >> 4) * 4 == tcp.len;
	a.flags = read_u8(&t);
	a.window = read_u16(&t);
	read_u32(&t);
	a.mss_option = reader_left(&t) == 4 && read_u8(&t) == 2;
	a.right = a.right && reader_ok(&t) && type == (address_is_v4(&a.to) ? 0x0800 : 0x86dd);
	return a;
}
