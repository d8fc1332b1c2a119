/*
 * Which records came before: digests of 64 bits in memory and in one file that is only appended to.
 *
 * Beyond a maximum the oldest half is forgotten, so a record that old may come in a second time.
 */
#pragma once
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct imported;

/* The file is made when it is not there; a part of an entry at its end, from a crash, is cut off. */
int imported_open(struct imported **, int directory, const char *name, size_t max, struct fault *);
/* True: it was there.  Otherwise it is from now on, after imported_keep() also after a crash. */
bool imported_before(struct imported *, uint64_t digest);
/* Writes what is new: 0 or ERR_SYSTEM, and it is tried again with the next. */
int imported_keep(struct imported *);
size_t imported_count(const struct imported *);
void imported_close(struct imported *);
