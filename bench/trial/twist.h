/*
 * How an unkind device answers: its bytes changed by its twist.
 */
#pragma once

#include "bench/trial/population.h"

enum { TWISTED_MAX = 5 << 20 };

struct manner {
	uint32_t piece; /* bytes at a time, 0 for all at once */
	uint32_t pause_ms;
};

/* Writes what this source answers into `out`, which has TWISTED_MAX bytes, and returns its size. */
size_t twist_answer(const struct population *p, const struct source *s, int port,
                    const struct text *said, char *out);

/* How the bytes are sent. */
struct manner twist_manner(const struct source *s, size_t size);
