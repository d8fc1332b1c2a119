/*
 * Lines of standard input, read so that memory is bounded and whoever asks line by line is
 * answered: standard output is flushed before each wait for more.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct input_lines;

/* NULL without memory. */
struct input_lines *input_lines_open(int fd, size_t line_max);
/*
 * The next line without its end, which may be written to until the next call; false: there is none.
 * `cut`: it was longer than the maximum and is given empty.
 */
bool input_lines_next(struct input_lines *, char **line, size_t *len, bool *cut);
void input_lines_close(struct input_lines *);
