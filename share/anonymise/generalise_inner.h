/*
 * Values as the class to which they belong, with bounds that are the same for all: bins that fit what was
 * observed would tell of it.
 */
#pragma once
#include "base/bytes.h"

/* A port to the first of its range (RFC 6335 6): 0, 1024, 49152; another number to its power of ten. */
uint64_t generalise_number(uint16_t field, uint64_t);
/* A URL to its scheme and host, a mail address and a name to the domain; within the text.  What is none: as it is. */
struct bytes generalise_text(struct bytes);
