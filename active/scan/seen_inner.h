/*
 * Which targets and ports answered: a bit each where that is possible, else a window of the latest,
 * as ZMap has it, in which an old one may be forgotten and be told as new.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define SEEN_BITS_MAX ((uint64_t)1 << 33) /* 1 GiB of addresses; only touched pages take memory */
#define SEEN_WINDOW (1u << 20)

struct seen;
int seen_open(struct seen **, uint64_t count);
void seen_close(struct seen *);
bool seen_has(const struct seen *, uint64_t number);
bool seen_add(struct seen *, uint64_t number); /* true: it was there */
