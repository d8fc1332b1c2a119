#include "active/scan/packet_inner.h"
#include "base/random.h"

uint64_t cookie_make(const struct siphash_key *key, enum scan_protocol protocol, const struct address *target,
		     uint16_t port)
{
	/* The end of an IPv4 address is all of it that differs, and two words are faster than three. */
	const bool v4 = address_is_v4(target);
	uint8_t in[19];
	const size_t bytes = v4 ? 4 : 16;
	memcpy(in, target->b + 16 - bytes, bytes);
	in[bytes] = (uint8_t)(port >> 8);
	in[bytes + 1] = (uint8_t)port;
	in[bytes + 2] = (uint8_t)protocol;
	return siphash(key, (struct bytes){in, bytes + 3});
}

void scan_question_mark(uint64_t cookie, uint8_t mark[8])
{
	/* The cookie's own bits stand in the ports; whoever sees those cannot tell these without the key. */
	const uint64_t mixed = random_mix(cookie);
	for (int i = 0; i < 8; i++)
		mark[i] = (uint8_t)(mixed >> 8 * i);
	/* As a number of ASN.1 it is positive and takes all its bytes. */
	mark[0] = (mark[0] & 0x7f) | 0x40;
}
