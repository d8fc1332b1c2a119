/*
 * A set of prefixes on its way from one process to another, in pieces of bounded size.
 *
 * The receiver has either a whole set or none: a set that was broken off is forgotten when the
 * next one begins.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define PREFIX_PIECE_MAX (256u << 10) /* bytes; what a writer should have room for */
#define PREFIX_PIECES_MAX 4194304     /* prefixes that a receiver takes */

/* Writes the next piece; `at` begins at 0.  False: the piece before was the last. */
bool prefix_pieces_write(const struct prefix_set *, size_t *at, struct writer *);

struct prefix_pieces { /* all zero at the start */
	struct prefix_set set;
	bool begun;
};
/* 1: whole, sealed, and now *out; what stood there is freed.  0: more is to come.  Or ERR_… */
int prefix_pieces_read(struct prefix_pieces *, struct bytes piece, struct prefix_set *out);
void prefix_pieces_done(struct prefix_pieces *);
