/*
 * Which records came before: digests of 64 bits in memory and in one file that is only appended to.
 *
 * Beyond IMPORTED_MAX the oldest half is forgotten, so a record that old may come in a second time.
 */
#pragma once
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPORTED_MAX (1u << 22) /* 64 MiB of memory, 32 MiB on disk */

struct imported;

/* The file is made when it is not there; a part of an entry at its end, from a crash, is cut off. */
int imported_open(struct imported **, int directory, const char *name, struct fault *);
/* True: it was there.  Otherwise it is from now on, after imported_keep() also after a crash. */
bool imported_before(struct imported *, uint64_t digest);
/* Writes what is new: 0 or ERR_SYSTEM, and it is tried again with the next. */
int imported_keep(struct imported *);
size_t imported_count(const struct imported *);
void imported_close(struct imported *);
