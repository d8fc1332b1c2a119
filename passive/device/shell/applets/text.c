/* head, tail, wc, grep, cut, tr, sort, uniq, tee: lines in, lines out. */
#include "passive/device/shell/call.h"
#include <stdlib.h>

/* Takes one line, its end not included, off the front. */
static bool next_line(struct bytes *text, struct bytes *line, bool *ended)
{
	if (text->len == 0)
		return false;
	const uint8_t *lf = memchr(text->at, '\n', text->len);
	*ended = lf != NULL;
	*line = (struct bytes){text->at, lf ? (size_t)(lf - text->at) : text->len};
	text->at += line->len + *ended;
	text->len -= line->len + *ended;
	return true;
}

static int read_file(struct call *c, struct bytes path, const char *how, struct bytes *out)
{
	int error = call_read(c, path, out);
	if (error)
		call_error(c, how, BYTES_FMT(path), strerror(-error));
	return error;
}

/* -5, -n 5, -n5, -c 52; the sign says "from that one on" for tail. */
struct span {
	int64_t count;
	bool bytes, from_start;
	size_t first;
};

static bool read_span(struct call *c, struct span *s)
{
	uint32_t set;
	struct bytes values[8];
	struct bytes word = call_operand(c, 1);
	*s = (struct span){.count = 10, .first = 2};
	if (word.len > 1 && (word.at[0] == '-' || word.at[0] == '+') && word.at[1] >= '0' &&
	    word.at[1] <= '9') {
		s->from_start = word.at[0] == '+';
		return call_number((struct bytes){word.at + 1, word.len - 1}, &s->count);
	}
	int first = call_options(c, "n:c:qvfs:F", &set, values);
	if (first < 0)
		return false;
	struct bytes text = set & 2 ? values[1] : set & 1 ? values[0] : BYTES("10");
	s->bytes = set & 2;
	s->first = (size_t)first;
	s->from_start = text.len && text.at[0] == '+';
	if (!call_number(text, &s->count)) {
		call_error(c, "invalid number '%.*s'", BYTES_FMT(text));
		return false;
	}
	return true;
}

static struct bytes span_head(struct bytes text, const struct span *s)
{
	struct bytes rest = text, line;
	bool ended;
	if (s->bytes)
		return (struct bytes){text.at, s->count < 0                    ? 0
		                               : (uint64_t)s->count > text.len ? text.len
		                                                               : (size_t)s->count};
	for (int64_t n = 0; n < s->count && next_line(&rest, &line, &ended); n++)
		continue;
	return (struct bytes){text.at, text.len - rest.len};
}

static struct bytes span_tail(struct bytes text, const struct span *s)
{
	uint64_t n = (uint64_t)(s->count < 0 ? -s->count : s->count);
	size_t at = text.len;
	struct bytes rest = text, line;
	bool ended;
	if (s->from_start) {
		for (uint64_t i = 1; i < n && !s->bytes && next_line(&rest, &line, &ended); i++)
			continue;
		size_t skip = s->bytes && n > 0 ? (n - 1 < text.len ? (size_t)n - 1 : text.len) : 0;
		return (struct bytes){rest.at + skip, rest.len - skip};
	}
	if (s->bytes)
		return n < text.len ? (struct bytes){text.at + text.len - n, n} : text;
	while (at > 0) {
		at--;
		if (text.at[at] == '\n' && at + 1 < text.len && n-- <= 1)
			return (struct bytes){text.at + at + 1, text.len - at - 1};
	}
	return s->count ? text : BYTES("");
}

static int ends_run(struct call *c, struct bytes (*cut)(struct bytes, const struct span *),
                    const char *how)
{
	struct span s;
	struct bytes text;
	int status = 0;
	if (!read_span(c, &s))
		return 1;
	if (s.first >= c->argc && call_open(c, BYTES("-"), &text) == 0)
		call_out(c, cut(text, &s));
	for (size_t i = s.first; i < c->argc; i++) {
		int error = call_open(c, c->argv[i], &text);
		if (error) {
			call_error(c, how, BYTES_FMT(c->argv[i]), strerror(-error));
			status = 1;
			continue;
		}
		if (c->argc - s.first > 1)
			call_say(c, "%s==> %.*s <==\n", i > s.first ? "\n" : "",
			         BYTES_FMT(c->argv[i]));
		call_out(c, cut(text, &s));
	}
	return status;
}

static int head_run(struct call *c)
{
	return ends_run(c, span_head, "%.*s: %s");
}

static int tail_run(struct call *c)
{
	int status = ends_run(c, span_tail, "can't open '%.*s': %s");
	if (status && c->argc == 2)
		call_error(c, "no files");
	return status;
}

static void count(struct bytes t, size_t out[3])
{
	bool in_word = false;
	for (size_t i = 0; i < t.len; i++) {
		bool space = t.at[i] == ' ' || (t.at[i] >= '\t' && t.at[i] <= '\r');
		out[0] += t.at[i] == '\n';
		out[1] += !space && !in_word;
		in_word = !space;
	}
	out[2] += t.len;
}

static void say_counts(struct call *c, const size_t n[3], uint32_t set, struct bytes name)
{
	bool one = (set & (set - 1)) == 0;
	const char *space = "";
	for (int i = 0; i < 3; i++)
		if (set & 1u << i) {
			call_say(c, one ? "%s%zu" : "%s%9zu", space, n[i]);
			space = " ";
		}
	call_say(c, name.len ? " %.*s\n" : "\n", BYTES_FMT(name));
}

static int wc_run(struct call *c)
{
	uint32_t set;
	struct bytes values[4], text;
	size_t all[3] = {0};
	int first = call_options(c, "lwc", &set, values), status = 0;
	if (first < 0)
		return 1;
	if (!set)
		set = 7;
	if ((size_t)first >= c->argc && call_read(c, BYTES("-"), &text) == 0) {
		call_spend(c, text.len / 16);
		count(text, all);
		say_counts(c, all, set, (struct bytes){0});
	}
	for (size_t i = (size_t)first; i < c->argc; i++) {
		size_t n[3] = {0};
		if (read_file(c, c->argv[i], "%.*s: %s", &text)) {
			status = 1;
			continue;
		}
		call_spend(c, text.len / 16);
		count(text, n);
		for (int k = 0; k < 3; k++)
			all[k] += n[k];
		say_counts(c, n, set, c->argv[i]);
	}
	if (c->argc - (size_t)first > 1)
		say_counts(c, all, set, BYTES("total"));
	return status;
}

/* "1", "2-4", "-3", "5-" and lists of them: is that position chosen? */
static bool in_list(struct bytes list, uint64_t n)
{
	while (list.len) {
		struct bytes part = {list.at, bytes_find(list, ",")};
		size_t skip = part.len + (part.len < list.len), dash = bytes_find(part, "-");
		uint64_t low = 1, high = UINT64_MAX;
		if (dash > 0)
			bytes_number((struct bytes){part.at, dash}, UINT32_MAX, &low);
		if (dash == part.len)
			high = low;
		else if (dash + 1 < part.len)
			bytes_number((struct bytes){part.at + dash + 1, part.len - dash - 1},
			             UINT32_MAX, &high);
		if (n >= low && n <= high)
			return true;
		list.at += skip;
		list.len -= skip;
	}
	return false;
}

static void cut_fields(struct call *c, struct bytes line, struct bytes list, uint8_t by, bool only)
{
	bool first = true;
	if (line.len == 0 || !memchr(line.at, by, line.len)) {
		if (!only)
			call_say(c, "%.*s\n", BYTES_FMT(line));
		return;
	}
	for (uint64_t n = 1;; n++) {
		const uint8_t *end = line.len ? memchr(line.at, by, line.len) : NULL;
		struct bytes field = {line.at, end ? (size_t)(end - line.at) : line.len};
		if (in_list(list, n)) {
			if (!first)
				call_out(c, (struct bytes){&by, 1});
			call_out(c, field);
			first = false;
		}
		if (!end || !call_spend(c, 4))
			break;
		line.at += field.len + 1;
		line.len -= field.len + 1;
	}
	call_out(c, BYTES("\n"));
}

static int cut_run(struct call *c)
{
	uint32_t set;
	struct bytes v[8], text, line;
	bool ended;
	int first = call_options(c, "b:c:f:d:sn", &set, v), status = 0;
	if (first < 0)
		return 1;
	if (!(set & 7)) {
		call_error(c, "expected a list of bytes, characters, or fields");
		return 1;
	}
	struct bytes list = set & 4 ? v[2] : set & 2 ? v[1] : v[0];
	uint8_t by = set & 8 && v[3].len ? v[3].at[0] : '\t';
	for (size_t i = (size_t)first; i < c->argc || i == (size_t)first; i++) {
		struct bytes path = i < c->argc ? c->argv[i] : BYTES("-");
		if (read_file(c, path, "%.*s: %s", &text)) {
			status = 1;
			continue;
		}
		while (next_line(&text, &line, &ended) && call_spend(c, 8)) {
			if (set & 4) {
				cut_fields(c, line, list, by, set & 16);
				continue;
			}
			for (size_t k = 0; k < line.len && call_spend(c, 2 + list.len); k++)
				if (in_list(list, k + 1))
					call_out(c, (struct bytes){line.at + k, 1});
			call_out(c, BYTES("\n"));
		}
	}
	return status;
}

static int line_order(const void *a, const void *b)
{
	struct bytes x = *(const struct bytes *)a, y = *(const struct bytes *)b;
	int order = memcmp(x.at, y.at, x.len < y.len ? x.len : y.len);
	return order ? order : (x.len > y.len) - (x.len < y.len);
}

static int64_t leading_number(struct bytes b)
{
	int64_t v = 0;
	bool minus = b.len && b.at[0] == '-';
	for (size_t i = minus; i < b.len && b.at[i] >= '0' && b.at[i] <= '9' && v < INT32_MAX; i++)
		v = v * 10 + (b.at[i] - '0');
	return minus ? -v : v;
}

static int number_order(const void *a, const void *b)
{
	int64_t x = leading_number(bytes_trim(*(const struct bytes *)a));
	int64_t y = leading_number(bytes_trim(*(const struct bytes *)b));
	return x != y ? (x > y) - (x < y) : line_order(a, b);
}

static int sort_run(struct call *c)
{
	uint32_t set;
	struct bytes values[8], text, line;
	bool ended;
	int first = call_options(c, "nruk:t:", &set, values);
	if (first < 0 || read_file(c, call_operand(c, (size_t)first), "%.*s: %s", &text))
		return 2;
	size_t n = 0, room = 1;
	for (size_t i = 0; i < text.len; i++)
		room += text.at[i] == '\n';
	struct bytes *lines = arena_alloc(c->arena, (room + 1) * sizeof *lines);
	if (!lines || !call_spend(c, room * 4))
		return 1;
	while (next_line(&text, &line, &ended))
		lines[n++] = line;
	qsort(lines, n, sizeof *lines, set & 1 ? number_order : line_order);
	for (size_t i = 0; i < n; i++) {
		size_t k = set & 2 ? n - 1 - i : i, before = set & 2 ? k + 1 : k - 1;
		if (!(set & 4) || i == 0 || !bytes_equal(lines[k], lines[before]))
			call_say(c, "%.*s\n", BYTES_FMT(lines[k]));
	}
	return 0;
}

static int uniq_run(struct call *c)
{
	uint32_t set;
	struct bytes values[4], text, line, before = {0};
	bool ended, any = false;
	size_t n = 0;
	int first = call_options(c, "cdu", &set, values);
	if (first < 0 || read_file(c, call_operand(c, (size_t)first), "%.*s: %s", &text))
		return 1;
	for (;;) {
		bool more = next_line(&text, &line, &ended) && call_spend(c, 4);
		if (more && any && bytes_equal(line, before)) {
			n++;
			continue;
		}
		if (any && !((set & 2) && n < 2) && !((set & 4) && n > 1)) {
			if (set & 1)
				call_say(c, "%7zu ", n);
			call_say(c, "%.*s\n", BYTES_FMT(before));
		}
		if (!more)
			return 0;
		before = line;
		any = true;
		n = 1;
	}
}

static size_t expand_set(struct bytes from, uint8_t out[256])
{
	size_t n = 0;
	for (size_t i = 0; i < from.len && n < 256; i++) {
		uint8_t low = from.at[i];
		if (low == '\\' && i + 1 < from.len) {
			low = from.at[++i];
			low = low == 'n'   ? '\n'
			      : low == 't' ? '\t'
			      : low == 'r' ? '\r'
			      : low == '0' ? 0
			                   : low;
		}
		unsigned high = low;
		if (i + 2 < from.len && from.at[i + 1] == '-') {
			high = from.at[i + 2];
			i += 2;
		}
		for (unsigned b = low; b <= high && n < 256; b++)
			out[n++] = (uint8_t)b;
	}
	return n;
}

static int tr_run(struct call *c)
{
	uint32_t set;
	struct bytes values[4], text;
	uint8_t from[256], to[256];
	int first = call_options(c, "cds", &set, values);
	if (first < 0)
		return 1;
	if ((size_t)first >= c->argc)
		return call_usage(c);
	size_t n = expand_set(c->argv[first], from),
	       m = expand_set(call_operand(c, (size_t)first + 1), to);
	if (call_read(c, BYTES("-"), &text))
		return 1;
	uint8_t *out = arena_alloc(c->arena, text.len + 1);
	size_t len = 0;
	call_spend(c, text.len / 16);
	for (size_t i = 0; out && i < text.len; i++) {
		const uint8_t *hit = memchr(from, text.at[i], n);
		bool chosen = (hit != NULL) != ((set & 1) != 0);
		if (chosen && (set & 2))
			continue;
		uint8_t b = text.at[i];
		if (chosen && m)
			b = to[hit && (size_t)(hit - from) < m ? (size_t)(hit - from) : m - 1];
		if (chosen && (set & 4) && len && out[len - 1] == b)
			continue;
		out[len++] = b;
	}
	call_out(c, (struct bytes){out, len});
	return 0;
}

static int tee_run(struct call *c)
{
	uint32_t set;
	struct bytes values[4], text;
	int first = call_options(c, "ai", &set, values), status = 0;
	if (first < 0 || call_read(c, BYTES("-"), &text))
		return 1;
	call_out(c, text);
	for (size_t i = (size_t)first; i < c->argc; i++) {
		struct stream s;
		int error = stream_open_write(c->shell, c->argv[i], set & 1, &s);
		if (error || !stream_write(c->shell, &s, text)) {
			call_error(c, "%.*s: %s", BYTES_FMT(c->argv[i]),
			           strerror(error ? -error : ENOSPC));
			status = 1;
		}
	}
	return status;
}

static const struct applet applet_head = {"head", "/usr/bin", "[OPTIONS] [FILE]...", head_run};
APPLET(applet_head);
static const struct applet applet_tail = {"tail", "/usr/bin", "[OPTIONS] [FILE]...", tail_run};
APPLET(applet_tail);
static const struct applet applet_wc = {"wc", "/usr/bin", "[OPTIONS] [FILE]...", wc_run};
APPLET(applet_wc);
static const struct applet applet_cut = {"cut", "/usr/bin", "[OPTIONS] [FILE]...", cut_run};
APPLET(applet_cut);
static const struct applet applet_sort = {"sort", "/usr/bin",
                                          "[-nrugMcszbdfimSTokt] [-o FILE] [FILE]...", sort_run};
APPLET(applet_sort);
static const struct applet applet_uniq = {"uniq", "/usr/bin", "[-fscduw]... [INPUT [OUTPUT]]",
                                          uniq_run};
APPLET(applet_uniq);
static const struct applet applet_tr = {"tr", "/usr/bin", "[-cds] STRING1 [STRING2]", tr_run};
APPLET(applet_tr);
static const struct applet applet_tee = {"tee", "/usr/bin", "[-ai] [FILE]...", tee_run};
APPLET(applet_tee);
