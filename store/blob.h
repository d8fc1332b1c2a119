/*
 * Captured files, by digest: blobs/ab/cdef….
 *
 * A file comes in parts in order; it is in place, synced, only when all of it is there and
 * its digest is right.  Putting the same file again changes nothing.  Files of attackers
 * are never executable and never readable by another user.
 */
#pragma once
#include "store/store.h"

struct blobs {
	int directory;
	uint64_t size_max, total_max, total;
};

/* Counts what is there; removes parts of files that never became whole. */
int blobs_open(struct blobs *, int directory, uint64_t size_max, uint64_t total_max, struct fault *);
/*
 * Takes a part; `there` is how much of the file is in place: the next offset to send, and
 * the total when it is done.  ERR_BAD: the digest is wrong, all parts were dropped;
 * ERR_FULL: a limit; ERR_SYSTEM.
 */
int blob_put(struct blobs *, const struct blob_part *, uint64_t *there, struct fault *);
/* Up to `room` bytes from the offset on: how many, or ERR_MISSING. */
int blob_get(struct blobs *, const uint8_t sha256[32], uint64_t offset, uint8_t *out, size_t room,
	     uint64_t *total);
int blob_erase(struct blobs *, const uint8_t sha256[32]); /* 0 or ERR_MISSING */
