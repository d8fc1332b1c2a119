/*
 * The Internet's checksum (RFC 1071), and how it changes with what it covers (RFC 1624): one that was right stays
 * right, one that was wrong stays wrong, which says something of who made it; and of a packet that was cut nothing
 * more is needed.
 */
#pragma once
#include "base/bytes.h"

struct sum {
	uint64_t change; /* ones' complement of what was, and what is, added up */
};

static inline uint16_t sum_fold(uint64_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

/* Of 16-bit words from the first byte; a last odd byte counts as the higher one. */
static inline uint16_t sum_of(const uint8_t *at, size_t len)
{
	uint64_t s = 0;
	for (size_t i = 0; i + 1 < len; i += 2)
		s += (uint32_t)at[i] << 8 | at[i + 1];
	if (len % 2)
		s += (uint32_t)at[len - 1] << 8;
	return sum_fold(s);
}

/* What had this sum has that one now. */
static inline void sum_changed(struct sum *s, uint16_t before, uint16_t now)
{
	s->change += (uint16_t)~before;
	s->change += now;
}

static inline void sum_apply(const struct sum *s, uint8_t *checksum)
{
	const uint16_t now = (uint16_t)~sum_fold((uint16_t)~(checksum[0] << 8 | checksum[1]) + s->change);
	checksum[0] = (uint8_t)(now >> 8);
	checksum[1] = (uint8_t)now;
}
