#include "active/scan/seen_inner.h"
#include "base/error.h"
#include "base/random.h"
#include <stdlib.h>
#include <sys/mman.h>

struct seen {
	uint64_t count;
	size_t bytes; /* of the bits; 0: the window is used */
	uint8_t *bits;
	uint64_t *window; /* number + 1, at the place of its hash */
};

int seen_open(struct seen **out, uint64_t count)
{
	struct seen *s = calloc(1, sizeof *s);
	if (!s)
		return ERR_MEMORY;
	s->count = count;
	if (count <= SEEN_BITS_MAX) {
		s->bytes = (size_t)(count / 8 + 1);
		s->bits = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			       0);
		if (s->bits == MAP_FAILED)
			s->bytes = 0;
	}
	if (!s->bytes && !(s->window = calloc(SEEN_WINDOW, sizeof *s->window))) {
		free(s);
		return ERR_MEMORY;
	}
	*out = s;
	return 0;
}

void seen_close(struct seen *s)
{
	if (!s)
		return;
	if (s->bytes)
		munmap(s->bits, s->bytes);
	free(s->window);
	free(s);
}

static uint64_t *place_of(const struct seen *s, uint64_t number)
{
	return &s->window[random_mix(number) % SEEN_WINDOW];
}

bool seen_has(const struct seen *s, uint64_t number)
{
	if (s->bytes)
		return s->bits[number / 8] >> number % 8 & 1;
	return *place_of(s, number) == number + 1;
}

bool seen_add(struct seen *s, uint64_t number)
{
	const bool had = seen_has(s, number);
	if (s->bytes)
		s->bits[number / 8] |= (uint8_t)(1 << number % 8);
	else
		*place_of(s, number) = number + 1;
	return had;
}
