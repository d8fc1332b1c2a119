/*
 * Samples that many accounts share (shapes of SYNs, first payloads): each kept once, with a count
 * of who uses it, under a 16-bit number from 1.  When all numbers are taken a new one is not kept
 * and its owner is told 0, which he counts.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define SAMPLES_MAX 65535
#define SAMPLE_BYTES_MAX 128

struct sample {
	uint32_t hash, users;
	uint16_t next_free, note; /* the note is the owner's; 0 when the sample is new */
	uint8_t len;
	_Alignas(8) uint8_t bytes[SAMPLE_BYTES_MAX]; /* may hold a struct */
};

struct samples {
	struct sample **items; /* [SAMPLES_MAX + 1], each from malloc when first used */
	uint16_t *slots;       /* by hash, twice as many */
	uint32_t high, live;
	uint16_t free;
	uint64_t unkept;
};

int samples_open(struct samples *);
void samples_close(struct samples *);
/* The number of these bytes (cut at SAMPLE_BYTES_MAX), one more user; 0: there is no room. */
uint16_t samples_use(struct samples *, struct bytes, uint32_t hash);
void samples_leave(struct samples *, uint16_t);
static inline struct sample *sample_of(const struct samples *s, uint16_t number)
{
	return s->items[number];
}
uint64_t samples_bytes(const struct samples *);
