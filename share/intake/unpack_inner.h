/*
 * What is fed packed by gzip, zstd or bzip2 comes out plain, by and by; plain input passes through.  The kind is
 * told by the first bytes.  What a packed input may grow to is bounded, since a bomb looks like any other.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define UNPACKED_MAX (UINT64_C(64) << 30)
#define UNPACK_RATIO_MAX 2000 /* beyond UNPACK_FREE; text packs to a hundredth, bombs to a thousandth and less */
#define UNPACK_FREE (64u << 20)

struct unpack;

/* `out` gets what comes out, and answers 0, or a fault that ends it. */
typedef int unpack_out_f(void *arg, struct bytes, struct fault *);

int unpack_open(struct unpack **);
/* ERR_BAD: it is damaged; ERR_FULL: it grows too much. */
int unpack_feed(struct unpack *, struct bytes, unpack_out_f *, void *arg, struct fault *);
/* ERR_BAD: it was packed, and is cut. */
int unpack_end(struct unpack *, unpack_out_f *, void *arg, struct fault *);
void unpack_close(struct unpack *);
