/*
 * A terminal's line discipline: keys become lines, with an echo, as a shell's line editing has
 * them; or plain bytes become lines where there is no terminal.
 */
#pragma once
#include "base/arena.h"

struct terminal {
	uint8_t *line; /* in the arena, as long as the longest line so far */
	uint16_t len, room;
	uint8_t escape; /* how far an escape sequence has come */
	bool plain;     /* no terminal: LF ends a line, nothing is echoed or special */
};

enum terminal_key {
	TERMINAL_MORE,      /* all was taken, no line has ended */
	TERMINAL_LINE,      /* *line, without its end; good until the next call */
	TERMINAL_INTERRUPT, /* ^C: the line is dropped */
	TERMINAL_END,       /* ^D on an empty line */
};

struct terminal_echo {
	void (*say)(void *owner, struct bytes); /* NULL: nothing is shown */
	void *owner;
};

/* Takes bytes until something happens; the end of a line is not echoed. */
enum terminal_key terminal_take(struct terminal *, struct arena *, struct reader *, struct terminal_echo,
                                size_t line_max, struct bytes *line);
