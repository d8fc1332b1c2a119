#include "active/scan/limits_inner.h"
#include "base/error.h"
#include "tests/test.h"

#define GAP 1000

TEST(scan_waiting_gives_the_earliest_first)
{
	struct waiting w;
	CHECK(waiting_open(&w) == 0);
	for (uint64_t i = 0; i < WAITING_MAX; i++)
		CHECK(waiting_put(&w, &(struct waiting_probe){.due_us = i * 7919 % 10007, .place = i}));
	CHECK(!waiting_put(&w, &(struct waiting_probe){0}));
	uint64_t last = 0;
	while (w.count) {
		const struct waiting_probe p = waiting_take(&w);
		CHECK(p.due_us >= last && p.due_us == p.place * 7919 % 10007);
		last = p.due_us;
	}
	waiting_close(&w);
}

/*
 * Many probes to few networks, on a clock that jumps: no two to one network within the gap, all are
 * sent in the end, and without delay beyond what the gap asks for.
 */
TEST(scan_limit_is_exact_for_each_network)
{
	enum { NETWORKS = 3, PROBES = 600 };
	struct limit *l;
	struct waiting w;
	uint64_t last[NETWORKS] = {0}, now = 1000000, sent = 0, place = 0;
	CHECK(limit_open(&l, GAP, NETWORKS) == 0 && waiting_open(&w) == 0);
	for (uint64_t tick = 0; sent < PROBES; tick++) {
		now += tick % 50 == 0 ? 3 * GAP + 1 : 37;
		CHECK_SAY(now < 1000000 + (uint64_t)PROBES * GAP, "%llu of them sent", (unsigned long long)sent);
		for (int i = 0; i < 20; i++) {
			struct waiting_probe p = {.place = place};
			if (w.count && w.items[0].due_us <= now)
				p = waiting_take(&w);
			else if (place < PROBES)
				place++;
			else
				break;
			const uint64_t key = p.place % NETWORKS;
			const uint64_t due = limit_ask(l, key, now, p.network_kept);
			if (due) {
				CHECK(due > now);
				p.network_kept = true;
				p.due_us = due;
				CHECK(waiting_put(&w, &p));
				continue;
			}
			CHECK_SAY(!last[key] || now - last[key] >= GAP, "%llu after %llu", (unsigned long long)now,
				  (unsigned long long)last[key]);
			limit_take(l, key, now);
			last[key] = now;
			sent++;
		}
	}
	waiting_close(&w);
	limit_close(l);
}

/* More busy networks than the table has room for: whoever has no account there does not leave. */
TEST(scan_limit_sends_nobody_when_its_table_is_full)
{
	struct limit *l;
	CHECK(limit_open(&l, GAP, 1) == 0);
	size_t left = 0, again = 0;
	for (uint64_t key = 1; key <= 100000; key++)
		if (!limit_ask(l, key, 5000, false)) {
			limit_take(l, key, 5000);
			left++;
		}
	CHECK_SAY(left > 500 && left <= 1024, "%zu", left);
	for (uint64_t key = 1; key <= 100000; key++)
		again += limit_ask(l, key, 5000, false) == 0;
	CHECK(again == 0);
	CHECK(limit_ask(l, 100001, 5000 + GAP, false) == 0);
	limit_close(l);
}
