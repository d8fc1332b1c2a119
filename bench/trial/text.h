/*
 * The world's data files: read whole at start, trusted (they are the repository's own), but an
 * error still says file and line. Memory lives until the program ends.
 */
#pragma once

#include <stddef.h>

struct text {
	char *at;
	size_t size;
};

struct lines {
	const char *path;
	char *rest;
	unsigned number;
};

/* Reads a file whole, with a zero byte behind it; ends the program when it cannot. */
struct text text_read(const char *path);

/* The next line without its newline, or NULL at the end. */
char *lines_next(struct lines *lines);

/* Turns \r \n \t \\ \xNN into bytes. Returned text is newly allocated and zero-ended. */
struct text text_unescape(const char *from);

/* Ends the program with "path:line: what is wrong". */
__attribute__((noreturn, format(printf, 2, 3))) void lines_fail(const struct lines *lines,
                                                                const char *format, ...);

/* calloc that ends the program instead of returning NULL. */
void *text_room(size_t count, size_t size);
