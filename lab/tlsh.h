/*
 * TLSH, a digest that is alike where content is alike (Oliver, Cheng, Chen: "TLSH, a locality
 * sensitive hash", 2013), in its common form: 128 buckets, one byte of checksum, written "T1…".
 *
 * It needs 50 bytes and some variety; what has less has none.
 */
#pragma once
#include "base/bytes.h"

#define TLSH_TEXT_MAX 73
#define TLSH_BYTES_MIN 50

/* "T1" and 70 hex digits; false and empty when there is none. */
bool tlsh_write(struct bytes content, char text[TLSH_TEXT_MAX]);
/* 0 for equal digests, below 30 or so for close relatives; negative when one is not a digest ("T1" may be missing). */
int tlsh_distance(const char *left, const char *right);
