/*
 * Samples that many accounts share (shapes of SYNs, first payloads): each kept once, with a count
 * of who uses it, under a 16-bit number from 1.  When all numbers are taken a new one is not kept
 * and its owner is told 0, which he counts.
 */
#pragma once
#include "base/bytes.h"
#include "passive/telescope/accounts/pool.h"

#define SAMPLES_MAX 65535

struct sample {
	uint32_t hash, users;
	uint16_t note; /* the owner's; 0 when the sample is new */
	uint8_t len;
	_Alignas(8) uint8_t bytes[]; /* may be a struct */
};

struct samples {
	struct pool pool;
	uint32_t most;   /* bytes of one */
	uint32_t secret; /* so that nobody can choose samples that meet in one place */
	uint32_t *slots; /* by hash, twice SAMPLES_MAX: 16 bits of hash, 16 of number */
	uint64_t unkept;
};

int samples_open(struct samples *, uint8_t most, uint64_t secret); /* 0 or ERR_MEMORY */
void samples_close(struct samples *);
/* The number of these bytes (cut at `most`), one more user; 0: there is no room. */
uint16_t samples_use(struct samples *, struct bytes, uint32_t hash);
void samples_leave(struct samples *, uint16_t);
void samples_prefetch(const struct samples *, uint32_t hash);
static inline struct sample *sample_of(const struct samples *s, uint16_t number)
{
	return pool_item(&s->pool, number);
}
uint64_t samples_bytes(const struct samples *);
