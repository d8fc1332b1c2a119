/*
 * Base64 (RFC 4648 section 4), which is read with the alphabet of section 5 (`-`, `_`) as well.
 *
 * Whoever decodes gives a writer: three bytes for each four letters are enough.  One that is too
 * small turns bad and holds what fitted.  A writer may write over the text that is read.
 */
#pragma once
#include "base/bytes.h"

#define BASE64_ROOM(len) (((len) + 2) / 3 * 4) /* letters for so many bytes, without a NUL */

int base64_digit(uint8_t letter); /* 0 to 63; -1: it is no letter of either alphabet */

/* As tolerantly as devices read: line ends and foreign letters are skipped, the first "=" ends. */
void base64_decode(struct bytes text, struct writer *);
/*
 * Section 4 alone: whole groups of four of its letters, "=" at the end and nowhere else.  False: it is none, or it
 * did not fit; the writer may hold a part of it then.
 */
bool base64_decode_whole(struct bytes text, struct writer *);
void base64_encode(struct bytes, struct writer *); /* section 4, with "=" and without line ends */
