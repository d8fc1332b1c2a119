#include "passive/telescope/packet.h"
#include "tests/test.h"

static struct prefix prefix(const char *text)
{
	struct prefix p;
	CHECK(prefix_parse(bytes_of_text(text), &p));
	return p;
}

static struct watched *open_all(const char *const *texts, size_t n)
{
	struct prefix prefixes[16];
	struct watched *w;
	for (size_t i = 0; i < n; i++)
		prefixes[i] = prefix(texts[i]);
	CHECK(watched_open(&w, prefixes, n) == 0);
	return w;
}

static bool holds(const struct watched *w, const char *text)
{
	struct prefix p = prefix(text);
	return watched_holds(w, &p.base);
}

TEST(watched_nothing_named_is_everything)
{
	struct watched *w = open_all(NULL, 0);
	CHECK(holds(w, "0.0.0.0") && holds(w, "255.255.255.255") && holds(w, "2001:db8::1"));
	CHECK(watched_size(w) == 4294967296.0);
	watched_close(w);
}

TEST(watched_sizes)
{
	static const char *const texts[] = {"198.51.100.0/24", "198.51.100.128/25", "10.0.0.0/8", "192.0.2.7",
					    "2001:db8::/64"};
	struct watched *w = open_all(texts, 5);
	CHECK(watched_size(w) == 256 + 16777216 + 1 + 18446744073709551616.0);
	CHECK(holds(w, "198.51.100.0") && holds(w, "198.51.100.255") && !holds(w, "198.51.101.0"));
	CHECK(holds(w, "10.255.0.1") && !holds(w, "11.0.0.0") && !holds(w, "9.255.255.255"));
	CHECK(holds(w, "192.0.2.7") && !holds(w, "192.0.2.6") && !holds(w, "192.0.2.8"));
	CHECK(holds(w, "2001:db8::5") && !holds(w, "2001:db8:0:1::"));
	watched_close(w);
	static const char *const all_of_v6[] = {"::/0"}; /* which holds the mapped form of IPv4, too */
	w = open_all(all_of_v6, 1);
	CHECK(holds(w, "1.2.3.4") && holds(w, "::1"));
	watched_close(w);
}

/* Against the plain definition, around every edge. */
TEST(watched_agrees_with_prefixes)
{
	struct prefix prefixes[12];
	uint64_t state = 7;
	for (unsigned round = 0; round < 300; round++) {
		unsigned n = 1 + round % 12;
		for (unsigned i = 0; i < n; i++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			struct address a = address_v4(0xc0000000u | (uint32_t)(state >> 40));
			prefixes[i] = prefix_of(&a, 96 + 8 + (unsigned)(state >> 33) % 25);
		}
		struct watched *w;
		CHECK(watched_open(&w, prefixes, n) == 0);
		for (unsigned i = 0; i < n; i++) {
			uint32_t first = address_to_v4(&prefixes[i].base);
			uint32_t last = first + (uint32_t)((UINT64_C(1) << (128 - prefixes[i].bits)) - 1);
			uint32_t near[] = {first - 1, first, first + 1, last - 1, last, last + 1, first ^ 0x10000};
			for (unsigned k = 0; k < sizeof near / sizeof *near; k++) {
				struct address a = address_v4(near[k]);
				bool right = false;
				for (unsigned j = 0; j < n; j++)
					right |= prefix_holds(&prefixes[j], &a);
				CHECK(watched_holds(w, &a) == right);
			}
		}
		watched_close(w);
	}
}
