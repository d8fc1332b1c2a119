/* sed with s, d, p and q behind addresses: what one-line scripts use. */
#include "passive/device/shell/regex.h"
#include "passive/device/shell/shell_inner.h"

#define SED_COMMANDS_MAX 32

struct address_of_line {
	enum { LINE_NONE, LINE_NUMBER, LINE_LAST, LINE_MATCH } kind;
	uint64_t number;
	struct regex *re;
};

struct sed_command {
	struct address_of_line from, to;
	bool negated, inside, global, print;
	uint8_t what;
	struct regex *re;
	struct bytes by;
};

struct sed {
	struct call *call;
	struct sed_command commands[SED_COMMANDS_MAX];
	size_t count;
	bool quiet, extended, bad;
};

/* Up to the delimiter; a backslash before the delimiter is taken out. */
static struct bytes until(struct sed *d, struct bytes *s, uint8_t delimiter)
{
	uint8_t *at = arena_alloc(d->call->arena, s->len + 1);
	size_t n = 0, i = 0;
	for (; at && i < s->len && s->at[i] != delimiter; i++) {
		if (s->at[i] == '\\' && i + 1 < s->len && s->at[i + 1] == delimiter)
			i++;
		else if (s->at[i] == '\\' && i + 1 < s->len)
			at[n++] = s->at[i++];
		at[n++] = s->at[i];
	}
	if (!at || i >= s->len)
		d->bad = true;
	else
		i++;
	s->at += i;
	s->len -= i;
	return (struct bytes){at, n};
}

static void read_address(struct sed *d, struct bytes *s, struct address_of_line *a)
{
	if (s->len == 0)
		return;
	if (s->at[0] == '$') {
		a->kind = LINE_LAST;
		s->at++, s->len--;
	} else if (s->at[0] == '/') {
		s->at++, s->len--;
		a->kind = LINE_MATCH;
		a->re = regex_read(d->call->arena, until(d, s, '/'), d->extended, false);
		d->bad |= !a->re;
	} else if (s->at[0] >= '0' && s->at[0] <= '9') {
		a->kind = LINE_NUMBER;
		for (; s->len && s->at[0] >= '0' && s->at[0] <= '9' && a->number < UINT32_MAX;
		     s->at++, s->len--)
			a->number = a->number * 10 + (s->at[0] - '0');
	}
}

static void read_substitution(struct sed *d, struct bytes *s, struct sed_command *x)
{
	if (s->len == 0) {
		d->bad = true;
		return;
	}
	uint8_t delimiter = s->at[0];
	bool ignore_case = false;
	s->at++, s->len--;
	struct bytes pattern = until(d, s, delimiter);
	x->by = until(d, s, delimiter);
	for (; s->len && strchr("gpIi", s->at[0]) && s->at[0]; s->at++, s->len--) {
		x->global |= s->at[0] == 'g';
		x->print |= s->at[0] == 'p';
		ignore_case |= s->at[0] == 'i' || s->at[0] == 'I';
	}
	x->re = regex_read(d->call->arena, pattern, d->extended, ignore_case);
	d->bad |= !x->re;
}

static void read_script(struct sed *d, struct bytes s)
{
	while (!d->bad) {
		while (s.len && strchr(" \t\n;", s.at[0]) && s.at[0])
			s.at++, s.len--;
		if (s.len == 0)
			return;
		if (d->count == SED_COMMANDS_MAX) {
			d->bad = true;
			return;
		}
		struct sed_command *x = &d->commands[d->count++];
		read_address(d, &s, &x->from);
		if (s.len && s.at[0] == ',' && x->from.kind) {
			s.at++, s.len--;
			read_address(d, &s, &x->to);
		}
		if (s.len && s.at[0] == '!') {
			x->negated = true;
			s.at++, s.len--;
		}
		x->what = s.len ? s.at[0] : 0;
		s.at++, s.len -= s.len > 0;
		if (x->what == 's')
			read_substitution(d, &s, x);
		else if (!x->what || !strchr("dpq", x->what))
			d->bad = true;
	}
}

static bool address_fits(struct sed *d, const struct address_of_line *a, struct bytes line,
                         uint64_t n, bool last)
{
	struct regex_match m;
	switch (a->kind) {
	case LINE_NUMBER:
		return n == a->number;
	case LINE_LAST:
		return last;
	case LINE_MATCH:
		return regex_find(d->call->shell, a->re, line, 0, &m);
	default:
		return true;
	}
}

static bool applies(struct sed *d, struct sed_command *x, struct bytes line, uint64_t n, bool last)
{
	bool yes;
	if (!x->to.kind) {
		yes = address_fits(d, &x->from, line, n, last);
	} else if (x->inside) {
		yes = true;
		x->inside = x->to.kind == LINE_NUMBER ? n < x->to.number
		                                      : !address_fits(d, &x->to, line, n, last);
	} else {
		yes = address_fits(d, &x->from, line, n, last);
		x->inside = yes && !(x->to.kind == LINE_NUMBER && n >= x->to.number);
	}
	return yes != x->negated;
}

static void write_by(struct writer *w, struct bytes by, const struct regex_match *m)
{
	for (size_t i = 0; i < by.len; i++) {
		uint8_t b = by.at[i];
		if (b == '&') {
			write_span(w, m->group[0]);
		} else if (b == '\\' && i + 1 < by.len) {
			b = by.at[++i];
			if (b >= '0' && b <= '9')
				write_span(w, m->group[b - '0']);
			else
				write_u8(w, b == 'n' ? '\n' : b == 't' ? '\t' : b);
		} else {
			write_u8(w, b);
		}
	}
}

static bool substitute(struct sed *d, const struct sed_command *x, struct bytes *line)
{
	struct regex_match m;
	size_t from = 0, room = line->len * 2 + 1024;
	bool any = false;
	uint8_t *at = arena_alloc(d->call->arena, room);
	if (!at)
		return false;
	struct writer w = writer_of(at, room);
	while (from <= line->len && regex_find(d->call->shell, x->re, *line, from, &m)) {
		size_t start = (size_t)(m.group[0].at - line->at);
		write_bytes(&w, line->at + from, start - from);
		write_by(&w, x->by, &m);
		from = start + m.group[0].len;
		any = true;
		if (m.group[0].len == 0) {
			if (from < line->len)
				write_u8(&w, line->at[from]);
			from++;
		}
		if (!x->global)
			break;
	}
	if (from < line->len)
		write_bytes(&w, line->at + from, line->len - from);
	if (any && !w.bad)
		*line = writer_bytes(&w);
	return any;
}

/* All commands on one line; true: q ended the work. */
static bool edit(struct sed *d, struct bytes line, uint64_t n, bool last)
{
	bool quits = false, deleted = false;
	for (size_t i = 0; i < d->count && !deleted && !quits; i++) {
		struct sed_command *x = &d->commands[i];
		if (!applies(d, x, line, n, last))
			continue;
		deleted = x->what == 'd';
		quits = x->what == 'q';
		bool changed = x->what == 's' && substitute(d, x, &line);
		if (x->what == 'p' || (changed && x->print))
			call_say(d->call, "%.*s\n", BYTES_FMT(line));
	}
	if (!deleted && !d->quiet) {
		call_out(d->call, line);
		call_out(d->call, BYTES("\n"));
	}
	return quits;
}

static void edit_text(struct sed *d, struct bytes text)
{
	uint64_t n = 0;
	while (text.len && call_spend(d->call, 8)) {
		struct bytes line = {text.at, bytes_find(text, "\n")};
		text.at += line.len + (line.len < text.len);
		text.len -= line.len + (line.len < text.len);
		if (edit(d, line, ++n, text.len == 0))
			return;
	}
}

static int sed_run(struct call *c)
{
	uint32_t set;
	struct bytes values[8], text;
	int first = call_options(c, "nrEe:i", &set, values), status = 0;
	struct sed *d = arena_alloc(c->arena, sizeof *d);
	if (first < 0 || !d)
		return 1;
	d->call = c;
	d->quiet = set & 1;
	d->extended = set & 6;
	if (!(set & 8) && (size_t)first >= c->argc)
		return call_usage(c);
	read_script(d, set & 8 ? values[3] : c->argv[first++]);
	if (d->bad) {
		call_error(c, "unsupported command");
		return 1;
	}
	if ((size_t)first >= c->argc && call_read(c, BYTES("-"), &text) == 0)
		edit_text(d, text);
	for (size_t i = (size_t)first; i < c->argc; i++) {
		int error = call_read(c, c->argv[i], &text);
		if (error) {
			call_error(c, "%.*s: %s", BYTES_FMT(c->argv[i]), strerror(-error));
			status = 1;
		} else if (set & 16) { /* -i: what is said goes to the file */
			struct stream out;
			struct fds fds = *c->fds;
			struct call inner = *c;
			if (stream_open_write(c->shell, c->argv[i], false, &out))
				continue;
			fds.fd[1] = &out;
			inner.fds = &fds;
			d->call = &inner;
			edit_text(d, text);
			d->call = c;
		} else {
			edit_text(d, text);
		}
	}
	return status;
}

static const struct applet applet_sed = {"sed", "/bin", "[-efinr] SED_CMD [FILE]...", sed_run};
APPLET(applet_sed);
