/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of short inputs.
 *
 * A pseudo-random function as long as the key is secret: who sees results cannot make another.
 * For what an enemy must not be able to forge and what is too frequent for HMAC.
 */
#pragma once
#include "base/bytes.h"

struct siphash_key {
	uint64_t low, high;
};

struct siphash_key siphash_draw(void); /* from the kernel */
uint64_t siphash(const struct siphash_key *, struct bytes);
