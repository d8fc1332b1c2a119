#include "passive/telescope/accounts/samples.h"
#include <stdlib.h>

#define SLOT_BITS 17
#define SLOTS (1u << SLOT_BITS)

int samples_open(struct samples *s, uint8_t most, uint64_t secret)
{
	*s = (struct samples){.most = most, .secret = (uint32_t)secret | 1, .slots = calloc(SLOTS, sizeof *s->slots)};
	uint32_t size = (uint32_t)(sizeof(struct sample) + most + 7) & ~7u;
	if (s->slots && pool_open(&s->pool, size, SAMPLES_MAX) == 0)
		return 0;
	samples_close(s);
	return ERR_MEMORY;
}

void samples_close(struct samples *s)
{
	pool_close(&s->pool);
	free(s->slots);
	*s = (struct samples){0};
}

uint64_t samples_bytes(const struct samples *s)
{
	return pool_bytes(&s->pool) + SLOTS * sizeof *s->slots;
}

static uint16_t number_in(uint32_t slot) { return (uint16_t)slot; }
static uint32_t tag_of(uint32_t hash) { return hash & 0xffff0000u; }

static uint32_t home_of(const struct samples *s, uint32_t hash)
{
	return hash * s->secret >> (32 - SLOT_BITS);
}

void samples_prefetch(const struct samples *s, uint32_t hash)
{
	__builtin_prefetch(&s->slots[home_of(s, hash)]);
}

uint16_t samples_use(struct samples *s, struct bytes b, uint32_t hash)
{
	if (b.len > s->most)
		b.len = s->most;
	uint32_t at = home_of(s, hash);
	for (; s->slots[at]; at = (at + 1) % SLOTS) {
		if ((s->slots[at] ^ hash) & 0xffff0000u)
			continue;
		struct sample *it = sample_of(s, number_in(s->slots[at]));
		if (it->hash == hash && it->len == b.len && !memcmp(it->bytes, b.at, b.len)) {
			it->users++;
			return number_in(s->slots[at]);
		}
	}
	uint16_t n = (uint16_t)pool_take(&s->pool);
	if (!n) {
		s->unkept++;
		return 0;
	}
	struct sample *it = sample_of(s, n);
	it->hash = hash;
	it->users = 1;
	it->note = 0;
	it->len = (uint8_t)b.len;
	if (b.len)
		memcpy(it->bytes, b.at, b.len);
	s->slots[at] = tag_of(hash) | n;
	return n;
}

/* Linear probing without gravestones: what follows moves up into the gap when it may. */
static void slot_clear(struct samples *s, uint32_t gap)
{
	for (uint32_t at = (gap + 1) % SLOTS; s->slots[at]; at = (at + 1) % SLOTS) {
		uint32_t home = home_of(s, sample_of(s, number_in(s->slots[at]))->hash);
		if ((at + SLOTS - home) % SLOTS >= (at + SLOTS - gap) % SLOTS) {
			s->slots[gap] = s->slots[at];
			gap = at;
		}
	}
	s->slots[gap] = 0;
}

void samples_leave(struct samples *s, uint16_t n)
{
	struct sample *it = n ? sample_of(s, n) : NULL;
	if (!it || --it->users)
		return;
	uint32_t at = home_of(s, it->hash);
	while (number_in(s->slots[at]) != n)
		at = (at + 1) % SLOTS;
	slot_clear(s, at);
	pool_give(&s->pool, n);
}
