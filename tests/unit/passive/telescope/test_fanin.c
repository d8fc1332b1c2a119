/* Many sources that meet at one address of ours: reflection, floods, and what only looks so. */
#include "passive/telescope/accounts/fanin.h"
#include "tests/unit/passive/telescope/dark.h"
#include "tests/test.h"

#define OURS 0xc0000200u
#define THEIRS 0x0a000000u
#define START DARK_START

static void reflect(struct dark *d, uint32_t from, uint32_t to, uint64_t at_us)
{
	SEND(d, at_us, from, to, .proto = 17, .sport = 123, .dport = 80, .payload = BYTES("\xd7\0\3\x2a"));
}

TEST(reflection_needs_25_reflectors)
{
	for (unsigned n = 24; n <= 26; n++) {
		struct dark *d = dark_open(NULL, "192.0.2.0/24");
		for (unsigned i = 0; i < n; i++)
			reflect(d, THEIRS + i, OURS + 7, START + i * SECOND);
		reflect(d, THEIRS, OURS + 8, START); /* some other */
		dark_finish(d);
		CHECK(dark_found(d, FINDING_REFLECTION) == (n >= 25) && d->finding_count == (n >= 25));
		CHECK(d->sums.classes[CLASS_REFLECTION].sources == (n >= 25 ? n - 1 : 0));
		if (n >= 25) {
			const struct finding *f = dark_finding(d, FINDING_REFLECTION);
			const struct address target = address_v4(OURS + 7);
			CHECK(address_equal(&f->address, &target) && f->count == 25 && f->packets >= 25);
			CHECK(f->proto == 17 && f->port == 123);
			CHECK(f->last_us == START + 24 * SECOND && f->first_us >= START && f->first_us < f->last_us);
		}
		dark_close(d);
	}
}

TEST(reflection_by_one_needs_ten_datagrams)
{
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < 10; i++) {
		reflect(d, THEIRS, OURS, START + i * SECOND);
		if (i < 9)
			reflect(d, THEIRS + 1, OURS + 1, START + i * SECOND);
		reflect(d, THEIRS + 2, OURS + i, START + i * SECOND); /* to many: a victim's answers */
	}
	dark_finish(d);
	CHECK(dark_source(d, THEIRS)->classes == 1u << CLASS_REFLECTION);
	CHECK(dark_source(d, THEIRS + 1)->classes == 1u << CLASS_BACKSCATTER);
	CHECK(dark_source(d, THEIRS + 2)->classes == 1u << CLASS_BACKSCATTER);
	CHECK(d->finding_count == 0);
	dark_close(d);
}

TEST(reflectors_of_ipv6_meet_as_well)
{
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < 40; i++)
		SEND(d, START + i, THEIRS + i, OURS, .v6 = true, .proto = 17, .sport = 123, .dport = 80);
	dark_finish(d);
	const struct address target = dark_address(OURS, true, true);
	CHECK(address_equal(&dark_finding(d, FINDING_REFLECTION)->address, &target));
	CHECK(d->sums.classes[CLASS_REFLECTION].packets == 40);
	dark_close(d);
}

/* SYNs of n sources to one port of one address; of 100 so many have other TTLs. */
static struct dark *flooded(unsigned n, unsigned others, unsigned ttls)
{
	struct dark *d = dark_open(NULL, "192.0.2.0/24");
	for (unsigned i = 0; i < n; i++) {
		bool other = i % 100 >= 100 - others;
		SEND(d, START + i * UINT64_C(10000), THEIRS + i * 7919, OURS + 9, .dport = 80,
		     .ttl = (uint8_t)(other ? 100 + i % 29 : 50 + i % ttls));
	}
	dark_finish(d);
	return d;
}

TEST(flood_needs_100_sources_with_few_ttls)
{
	static const struct { unsigned n, others, ttls; bool flood; } cases[] = {
		{99, 0, 1, false}, {100, 0, 1, true}, {100, 0, 2, true}, {1000, 0, 3, false}, {1000, 0, 20, false},
		{1000, 2, 2, true}, {1000, 12, 2, false}, {1000, 12, 1, false}};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dark *d = flooded(cases[i].n, cases[i].others, cases[i].ttls);
		CHECK_SAY(dark_found(d, FINDING_FLOOD) == cases[i].flood, "case %u: %zu floods", i,
			  dark_found(d, FINDING_FLOOD));
		CHECK(d->sums.classes[CLASS_SPOOFED].packets == (cases[i].flood ? cases[i].n : 0));
		CHECK(d->sums.classes[CLASS_SPOOFED].sources == (cases[i].flood ? cases[i].n : 0));
		CHECK(d->sums.classes[CLASS_SCAN].packets == (cases[i].flood ? 0 : cases[i].n));
		if (cases[i].flood) {
			const struct finding *f = dark_finding(d, FINDING_FLOOD);
			const struct address target = address_v4(OURS + 9);
			CHECK(address_equal(&f->address, &target) && f->port == 80 && f->proto == 6);
			CHECK(f->count >= 100 && f->ttls == cases[i].ttls && (f->ttl == 50 || f->ttl == 51));
		}
		CHECK(d->finding_count == cases[i].flood);
		dark_close(d);
	}
}

TEST(flood_marks_its_sources_as_spoofed)
{
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < 150; i++)
		SEND(d, START + i, THEIRS + i, OURS, .dport = 80);
	SEND(d, START, THEIRS + 1000, OURS + 1, .dport = 80);
	dark_pass(d);
	const struct address late = address_v4(THEIRS + 149), other = address_v4(THEIRS + 1000),
			     nobody = address_v4(THEIRS + 5000);
	CHECK(telescope_source_spoofed(d->telescope, &late));
	CHECK(!telescope_source_spoofed(d->telescope, &other) && !telescope_source_spoofed(d->telescope, &nobody));
	dark_finish(d);
	CHECK(dark_source(d, THEIRS + 149)->spoofed && dark_source(d, THEIRS)->spoofed);
	CHECK(!dark_source(d, THEIRS + 1000)->spoofed);
	dark_close(d);
}

/* Sources that stay for half an hour: what they are is decided when their records end. */
TEST(flood_that_lasts_is_still_one_at_its_end)
{
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < 200 * 180; i++)
		SEND(d, START + i / 200 * 10 * SECOND + i % 200, THEIRS + i % 200, OURS, .dport = 80);
	for (unsigned i = 0; i < 40 * 180; i++)
		reflect(d, THEIRS + 1000 + i % 40, OURS + 1, START + i / 40 * 10 * SECOND);
	dark_finish(d);
	CHECK_SAY(d->sums.classes[CLASS_SPOOFED].sources == 200, "%llu spoofed",
		  (unsigned long long)d->sums.classes[CLASS_SPOOFED].sources);
	CHECK(d->sums.classes[CLASS_REFLECTION].sources == 40 && d->finding_count == 2);
	dark_close(d);
}

/* A few hosts that come back again and again are not many. */
TEST(sources_that_return_are_counted_once)
{
	struct dark *d = dark_open(&(struct telescope_options){0}, NULL);
	for (unsigned i = 0; i < 500; i++) {
		for (unsigned k = 0; k < 4; k++) {
			SEND(d, START + i * 1000 * SECOND + k * 200 * SECOND, THEIRS + k, OURS, .proto = 17,
			     .sport = 40000, .dport = 1234);
			reflect(d, THEIRS + 100 + k, OURS + 1, START + i * 1000 * SECOND + k * 200 * SECOND);
		}
	}
	dark_finish(d);
	CHECK_SAY(d->finding_count == 0, "%zu findings, of kind %d", d->finding_count, d->findings[0].kind);
	CHECK(d->sums.classes[CLASS_SPOOFED].packets == 0 && d->sums.classes[CLASS_REFLECTION].packets == 0);
	dark_close(d);
}

TEST(source_that_stays_is_counted_once)
{
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < 110 * 12; i++) { /* 110 hours, so 110 records */
		SEND(d, START + i * 300 * SECOND, THEIRS, OURS, .proto = 17, .sport = 40000, .dport = 1234);
		reflect(d, THEIRS + 1, OURS + 1, START + i * 300 * SECOND);
	}
	dark_finish(d);
	CHECK_SAY(d->finding_count == 0, "%zu findings, of kind %d", d->finding_count, d->findings[0].kind);
	CHECK(d->record_count >= 200);
	CHECK(d->sums.classes[CLASS_MISCONFIGURED].packets == 110 * 12);
	CHECK(dark_source(d, THEIRS)->records == 1);
	dark_close(d);
}

static void fanin_begin(struct fanin *f)
{
	static const uint64_t key[2] = {3, 5};
	CHECK(fanin_open(f, key) == 0);
	f->quiet_us = 50 * SECOND;
	f->quiet_told_us = 80 * SECOND;
}

TEST(targets_that_are_too_many_are_counted)
{
	struct fanin f;
	const struct address address = address_v4(OURS);
	fanin_begin(&f);
	uint64_t met = 0;
	for (uint32_t to = 0; to < TARGETS_MAX + 1000; to++)
		for (unsigned i = 0; i < TARGET_PROMOTE + 1; i++) {
			const struct target_key k = {to, 80, 6, 0};
			met += fanin_meet(&f, &k, &address, i, 64, START) != NULL;
		}
	CHECK(f.live == TARGETS_MAX && f.unkept >= 1000 && met >= 2 * TARGETS_MAX);
	fanin_age(&f, START + 51 * SECOND);
	CHECK(f.live == 0 && fanin_bytes(&f) == TARGET_COUNTERS);
	fanin_close(&f);
}

TEST(targets_that_are_busy_outlive_an_aging)
{
	struct fanin f;
	const struct address address = address_v4(OURS);
	const struct target_key busy = {1, 80, 6, 0}, quiet = {2, 80, 6, 0};
	fanin_begin(&f);
	for (unsigned i = 0; i < 50; i++) {
		fanin_meet(&f, &busy, &address, i, 64, START + 100 * SECOND);
		fanin_meet(&f, &quiet, &address, i, 64, START);
	}
	for (unsigned age = 0; age < 8; age++) {
		fanin_age(&f, START + 101 * SECOND);
		CHECK(fanin_find(&f, &busy) && fanin_find(&f, &busy)->sources == 50 && !fanin_find(&f, &quiet));
	}
	/* Who was forgotten begins anew, not with those whom it had long ago. */
	const struct target *again = fanin_meet(&f, &quiet, &address, 99, 64, START + 200 * SECOND);
	CHECK(!again || again->sources <= TARGET_PROMOTE);
	fanin_close(&f);
}
