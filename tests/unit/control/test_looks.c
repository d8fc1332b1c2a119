#include "base/random.h"
#include "control/looks_inner.h"
#include "tests/test.h"

static struct id_maker maker = {7, 0};

static struct look look_at(uint32_t v4, uint64_t due)
{
	struct look l = {.rule = 3};
	l.lease = (struct lease){.id = id_make(&maker, due), .target = address_v4(v4), .not_before_us = due};
	return l;
}

static struct looks *open_looks(size_t max, size_t network_max)
{
	struct looks *q = NULL;
	CHECK(looks_open(&q, max, network_max, 99) == 0);
	return q;
}

TEST(looks_come_in_the_order_of_their_time)
{
	struct looks *q = open_looks(2000, 0);
	struct random random = random_seeded(1);
	for (uint32_t i = 0; i < 2000; i++) {
		struct look l = look_at(i << 8, random_below(&random, 1000000));
		CHECK(looks_add(q, &l));
	}
	struct look more = look_at(1, 1);
	CHECK(looks_full(q) && !looks_add(q, &more));
	uint64_t now = 0;
	size_t seen = 0;
	while (looks_wake_us(q) != UINT64_MAX) {
		CHECK(looks_wake_us(q) >= now);
		now = looks_wake_us(q);
		looks_advance(q, now);
		for (struct look *l; (l = looks_first(q)); seen++) {
			CHECK(l->lease.not_before_us <= now);
			looks_remove(q, l);
		}
	}
	CHECK(seen == 2000 && !looks_full(q));
	looks_close(q);
}

TEST(looks_removed_while_waiting_leave_the_order_intact)
{
	struct looks *q = open_looks(500, 0);
	struct random random = random_seeded(2);
	struct event_id ids[500];
	for (uint32_t i = 0; i < 500; i++) {
		struct look l = look_at(i << 8, random_below(&random, 1000));
		ids[i] = l.lease.id;
		looks_add(q, &l);
	}
	for (uint32_t i = 0; i < 500; i += 2)
		looks_remove(q, looks_find(q, &ids[i]));
	uint64_t last = 0;
	size_t seen = 0;
	looks_advance(q, 1000);
	for (struct look *l; (l = looks_first(q)); seen++) {
		CHECK(l->lease.not_before_us >= last);
		last = l->lease.not_before_us;
		looks_remove(q, l);
	}
	CHECK(seen == 250);
	looks_close(q);
}

TEST(looks_wait_for_their_network)
{
	struct looks *q = open_looks(10, 1);
	struct look a = look_at(0x01020304, 1), b = look_at(0x01020305, 2), c = look_at(0x01020405, 3),
		    d = look_at(0x01020306, 4);
	looks_add(q, &a);
	looks_add(q, &b);
	looks_add(q, &c);
	looks_add(q, &d);
	looks_advance(q, 10);
	CHECK(looks_count(q, LOOK_READY) == 2 && looks_count(q, LOOK_PARKED) == 2);
	CHECK(looks_network_busy(q, &a.lease.target));
	struct look *first = looks_first(q);
	CHECK(id_equal(&first->lease.id, &a.lease.id));
	looks_give(q, first, 100);
	struct look *second = looks_first(q);
	CHECK(id_equal(&second->lease.id, &c.lease.id)); /* another network passes */
	looks_give(q, second, 100);
	CHECK(!looks_first(q));
	looks_remove(q, looks_find(q, &a.lease.id));
	CHECK(id_equal(&looks_first(q)->lease.id, &b.lease.id) && looks_count(q, LOOK_PARKED) == 1);
	looks_remove(q, looks_find(q, &d.lease.id)); /* revoked while parked */
	looks_remove(q, looks_find(q, &b.lease.id));
	CHECK(!looks_first(q) && !looks_network_busy(q, &a.lease.target));
	looks_close(q);
}

TEST(looks_of_ipv6_share_a_network_of_48_bits)
{
	struct looks *q = open_looks(10, 1);
	struct look a = look_at(0, 1), b = look_at(0, 1), c = look_at(0, 1);
	CHECK(address_parse(BYTES("2606:4700:1:1::1"), &a.lease.target));
	CHECK(address_parse(BYTES("2606:4700:1:ffff::2"), &b.lease.target));
	CHECK(address_parse(BYTES("2606:4700:2::1"), &c.lease.target));
	looks_add(q, &a);
	looks_add(q, &b);
	looks_add(q, &c);
	looks_advance(q, 1);
	CHECK(looks_count(q, LOOK_READY) == 2 && looks_count(q, LOOK_PARKED) == 1);
	looks_close(q);
}

TEST(looks_that_came_back_wait_again_and_given_ones_run_out)
{
	struct looks *q = open_looks(10, 1);
	struct look a = look_at(0x01020304, 1);
	looks_add(q, &a);
	looks_advance(q, 1);
	looks_give(q, looks_first(q), 50);
	CHECK(!looks_overdue(q, 49) && looks_overdue(q, 50));
	looks_return(q, looks_find(q, &a.lease.id), 70);
	CHECK(looks_wake_us(q) == 70 && !looks_network_busy(q, &a.lease.target));
	looks_advance(q, 70);
	CHECK(looks_first(q));
	struct look g = look_at(0x05060708, 1);
	g.lease.expires_us = 90;
	CHECK(looks_add_given(q, &g) && looks_network_busy(q, &g.lease.target));
	CHECK(looks_overdue(q, 90));
	looks_close(q);
}

TEST(pace_allows_the_rate_and_no_more)
{
	struct pace p = pace_of(100, 10);
	uint64_t now = 1000000;
	unsigned taken = 0;
	for (; pace_take(&p, 1, now); taken++)
		;
	CHECK(taken == 10);
	CHECK(pace_wait_us(&p, 1) > 9000 && pace_wait_us(&p, 1) < 11000);
	for (unsigned ms = 0; ms < 1000; ms++)
		taken += pace_take(&p, 1, now += 1000);
	CHECK_SAY(taken >= 109 && taken <= 110, "%u", taken);
	CHECK(pace_take(&p, 500, now += 1000000) && !pace_has(&p, 1, now += 1000000)); /* owes 490 */
	pace_refund(&p, 495);
	CHECK(pace_has(&p, 1, now));
	struct pace unlimited = pace_of(0, 0);
	CHECK(pace_take(&unlimited, 1e9, now));
}
