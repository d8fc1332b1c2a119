/*
 * How many sources had a value: for what is only told when enough of them had it.
 *
 * Counts up to k and no further.  When its memory is full, a value that it does not know counts as one that too few
 * had.
 */
#pragma once
#include "base/bytes.h"

#define COUNT_VALUES_MAX (1u << 20)

struct counts;
int counts_open(struct counts **); /* 0 or ERR_MEMORY */
void counts_close(struct counts *);
void counts_add(struct counts *, uint16_t field, struct bytes value, struct bytes source, unsigned k);
bool counts_reach(const struct counts *, uint16_t field, struct bytes value, unsigned k);
