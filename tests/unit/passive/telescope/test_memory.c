/* Memory that is short: what is quiet longest ends early, which is counted, and nothing is lost. */
#include "tests/unit/passive/telescope/dark.h"
#include "tests/test.h"
#include <math.h>

#define OURS 0xc0000200u
#define START DARK_START
#define MIB (UINT64_C(1) << 20)

/* A batch may begin 32 accounts and sources beyond the cap, and tables double just below it. */
#define SLACK (4 * MIB)

static struct dark *small(bool keep_sources, uint64_t memory)
{
	struct dark *d = dark_open(&(struct telescope_options){.memory = memory, .keep_sources = keep_sources}, NULL);
	d->keep_records = false;
	return d;
}

static void check_memory(const struct dark *d, uint64_t memory)
{
	CHECK_SAY(d->sums.memory_peak <= memory + SLACK, "%llu MiB at most", (unsigned long long)(d->sums.memory_peak / MIB));
	CHECK(d->sums.memory_peak >= memory / 2 && d->sums.ends[RECORD_EARLY] > 0);
}

TEST(memory_is_bounded_for_spoofed_sources)
{
	const unsigned n = 10000000 / DARK_SHRINK;
	const uint64_t memory = DARK_SHRINK > 1 ? 64 * MIB : 256 * MIB, before = dark_rss();
	struct dark *d = small(true, memory);
	uint64_t most = 0;
	for (unsigned i = 0; i < n * (DARK_SHRINK > 1 ? 3 : 1); i++) {
		SEND(d, START + i * 10, (uint32_t)random_mix(i), OURS + i % 256, .dport = (uint16_t)(i % 7),
		     .ttl = (uint8_t)(i % 200 + 20));
		if (i % 500000 == 0 && dark_rss() > most)
			most = dark_rss();
	}
	dark_finish(d);
	check_memory(d, memory);
	/* Resident is what the tables ever touched, and the pages around it. */
	if (DARK_SHRINK == 1)
		CHECK_SAY(most < before + memory + memory / 4, "%llu MiB resident",
			  (unsigned long long)((most - before) / MIB));
	CHECK(d->sums.sources_estimated);
	double off = (double)d->sums.sources / (n * (DARK_SHRINK > 1 ? 3 : 1)) - 1;
	CHECK_SAY(fabs(off) < 5 * 1.04 / 128, "sources are off by %.4f", off);
	dark_close(d);
}

/* First sources, then sketches, then payloads: what one kind gave back, another takes. */
TEST(memory_moves_between_kinds_of_traffic)
{
	const uint64_t memory = 64 * MIB;
	const unsigned n = 1500000 / (DARK_SHRINK > 1 ? 5 : 1);
	const uint64_t before = dark_rss();
	struct dark *d = small(false, memory);
	uint64_t at = START;
	for (unsigned i = 0; i < n; i++, at += 20)
		SEND(d, at, (uint32_t)random_mix(i), OURS, .dport = 80);
	for (unsigned i = 0; i < 2 * n; i++, at += 20) /* many destinations each */
		SEND(d, at, 0x0b000000 + i % 20000, OURS + i / 20000, .dport = 81);
	for (unsigned i = 0; i < n; i++, at += 20) {
		uint8_t payload[8] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16)};
		SEND(d, at, 0x0c000000 + i, OURS, .proto = 17, .sport = 53, .dport = 9, .payload = {payload, 8});
	}
	for (unsigned i = 0; i < n; i++, at += 20)
		SEND(d, at, 0x0d000000 + i, OURS, .v6 = true, .dport = 80);
	/* What a kind had at its most stays resident until the same kind uses it again. */
	if (DARK_SHRINK == 1)
		CHECK_SAY(dark_rss() < before + 2 * memory, "%llu MiB resident",
			  (unsigned long long)((dark_rss() - before) / MIB));
	dark_finish(d);
	check_memory(d, memory);
	dark_close(d);
}

TEST(memory_flushes_who_is_quiet_longest)
{
	struct dark *d = small(true, 64 * MIB);
	const unsigned n = 900000;
	for (unsigned i = 0; i < n; i++) {
		SEND(d, START + i * 100, 0x0a000000 + i, OURS, .dport = 80);
		if (i % 50 == 0) /* one that is never quiet */
			SEND(d, START + i * 100, 0xc6336407, OURS, .dport = 22);
	}
	dark_finish(d);
	CHECK(d->sums.ends[RECORD_EARLY] > 1000 && d->packets_most == n / 50);
	/* Ages are told apart by a factor of two, so not the very oldest goes first, but nobody young. */
	CHECK_SAY(d->newest_us[RECORD_EARLY] < START + n * UINT64_C(100) * 7 / 8, "%llu ms of %u",
		  (unsigned long long)(d->newest_us[RECORD_EARLY] - START) / 1000, n / 10);
	dark_close(d);
}

/* Random traffic of all kinds under a cap: the sums hold, whatever ended early. */
TEST(memory_pressure_loses_nothing)
{
	struct random r = random_seeded(12);
	struct dark *d = small(false, 64 * MIB);
	const unsigned n = 3000000 / (DARK_SHRINK > 1 ? 4 : 1);
	for (unsigned i = 0; i < n; i++) {
		uint64_t a = random_next(&r), b = random_next(&r);
		static const uint8_t protos[] = {6, 6, 6, 17, 1, 6, 17, 47};
		SEND(d, START + i * 300 + (a & 0xfffff), (uint32_t)(b % 700000), OURS + (a >> 20) % 999,
		     .proto = protos[a >> 40 & 7], .flags = (uint8_t)(a >> 44 & 0x17), .flagless = true,
		     .sport = (uint16_t)(b >> 20 & 3), .dport = (uint16_t)(b >> 22 & 3), .ttl = (uint8_t)(a >> 50 | 1),
		     .window = (uint16_t)(b >> 30 & 255), .payload = {(const uint8_t *)&a, b >> 40 & 7});
	}
	dark_finish(d);
	check_memory(d, 64 * MIB);
	dark_close(d);
}
