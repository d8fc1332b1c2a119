#include "passive/telescope/accounts/samples.h"
#include <stdlib.h>

#define SLOTS (2u * (SAMPLES_MAX + 1))

int samples_open(struct samples *s)
{
	*s = (struct samples){.items = calloc(SAMPLES_MAX + 1, sizeof *s->items),
			      .slots = calloc(SLOTS, sizeof *s->slots)};
	if (s->items && s->slots)
		return 0;
	samples_close(s);
	return ERR_MEMORY;
}

void samples_close(struct samples *s)
{
	for (uint32_t i = 1; s->items && i <= s->high; i++)
		free(s->items[i]);
	free(s->items);
	free(s->slots);
	*s = (struct samples){0};
}

uint64_t samples_bytes(const struct samples *s)
{
	return s->high * sizeof(struct sample) + (SAMPLES_MAX + 1) * sizeof *s->items +
	       SLOTS * sizeof *s->slots;
}

static uint16_t number_take(struct samples *s)
{
	if (s->free) {
		uint16_t n = s->free;
		s->free = s->items[n]->next_free;
		return n;
	}
	if (s->high == SAMPLES_MAX || !(s->items[s->high + 1] = malloc(sizeof(struct sample))))
		return 0;
	return (uint16_t)++s->high;
}

uint16_t samples_use(struct samples *s, struct bytes b, uint32_t hash)
{
	if (b.len > SAMPLE_BYTES_MAX)
		b.len = SAMPLE_BYTES_MAX;
	uint32_t at = hash % SLOTS;
	for (; s->slots[at]; at = (at + 1) % SLOTS) {
		struct sample *it = s->items[s->slots[at]];
		if (it->hash == hash && it->len == b.len && !memcmp(it->bytes, b.at, b.len)) {
			it->users++;
			return s->slots[at];
		}
	}
	uint16_t n = number_take(s);
	if (!n) {
		s->unkept++;
		return 0;
	}
	struct sample *it = s->items[n];
	*it = (struct sample){.hash = hash, .users = 1, .len = (uint8_t)b.len};
	memcpy(it->bytes, b.at, b.len);
	s->slots[at] = n;
	s->live++;
	return n;
}

/* Linear probing without gravestones: what follows moves up into the gap when it may. */
static void slot_clear(struct samples *s, uint32_t gap)
{
	for (uint32_t at = (gap + 1) % SLOTS; s->slots[at]; at = (at + 1) % SLOTS) {
		uint32_t home = s->items[s->slots[at]]->hash % SLOTS;
		if ((at + SLOTS - home) % SLOTS >= (at + SLOTS - gap) % SLOTS) {
			s->slots[gap] = s->slots[at];
			gap = at;
		}
	}
	s->slots[gap] = 0;
}

void samples_leave(struct samples *s, uint16_t n)
{
	struct sample *it = n ? s->items[n] : NULL;
	if (!it || --it->users)
		return;
	uint32_t at = it->hash % SLOTS;
	while (s->slots[at] != n)
		at = (at + 1) % SLOTS;
	slot_clear(s, at);
	it->next_free = s->free;
	s->free = n;
	s->live--;
}
