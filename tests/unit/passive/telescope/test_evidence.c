/* A tool is believed only with its evidence; chance hits, connect() scans and retransmits are none. */
#include "tests/unit/passive/telescope/dark.h"
#include "tests/test.h"

#define OURS 0xc0000200u
#define THEIRS 0xc6336407u
#define START DARK_START

/* With the shipped signatures. */
struct tried {
	struct dark *dark;
	struct signatures *signatures;
};

static struct tried try_open(void)
{
	struct signatures *s = dark_signatures();
	return (struct tried){dark_open(&(struct telescope_options){.signatures = s, .keep_sources = true}, NULL), s};
}

static void try_close(struct tried *t)
{
	dark_close(t->dark);
	signatures_close(t->signatures);
}

static unsigned tool_number(const struct tried *t, const char *name)
{
	for (unsigned i = 1; i <= signatures_tools(t->signatures); i++)
		if (!strcmp(signatures_tool(t->signatures, i), name))
			return i;
	return 0;
}

/* Exactly this tool was believed of the source; NULL: none. */
static bool believed(const struct tried *t, uint32_t from, const char *name)
{
	unsigned n = name ? tool_number(t, name) : 0;
	CHECK(!name || n);
	return dark_source(t->dark, from)->tools == (n ? UINT64_C(1) << (n - 1) : 0);
}

static uint64_t packets_of_tools(const struct dark *d)
{
	uint64_t n = 0;
	for (unsigned i = 1; i < sizeof d->sums.tools / sizeof *d->sums.tools; i++)
		n += d->sums.tools[i].packets;
	return n;
}

static void masscan(struct dark *d, uint64_t at, uint32_t from, uint32_t to, uint16_t port, uint8_t ttl)
{
	uint32_t seq = (uint32_t)random_mix(to ^ at);
	SEND(d, at, from, to, .sport = 61000, .dport = port, .seq = seq, .window = 1024, .ttl = ttl,
	     .ipid = (uint16_t)((to ^ port ^ seq) & 0xffff));
}

static void zmap(struct dark *d, uint64_t at, uint32_t from, uint32_t to)
{
	SEND(d, at, from, to, .sport = 40000, .dport = 443, .seq = (uint32_t)random_mix(to), .window = 65535,
	     .ttl = 250, .ipid = 54321);
}

TEST(tool_needs_its_evidence)
{
	struct tried t = try_open();
	masscan(t.dark, START, THEIRS, OURS, 80, 250);
	for (unsigned i = 0; i < 2; i++)
		masscan(t.dark, START, THEIRS + 1, OURS + i, 80, 250);
	for (unsigned i = 0; i < 2; i++)
		masscan(t.dark, START, THEIRS + 2, OURS + i, 80, 60); /* the weaker rule asks for three */
	for (unsigned i = 0; i < 3; i++)
		masscan(t.dark, START, THEIRS + 3, OURS + i, 80, 60);
	zmap(t.dark, START, THEIRS + 4, OURS);
	for (unsigned i = 0; i < 2; i++)
		zmap(t.dark, START, THEIRS + 5, OURS + i);
	SEND(t.dark, START, THEIRS + 6, OURS, .dport = 23, .seq = OURS);
	dark_finish(t.dark);
	CHECK(believed(&t, THEIRS, NULL) && believed(&t, THEIRS + 1, "masscan"));
	CHECK(believed(&t, THEIRS + 2, NULL) && believed(&t, THEIRS + 3, "masscan"));
	CHECK(believed(&t, THEIRS + 4, NULL) && believed(&t, THEIRS + 5, "zmap"));
	CHECK(believed(&t, THEIRS + 6, "mirai"));
	CHECK(packets_of_tools(t.dark) == 2 + 3 + 2 + 1 && t.dark->sums.tools[0].packets == 1 + 2 + 1);
	CHECK(t.dark->sums.tools[tool_number(&t, "masscan")].sources == 2 && t.dark->sums.tools[0].sources == 3);
	for (size_t i = 0; i < t.dark->record_count; i++) {
		const struct record *r = &t.dark->records[i].r;
		CHECK((r->tool != NULL) == (r->tool_number != 0));
		CHECK(!r->tool || !strcmp(r->tool, signatures_tool(t.signatures, r->tool_number)));
	}
	try_close(&t);
}

TEST(tool_needs_a_share_of_its_source)
{
	struct tried t = try_open();
	struct random r = random_seeded(5);
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t seq = (uint32_t)random_next(&r);
		SEND(t.dark, START + i, THEIRS, OURS + i % 200, .dport = 80, .seq = seq, .window = 29200, .df = true);
		if (i % 1000 == 0)
			masscan(t.dark, START + i, THEIRS, OURS + i, 80, 250);
		SEND(t.dark, START + i, THEIRS + 1, OURS + i % 200, .dport = 80, .seq = seq, .window = 29200, .df = true);
		if (i % 20 == 0)
			masscan(t.dark, START + i, THEIRS + 1, OURS + i, 8080, 250);
	}
	dark_finish(t.dark);
	CHECK(believed(&t, THEIRS, NULL)); /* three of three thousand */
	CHECK(believed(&t, THEIRS + 1, "masscan"));
	for (size_t i = 0; i < t.dark->record_count; i++)
		CHECK((t.dark->records[i].r.port == 8080) == (t.dark->records[i].r.tool != NULL));
	try_close(&t);
}

/* Behind a NAT: each port's record has its own tool, and all are known of the source. */
TEST(tools_behind_one_address_are_told_apart)
{
	struct tried t = try_open();
	for (unsigned i = 0; i < 40; i++) {
		zmap(t.dark, START + i * SECOND, THEIRS, OURS + i);
		masscan(t.dark, START + i * SECOND, THEIRS, OURS + i, 80, 250);
		SEND(t.dark, START + i * SECOND, THEIRS, OURS + i, .dport = 23, .seq = OURS + i);
		SEND(t.dark, START + i * SECOND, THEIRS, OURS + i, .dport = 22, .seq = i * 77, .ipid = 1, .window = 8192);
	}
	dark_finish(t.dark);
	uint64_t all = 0;
	static const char *const names[] = {"zmap", "masscan", "mirai", "scapy"};
	for (unsigned i = 0; i < 4; i++) {
		all |= UINT64_C(1) << (tool_number(&t, names[i]) - 1);
		CHECK(t.dark->sums.tools[tool_number(&t, names[i])].packets == 40);
	}
	CHECK(dark_source(t.dark, THEIRS)->tools == all && t.dark->sums.tools[0].packets == 0);
	try_close(&t);
}

static void nmap_syn(struct dark *d, uint64_t at, uint32_t from, uint32_t to, uint16_t port, uint16_t try)
{
	uint32_t mask = 0x5a5aa5a5;
	SEND(d, at, from, to, .sport = 40000 + try, .dport = port, .seq = mask ^ ((uint32_t)try << 16 | try),
	     .window = 1024, .ttl = 50, .ipid = (uint16_t)random_mix(at), .options = BYTES("\2\4\5\xb4"));
}

TEST(nmap_is_known_by_two_numbers_under_one_mask)
{
	struct tried t = try_open();
	for (unsigned i = 0; i < 50; i++)
		nmap_syn(t.dark, START + i, THEIRS, OURS, (uint16_t)(20 + i * 4), i % 10 == 9);
	nmap_syn(t.dark, START, THEIRS + 1, OURS, 80, 0);
	dark_finish(t.dark);
	CHECK(believed(&t, THEIRS, "nmap") && believed(&t, THEIRS + 1, NULL));
	/* The first SYN, which has none before it to compare with, is of the source's one tool. */
	CHECK(packets_of_tools(t.dark) == 50);
	try_close(&t);
}

TEST(connect_scan_is_not_nmap)
{
	struct tried t = try_open();
	struct random r = random_seeded(8);
	const struct bytes linux_options = BYTES("\2\4\5\xb4\4\2\10\12\0\0\0\1\0\0\0\0\1\3\3\7");
	for (unsigned i = 0; i < 3000; i++) {
		const uint32_t seq = (uint32_t)random_next(&r);
		/* An operating system's own SYN, and its retransmissions. */
		for (unsigned again = 0; again < 3; again++) {
			SEND(t.dark, START + i, THEIRS, OURS + i % 9, .sport = 40000 + i % 9000, .dport = (uint16_t)i,
			     .seq = seq, .df = true, .ipid = (uint16_t)(i * 3 + again), .ttl = 50,
			     .options = linux_options);
			/* One with nmap's window and options, but with numbers of its own. */
			SEND(t.dark, START + i, THEIRS + 1, OURS + i % 9, .sport = 40000 + i % 9000,
			     .dport = (uint16_t)i, .seq = seq, .window = 1024, .ttl = 50, .options = BYTES("\2\4\5\xb4"),
			     .ipid = (uint16_t)random_next(&r));
		}
	}
	dark_finish(t.dark);
	CHECK(believed(&t, THEIRS, NULL) && believed(&t, THEIRS + 1, NULL) && packets_of_tools(t.dark) == 0);
	try_close(&t);
}

TEST(retransmits_are_not_unicornscan)
{
	struct tried t = try_open();
	struct random r = random_seeded(9);
	const uint32_t secret = 0x13572468;
	for (unsigned i = 0; i < 500; i++) {
		uint16_t sport = (uint16_t)random_next(&r);
		uint32_t seq = (uint32_t)random_next(&r);
		for (unsigned again = 0; again < 4; again++)
			SEND(t.dark, START + i, THEIRS, OURS + i, .sport = sport, .dport = 80, .seq = seq, .window = 5840,
			     .ipid = (uint16_t)random_next(&r));
		SEND(t.dark, START + i, THEIRS + 1, OURS + i, .sport = sport, .dport = 80, .window = 5840, .ttl = 120,
		     .seq = secret ^ (OURS + i) ^ ((80u << 16) + sport), .ipid = (uint16_t)random_next(&r));
	}
	dark_finish(t.dark);
	CHECK(believed(&t, THEIRS, NULL) && believed(&t, THEIRS + 1, "unicornscan"));
	CHECK(dark_source(t.dark, THEIRS + 1)->classes == 1u << CLASS_SCAN);
	try_close(&t);
}

/* All that is random in a SYN is random: by chance 1 in 65,536 fulfils a relation over 16 bits. */
static void send_random(struct dark *d, struct random *r, uint64_t at, uint32_t from)
{
	uint64_t a = random_next(r), b = random_next(r);
	SEND(d, at, from, OURS + (uint8_t)a, .sport = (uint16_t)(a >> 8), .dport = (uint16_t)(a >> 24 & 1023),
	     .ipid = (uint16_t)(a >> 40), .seq = (uint32_t)b, .window = (uint16_t)(b >> 33 | 1), .df = b >> 32 & 1,
	     .ttl = (uint8_t)(a >> 56 | 1), .options = a >> 39 & 1 ? BYTES("\2\4\5\xb4") : BYTES(""));
}

TEST(chance_yields_no_tool_for_one_source)
{
	struct tried t = try_open();
	struct random r = random_seeded(10);
	t.dark->keep_records = false;
	for (unsigned i = 0; i < 10000000 / DARK_SHRINK; i++)
		send_random(t.dark, &r, START + i * 10, THEIRS);
	dark_finish(t.dark);
	CHECK_SAY(packets_of_tools(t.dark) == 0, "%llu packets of tools", (unsigned long long)packets_of_tools(t.dark));
	CHECK(t.dark->sums.tools[0].sources == 1);
	try_close(&t);
}

TEST(chance_yields_no_tool_for_many_sources)
{
	struct tried t = try_open();
	struct random r = random_seeded(11);
	t.dark->keep_records = false;
	for (unsigned i = 0; i < 2000000 / DARK_SHRINK; i++)
		send_random(t.dark, &r, START + i * 10, THEIRS + i % 100000);
	dark_finish(t.dark);
	CHECK_SAY(packets_of_tools(t.dark) == 0, "%llu packets of tools", (unsigned long long)packets_of_tools(t.dark));
	try_close(&t);
}
