/*
 * The shipped signatures of tools against what the tools really sent (tests/captures/telescope,
 * made by its make.sh), and against chance.
 */
#include "base/place.h"
#include "passive/telescope/signatures.h"
#include "tests/test.h"
#include <stdlib.h>
#include <time.h>

#define FILE_MAX (1u << 20)
#define SYN 2

static uint8_t file[FILE_MAX];

static struct bytes file_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	CHECK_SAY(f != NULL, "%s is not there", path);
	size_t n = fread(file, 1, sizeof file, f);
	fclose(f);
	return (struct bytes){file, n};
}

static struct signatures *shipped(const char *name)
{
	char path[PLACE_PATH_MAX + 32];
	struct signatures *s;
	struct fault fault = {0};
	CHECK(place_find("fingerprints/telescope", path) == 0);
	snprintf(path + strlen(path), 32, "/%s", name);
	CHECK(signatures_open(&s) == 0);
	int bad = signatures_add(s, file_read(path), path, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	return s;
}

/* What the accounts do for COLUMN_PAIR, for a capture that has one source. */
struct last {
	uint32_t seq, dst, sport, dport;
	bool known;
};

static void pair_fill(struct packet_batch *b, struct last *last)
{
	for (unsigned i = 0; i < b->count; i++) {
		if (b->column[COLUMN_FLAGS][i] != SYN)
			continue;
		struct last now = {b->column[COLUMN_SEQ][i], b->column[COLUMN_DST][i], b->column[COLUMN_SPORT][i],
				   b->column[COLUMN_DPORT][i], true};
		bool same = now.seq == last->seq && now.dst == last->dst && now.sport == last->sport &&
			    now.dport == last->dport;
		b->column[COLUMN_PAIR][i] = last->known && !same;
		b->column[COLUMN_LAST_SEQ][i] = last->seq;
		b->column[COLUMN_LAST_DST][i] = last->dst;
		b->column[COLUMN_LAST_SPORT][i] = last->sport;
		b->column[COLUMN_LAST_DPORT][i] = last->dport;
		*last = now;
	}
}

struct tally {
	unsigned packets, rules[SIGNATURE_RULES_MAX + 1];
};

static void tally_batch(const struct signatures *s, struct packet_batch *b, struct last *last, struct tally *t)
{
	uint8_t rule[PACKET_BATCH];
	pair_fill(b, last);
	signatures_match(s, b, rule);
	for (unsigned i = 0; i < b->count; i++)
		t->rules[rule[i]]++;
	t->packets += b->count;
	b->count = 0;
}

/* pcap of microseconds in this machine's order, which is how they were made. */
static void tally_capture(const struct signatures *s, struct bytes pcap, struct tally *t)
{
	static struct packet_batch b;
	struct packet_counts counts = {0};
	struct watched *all;
	struct last last = {0};
	CHECK(pcap.len > 24 && watched_open(&all, NULL, 0) == 0);
	uint32_t header[4];
	memcpy(header, pcap.at, 4);
	CHECK(header[0] == 0xa1b2c3d4);
	memset(&b, 0, sizeof b);
	for (size_t at = 24; at + 16 <= pcap.len;) {
		memcpy(header, pcap.at + at, 16);
		CHECK(at + 16 + header[2] <= pcap.len);
		CHECK(packet_take(&b, &counts, all, pcap.at[20], (struct bytes){pcap.at + at + 16, header[2]}, header[3],
				  header[0] * 1000000ull + header[1]));
		at += 16 + header[2];
		if (b.count == PACKET_BATCH)
			tally_batch(s, &b, &last, t);
	}
	tally_batch(s, &b, &last, t);
	watched_close(all);
}

/* The tool that is believed, if only one is. */
static const char *tool_of(const struct signatures *s, const struct tally *t)
{
	const char *tool = "none";
	for (unsigned r = 1; r <= signatures_rules(s); r++) {
		if (!t->rules[r] || t->rules[r] < signatures_rule_evidence(s, (uint8_t)r))
			continue;
		const char *name = signatures_tool(s, signatures_rule_tool(s, (uint8_t)r));
		tool = !strcmp(tool, "none") || !strcmp(tool, name) ? name : "several";
	}
	return tool;
}

TEST(signatures_know_the_tools_by_what_they_really_sent)
{
	/* missed: packets that no rule may have: the first of a pair, what the system itself adds. */
	static const struct { const char *capture, *tool; unsigned missed; } captures[] = {
		{"zmap_2.1.1", "zmap", 0},        {"zmap_2.1.1_icmp", "zmap", 0},  {"zmap_2.1.1_udp", "zmap", 0},
		{"zmap_4_windows", "zmap", 0},    {"zmap_4_linux", "zmap", 0},     {"zmap_4_bsd", "zmap", 0},
		{"zmap_4_smallest", "zmap", 0},   {"masscan_1.3.2", "masscan", 0}, {"masscan_2026", "masscan", 0},
		{"nmap_sS", "nmap", 1},           {"nmap_sF", "nmap", 0},          {"nmap_sN", "nmap", 0},
		{"nmap_sX", "nmap", 0},           {"nmap_sA", "nmap", 0},          {"nmap_O", "nmap", 20},
		{"unicornscan", "unicornscan", 1}, {"hping3_S", "hping3", 0},      {"hping3_scan", "hping3", 0},
		{"hping3_plain", "hping3", 0},    {"mirai", "mirai", 0},           {"scapy", "scapy", 0},
		{"nmap_sT", "none", 99},          {"nmap_sU", "none", 99},         {"system_windows", "none", 99},
		{"system_linux", "none", 99},     {"system_macos", "none", 99},    {"system_windows_65535", "none", 99},
	};
	struct signatures *s = shipped("tools.yaml");
	for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
		char path[128];
		struct tally t = {0};
		snprintf(path, sizeof path, "tests/captures/telescope/%s.pcap", captures[i].capture);
		tally_capture(s, file_read(path), &t);
		CHECK_SAY(!strcmp(tool_of(s, &t), captures[i].tool), "%s is taken for %s", captures[i].capture,
			  tool_of(s, &t));
		CHECK_SAY(t.rules[0] <= captures[i].missed, "%s: %u of %u packets match no rule", captures[i].capture,
			  t.rules[0], t.packets);
		if (!strcmp(captures[i].tool, "none"))
			CHECK_SAY(t.rules[0] == t.packets, "%s: a rule takes it", captures[i].capture);
	}
	signatures_close(s);
}

/* The name that payloads.txt has for the next packet; "-" is none. */
static const char *next_name(struct bytes *names, char name[64])
{
	struct reader r = reader_of_bytes(*names);
	struct bytes line;
	CHECK(read_line(&r, &line) && bytes_copy_text(line, name, 64));
	*names = (struct bytes){r.at, reader_left(&r)};
	return name;
}

TEST(signatures_know_payloads_as_clients_and_specifications_write_them)
{
	static struct packet_batch b;
	static uint8_t text[8192];
	char name[64];
	struct packet_counts counts = {0};
	struct watched *all;
	struct signatures *s = shipped("payloads.yaml");
	struct bytes names = file_read("tests/captures/telescope/payloads.txt");
	unsigned known = 0, wrong = 0;
	CHECK(names.len < sizeof text && watched_open(&all, NULL, 0) == 0);
	memcpy(text, names.at, names.len);
	names.at = text;
	struct bytes pcap = file_read("tests/captures/telescope/payloads.pcap");
	for (size_t at = 24; at + 16 <= pcap.len;) {
		uint32_t header[4];
		memcpy(header, pcap.at + at, 16);
		b.count = 0;
		CHECK(packet_take(&b, &counts, all, pcap.at[20], (struct bytes){pcap.at + at + 16, header[2]}, header[3], 1));
		unsigned found = signatures_payload(s, (uint8_t)b.column[COLUMN_PROTO][0],
						    (uint16_t)b.column[COLUMN_DPORT][0], b.payload[0]);
		const char *said = signatures_payload_name(s, found);
		next_name(&names, name);
		if (strcmp(said ? said : "-", name)) {
			print_error("%s to port %u is taken for %s\n", name, b.column[COLUMN_DPORT][0], said ? said : "-");
			wrong++;
		}
		known += said != NULL;
		at += 16 + header[2];
	}
	watched_close(all);
	signatures_close(s);
	CHECK(names.len == 0 && known >= 120 && wrong == 0);
}

/* Of a random payload a rule must be told by chance only where it asks for next to nothing. */
TEST(signatures_chance_names_few_payloads)
{
	struct signatures *s = shipped("payloads.yaml");
	uint64_t state = 99;
	unsigned named = 0;
	for (unsigned n = 0; n < 200000; n++) {
		uint8_t payload[96];
		for (size_t i = 0; i < sizeof payload; i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			payload[i] = (uint8_t)(state >> 56);
		}
		named += signatures_payload(s, n & 1 ? 6 : 17, 40001, (struct bytes){payload, sizeof payload}) != 0;
	}
	print_message("%u of 200000 random payloads are named\n", named);
	CHECK(named < 20);
	signatures_close(s);
}

static uint64_t chance_state;

static uint32_t chance(void)
{
	/* splitmix64 */
	uint64_t z = chance_state += 0x9e3779b97f4a7c15ull;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)(z >> 32 ^ z);
}

/*
 * SYNs whose identifications, numbers, ports and addresses are random, and whose other values are
 * those that dark traffic mostly has, the tools' own among them: the worst case for a rule.
 */
static void batch_random(struct packet_batch *b)
{
	static const uint32_t windows[] = {1024, 1025, 65535, 64240, 29200, 14600, 512, 8192};
	static const uint32_t ttls[] = {45, 55, 110, 240};
	static const uint32_t layouts[] = {0, 0, 0x30000000, 0x35724000};
	b->count = PACKET_BATCH;
	for (unsigned i = 0; i < PACKET_BATCH; i++) {
		uint32_t any = chance();
		b->time_us[i] = 1790000000000000ull + any % 1000000;
		b->column[COLUMN_IPID][i] = any >> 16;
		b->column[COLUMN_WINDOW][i] = windows[any & 7];
		b->column[COLUMN_TTL][i] = ttls[any >> 3 & 3];
		b->column[COLUMN_OPTIONS][i] = layouts[any >> 5 & 3];
		b->column[COLUMN_MSS][i] = layouts[any >> 5 & 3] ? 1400 : 0;
		b->column[COLUMN_SEQ][i] = chance();
		any = chance();
		b->column[COLUMN_SPORT][i] = any >> 16;
		b->column[COLUMN_DPORT][i] = any & 0xffff;
		b->column[COLUMN_DST][i] = 0xc6330000 | (chance() & 0xffff);
	}
}

static void batch_begin(struct packet_batch *b)
{
	memset(b, 0, sizeof *b);
	for (unsigned i = 0; i < PACKET_BATCH; i++) {
		b->column[COLUMN_VERSION][i] = 4;
		b->column[COLUMN_PROTO][i] = 6;
		b->column[COLUMN_FLAGS][i] = SYN;
		b->column[COLUMN_LENGTH][i] = 40;
		b->column[COLUMN_WSCALE][i] = NO_WSCALE;
	}
}

TEST(signatures_chance_makes_no_tool_of_ten_million_random_syns)
{
	enum { SOURCES = 10240, BATCHES = 32 }; /* 1,024 SYNs each, 10,485,760 in all */
	static struct packet_batch b;
	struct signatures *s = shipped("tools.yaml");
	uint64_t hits = 0, believed = 0;
	chance_state = 20260923;
	batch_begin(&b);
	for (unsigned source = 0; source < SOURCES; source++) {
		struct tally t = {0};
		struct last last = {0};
		for (unsigned n = 0; n < BATCHES; n++) {
			batch_random(&b);
			tally_batch(s, &b, &last, &t);
		}
		for (unsigned r = 1; r <= signatures_rules(s); r++)
			hits += t.rules[r];
		/* As the accounts do: the rule's evidence, and one in 64 of what the source sent. */
		for (unsigned r = 1; r <= signatures_rules(s); r++)
			believed += t.rules[r] && t.rules[r] >= signatures_rule_evidence(s, (uint8_t)r) &&
				    t.rules[r] * 64 >= t.packets;
	}
	print_message("10485760 random SYNs: %llu chance hits, %llu tools believed\n", (unsigned long long)hits,
		      (unsigned long long)believed);
	CHECK(hits > 50); /* the relations over 16 bits do hold by chance, so this tests something */
	CHECK(believed == 0);
	signatures_close(s);
}

/* Few packets a source, where one in 64 is no help: the evidence alone must hold. */
TEST(signatures_chance_makes_few_tools_of_short_visits)
{
	enum { BATCHES = 327680, EACH = 8 };
	static struct packet_batch b;
	struct signatures *s = shipped("tools.yaml");
	unsigned believed = 0, hits = 0;
	chance_state = 7;
	batch_begin(&b);
	for (unsigned n = 0; n < BATCHES; n++) {
		uint8_t rule[PACKET_BATCH];
		batch_random(&b);
		signatures_match(s, &b, rule);
		for (unsigned source = 0; source < PACKET_BATCH; source += EACH) {
			uint8_t counts[SIGNATURE_RULES_MAX + 1] = {0};
			for (unsigned i = source; i < source + EACH; i++)
				if (rule[i]) {
					hits++;
					believed += ++counts[rule[i]] == signatures_rule_evidence(s, rule[i]);
				}
		}
	}
	print_message("1310720 sources of 8 random SYNs: %u chance hits, %u tools believed\n", hits, believed);
	CHECK(hits > 50);
	CHECK(believed == 0);
	signatures_close(s);
}
