/*
 * The elements of one array within a JSON document of any size, one after the other.
 *
 * A feed of NVD is tens of megabytes, its elements are kilobytes: bytes go in as they come out of
 * the file, and each element of the first array that is a member of the document's object comes out
 * as text of its own.  Memory is one element's at most.  It follows braces and strings only; whether
 * an element is JSON, its reader says.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define SPLITTER_ELEMENT_MAX (32u << 20)

struct splitter {
	struct buffer element;
	unsigned depth;
	bool in_string, escaped, within, past, begun; /* within the array; beyond it; the object began */
	bool skips;                                   /* this element is too long */
	uint64_t elements, too_long;
};

void splitter_open(struct splitter *);
/* ERR_BAD: it is not an object; ERR_MEMORY; or what `take` says, which ends it. */
int splitter_take(struct splitter *, struct bytes, int (*take)(void *, struct bytes element), void *arg);
/* Whether the document ended where it should. */
bool splitter_is_whole(const struct splitter *);
void splitter_done(struct splitter *);
