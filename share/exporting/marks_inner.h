/* Which 64-bit digests came before, in one place; zero-initialised it is empty.  Owned by whoever holds it. */
#pragma once
#include "base/bytes.h"

struct marks {
	uint64_t *slots; /* open addressing; 0 is free */
	size_t count, room;
};

/* True: it is new.  ERR_FULL: `max` slots are half full, or there is no memory for more; then nothing is changed. */
int marks_add(struct marks *, uint64_t mark, size_t max);
void marks_done(struct marks *);
