#include "base/siphash.h"
#include "tests/test.h"

/* The first, the ninth, the sixteenth and the last vector of the reference (key 00 01 … 0f). */
TEST(siphash_gives_the_references_vectors)
{
	const struct siphash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
	uint8_t in[64];
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)i;
	CHECK(siphash(&key, (struct bytes){in, 0}) == 0x726fdb47dd0e0e31u);
	CHECK(siphash(&key, (struct bytes){in, 8}) == 0x93f5f5799a932462u);
	CHECK(siphash(&key, (struct bytes){in, 15}) == 0xa129ca6149be45e5u);
	CHECK(siphash(&key, (struct bytes){in, 63}) == 0x958a324ceb064572u);
}

TEST(siphash_is_another_function_with_another_key)
{
	const struct siphash_key a = siphash_draw(), b = siphash_draw();
	CHECK(siphash(&a, BYTES("answer")) == siphash(&a, BYTES("answer")));
	CHECK(siphash(&a, BYTES("answer")) != siphash(&b, BYTES("answer")));
}
