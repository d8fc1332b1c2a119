/* Crypto-PAn against the vectors of its first implementation and of others. */
#include "base/error.h"
#include "share/anonymise/cryptopan_inner.h"
#include "tests/test.h"

static const uint8_t sample_key[CRYPTOPAN_KEY] = {
	21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
	216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
};

static void is(struct cryptopan *c, const char *from, const char *to)
{
	struct address a;
	char text[ADDRESS_TEXT_MAX];
	CHECK(address_parse(bytes_of_text(from), &a));
	a = cryptopan_address(c, &a);
	CHECK_SAY(!strcmp(address_format(&a, text), to), "%s became %s, not %s", from, text, to);
}

TEST(cryptopan_gives_the_published_addresses)
{
	struct cryptopan *c;
	CHECK(cryptopan_open(&c, sample_key) == 0);
	for (int twice = 0; twice < 2; twice++) {
		is(c, "128.11.68.132", "135.242.180.132");
		is(c, "24.5.0.80", "100.9.15.210");
		is(c, "195.205.63.100", "255.186.223.5");
		is(c, "2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e");
	}
	cryptopan_close(c);
	uint8_t counting[CRYPTOPAN_KEY];
	for (unsigned i = 0; i < sizeof counting; i++)
		counting[i] = (uint8_t)i;
	CHECK(cryptopan_open(&c, counting) == 0);
	is(c, "192.0.2.1", "2.90.93.17");
	cryptopan_close(c);
}

static unsigned common(struct address a, struct address b)
{
	unsigned n = 0;
	while (n < 128 && !((a.b[n / 8] ^ b.b[n / 8]) >> (7 - n % 8) & 1))
		n++;
	return n;
}

TEST(cryptopan_keeps_prefixes_and_nothing_else)
{
	struct cryptopan *c;
	CHECK(cryptopan_open(&c, sample_key) == 0);
	uint32_t state = 1;
	struct address before[2] = {address_v4(0), address_v4(0)};
	for (unsigned i = 0; i < 4000; i++) {
		state = state * 1664525 + 1013904223;
		const unsigned shift = i % 33;
		before[1] = address_v4(address_to_v4(&before[0]) ^ (shift == 32 ? 0 : state >> shift));
		const struct address x = cryptopan_address(c, &before[0]), y = cryptopan_address(c, &before[1]);
		CHECK(common(before[0], before[1]) == common(x, y));
		before[0] = address_v4(state);
	}
	for (unsigned i = 0; i < 500; i++) {
		for (unsigned k = 0; k < 16; k++) {
			state = state * 1664525 + 1013904223;
			before[0].b[k] = before[1].b[k] = (uint8_t)(state >> 24);
		}
		before[0].b[0] = before[1].b[0] |= 1; /* no mapped address */
		before[1].b[1 + i % 15] ^= (uint8_t)(1 << i % 8);
		const struct address x = cryptopan_address(c, &before[0]), y = cryptopan_address(c, &before[1]);
		CHECK(common(before[0], before[1]) == common(x, y));
	}
	cryptopan_close(c);
}
