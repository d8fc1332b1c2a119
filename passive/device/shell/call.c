/* The helpers that applets are written with. */
#include "passive/device/shell/shell_inner.h"
#include <stdarg.h>

#define SAY_MAX 2048

struct stream *call_stream(struct call *c, int fd)
{
	return c->fds->fd[fd];
}
bool call_spend(struct call *c, size_t steps)
{
	return shell_spend(c->shell, steps);
}

void call_out(struct call *c, struct bytes b)
{
	if (!stream_write(c->shell, c->fds->fd[1], b))
		call_error(c, "write error: %s", strerror(ENOSPC));
}

static void say_on(struct call *c, int fd, const char *fmt, va_list ap)
{
	char text[SAY_MAX];
	int n = vsnprintf(text, sizeof text, fmt, ap);
	if (n > 0)
		stream_write(c->shell, c->fds->fd[fd],
		             (struct bytes){(const uint8_t *)text,
		                            (size_t)n < sizeof text ? (size_t)n : sizeof text - 1});
}

void call_say(struct call *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say_on(c, 1, fmt, ap);
	va_end(ap);
}

void call_say_error(struct call *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say_on(c, 2, fmt, ap);
	va_end(ap);
}

void call_error(struct call *c, const char *fmt, ...)
{
	va_list ap;
	/* A builtin speaks in the shell's name, an applet in its own. */
	call_say_error(c, "%s: ", c->applet ? c->name : c->shell->run->name);
	va_start(ap, fmt);
	say_on(c, 2, fmt, ap);
	va_end(ap);
	call_say_error(c, "\n");
}

int call_usage(struct call *c)
{
	const struct persona *p = c->shell->persona;
	const char *usage = c->applet && c->applet->usage ? c->applet->usage : "";
	call_say_error(c, "BusyBox %s (%s) multi-call binary.\n\nUsage: %s%s%s\n\n", p->busybox,
	               p->busybox_date, c->name, *usage ? " " : "", usage);
	return 1;
}

int call_open(struct call *c, struct bytes path, struct bytes *out)
{
	struct stream file, *s = &file;
	*out = BYTES("");
	if (path.len == 0 || bytes_equal_text(path, "-")) {
		s = c->fds->fd[0];
		if (s && s->kind == STREAM_TERMINAL && !c->shell->run->background)
			c->shell->waiting = WAITING_DISCARD;
	} else {
		int error = stream_open_read(c->shell, c->arena, path, &file);
		if (error)
			return error;
	}
	*out = stream_read_all(c->shell, s);
	return 0;
}

int call_read(struct call *c, struct bytes path, struct bytes *out)
{
	int error = call_open(c, path, out);
	call_spend(c, out->len / 64 + 1);
	return error;
}

bool call_read_line(struct call *c, struct stream *s, struct bytes *line, bool *ended)
{
	*ended = false;
	*line = (struct bytes){0};
	if (!s || s->kind != STREAM_TEXT || s->at >= s->text.len)
		return false;
	const uint8_t *at = s->text.at + s->at;
	size_t left = s->text.len - s->at;
	const uint8_t *lf = memchr(at, '\n', left);
	*line = (struct bytes){at, lf ? (size_t)(lf - at) : left};
	*ended = lf != NULL;
	s->at += line->len + (lf != NULL);
	shell_spend(c->shell, line->len / 16 + 1);
	return true;
}

int call_write(struct call *c, struct bytes path, struct bytes content)
{
	struct stream s;
	int error = stream_open_write(c->shell, path, false, &s);
	if (error)
		return error;
	return stream_write(c->shell, &s, content) ? 0 : -ENOSPC;
}

static int option_unknown(struct call *c, uint8_t letter, bool lacks_value)
{
	if (lacks_value)
		call_error(c, "option requires an argument -- '%c'", letter);
	else
		call_error(c, "invalid option -- '%c'", letter);
	call_usage(c);
	return -1;
}

/* The letters of one word; takes the next word as a value where one is due. */
static int option_word(struct call *c, const char *letters, size_t *i, uint32_t *set,
                       struct bytes *values)
{
	struct bytes word = c->argv[*i];
	for (size_t at = 1; at < word.len; at++) {
		unsigned bit = 0;
		const char *l = letters;
		for (; *l && (uint8_t)*l != word.at[at]; l++)
			bit += *l != ':';
		if (!*l || word.at[at] == ':')
			return option_unknown(c, word.at[at], false);
		*set |= 1u << bit;
		if (l[1] != ':')
			continue;
		if (at + 1 < word.len) {
			values[bit] = (struct bytes){word.at + at + 1, word.len - at - 1};
			return 0;
		}
		if (*i + 1 >= c->argc)
			return option_unknown(c, word.at[at], true);
		values[bit] = c->argv[++*i];
		return 0;
	}
	return 0;
}

int call_options(struct call *c, const char *letters, uint32_t *set, struct bytes *values)
{
	/* Operands may stand between options, as GNU's getopt allows: they move behind. */
	struct bytes *sorted = arena_alloc(c->arena, (c->argc + 1) * sizeof *sorted);
	size_t operands = 0, i = 1;
	bool ended = false;
	*set = 0;
	if (!sorted)
		return -1;
	for (; i < c->argc; i++) {
		struct bytes word = c->argv[i];
		if (ended || word.len < 2 || word.at[0] != '-') {
			sorted[1 + operands++] = word;
		} else if (bytes_equal_text(word, "--")) {
			ended = true;
		} else if (word.at[1] == '-') {
			call_error(c, "unrecognized option '%.*s'", BYTES_FMT(word));
			call_usage(c);
			return -1;
		} else if (option_word(c, letters, &i, set, values)) {
			return -1;
		}
	}
	sorted[0] = c->argv[0];
	c->argv = sorted;
	c->argc = 1 + operands;
	return 1;
}

struct bytes call_operand(const struct call *c, size_t i)
{
	return i < c->argc ? c->argv[i] : BYTES("");
}

bool call_number(struct bytes text, int64_t *out)
{
	bool minus = text.len && text.at[0] == '-';
	uint64_t v;
	if (minus || (text.len && text.at[0] == '+'))
		text.at++, text.len--;
	if (!bytes_number(text, INT64_MAX, &v))
		return false;
	*out = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

uint64_t call_time_us(struct call *c)
{
	return c->shell->hooks->time_us(c->shell->owner);
}

struct persona_look call_look(struct call *c)
{
	struct persona_look look;
	persona_look(c->shell->persona, c->shell->seed, c->shell->local, call_time_us(c), &look);
	return look;
}

void call_delay(struct call *c, uint64_t delay_ms)
{
	struct shell_run *run = c->shell->run;
	if (run->background)
		return;
	if (delay_ms > SHELL_DELAY_MS_MAX - run->delay_ms)
		delay_ms = SHELL_DELAY_MS_MAX - run->delay_ms;
	run->delay_ms += (unsigned)delay_ms;
}
