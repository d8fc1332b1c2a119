#include "cli/input_lines.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES 65536

struct input_lines {
	int fd;
	bool ended;
	size_t start, end, max; /* start..end of room are read and not yet given */
	char room[];            /* line_max + READ_BYTES */
};

struct input_lines *input_lines_open(int fd, size_t line_max)
{
	struct input_lines *l = malloc(sizeof *l + line_max + READ_BYTES);
	if (l)
		*l = (struct input_lines){.fd = fd, .max = line_max + READ_BYTES};
	return l;
}

/* One read at the end of what is there; false when nothing came. */
static bool read_more(struct input_lines *l)
{
	if (l->ended || l->end == l->max)
		return false;
	fflush(stdout);
	ssize_t n;
	do
		n = read(l->fd, l->room + l->end, l->max - l->end);
	while (n < 0 && errno == EINTR);
	l->ended = n <= 0;
	l->end += n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* Passes over the rest of a line that did not fit. */
static void skip_rest(struct input_lines *l)
{
	const char *newline = NULL;
	while (!newline) {
		l->start = l->end = 0;
		if (!read_more(l))
			return;
		newline = memchr(l->room, '\n', l->end);
	}
	l->start = (size_t)(newline - l->room) + 1;
}

bool input_lines_next(struct input_lines *l, char **line, size_t *len, bool *cut)
{
	static char whole[1];
	size_t sought = l->start;
	*cut = false;
	for (;;) {
		char *newline = memchr(l->room + sought, '\n', l->end - sought);
		if (newline) {
			*line = l->room + l->start;
			*len = (size_t)(newline - *line);
			l->start += *len + 1;
			return true;
		}
		sought = l->end;
		if (l->start && l->end == l->max) {
			memmove(l->room, l->room + l->start, l->end - l->start);
			l->end -= l->start;
			sought -= l->start;
			l->start = 0;
		}
		if (read_more(l))
			continue;
		if (l->end == l->start)
			return false;
		*line = l->room + l->start;
		*len = l->end - l->start;
		*cut = l->end == l->max && !l->ended;
		if (*cut) {
			*line = whole;
			*len = 0;
			skip_rest(l);
		} else {
			l->start = l->end;
		}
		return true;
	}
}

void input_lines_close(struct input_lines *l) { free(l); }
