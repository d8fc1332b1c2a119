#include "passive/telescope/similar.h"
#include "base/random.h"
#include "tests/test.h"

static struct similar *s;
static struct similar_group groups[SIMILAR_GROUPS_MAX];
static size_t group_count;
static struct random dice;

static void begin(void)
{
	CHECK(similar_open(&s, 0) == 0);
	dice = random_seeded(11);
}

static void keep(void *arg, const struct similar_group *g)
{
	(void)arg;
	groups[group_count++] = *g;
}

static size_t group_all(void)
{
	group_count = 0;
	similar_each(s, SIZE_MAX, keep, NULL);
	return group_count;
}

static void take(const void *at, size_t n, uint32_t source, uint16_t port)
{
	const struct similar_payload p = {.payload = {at, n}, .source = address_v4(source), .proto = 17,
					  .port = port, .first_us = 1000 + source, .last_us = 2000 + source, .count = 1};
	similar_take(s, &p);
}

static void roll(uint8_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)random_next(&dice);
}

/* A request with a random identifier and a counter, as most binary protocols have. */
static size_t make_binary(uint8_t kind, uint8_t at[64])
{
	memset(at, 0, 64);
	memcpy(at, "MAGC\1", 5);
	at[5] = kind;
	roll(at + 6, 4);
	for (size_t i = 10; i < 24; i++)
		at[i] = (uint8_t)(kind * 37 + i * 11);
	return 24;
}

static size_t make_text(char at[128])
{
	static const char *const hosts[] = {"a.example", "router.example.net", "10.1.2.3", "x.org"};
	return (size_t)snprintf(at, 128, "NOTIFY sip:nm@%s:%u SIP/2.0\r\nVia: SIP/2.0/TCP nm;branch=foo\r\nFrom: <sip:nm@nm>",
				hosts[random_next(&dice) % 4], (unsigned)(random_next(&dice) % 60000));
}

TEST(similar_finds_families_and_what_they_share)
{
	uint8_t binary[64];
	char text[128], pattern[SIMILAR_PATTERN_MAX], suggestion[SIMILAR_SUGGESTION_MAX];
	begin();
	for (uint32_t i = 0; i < 300; i++) {
		take(binary, make_binary(1, binary), 1 + i, 5000);
		if (i % 2)
			take(binary, make_binary(200, binary), 1 + i, 5001);
		if (i % 3 == 0)
			take(text, make_text(text), 1 + i % 30, (uint16_t)(5060 + i % 20));
	}
	CHECK_SAY(group_all() == 3, "%zu", group_count);
	CHECK(groups[0].count == 300 && groups[1].count == 150 && groups[2].count == 100);
	CHECK(groups[0].sources > 270 && groups[0].sources < 330 && groups[2].sources >= 9 && groups[2].sources <= 11);
	CHECK(groups[0].port_count == 1 && groups[0].ports[0] == 5000 && !groups[0].ports_more && groups[2].ports_more);
	CHECK(groups[0].first_us == 1001 && groups[0].last_us == 2300);
	CHECK(groups[0].distinct == 300 && similar_prefix(&groups[0]) == 6);
	similar_pattern(&groups[0], pattern);
	CHECK_SAY(bytes_start_with(bytes_of_text(pattern), "MAGC|01 01 ??*4 93 9e"), "%s", pattern);
	similar_suggestion(&groups[0], suggestion);
	CHECK_SAY(strstr(suggestion, "proto: udp") && strstr(suggestion, "ports: [5000]") &&
		  strstr(suggestion, "length: '24'") && strstr(suggestion, pattern), "%s", suggestion);
	similar_pattern(&groups[2], pattern);
	CHECK_SAY(bytes_start_with(bytes_of_text(pattern), "NOTIFY sip:nm@"), "%s", pattern);
	similar_close(s);
}

TEST(similar_keeps_apart_what_shares_only_zeros)
{
	uint8_t a[100] = {1, 2, 3, 4, 5, 6, 7, 8}, b[100] = {9, 8, 7, 6, 5, 4, 3, 2};
	begin();
	take(a, sizeof a, 1, 1);
	take(b, sizeof b, 2, 1);
	CHECK(group_all() == 2);
	b[50] = 7;
	take(b, sizeof b, 3, 1);
	CHECK(group_all() == 2);
	take("\0\0\0\0\0\0\0\0", 8, 4, 1);
	take("\0\0\0\0\0\0\0\0\0", 9, 5, 1);
	CHECK(group_all() == 3);
	similar_close(s);
}

TEST(similar_joins_short_payloads_only_when_equal)
{
	begin();
	take("ab", 2, 1, 1);
	take("ac", 2, 1, 1);
	take("ab", 2, 2, 1);
	take("a", 1, 2, 1);
	take("", 0, 2, 1);
	CHECK(group_all() == 3 && groups[0].count == 2 && similar_counts(s).repeated == 1);
	similar_close(s);
}

TEST(similar_is_bounded_and_keeps_what_is_frequent)
{
	uint8_t noise[64], family[64];
	begin();
	for (uint32_t i = 0; i < 20000; i++) {
		roll(noise, sizeof noise);
		take(noise, sizeof noise, i, 9);
		if (i % 100 == 0)
			take(family, make_binary(3, family), i, 7);
	}
	CHECK(group_all() == SIMILAR_GROUPS_MAX);
	CHECK_SAY(groups[0].count == 200 && groups[0].sources > 180, "%u", (unsigned)groups[0].count);
	const struct similar_counts c = similar_counts(s);
	uint64_t now = 0;
	for (size_t i = 0; i < group_count; i++)
		now += groups[i].count;
	CHECK(c.taken == 20200 && c.forgotten_count + now == 20200 && c.forgotten > 18000);
	similar_close(s);
}

TEST(similar_never_mixes_protocols)
{
	struct similar_payload p = {.payload = BYTES("HELLO WORLD"), .proto = 17, .count = 1};
	begin();
	similar_take(s, &p);
	p.proto = 6;
	similar_take(s, &p);
	CHECK(group_all() == 2);
	similar_close(s);
}
