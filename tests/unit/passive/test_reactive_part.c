#include "passive/telescope/live/reactive_part.h"
#include "base/random.h"
#include "tests/test.h"

static struct live_prefix of(const char *text, bool reactive)
{
	struct live_prefix p = {.reactive = reactive};
	CHECK(prefix_parse(bytes_of_text(text), &p.prefix));
	return p;
}

TEST(reactive_part_leaves_silent_prefixes_out)
{
	struct live_prefix all[] = {of("198.51.100.0/24", true), of("198.51.100.64/26", false),
				    of("198.51.100.80/32", true), of("2001:db8::/32", false)};
	struct prefix_set set = {0};
	CHECK(reactive_part(all, 4, &set) == 0);
	prefix_set_seal(&set);
	for (uint32_t i = 0; i < 256; i++) {
		struct address a = address_v4(0xc6336400 + i);
		CHECK(prefix_set_holds(&set, &a) == (i < 64 || i >= 128 || i == 80));
	}
	CHECK_SAY(set.count == 3, "%zu prefixes", set.count);
	prefix_set_done(&set);
	struct live_prefix twice[] = {of("198.51.100.0/24", true), of("198.51.100.0/24", false),
				      of("198.51.100.0/24", true)};
	CHECK(reactive_part(twice, 3, &set) == 0 && set.count == 0);
	CHECK(reactive_part(twice, 0, &set) == 0 && set.count == 0);
}

/* Against the plain definition, over one small range of addresses. */
TEST(reactive_part_is_what_the_longest_prefix_says)
{
	struct random random = random_seeded(11);
	for (int round = 0; round < 300; round++) {
		struct live_prefix all[12], shuffled[12];
		size_t count = 1 + random_below(&random, 12);
		for (size_t i = 0; i < count; i++) {
			struct address a = address_v4(0x0b000000 + (uint32_t)random_below(&random, 256));
			all[i] = (struct live_prefix){prefix_of(&a, 119 + (unsigned)random_below(&random, 10)),
						      random_below(&random, 2)};
		}
		memcpy(shuffled, all, sizeof all);
		struct prefix_set set = {0};
		CHECK(reactive_part(shuffled, count, &set) == 0);
		prefix_set_seal(&set);
		for (uint32_t n = 0; n < 512; n++) {
			struct address a = address_v4(0x0b000000 + n);
			bool expected = false;
			int longest = -1;
			for (size_t i = 0; i < count; i++) {
				if (!prefix_holds(&all[i].prefix, &a) || all[i].prefix.bits < longest)
					continue;
				expected = all[i].reactive && (all[i].prefix.bits > longest || expected);
				longest = all[i].prefix.bits;
			}
			CHECK(prefix_set_holds(&set, &a) == expected);
		}
		prefix_set_done(&set);
	}
}
