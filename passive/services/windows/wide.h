/*
 * UTF-16, alignment and times: how Windows writes on the wire.
 */
#pragma once
#include "base/little.h"

#define FILETIME_UNIX 11644473600u /* seconds from 1601 to 1970 */

/* Zeroes up to the next multiple of `unit`, counted from `base` bytes after the start. */
static inline void write_align(struct writer *w, size_t base, size_t unit)
{
	while (!w->bad && (writer_used(w) - base) % unit)
		write_u8(w, 0);
}

/* 100-nanosecond steps since 1601. */
static inline uint64_t filetime_of_us(uint64_t utc_us)
{
	return utc_us * 10 + (uint64_t)FILETIME_UNIX * 10000000u;
}

/* The part of b that starts at `offset`; empty, and the flag bad, when it is not whole there. */
struct bytes bytes_part(struct bytes b, size_t offset, size_t len, bool *bad);
/* UTF-8 as UTF-16LE; what is no UTF-8 goes byte by byte. */
void write_utf16(struct writer *, struct bytes utf8);
/* UTF-16LE as UTF-8, ended with NUL and cut to the size; lone surrogates become U+FFFD. */
struct bytes utf16_text(struct bytes utf16, char *out, size_t size);
/* Whether two names are one to Windows, as far as ASCII goes. */
bool names_equal(struct bytes, struct bytes);
