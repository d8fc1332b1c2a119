#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/trial/text.h"

void *text_room(size_t count, size_t size)
{
	void *room = calloc(count ? count : 1, size);

	if (!room) {
		fprintf(stderr, "world: out of memory for %zu times %zu bytes\n", count, size);
		exit(1);
	}
	return room;
}

struct text text_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct text text = {0};
	size_t space = 1 << 16;

	if (!file) {
		fprintf(stderr, "world: %s: %m\n", path);
		exit(1);
	}
	text.at = text_room(space + 1, 1);
	for (size_t n; (n = fread(text.at + text.size, 1, space - text.size, file)) > 0;) {
		text.size += n;
		if (text.size == space) {
			char *wider = text_room(space * 2 + 1, 1);

			memcpy(wider, text.at, text.size);
			free(text.at);
			text.at = wider;
			space *= 2;
		}
	}
	fclose(file);
	return text;
}

char *lines_next(struct lines *lines)
{
	char *line = lines->rest;
	char *end;

	if (!line || !*line)
		return NULL;
	lines->number++;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	lines->rest = end ? end + 1 : NULL;
	return line;
}

void lines_fail(const struct lines *lines, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "world: %s:%u: ", lines->path, lines->number);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct text text_unescape(const char *from)
{
	struct text text = {.at = text_room(strlen(from) + 1, 1)};

	for (const char *c = from; *c; c++) {
		char byte = *c;

		if (*c == '\\' && c[1]) {
			c++;
			if (*c == 'x' && hex_digit(c[1]) >= 0 && hex_digit(c[2]) >= 0) {
				byte = (char)(hex_digit(c[1]) * 16 + hex_digit(c[2]));
				c += 2;
			} else {
				byte = *c == 'r'   ? '\r'
				       : *c == 'n' ? '\n'
				       : *c == 't' ? '\t'
				       : *c == 'e' ? '\x1b'
				       : *c == '0' ? '\0'
				                   : *c;
			}
		}
		text.at[text.size++] = byte;
	}
	return text;
}
