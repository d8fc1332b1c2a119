/* Keys, echo and lines. */
#include "passive/device/shell/terminal.h"

#define LINE_ROOM_FIRST 120

enum escape { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_BRACKET };

/* What is beyond the limit is dropped, as a tty does it. */
static bool line_add(struct terminal *t, struct arena *a, uint8_t c, size_t line_max)
{
	if (t->len >= line_max)
		return false;
	if (t->len == t->room) {
		size_t room = t->room ? 2u * t->room : LINE_ROOM_FIRST;
		if (room > line_max)
			room = line_max;
		uint8_t *at = arena_alloc(a, room);
		if (!at)
			return false;
		if (t->len)
			memcpy(at, t->line, t->len);
		t->line = at;
		t->room = (uint16_t)room;
	}
	t->line[t->len++] = c;
	return true;
}

static void show(struct terminal_echo e, struct bytes b)
{
	if (e.say)
		e.say(e.owner, b);
}

static void erase(struct terminal *t, size_t n, struct terminal_echo e)
{
	for (; n && t->len; n--) {
		t->len--;
		show(e, BYTES("\b \b"));
	}
}

static bool in_escape(struct terminal *t, uint8_t c)
{
	if (t->escape == ESCAPE_NONE)
		return false;
	if (t->escape == ESCAPE_BEGUN)
		t->escape = c == '[' || c == 'O' ? ESCAPE_BRACKET : ESCAPE_NONE;
	else if (c >= '@' && c <= '~')
		t->escape = ESCAPE_NONE;
	return true;
}

static enum terminal_key key_pressed(struct terminal *t, struct arena *a, uint8_t c, struct terminal_echo e,
                                     size_t line_max)
{
	if (in_escape(t, c))
		return TERMINAL_MORE;
	switch (c) {
	case '\r':
	case '\n':
		return TERMINAL_LINE;
	case 3: /* ^C */
		return TERMINAL_INTERRUPT;
	case 4: /* ^D */
		return t->len ? TERMINAL_MORE : TERMINAL_END;
	case 8:
	case 127:
		erase(t, 1, e);
		return TERMINAL_MORE;
	case 21: /* ^U */
		erase(t, t->len, e);
		return TERMINAL_MORE;
	case 27:
		t->escape = ESCAPE_BEGUN;
		return TERMINAL_MORE;
	}
	if (c >= ' ' && line_add(t, a, c, line_max))
		show(e, (struct bytes){&c, 1});
	return TERMINAL_MORE;
}

enum terminal_key terminal_take(struct terminal *t, struct arena *a, struct reader *r, struct terminal_echo e,
                                size_t line_max, struct bytes *line)
{
	while (reader_left(r)) {
		uint8_t c = read_u8(r);
		enum terminal_key key = TERMINAL_MORE;
		if (!t->plain)
			key = key_pressed(t, a, c, e, line_max);
		else if (c == '\n')
			key = TERMINAL_LINE;
		else
			line_add(t, a, c, line_max);
		if (key == TERMINAL_MORE)
			continue;
		*line = (struct bytes){t->line ? t->line : (const uint8_t *)"", t->len};
		t->len = 0;
		return key;
	}
	return TERMINAL_MORE;
}
