#include "passive/telescope/packet_inner.h"
#include "tests/test.h"
#include <stdlib.h>

struct frame {
	uint8_t at[512];
	size_t len;
};

#define WIRE(f, ...)                                                           \
	do {                                                                   \
		static const uint8_t wire_bytes[] = {__VA_ARGS__};             \
		memcpy((f)->at + (f)->len, wire_bytes, sizeof wire_bytes);     \
		(f)->len += sizeof wire_bytes;                                 \
	} while (0)

static void add(struct frame *f, const void *p, size_t n)
{
	memcpy(f->at + f->len, p, n);
	f->len += n;
}

static void add_be(struct frame *f, uint64_t v, size_t width)
{
	struct writer w = writer_of(f->at + f->len, width);
	write_be(&w, v, width);
	f->len += width;
}

static void ethernet(struct frame *f, unsigned type)
{
	f->len = 0;
	add(f, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
	add_be(f, type, 2);
}

/* From 198.51.100.7 to 192.0.2.9. */
static void ipv4(struct frame *f, uint8_t proto, size_t payload, unsigned fragment)
{
	WIRE(f, 0x45, 0);
	add_be(f, 20 + payload, 2);
	add_be(f, 0xd431, 2);
	add_be(f, fragment, 2);
	WIRE(f, 57);
	add_be(f, proto, 1);
	WIRE(f, 0, 0, 198, 51, 100, 7, 192, 0, 2, 9);
}

static void ipv6(struct frame *f, uint8_t next, size_t payload)
{
	WIRE(f, 0x60, 0, 0, 5);
	add_be(f, payload, 2);
	add_be(f, next, 1);
	WIRE(f, 60, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	WIRE(f, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 2, 2);
}

static const uint8_t linux_options[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0x12, 0x34, 0, 0, 0, 0, 1, 3, 3, 7};

static void tcp(struct frame *f, uint8_t flags, const void *options, size_t n)
{
	WIRE(f, 0x9c, 0x40, 0, 23, 0xc0, 0, 2, 9, 0, 0, 0, 0);
	add_be(f, (20 + n) / 4 << 4, 1);
	add_be(f, flags, 1);
	WIRE(f, 0xfa, 0xf0, 0, 0, 0, 0);
	add(f, options, n);
}

static void udp(struct frame *f, unsigned length)
{
	WIRE(f, 0x30, 0x39, 0, 53);
	add_be(f, length, 2);
	WIRE(f, 0, 0);
}

struct taken {
	struct packet_batch batch;
	struct packet_counts counts;
	bool took;
};

static struct taken take_as(uint16_t link, const struct frame *f, size_t len)
{
	static struct watched *all;
	if (!all)
		CHECK(watched_open(&all, NULL, 0) == 0);
	/* Of its own length on the heap, so that a sanitizer sees a byte read too far. */
	uint8_t *exact = malloc(len ? len : 1);
	memcpy(exact, f->at, len);
	struct taken t = {0}, c = {0};
	t.took = packet_take(&t.batch, &t.counts, all, link, (struct bytes){exact, len}, 1000, 5);
	c.took = packet_take_checked(&c.batch, &c.counts, all, link, (struct bytes){exact, len}, 1000, 5);
	CHECK(t.took == c.took && t.took == (t.batch.count == 1) && c.batch.count == t.batch.count);
	CHECK(!memcmp(&t.counts, &c.counts, sizeof t.counts));
	struct packet_counts n = t.counts;
	CHECK(n.frames == 1 && n.bytes == 1000);
	CHECK(n.frames == n.not_ip + n.malformed + n.elsewhere + n.taken && n.taken == t.took);
	CHECK(n.taken == n.v4 + n.v6);
	CHECK(n.taken == n.tcp + n.udp + n.icmp + n.icmp6 + n.other_transport);
	if (t.took) {
		CHECK(!memcmp(t.batch.column, c.batch.column, sizeof t.batch.column));
		CHECK(address_equal(&t.batch.src[0], &c.batch.src[0]));
		CHECK(address_equal(&t.batch.dst[0], &c.batch.dst[0]));
		CHECK(bytes_equal(t.batch.payload[0], c.batch.payload[0]));
		struct bytes payload = t.batch.payload[0];
		CHECK(payload.len == 0 || (payload.at >= exact && payload.at + payload.len <= exact + len));
		CHECK(payload.len <= t.batch.column[COLUMN_PAYLOAD][0]);
		CHECK(t.batch.time_us[0] == 5 && t.batch.wire_length[0] == 1000 && t.batch.link[0] == link);
		if (t.batch.column[COLUMN_SHAPE][0])
			CHECK(!memcmp(&t.batch.shape[0], &c.batch.shape[0], sizeof t.batch.shape[0]));
		t.batch.payload[0].at = payload.len ? f->at + (payload.at - exact) : NULL;
	}
	free(exact);
	return t;
}

static struct taken take(const struct frame *f) { return take_as(LINK_ETHERNET, f, f->len); }
#define COLUMN(t, name) ((t).batch.column[COLUMN_##name][0])

static struct frame linux_syn(void)
{
	struct frame f;
	ethernet(&f, 0x0800);
	ipv4(&f, 6, 40, 0x4000);
	tcp(&f, 2, linux_options, sizeof linux_options);
	return f;
}

TEST(packet_syn)
{
	struct frame f = linux_syn();
	struct taken t = take(&f);
	char text[SHAPE_TEXT_MAX];
	CHECK(t.took && t.counts.tcp == 1 && t.counts.ip_bytes == 60);
	CHECK(COLUMN(t, VERSION) == 4 && COLUMN(t, PROTO) == 6 && COLUMN(t, TTL) == 57);
	CHECK(COLUMN(t, IPID) == 0xd431 && COLUMN(t, DF) == 1 && COLUMN(t, LENGTH) == 60);
	CHECK(COLUMN(t, SRC) == 0xc6336407 && COLUMN(t, DST) == 0xc0000209);
	CHECK(COLUMN(t, SPORT) == 40000 && COLUMN(t, DPORT) == 23 && COLUMN(t, FLAGS) == 2);
	CHECK(COLUMN(t, SEQ) == 0xc0000209 && COLUMN(t, ACK) == 0 && COLUMN(t, WINDOW) == 64240);
	CHECK(COLUMN(t, MSS) == 1460 && COLUMN(t, WSCALE) == 7 && COLUMN(t, TSVAL) == 0x1234);
	CHECK(COLUMN(t, OPTIONS) == 0x35724000);
	CHECK(COLUMN(t, PAYLOAD) == 0 && COLUMN(t, SHAPE) != 0);
	CHECK(address_is_v4(&t.batch.src[0]) && address_to_v4(&t.batch.src[0]) == 0xc6336407);
	const char *p0f = shape_p0f(&t.batch.shape[0], 57, text);
	CHECK_SAY(!strcmp(p0f, "4:64:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0"), "%s", p0f);
	CHECK(!strcmp(shape_ja4t(&t.batch.shape[0], text), "64240_2-4-8-1-3_1460_7"));

	uint32_t shape = COLUMN(t, SHAPE);
	f.at[14 + 19] = 77; /* another destination, sequence and time stamp make no other shape */
	f.at[34 + 4] = 1;
	f.at[34 + 20 + 10] = 5;
	CHECK(COLUMN(take(&f), SHAPE) == shape);
	f.at[34 + 14] = 1; /* another window does */
	CHECK(COLUMN(take(&f), SHAPE) != shape);
}

TEST(packet_syn_without_options)
{
	struct frame f;
	char text[SHAPE_TEXT_MAX];
	ethernet(&f, 0x0800);
	ipv4(&f, 6, 20, 0);
	tcp(&f, 2, "", 0);
	struct taken t = take(&f);
	CHECK(COLUMN(t, SHAPE) && COLUMN(t, OPTIONS) == 0 && COLUMN(t, WSCALE) == NO_WSCALE && !COLUMN(t, MSS));
	CHECK(!strcmp(shape_p0f(&t.batch.shape[0], 200, text), "4:200+?:0:0:64240,0:::0"));
	CHECK(!strcmp(shape_p0f(&t.batch.shape[0], 250, text), "4:255:0:0:64240,0:::0"));
	CHECK(!strcmp(shape_ja4t(&t.batch.shape[0], text), "64240_00_00_00"));
	f.at[34 + 13] = 18;
	CHECK(COLUMN(take(&f), SHAPE) && take(&f).batch.shape[0].flags == 18);
	static const uint8_t no_syn[] = {0, 1, 3, 4, 6, 16, 17, 20, 63};
	for (unsigned i = 0; i < sizeof no_syn; i++) {
		f.at[34 + 13] = no_syn[i];
		t = take(&f);
		CHECK(t.took && COLUMN(t, FLAGS) == no_syn[i] && COLUMN(t, SHAPE) == 0 && COLUMN(t, WSCALE) == NO_WSCALE);
	}
}

TEST(packet_padding_is_no_payload)
{
	struct frame f;
	ethernet(&f, 0x0800);
	ipv4(&f, 6, 20, 0);
	tcp(&f, 2, "", 0);
	WIRE(&f, 1, 2, 3, 4, 5, 6);
	struct taken t = take(&f);
	CHECK(COLUMN(t, PAYLOAD) == 0 && t.batch.payload[0].len == 0);
	ethernet(&f, 0x0800);
	ipv4(&f, 17, 12, 0);
	udp(&f, 10); /* the datagram says less than the packet does */
	WIRE(&f, 'h', 'i', 1, 2, 3, 4, 5, 6);
	t = take(&f);
	CHECK(t.counts.udp == 1 && COLUMN(t, SPORT) == 12345 && COLUMN(t, DPORT) == 53 && COLUMN(t, FLAGS) == 0);
	CHECK(COLUMN(t, PAYLOAD) == 2 && bytes_equal(t.batch.payload[0], BYTES("hi")));
}

TEST(packet_captured_in_part)
{
	struct frame f;
	ethernet(&f, 0x0800);
	ipv4(&f, 17, 1008, 0);
	udp(&f, 1008);
	WIRE(&f, 'a', 'b', 'c');
	struct taken t = take(&f);
	CHECK(COLUMN(t, PAYLOAD) == 1000 && bytes_equal(t.batch.payload[0], BYTES("abc")));
	f = linux_syn();
	t = take_as(LINK_ETHERNET, &f, 58); /* within the options */
	CHECK(COLUMN(t, DPORT) == 23 && COLUMN(t, MSS) == 1460 && t.batch.shape[0].quirks & QUIRK_BAD);
	t = take_as(LINK_ETHERNET, &f, 53); /* within the fixed header */
	CHECK(t.took && t.counts.short_transport == 1 && t.counts.tcp == 1 && !COLUMN(t, DPORT) && !COLUMN(t, FLAGS));
	for (size_t n = 0; n < 34; n++)
		CHECK(take_as(LINK_ETHERNET, &f, n).counts.malformed == 1);
}

TEST(packet_lying_lengths)
{
	struct frame f = linux_syn();
	f.at[34 + 12] = 0x40; /* a header of 16 bytes */
	CHECK(take(&f).counts.short_transport == 1);
	f.at[34 + 12] = 0xf0; /* of 60, where the packet has 40 */
	CHECK(take(&f).counts.short_transport == 1);
	f = linux_syn();
	f.at[14] = 0x44;
	CHECK(take(&f).counts.malformed == 1);
	f.at[14] = 0x4f; /* options that take in the segment: 60 bytes of header */
	CHECK(take(&f).took && take(&f).counts.short_transport == 1);
	f.at[14] = 0x55;
	CHECK(take(&f).counts.malformed == 1);
	f = linux_syn();
	f.at[16] = f.at[17] = 0; /* segmentation offload */
	CHECK(take(&f).counts.malformed == 1);
	f.at[17] = 19;
	CHECK(take(&f).counts.malformed == 1);
	f.at[17] = 20;
	CHECK(take(&f).counts.short_transport == 1);
	ethernet(&f, 0x0800);
	ipv4(&f, 17, 8, 0);
	udp(&f, 9);
	CHECK(take(&f).counts.short_transport == 1);
	f.at[34 + 5] = 7;
	CHECK(take(&f).counts.short_transport == 1);
	f.at[34 + 5] = 8;
	CHECK(take(&f).counts.short_transport == 0);
}

TEST(packet_fragments)
{
	struct frame f;
	ethernet(&f, 0x0800);
	ipv4(&f, 17, 16, 0x2000);
	udp(&f, 1000);
	WIRE(&f, 1, 2, 3, 4, 5, 6, 7, 8);
	struct taken t = take(&f);
	CHECK(t.counts.fragments == 1 && COLUMN(t, FRAGMENT) == 0 && COLUMN(t, DPORT) == 53 && COLUMN(t, PAYLOAD) == 8);
	f.at[14 + 7] = 5;
	t = take(&f);
	CHECK(t.counts.fragments == 1 && COLUMN(t, FRAGMENT) == 1 && COLUMN(t, DPORT) == 0 && COLUMN(t, PAYLOAD) == 16);
	CHECK(t.counts.udp == 1 && t.counts.short_transport == 0 && t.batch.payload[0].len == 16);
}

TEST(packet_icmp_and_others)
{
	struct frame f;
	ethernet(&f, 0x0800);
	ipv4(&f, 1, 12, 0);
	WIRE(&f, 3, 1, 0, 0, 0, 0, 0, 0, 'q', 'u', 'o', 't');
	struct taken t = take(&f);
	CHECK(t.counts.icmp == 1 && COLUMN(t, SPORT) == 3 && COLUMN(t, DPORT) == 1);
	CHECK(COLUMN(t, PAYLOAD) == 8 && t.batch.payload[0].len == 8 && t.batch.payload[0].at[4] == 'q');
	f.at[14 + 9] = 47;
	t = take(&f);
	CHECK(t.counts.other_transport == 1 && COLUMN(t, PROTO) == 47 && COLUMN(t, PAYLOAD) == 12);
	f.at[14 + 9] = 58; /* ICMPv6 in IPv4 is nothing */
	CHECK(take(&f).counts.other_transport == 1);
	ethernet(&f, 0x0806);
	f.len = 60;
	CHECK(take(&f).counts.not_ip == 1);
	ethernet(&f, 0x05dc);
	CHECK(take(&f).counts.not_ip == 1);
	CHECK(take_as(147, &f, f.len).counts.not_ip == 1);
}

static size_t tagged(struct frame *f, unsigned tags)
{
	ethernet(f, tags > 1 ? 0x88a8 : 0x8100);
	for (unsigned i = 0; i < tags; i++) {
		add_be(f, i, 2);
		add_be(f, i + 1 < tags ? 0x8100 : 0x0800, 2);
	}
	ipv4(f, 6, 40, 0);
	tcp(f, 2, linux_options, sizeof linux_options);
	return f->len;
}

TEST(packet_link_types)
{
	struct frame f, syn = linux_syn();
	for (unsigned tags = 1; tags <= VLAN_TAGS_MAX; tags++) {
		tagged(&f, tags);
		CHECK(COLUMN(take(&f), DPORT) == 23);
		CHECK(take_as(LINK_ETHERNET, &f, 15).counts.malformed == 1);
	}
	tagged(&f, VLAN_TAGS_MAX + 1);
	CHECK(take(&f).counts.not_ip == 1);
	static const struct { uint16_t link; const char *head; size_t n; bool took; } heads[] = {
		{LINK_RAW, "", 0, true}, {LINK_RAW_OLD, "", 0, true}, {LINK_IPV4, "", 0, true},
		{LINK_IPV6, "", 0, false}, {LINK_NULL, "\2\0\0\0", 4, true}, {LINK_NULL, "\0\0\0\2", 4, true},
		{LINK_LOOP, "\0\0\0\2", 4, true}, {LINK_NULL, "\x1e\0\0\0", 4, false},
		{LINK_NULL, "\7\0\0\0", 4, false}, {LINK_NULL, "\0\0\0\7", 4, false},
		{LINK_LINUX_COOKED, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0", 16, true},
		{LINK_LINUX_COOKED, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x81\0\0\5\x08\0", 20, true},
		{LINK_LINUX_COOKED, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\6", 16, false},
		{LINK_LINUX_COOKED2, "\x08\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0", 20, true},
		{LINK_LINUX_COOKED2, "\x86\xdd\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0", 20, false},
	};
	for (unsigned i = 0; i < sizeof heads / sizeof *heads; i++) {
		f.len = 0;
		add(&f, heads[i].head, heads[i].n);
		add(&f, syn.at + ETHERNET_HEADER, syn.len - ETHERNET_HEADER);
		struct taken t = take_as(heads[i].link, &f, f.len);
		CHECK_SAY(t.took == heads[i].took && (!t.took || COLUMN(t, DPORT) == 23), "head %u", i);
		for (size_t n = 0; n < f.len; n++)
			take_as(heads[i].link, &f, n);
	}
}

TEST(packet_ipv6)
{
	struct frame f;
	char text[SHAPE_TEXT_MAX];
	ethernet(&f, 0x86dd);
	ipv6(&f, 6, 40);
	tcp(&f, 2, linux_options, sizeof linux_options);
	struct taken t = take(&f);
	CHECK(t.counts.v6 == 1 && COLUMN(t, VERSION) == 6 && COLUMN(t, LENGTH) == 80 && COLUMN(t, TTL) == 60);
	CHECK(COLUMN(t, DST) == 0xc0000202 && COLUMN(t, DPORT) == 23 && COLUMN(t, IPID) == 0 && COLUMN(t, DF) == 0);
	const char *p0f = shape_p0f(&t.batch.shape[0], 60, text);
	CHECK_SAY(!strcmp(p0f, "6:64:0:1460:mss*44,7:mss,sok,ts,nop,ws:flow:0"), "%s", p0f);

	ethernet(&f, 0x86dd);
	ipv6(&f, 58, 8);
	WIRE(&f, 128, 0, 0, 0, 0, 1, 0, 2);
	t = take(&f);
	CHECK(t.counts.icmp6 == 1 && COLUMN(t, SPORT) == 128 && COLUMN(t, PAYLOAD) == 4);
	f.at[14 + 6] = 1; /* ICMP of IPv4 is nothing here */
	CHECK(take(&f).counts.other_transport == 1);
	f.at[14 + 6] = 17;
	f.at[14 + 4] = f.at[14 + 5] = 0; /* a jumbogram, or a lie */
	CHECK(take(&f).counts.short_transport == 1 && take(&f).counts.udp == 1);
}

TEST(packet_ipv6_extensions)
{
	struct frame f;
	ethernet(&f, 0x86dd);
	ipv6(&f, 0, 8 + 16 + 8 + 12 + 8 + 8);
	WIRE(&f, 60, 0, 1, 4, 0, 0, 0, 0);                                  /* hop by hop */
	WIRE(&f, 43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);         /* destination options */
	WIRE(&f, 51, 0, 0, 0, 0, 0, 0, 0);                                  /* routing */
	WIRE(&f, 44, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2);                      /* authentication */
	WIRE(&f, 17, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef);                      /* fragment: first of several */
	udp(&f, 500);
	struct taken t = take(&f);
	CHECK(t.counts.udp == 1 && t.counts.fragments == 1 && COLUMN(t, DPORT) == 53 && COLUMN(t, PROTO) == 17);
	CHECK(COLUMN(t, IPID) == 0xdeadbeef && COLUMN(t, FRAGMENT) == 0 && COLUMN(t, PAYLOAD) == 0);
	f.at[f.len - 16 + 3] = 8; /* its second part */
	t = take(&f);
	CHECK(COLUMN(t, FRAGMENT) == 1 && COLUMN(t, DPORT) == 0 && COLUMN(t, PAYLOAD) == 8);
	f.at[f.len - 16 + 3] = 0; /* an atomic one */
	f.at[f.len - 8 + 5] = 8;
	f.at[f.len - 8 + 4] = 0;
	t = take(&f);
	CHECK(t.counts.fragments == 0 && COLUMN(t, DPORT) == 53);
	for (size_t n = 54; n < f.len; n++)
		CHECK(take_as(LINK_ETHERNET, &f, n).counts.short_transport == 1);
	for (size_t n = 0; n < 54; n++)
		CHECK(take_as(LINK_ETHERNET, &f, n).counts.malformed == 1);

	ethernet(&f, 0x86dd);
	ipv6(&f, 60, 8 * (IPV6_EXTENSIONS_MAX + 1) + 8);
	for (unsigned i = 0; i <= IPV6_EXTENSIONS_MAX; i++)
		WIRE(&f, 60, 0, 1, 4, 0, 0, 0, 0);
	udp(&f, 8);
	t = take(&f);
	CHECK(t.counts.short_transport == 1 && COLUMN(t, PROTO) == 60 && t.counts.other_transport == 1);
}

TEST(packet_options_as_p0f_reads_them)
{
	static const struct { const char *options; size_t n; const char *p0f, *ja4t; } cases[] = {
		{"\2\4\5\xb4\1\3\3\6\1\1\x08\x0a\0\0\0\0\0\0\0\1\4\2\0\0", 24,
		 "4:64:0:1460:mss*44,6:mss,nop,ws,nop,nop,ts,sok,eol+1:id-,ts1-,ts2+:0",
		 "64240_2-1-3-1-1-8-4-0-0_1460_6"},
		{"\2\4\5\xb4\0\0\1\0", 8, "4:64:0:1460:mss*44,0:mss,eol+3:id-,opt+:0", "64240_2-0-0-0-0_1460_00"},
		{"\3\3\x0f\1", 4, "4:64:0:0:64240,15:ws,nop:id-,exws:0", "64240_3-1_00_15"},
		{"\3\3\0\1", 4, "4:64:0:0:64240,0:ws,nop:id-:0", "64240_3-1_00_0"},
		{"\2\5\5\xb4", 4, "4:64:0:1460:mss*44,0:mss:id-,bad:0", "64240_2_1460_00"},
		{"\1\1\2\4", 4, "4:64:0:0:64240,0:nop,nop,mss:id-,bad:0", "64240_1-1-2_00_00"},
		{"\xfe\4\1\2\5\x0a\0\0\0\0\0\0\0\0\1\1", 16, "4:64:0:0:64240,0:?254,sack,nop,nop:id-:0",
		 "64240_254-5-1-1_00_00"},
		{"\xfe\1\0\0", 4, "4:64:0:0:64240,0:?254:id-,bad:0", "64240_254_00_00"},
		{"\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", 28,
		 "4:64:0:0:64240,0:nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,"
		 "nop,nop,nop,nop,nop:id-,bad:0",
		 "64240_1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1_00_00"},
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct frame f;
		char text[SHAPE_TEXT_MAX];
		ethernet(&f, 0x0800);
		ipv4(&f, 6, 20 + cases[i].n, 0);
		f.at[18] = f.at[19] = 0;
		tcp(&f, 2, cases[i].options, cases[i].n);
		struct taken t = take(&f);
		const char *p0f = shape_p0f(&t.batch.shape[0], 64, text);
		CHECK_SAY(!strcmp(p0f, cases[i].p0f), "%s, not %s", p0f, cases[i].p0f);
		const char *ja4t = shape_ja4t(&t.batch.shape[0], text);
		CHECK_SAY(!strcmp(ja4t, cases[i].ja4t), "%s, not %s", ja4t, cases[i].ja4t);
	}
}

TEST(packet_longest_signature)
{
	struct tcp_shape s = {
		.quirks = UINT32_MAX, .window = 65535, .mss = 65535, .wscale = 255, .version = 6,
		.ip_options = 255, .eol_padding = 255, .payload = 1, .option_count = SHAPE_OPTIONS_MAX,
	};
	char text[SHAPE_TEXT_MAX];
	memset(s.options, 255, sizeof s.options);
	CHECK(strlen(shape_p0f(&s, 77, text)) < SHAPE_TEXT_MAX);
	CHECK(strlen(shape_ja4t(&s, text)) < SHAPE_TEXT_MAX);
}

/* Layouts that are read from fixed places, and neighbours of them that are not. */
static void syn_with(struct frame *f, unsigned which)
{
	static const struct { const char *at; size_t n; } options[] = {
		{"", 0}, {"\2\4\5\xb4", 4}, {"\2\4\5\xb4\1\1\4\2", 8}, {"\2\4\5\xb4\1\3\3\x08\1\1\4\2", 12},
		{"\2\4\5\xb4\4\2\x08\x0a\0\1\2\3\0\0\0\0\1\3\3\7", 20},
		{"\2\4\5\xb4\1\3\3\6\4\2\x08\x0a\0\1\2\3\0\0\0\0", 20},
		{"\2\4\5\xb4\1\3\3\6\1\1\x08\x0a\0\1\2\3\0\0\0\0\4\2\0\0", 24},
		{"\2\4\5\xb4\4\2\x08\x0a\0\0\0\0\0\0\0\1\1\3\3\x0f", 20},
		{"\2\4\5\xb4\4\2\1\3\3\7\0\0", 12}, {"\1\3\3\7\2\4\5\xb4", 8}, {"\2\4\5\xb4\0\0\0\0", 8},
		{"\2\4\5\xb4\1\3\3\x08\1\1\4\2\x08\x0a\0\0\0\0\0\0\0\0\1\1\xfd\4\1\2", 28},
	};
	which %= sizeof options / sizeof *options;
	ethernet(f, 0x0800);
	ipv4(f, 6, 20 + options[which].n, which & 1 ? 0x4000 : 0);
	tcp(f, which & 2 ? 2 : 18, options[which].at, options[which].n);
}

TEST(packet_common_layouts)
{
	for (unsigned which = 0; which < 12; which++)
		for (unsigned at = 34; at < 34 + 20 + 28; at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				struct frame f;
				syn_with(&f, which);
				f.at[at] ^= (uint8_t)(1 << bit);
				CHECK(take(&f).took);
			}
}

/* Whatever is damaged, the way that is quick says what the checked one says (in take_as). */
TEST(packet_hostile_frames)
{
	uint64_t state = 0x9e3779b97f4a7c15;
	static const uint16_t links[] = {0, 1, 12, 101, 108, 113, 228, 229, 276};
	for (unsigned round = 0; round < 60000; round++) {
		struct frame f = linux_syn();
		if (round % 5 == 0)
			syn_with(&f, round / 5);
		if (round % 5 == 1)
			tagged(&f, 2);
		if (round % 5 == 2) {
			ethernet(&f, 0x0800);
			ipv4(&f, round % 2 ? 17 : 1, 20, 0);
			udp(&f, 20);
			add(&f, "some payload", 12);
		}
		if (round % 5 == 3) {
			ethernet(&f, 0x86dd);
			ipv6(&f, 0, 48);
			WIRE(&f, 6, 0, 1, 4, 0, 0, 0, 0);
			tcp(&f, 2, linux_options, sizeof linux_options);
		}
		for (unsigned changes = round % 7; changes; changes--) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			f.at[(state >> 33) % f.len] = (uint8_t)(state >> 56);
		}
		size_t len = round % 3 ? f.len : (state >> 40) % (f.len + 1);
		take_as(round % 11 ? LINK_ETHERNET : links[round / 11 % 9], &f, len);
	}
}
