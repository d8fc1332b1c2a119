/* echo, printf, yes, seq, true, false. */
#include "passive/device/shell/call.h"
#include "passive/device/shell/escape.h"
#include <stdlib.h>

static bool echo_options(struct bytes word, bool *newline, bool *escapes)
{
	if (word.len < 2 || word.at[0] != '-')
		return false;
	for (size_t i = 1; i < word.len; i++)
		if (!strchr("neE", word.at[i]) || !word.at[i])
			return false;
	for (size_t i = 1; i < word.len; i++) {
		*newline &= word.at[i] != 'n';
		if (word.at[i] != 'n')
			*escapes = word.at[i] == 'e';
	}
	return true;
}

static int echo_run(struct call *c)
{
	bool newline = true, escapes = false;
	size_t i = 1, room = 2;
	while (i < c->argc && echo_options(c->argv[i], &newline, &escapes))
		i++;
	for (size_t k = i; k < c->argc; k++)
		room += c->argv[k].len + 1;
	uint8_t *at = arena_alloc(c->arena, room);
	if (!at)
		return 1;
	struct writer w = writer_of(at, room);
	for (size_t first = i; i < c->argc; i++) {
		if (i > first)
			write_u8(&w, ' ');
		struct bytes word = c->argv[i];
		if (!escapes) {
			write_span(&w, word);
			continue;
		}
		for (size_t k = 0; k < word.len;) {
			if (word.at[k] != '\\') {
				write_u8(&w, word.at[k++]);
			} else if (!escape_read(word, &k, &w)) {
				call_out(c, writer_bytes(&w));
				return 0;
			}
		}
	}
	if (newline)
		write_u8(&w, '\n');
	call_out(c, writer_bytes(&w));
	return 0;
}

struct printing {
	struct call *call;
	struct writer out;
	size_t next; /* argument to be taken */
	int status;
	bool stopped; /* \c */
};

#define PRINT_MAX 8192
#define WIDTH_MAX 512

static struct bytes take(struct printing *p)
{
	return call_operand(p->call, p->next++);
}

static long long number(struct printing *p, struct bytes b)
{
	int64_t v = 0;
	char text[32], *end;
	if (b.len == 0)
		return 0;
	if (b.at[0] == '"' || b.at[0] == '\'')
		return b.len > 1 ? b.at[1] : 0;
	if (bytes_copy_text(b, text, sizeof text)) {
		errno = 0;
		v = strtoll(text, &end, 0);
		if (*end == 0 && !errno)
			return v;
	}
	call_error(p->call, "invalid number '%.*s'", (int)b.len, (const char *)b.at);
	p->status = 1;
	return v;
}

static void print_escaped(struct printing *p, struct bytes b)
{
	for (size_t i = 0; i < b.len && !p->stopped;) {
		if (b.at[i] != '\\')
			write_u8(&p->out, b.at[i++]);
		else
			p->stopped = !escape_read(b, &i, &p->out);
	}
}

static void print_text(struct printing *p, struct bytes b, bool left, long width, long precision)
{
	if (precision >= 0 && (size_t)precision < b.len)
		b.len = (size_t)precision;
	long pad = width > (long)b.len ? width - (long)b.len : 0;
	for (long i = 0; !left && i < pad; i++)
		write_u8(&p->out, ' ');
	write_span(&p->out, b);
	for (long i = 0; left && i < pad; i++)
		write_u8(&p->out, ' ');
}

static long read_width(struct printing *p, struct bytes f, size_t *i)
{
	long v = 0;
	if (*i < f.len && f.at[*i] == '*') {
		++*i;
		v = (long)number(p, take(p));
	}
	while (*i < f.len && f.at[*i] >= '0' && f.at[*i] <= '9' && v < WIDTH_MAX)
		v = v * 10 + (f.at[(*i)++] - '0');
	return v < 0 ? 0 : v > WIDTH_MAX ? WIDTH_MAX : v;
}

/* One conversion; *i is behind the %. */
static void print_one(struct printing *p, struct bytes f, size_t *i)
{
	char form[24] = "%", text[WIDTH_MAX + 64];
	size_t n = 1;
	bool left = false;
	while (*i < f.len && strchr("-+ #0", f.at[*i]) && f.at[*i] && n < 6) {
		left |= f.at[*i] == '-';
		form[n++] = (char)f.at[(*i)++];
	}
	long width = read_width(p, f, i), precision = -1;
	if (*i < f.len && f.at[*i] == '.') {
		++*i;
		precision = read_width(p, f, i);
	}
	uint8_t kind = *i < f.len ? f.at[(*i)++] : 0;
	struct bytes b;
	switch (kind) {
	case '%':
		write_u8(&p->out, '%');
		break;
	case 's':
		print_text(p, take(p), left, width, precision);
		break;
	case 'b':
		print_escaped(p, take(p));
		break;
	case 'c':
		b = take(p);
		b.len = b.len ? 1 : 0;
		print_text(p, b, left, width, -1);
		break;
	case 'd':
	case 'i':
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		snprintf(form + n, sizeof form - n, precision >= 0 ? "*.*ll%c" : "*ll%c", kind);
		long long v = number(p, take(p));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		if (precision >= 0)
			snprintf(text, sizeof text, form, (int)width, (int)precision, v);
		else
			snprintf(text, sizeof text, form, (int)width, v);
#pragma GCC diagnostic pop
		write_text(&p->out, text);
		break;
	default:
		call_error(p->call, "%.*s: invalid format", (int)f.len, (const char *)f.at);
		p->status = 1;
		p->stopped = true;
	}
}

static int printf_run(struct call *c)
{
	if (c->argc < 2)
		return call_usage(c);
	uint8_t *room = arena_alloc(c->arena, PRINT_MAX);
	if (!room)
		return 1;
	struct bytes f = c->argv[1];
	struct printing p = {.call = c, .out = writer_of(room, PRINT_MAX), .next = 2};
	size_t before;
	do {
		before = p.next;
		for (size_t i = 0; i < f.len && !p.stopped;) {
			if (f.at[i] == '\\') {
				p.stopped = !escape_read(f, &i, &p.out);
			} else if (f.at[i] == '%') {
				i++;
				print_one(&p, f, &i);
			} else {
				write_u8(&p.out, f.at[i++]);
			}
		}
	} while (p.next < c->argc && p.next > before && !p.stopped && !p.out.bad &&
	         call_spend(c, 16));
	call_out(c, writer_bytes(&p.out));
	return p.status;
}

static int seq_run(struct call *c)
{
	int64_t from = 1, step = 1, to = 0;
	bool ok = c->argc >= 2 && c->argc <= 4 && call_number(c->argv[c->argc - 1], &to) &&
	          (c->argc < 3 || call_number(c->argv[1], &from)) &&
	          (c->argc < 4 || call_number(c->argv[2], &step));
	if (!ok || step == 0)
		return call_usage(c);
	for (int64_t v = from; (step > 0 ? v <= to : v >= to) && call_spend(c, 16); v += step)
		call_say(c, "%lld\n", (long long)v);
	return 0;
}

static int yes_run(struct call *c)
{
	for (int i = 0; i < 1024 && call_spend(c, 16); i++)
		call_say(c, "%.*s\n", c->argc > 1 ? (int)c->argv[1].len : 1,
		         c->argc > 1 ? (const char *)c->argv[1].at : "y");
	return 0;
}

static int true_run(struct call *c)
{
	(void)c;
	return 0;
}

static int false_run(struct call *c)
{
	(void)c;
	return 1;
}

static const struct applet applet_echo = {"echo", "/bin", NULL, echo_run};
APPLET(applet_echo);
static const struct applet applet_printf = {"printf", "/usr/bin", "FORMAT [ARG]...", printf_run};
APPLET(applet_printf);
static const struct applet applet_seq = {"seq", "/usr/bin", "[-w] [-s SEP] [FIRST [INC]] LAST",
                                         seq_run};
APPLET(applet_seq);
static const struct applet applet_yes = {"yes", "/usr/bin", "[STRING]", yes_run};
APPLET(applet_yes);
static const struct applet applet_true = {"true", "/bin", NULL, true_run};
APPLET(applet_true);
static const struct applet applet_false = {"false", "/bin", NULL, false_run};
APPLET(applet_false);
