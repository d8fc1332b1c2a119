#include "passive/room/limits.h"
#include "base/random.h"
#include "tests/test.h"
#include <stdlib.h>

static struct limits limits_with(struct limits_options o)
{
	struct limits l;
	if (limits_open(&l, &o) < 0)
		abort();
	return l;
}

TEST(limits_count_sessions_of_source_network_and_all)
{
	struct limits l = limits_with((struct limits_options){
	        .sessions = 10, .source_sessions = 3, .network_sessions = 5});
	struct limits_share shares[10] = {0}, spare;
	struct address a = address_v4(0xcb007101), b = address_v4(0xcb007102);
	for (size_t i = 0; i < 3; i++)
		CHECK(limits_admit(&l, &a, 1, &shares[i]) == REFUSED_NOT);
	CHECK(limits_admit(&l, &a, 1, &spare) == REFUSED_SOURCE_SESSIONS);
	for (size_t i = 3; i < 5; i++)
		CHECK(limits_admit(&l, &b, 1, &shares[i]) == REFUSED_NOT);
	CHECK(limits_admit(&l, &b, 1, &spare) == REFUSED_NETWORK_SESSIONS);
	for (uint32_t i = 5; i < 10; i++) {
		struct address other = address_v4(0x0a000001 + i * 256);
		CHECK(limits_admit(&l, &other, 1, &shares[i]) == REFUSED_NOT);
	}
	struct address last = address_v4(0x0b000001);
	CHECK(limits_admit(&l, &last, 1, &spare) == REFUSED_SESSIONS);
	limits_leave(&l, &shares[0]);
	CHECK(limits_admit(&l, &a, 1, &shares[0]) == REFUSED_NOT);
	for (size_t i = 0; i < 10; i++)
		limits_leave(&l, &shares[i]);
	CHECK(l.sessions == 0);
	limits_done(&l);
}

TEST(limits_hold_rates_and_let_bursts_pass)
{
	struct limits l = limits_with((struct limits_options){.sessions = 1000, .source_rate = 10});
	struct address a = address_v4(0xcb007101);
	struct limits_share share;
	unsigned admitted = 0;
	uint64_t now = 5000000;
	for (unsigned i = 0; i < 100; i++)
		if (limits_admit(&l, &a, now, &share) == REFUSED_NOT) {
			admitted++;
			limits_leave(&l, &share);
		}
	CHECK(admitted == 20); /* two seconds' worth */
	for (unsigned i = 0; i < 1000; i++) {
		now += 10000;
		if (limits_admit(&l, &a, now, &share) == REFUSED_NOT) {
			admitted++;
			limits_leave(&l, &share);
		}
	}
	CHECK(admitted >= 119 && admitted <= 121);
	limits_done(&l);
}

TEST(limits_of_bytes_turn_a_source_away_until_it_rests)
{
	struct limits l =
	        limits_with((struct limits_options){.sessions = 10, .source_bytes = 1000});
	struct address a = address_v4(0xcb007101), b = address_v4(0xcb007201);
	struct limits_share share, other;
	CHECK(limits_admit(&l, &a, 0, &share) == REFUSED_NOT);
	CHECK(limits_admit(&l, &b, 0, &other) == REFUSED_NOT);
	CHECK(limits_spend(&l, &share, 30000, 0));
	CHECK(!limits_spend(&l, &share, 1, 0));
	CHECK(limits_spend(&l, &other, 30000, 0));
	limits_leave(&l, &share);
	CHECK(limits_admit(&l, &a, 0, &share) == REFUSED_BYTES);
	CHECK(limits_admit(&l, &a, 10000000, &share) == REFUSED_NOT);
	limits_done(&l);
}

TEST(limits_know_ipv6_by_64)
{
	struct limits l =
	        limits_with((struct limits_options){.sessions = 100, .network_sessions = 2});
	struct address a;
	struct limits_share share;
	CHECK(address_parse(BYTES("2001:db8:1:2::1"), &a));
	CHECK(limits_admit(&l, &a, 0, &share) == REFUSED_NOT);
	CHECK(address_parse(BYTES("2001:db8:1:2:ffff::1"), &a));
	CHECK(limits_admit(&l, &a, 0, &share) == REFUSED_NOT);
	CHECK(limits_admit(&l, &a, 0, &share) == REFUSED_NETWORK_SESSIONS);
	CHECK(address_parse(BYTES("2001:db8:1:3::1"), &a));
	CHECK(limits_admit(&l, &a, 0, &share) == REFUSED_NOT);
	limits_done(&l);
}

/* More sources than the table has places: all are admitted, none is forgotten half-way. */
TEST(limits_survive_more_sources_than_places)
{
	struct limits l = limits_with((struct limits_options){.source_sessions = 1});
	enum { SOURCES = 20000 };
	struct limits_share *shares = calloc(SOURCES, sizeof *shares);
	CHECK(shares);
	for (uint32_t i = 0; i < SOURCES; i++) {
		struct address a = address_v4(0x0a000000 + i * 7919);
		CHECK(limits_admit(&l, &a, 0, &shares[i]) == REFUSED_NOT);
	}
	CHECK(l.unaccounted > 0);
	for (uint32_t i = 0; i < SOURCES; i++)
		limits_leave(&l, &shares[i]);
	CHECK(l.sessions == 0);
	struct address a = address_v4(0x01020304);
	CHECK(limits_admit(&l, &a, 0, &shares[0]) == REFUSED_NOT);
	CHECK(shares[0].source && shares[0].network);
	limits_done(&l);
	free(shares);
}
