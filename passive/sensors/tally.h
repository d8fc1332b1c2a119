/* How often each of many names came: the first TALLY_NAMES of them, the rest together. */
#pragma once
#include "base/bytes.h"

#define TALLY_NAMES 4096
#define TALLY_NAME_MAX 96 /* a longer name is cut */

struct tally_entry {
	uint64_t count;
	uint8_t len;
	uint8_t name[TALLY_NAME_MAX];
};

struct tally {
	struct tally_entry *entries; /* 2 * TALLY_NAMES places; count 0: empty */
	size_t used;
	uint64_t others; /* of names that found no place */
};

void tally_add(struct tally *, struct bytes name); /* without memory it counts `others` */
/* The commonest first, by count and then by name; how many were written. */
size_t tally_top(const struct tally *, const struct tally_entry **top, size_t max);
void tally_done(struct tally *);
