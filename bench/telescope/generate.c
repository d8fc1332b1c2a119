/*
 * A capture of dark traffic, made up but always the same: generate PACKETS SOURCES SECONDS >FILE
 *
 * Who sends what is drawn per source, how much it sends is heavy-tailed, and where to is drawn per
 * packet from 10.0.0.0/8.  The kinds are those of facts that anyone can check on the wire: old and
 * new ZMap, masscan, Mirai, nmap, ordinary stacks, backscatter, UDP and ICMP probes, a flood with
 * spoofed sources, some IPv6.  Of 20 million packets of a million sources nearly all differ in
 * their five-tuple, while (source, port, protocol, flags) are some 3.7 million.
 */
#include "base/bytes.h"
#include <stdlib.h>

#define FRAME_MIN 60 /* what Ethernet pads to */

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct chance {
	uint64_t state;
};

/* splitmix64. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint32_t draw(struct chance *c) { return (uint32_t)(mix(c->state += 0x9e3779b97f4a7c15u) >> 32); }
static uint32_t below(struct chance *c, uint32_t n) { return (uint32_t)((uint64_t)draw(c) * n >> 32); }

struct source {
	uint64_t index, hash;
	uint32_t address;
	uint8_t hops;
};

struct packet {
	uint32_t dst, seq, ack;
	uint16_t sport, dport, window, id;
	uint8_t proto, ttl, flags;
	bool df, six;
	struct bytes options, payload;
};

static const struct bytes linux_options =
	{(const uint8_t *)"\2\4\5\xb4\4\2\x08\x0a\x12\x34\x56\x78\0\0\0\0\1\3\3\7", 20};
static const struct bytes windows_options = {(const uint8_t *)"\2\4\5\xb4\1\3\3\x08\1\1\4\2", 12};
static const struct bytes mss_option = {(const uint8_t *)"\2\4\5\xb4", 4};

static uint16_t ephemeral(struct chance *c) { return (uint16_t)(32768 + below(c, 28232)); }

static void mirai(struct packet *p, const struct source *s, struct chance *c)
{
	p->sport = ephemeral(c);
	p->dport = below(c, 10) ? 23 : 2323;
	p->seq = p->dst;
	p->window = (uint16_t)(s->hash >> 16); /* drawn once, when a bot starts */
	p->id = (uint16_t)draw(c);
	p->ttl = (uint8_t)(64 - s->hops);
}

static void zmap_old(struct packet *p, const struct source *s, struct chance *c)
{
	static const uint16_t ports[] = {443, 80, 22, 8080, 5900, 21};
	p->dport = ports[s->hash % 6];
	p->id = 54321;
	p->window = 65535;
	p->ttl = (uint8_t)(255 - s->hops);
	p->sport = ephemeral(c);
}

static void zmap_new(struct packet *p, const struct source *s, struct chance *c)
{
	static const uint16_t ports[] = {443, 8443, 22, 3389, 5060, 2222, 8888, 9200};
	p->dport = ports[s->hash % 8];
	p->id = (uint16_t)draw(c);
	p->window = 65535;
	p->ttl = (uint8_t)(64 - s->hops);
	p->sport = ephemeral(c);
	p->options = windows_options;
}

static void masscan(struct packet *p, const struct source *s, struct chance *c)
{
	p->dport = (uint16_t)(1 + mix(s->hash + below(c, 128)) % 10000);
	p->id = (uint16_t)(p->dst ^ p->dport ^ p->seq);
	p->window = s->hash & 1 ? 1024 : 1025;
	p->options = s->hash & 1 ? (struct bytes){0} : mss_option;
	p->ttl = (uint8_t)(255 - s->hops);
	p->sport = 61000;
}

static void nmap(struct packet *p, const struct source *s, struct chance *c)
{
	uint32_t half = below(c, 65536);
	p->dport = (uint16_t)(1 + mix(s->hash ^ below(c, 1024)) % 1024);
	p->seq = (uint32_t)s->hash ^ (half << 16 | half);
	p->window = 1024;
	p->options = mss_option;
	p->id = (uint16_t)draw(c);
	p->ttl = (uint8_t)(37 + below(c, 23) - (s->hops & 15));
	p->sport = (uint16_t)(33000 + s->hash % 30000);
}

static void connects(struct packet *p, const struct source *s, struct chance *c)
{
	static const uint16_t ports[] = {445, 22, 80, 3389, 1433, 8080, 5555, 6379, 139, 81, 8545, 5432};
	p->dport = ports[(s->hash + below(c, 6)) % 12];
	bool windows = s->hash >> 8 & 1;
	p->window = windows ? 8192 : 64240;
	p->options = windows ? windows_options : linux_options;
	p->id = (uint16_t)draw(c);
	p->df = true;
	p->ttl = (uint8_t)((windows ? 128 : 64) - s->hops);
	p->sport = ephemeral(c);
}

static void backscatter(struct packet *p, const struct source *s, struct chance *c)
{
	static const uint16_t ports[] = {80, 443, 53, 25565, 22};
	static const uint8_t flags[] = {SYN | ACK, SYN | ACK, RST | ACK, RST};
	p->sport = ports[s->hash % 5];
	p->dport = (uint16_t)(1024 + below(c, 64512));
	p->flags = flags[below(c, 4)];
	p->ack = p->flags & ACK ? draw(c) : 0;
	p->options = p->flags & SYN ? mss_option : (struct bytes){0};
	p->window = p->flags & SYN ? 65535 : 0;
	p->ttl = (uint8_t)(64 - s->hops);
	p->df = true;
}

static void udp(struct packet *p, const struct source *s, struct chance *c)
{
	static const struct { uint16_t port; struct bytes payload; } probes[] = {
		{123, {(const uint8_t *)"\x17\0\3\x2a\0\0\0\0", 8}},
		{53, {(const uint8_t *)"\x12\x34\1\0\0\1\0\0\0\0\0\0\7version\4bind\0\0\x10\0\3", 30}},
		{1900, {(const uint8_t *)"M-SEARCH * HTTP/1.1\r\nHost:239.255.255.250:1900\r\n"
					 "ST:ssdp:all\r\nMan:\"ssdp:discover\"\r\nMX:3\r\n\r\n", 94}},
		{5060, {(const uint8_t *)"OPTIONS sip:100@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060\r\n\r\n", 70}},
		{161, {(const uint8_t *)"\x30\x26\2\1\1\4\6public\xa5\x19\2\4\x71\xb4\xb5\x68\2\1\0\2\1\x7f\x30\x0b", 31}},
		{11211, {(const uint8_t *)"\0\0\0\0\0\1\0\0stats\r\n", 15}},
		{389, {(const uint8_t *)"\x30\x25\2\1\1\x63\x20\4\0\x0a\1\0\x0a\1\0", 15}},
		{6881, {(const uint8_t *)"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe", 56}},
	};
	unsigned i = (unsigned)(s->hash + below(c, 2)) % 8;
	p->proto = 17;
	p->dport = probes[i].port;
	p->sport = ephemeral(c);
	p->payload = probes[i].payload;
	p->id = (uint16_t)draw(c);
	p->ttl = (uint8_t)((s->hash & 32 ? 255 : 64) - s->hops);
}

static void icmp(struct packet *p, const struct source *s, struct chance *c)
{
	p->proto = 1;
	p->sport = s->hash % 3 ? 8 << 8 : (uint16_t)(3 << 8 | (below(c, 3) + 1)); /* type, code */
	p->id = (uint16_t)draw(c);
	p->ttl = (uint8_t)(64 - s->hops);
	p->payload = BYTES("\0\0\0\0abcdefghijklmnopqrstuvwabcdefgh");
}

/* Thousands of sources, one place: one TTL, one target. */
static void flood(struct packet *p, const struct source *s, struct chance *c)
{
	(void)s;
	p->dst = 0x0a010203;
	p->dport = 80;
	p->sport = (uint16_t)draw(c);
	p->window = 5840;
	p->id = (uint16_t)draw(c);
	p->ttl = 241;
}

static const struct {
	void (*make)(struct packet *, const struct source *, struct chance *);
	unsigned share; /* of 1,000 sources */
} kinds[] = {{mirai, 400}, {connects, 285}, {udp, 90}, {backscatter, 60}, {flood, 50}, {icmp, 35},
	     {masscan, 30}, {zmap_new, 25}, {zmap_old, 15}, {nmap, 10}};

static void packet_make(struct packet *p, const struct source *s, struct chance *c)
{
	*p = (struct packet){.dst = 0x0a000000 | (draw(c) & 0xffffff), .seq = draw(c), .proto = 6, .flags = SYN};
	unsigned at = (unsigned)(s->hash >> 40) % 1000, kind = 0;
	while (at >= kinds[kind].share)
		at -= kinds[kind++].share;
	kinds[kind].make(p, s, c);
	p->six = s->hash % 200 == 0 && p->proto != 1;
}

static void write_ip(struct writer *w, const struct packet *p, const struct source *s, uint16_t length)
{
	if (p->six) {
		write_u32(w, 6u << 28);
		write_u16(w, length);
		write_u8(w, p->proto);
		write_u8(w, p->ttl);
		write_be(w, 0x20010db800000000u, 8);
		write_be(w, s->address, 8);
		write_be(w, 0x20010db8000a0000u, 8);
		write_be(w, p->dst, 8);
		return;
	}
	uint8_t *start = w->at;
	write_u16(w, 0x4500);
	write_u16(w, (uint16_t)(20 + length));
	write_u16(w, p->id);
	write_u16(w, p->df ? 0x4000 : 0);
	write_u8(w, p->ttl);
	write_u8(w, p->proto);
	write_u16(w, 0);
	write_u32(w, s->address);
	write_u32(w, p->dst);
	uint32_t sum = 0;
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)start[i] << 8 | start[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	start[10] = (uint8_t)(sum >> 8);
	start[11] = (uint8_t)sum;
}

static void write_transport(struct writer *w, const struct packet *p)
{
	if (p->proto == 6) {
		write_u16(w, p->sport);
		write_u16(w, p->dport);
		write_u32(w, p->seq);
		write_u32(w, p->ack);
		write_u8(w, (uint8_t)((20 + p->options.len) / 4 << 4));
		write_u8(w, p->flags);
		write_u16(w, p->window);
		write_u32(w, 0);
		write_span(w, p->options);
	} else if (p->proto == 17) {
		write_u16(w, p->sport);
		write_u16(w, p->dport);
		write_u16(w, (uint16_t)(8 + p->payload.len));
		write_u16(w, 0);
	} else {
		write_u16(w, p->sport);
		write_u16(w, 0);
	}
	write_span(w, p->payload);
}

static size_t header_size(const struct packet *p)
{
	return (p->proto == 6 ? 20 + p->options.len : p->proto == 17 ? 8 : 4) + p->payload.len;
}

static void write_le32(struct writer *w, uint32_t v) { write_be(w, __builtin_bswap32(v), 4); }

static void write_record(struct writer *w, const struct packet *p, const struct source *s, uint64_t time_us)
{
	size_t length = header_size(p), size = 14 + (p->six ? 40 : 20) + length;
	size_t pad = size < FRAME_MIN ? FRAME_MIN - size : 0;
	write_le32(w, (uint32_t)(time_us / 1000000));
	write_le32(w, (uint32_t)(time_us % 1000000));
	write_le32(w, (uint32_t)(size + pad));
	write_le32(w, (uint32_t)(size + pad));
	write_be(w, 0x020000000001, 6);
	write_be(w, 0x020000000002, 6);
	write_u16(w, p->six ? 0x86dd : 0x0800);
	write_ip(w, p, s, (uint16_t)length);
	write_transport(w, p);
	write_zero(w, pad);
}

/*
 * Every so many packets the next source has its turn, so that each is seen; the others are drawn
 * with the cube of a uniform number, so that a hundredth of the sources sends a fifth of it all.
 */
static struct source source_draw(struct chance *c, uint64_t n, uint64_t packets, uint64_t sources)
{
	uint64_t every = packets / sources ? packets / sources : 1;
	double u = draw(c) / 4294967296.0;
	uint64_t i = n % every ? (uint64_t)((double)sources * u * u * u) : n / every % sources;
	uint64_t hash = mix(i * 0x9e3779b97f4a7c15u + 1);
	/* An odd factor permutes 2^32, so that no two sources share an address. */
	uint32_t address = (uint32_t)(i + 1) * 2654435761u;
	return (struct source){i, hash, address, (uint8_t)(8 + hash % 17)};
}

int main(int argc, char **argv)
{
	uint64_t packets, sources, seconds;
	if (argc != 4 || !bytes_number(bytes_of_text(argv[1]), UINT64_C(1) << 40, &packets) ||
	    !bytes_number(bytes_of_text(argv[2]), 1u << 31, &sources) ||
	    !bytes_number(bytes_of_text(argv[3]), 1u << 30, &seconds) || !sources) {
		fprintf(stderr, "usage: generate PACKETS SOURCES SECONDS >FILE\n");
		return 2;
	}
	static uint8_t room[1 << 20];
	struct writer w = writer_of(room, sizeof room);
	struct chance c = {1};
	write_le32(&w, 0xa1b2c3d4);
	write_be(&w, 0x0200040000000000, 8);
	write_be(&w, 0, 4);
	write_le32(&w, 262144);
	write_le32(&w, 1);
	for (uint64_t n = 0; n < packets; n++) {
		struct source s = source_draw(&c, n, packets, sources);
		struct packet p;
		packet_make(&p, &s, &c);
		write_record(&w, &p, &s, UINT64_C(1700000000000000) + n * seconds * 1000000 / packets);
		if (writer_left(&w) >= 1024 && n + 1 < packets)
			continue;
		if (w.bad || fwrite(room, 1, writer_used(&w), stdout) != writer_used(&w))
			return 1;
		w = writer_of(room, sizeof room);
	}
	return fflush(stdout) ? 1 : 0;
}
