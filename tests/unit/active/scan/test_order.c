#include "active/scan/plan_inner.h"
#include "active/scan/seen_inner.h"
#include "tests/test.h"
#include <stdlib.h>

TEST(scan_permutation_visits_each_index_once_and_knows_its_place)
{
	static const uint64_t counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 100, 255, 256, 257, 1000, 4097, 65536, 65537, 100003};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		for (uint64_t seed = 0; seed < 3; seed++) {
			const struct permutation p = permutation_make(counts[i], seed);
			uint8_t *met = calloc(counts[i], 1);
			for (uint64_t k = 0; k < counts[i]; k++) {
				const uint64_t at = permutation_at(&p, k);
				CHECK_SAY(at < counts[i] && !met[at], "%llu of %llu", (unsigned long long)at,
					  (unsigned long long)counts[i]);
				met[at] = 1;
				CHECK(permutation_place(&p, at) == k);
			}
			free(met);
		}
	const uint64_t large = ((uint64_t)1 << 48) - 59;
	const struct permutation p = permutation_make(large, 7);
	for (uint64_t k = 0; k < 1000; k++) {
		const uint64_t at = permutation_at(&p, k * 1000003);
		CHECK(at < large && permutation_place(&p, at) == k * 1000003);
	}
}

/* Neighbours in time are no neighbours in the address space: hardly two of 64 share a /24. */
TEST(scan_permutation_spreads_over_networks)
{
	const struct permutation p = permutation_make((uint64_t)1 << 24, 11), q = permutation_make((uint64_t)1 << 24, 12);
	size_t shared = 0, same = 0;
	for (uint64_t k = 0; k < 64000; k++) {
		const uint64_t network = permutation_at(&p, k) >> 8;
		for (uint64_t i = k - k % 64; i < k; i++)
			shared += permutation_at(&p, i) >> 8 == network;
		same += permutation_at(&p, k) == permutation_at(&q, k);
	}
	CHECK_SAY(shared < 100, "%zu pairs, some 31 are expected", shared);
	CHECK(same < 10);
}

static struct scan_targets *targets_of(const char *wanted, const char *refused)
{
	struct prefix_set sets[2] = {{0}, {0}};
	const char *texts[] = {wanted, refused};
	struct scan_targets *t = NULL;
	struct fault fault = {0};
	for (int i = 0; i < 2; i++) {
		CHECK(scan_targets_read(bytes_of_text(texts[i]), "list", &sets[i], &fault) == 0);
		prefix_set_seal(&sets[i]);
	}
	scan_targets_make(&t, &sets[0], &sets[1], &fault);
	prefix_set_done(&sets[0]);
	prefix_set_done(&sets[1]);
	return t;
}

static struct address address(const char *text)
{
	struct address a;
	CHECK_SAY(address_parse(bytes_of_text(text), &a), "%s", text);
	return a;
}

static bool is_at(const struct scan_targets *t, uint64_t number, const char *text)
{
	const struct address a = address(text), found = scan_targets_at(t, number);
	uint64_t back;
	return address_equal(&a, &found) && scan_targets_find(t, &a, &back) && back == number;
}

static bool is_absent(const struct scan_targets *t, const char *text)
{
	const struct address a = address(text);
	uint64_t number;
	return !scan_targets_find(t, &a, &number);
}

TEST(scan_targets_are_the_prefixes_without_what_is_refused)
{
	struct scan_targets *t = targets_of("10.0.0.0/30\n10.0.0.4/30 # next\n\n192.0.2.7\n2001:db8::/126\n2001:db8::9\n",
					    "10.0.0.2/31\n10.0.0.5\n2001:db8::\n");
	CHECK(t && scan_targets_count(t) == 2 + 3 + 1 + 3 + 1);
	CHECK(is_at(t, 0, "10.0.0.0") && is_at(t, 1, "10.0.0.1") && is_at(t, 2, "10.0.0.4") && is_at(t, 3, "10.0.0.6"));
	CHECK(is_at(t, 5, "192.0.2.7") && is_at(t, 6, "2001:db8::1") && is_at(t, 9, "2001:db8::9"));
	CHECK(is_absent(t, "10.0.0.2") && is_absent(t, "10.0.0.5") && is_absent(t, "10.0.0.8"));
	CHECK(is_absent(t, "9.255.255.255") && is_absent(t, "2001:db8::") && is_absent(t, "2001:db8::a"));
	CHECK(scan_targets_have(t, true) && scan_targets_have(t, false));
	scan_targets_done(t);
	CHECK(!targets_of("10.0.0.0/30\n", "10.0.0.0/8\n") && !targets_of("2001:db8::/64\n", "") && !targets_of("", ""));
	struct prefix_set set = {0};
	struct fault fault = {0};
	CHECK(scan_targets_read(BYTES("192.0.2.1\nwho\n"), "list", &set, &fault) == ERR_BAD);
	CHECK(!strncmp(fault.text, "list:2: ", 8));
	prefix_set_done(&set);
}

TEST(scan_targets_survive_being_written_as_prefixes)
{
	struct scan_targets *t = targets_of("10.0.0.0/8\n192.0.2.7\n2001:db8::/120\n", "10.0.0.2/31\n10.77.3.9\n2001:db8::ff\n");
	struct scan_targets *back;
	struct prefix_set set = {0};
	struct fault fault;
	CHECK(t && scan_targets_prefixes(t, &set) == 0);
	prefix_set_seal(&set);
	CHECK(scan_targets_make(&back, &set, NULL, &fault) == 0 && scan_targets_count(back) == scan_targets_count(t));
	for (uint64_t i = 0; i < scan_targets_count(t); i += i < 300 || i > scan_targets_count(t) - 300 ? 1 : 997) {
		const struct address a = scan_targets_at(t, i), b = scan_targets_at(back, i);
		CHECK(address_equal(&a, &b));
	}
	prefix_set_done(&set);
	scan_targets_done(back);
	scan_targets_done(t);
}

TEST(scan_targets_of_everything_stay_quick_and_right)
{
	struct scan_targets *t = targets_of("0.0.0.0/0\n", "10.0.0.0/8\n127.0.0.0/8\n224.0.0.0/3\n");
	CHECK(t && scan_targets_count(t) == ((uint64_t)1 << 32) - 2 * ((uint64_t)1 << 24) - ((uint64_t)1 << 29));
	CHECK(is_at(t, 0, "0.0.0.0") && is_at(t, (uint64_t)10 << 24, "11.0.0.0"));
	CHECK(is_at(t, scan_targets_count(t) - 1, "223.255.255.255") && is_absent(t, "127.0.0.1"));
	for (uint64_t i = 0; i < scan_targets_count(t); i += 982451653) {
		const struct address a = scan_targets_at(t, i);
		uint64_t back;
		CHECK(scan_targets_find(t, &a, &back) && back == i);
	}
	scan_targets_done(t);
}

TEST(scan_shards_partition_and_positions_resume)
{
	static const uint16_t ports[] = {23, 80, 443};
	struct scan_options o = {.targets = targets_of("192.0.2.0/26\n198.51.100.1\n", "192.0.2.3\n"), .ports = ports,
				 .port_count = 3, .seed = 5};
	const uint64_t all = scan_targets_count(o.targets) * 3;
	for (o.shards = 1; o.shards < 12; o.shards++) {
		uint8_t met[65 * 3] = {0};
		uint64_t count = 0;
		for (o.shard = 0; o.shard < o.shards; o.shard++) {
			const struct plan p = plan_make(&o);
			for (uint64_t k = 0; k < p.positions; k++, count++) {
				const uint64_t index = plan_index(&p, k);
				struct address a;
				uint16_t port;
				uint64_t place;
				CHECK(index < all && !met[index]++);
				scan_plan_at(&o, k, &a, &port);
				CHECK(scan_place_of(&o, &a, port, &place) && place == k);
			}
		}
		CHECK(count == all);
	}
	o.shards = 2;
	o.shard = 0;
	o.passes = 3;
	const struct plan p = plan_make(&o);
	CHECK(p.positions == 3 * p.in_pass && plan_index(&p, 4) == plan_index(&p, 4 + p.in_pass));
	const struct address stranger = address("203.0.113.1"), one = address("192.0.2.1");
	uint64_t place;
	CHECK(!scan_place_of(&o, &stranger, 80, &place) && !scan_place_of(&o, &one, 81, &place));
	scan_targets_done((struct scan_targets *)(uintptr_t)o.targets);
}

TEST(scan_seen_knows_repeats)
{
	struct seen *s;
	CHECK(seen_open(&s, 100) == 0 && !seen_add(s, 99) && seen_add(s, 99) && !seen_add(s, 0) && !seen_has(s, 98));
	seen_close(s);
	CHECK(seen_open(&s, SEEN_BITS_MAX + 1) == 0 && !seen_add(s, SEEN_BITS_MAX) && seen_add(s, SEEN_BITS_MAX));
	seen_close(s);
}
