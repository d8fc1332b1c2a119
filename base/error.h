/*
 * How a function fails.
 *
 * A function that can fail returns 0 or one of the negative codes below and
 * leaves its outputs untouched.  Where a person must be told, it also takes a
 * `struct fault` and writes one sentence: where, what is wrong, and what would
 * be right.  Libraries never log; the room that called them does, once.
 */
#pragma once
#include <stddef.h>

enum error {
	ERR_MEMORY = -1,  /* a limit of memory was reached, ours or the system's */
	ERR_SYSTEM = -2,  /* a system call failed; errno tells */
	ERR_BAD = -3,     /* the input breaks its own format */
	ERR_FULL = -4,    /* a named limit was reached; try again later */
	ERR_GONE = -5,    /* the other side is not there */
	ERR_DENIED = -6,  /* not allowed */
	ERR_MISSING = -7, /* no such thing */
	ERR_TIMEOUT = -8, /* it took longer than it may */
};

struct fault {
	char text[512]; /* one sentence, no newline; empty: nothing went wrong */
};

/* Writes the sentence and returns `code`, so that a caller can `return fault_set(...)`. */
int fault_set(struct fault *, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

const char *error_name(int code);
