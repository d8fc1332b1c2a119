/*
 * Many fixed words sought in one pass: a bitmap of the words' first four bytes says where to look closer.
 *
 * A word has at least NEEDLE_MIN bytes.
 */
#pragma once
#include "base/bytes.h"

#define NEEDLE_MIN 4
#define NEEDLES_MAX 256

struct needles {
	const char *const *words;
	size_t count;
	uint16_t lengths[NEEDLES_MAX];
	uint8_t heads[8192];
};

/* The words must outlive it; those beyond NEEDLES_MAX are left out. */
void needles_of(struct needles *, const char *const *words, size_t count);

/* The next place at or after `from` where a word stands; false when there is none. */
bool needles_next(const struct needles *, struct bytes content, size_t from, size_t *at, size_t *which);
