/* grep, egrep, fgrep. */
#include "passive/device/shell/regex.h"

struct grep {
	struct call *call;
	struct regex *patterns[16];
	size_t count;
	uint32_t set;
	int64_t most;
	bool names, found;
};

enum grep_option {
	GREP_E,
	GREP_FIXED,
	GREP_I,
	GREP_V,
	GREP_C,
	GREP_L,
	GREP_Q,
	GREP_N,
	GREP_O,
	GREP_S,
	GREP_H,
	GREP_NO_H,
	GREP_W,
	GREP_X,
	GREP_R,
	GREP_PATTERN,
	GREP_MOST,
	GREP_FILE,
	GREP_A,
	GREP_B
};

static bool has(const struct grep *g, enum grep_option o)
{
	return g->set >> o & 1;
}

/* -F: each special byte behind a backslash. */
static struct bytes fixed(struct call *c, struct bytes p)
{
	uint8_t *at = arena_alloc(c->arena, 2 * p.len + 1);
	if (!at)
		return p;
	struct writer w = writer_of(at, 2 * p.len + 1);
	for (size_t i = 0; i < p.len; i++) {
		if (strchr(".[*^$\\", p.at[i]) && p.at[i])
			write_u8(&w, '\\');
		write_u8(&w, p.at[i]);
	}
	return writer_bytes(&w);
}

/* A pattern of several lines is as many patterns. */
static bool add_patterns(struct grep *g, struct bytes text, bool extended)
{
	for (;;) {
		struct bytes line = {text.at, bytes_find(text, "\n")};
		struct bytes p = has(g, GREP_FIXED) ? fixed(g->call, line) : line;
		struct regex *re =
		        g->count < 16 ? regex_read(g->call->arena, p,
		                                   extended && !has(g, GREP_FIXED), has(g, GREP_I))
		                      : NULL;
		if (!re) {
			call_error(g->call,
			           "bad regex '%.*s': Invalid preceding regular expression",
			           BYTES_FMT(line));
			return false;
		}
		g->patterns[g->count++] = re;
		if (line.len == text.len)
			return true;
		text.at += line.len + 1;
		text.len -= line.len + 1;
	}
}

static bool is_word_byte(uint8_t b)
{
	return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') ||
	       b == '_';
}

static bool line_matches(struct grep *g, struct bytes line, size_t from, struct regex_match *m)
{
	for (size_t i = 0; i < g->count; i++) {
		if (!regex_find(g->call->shell, g->patterns[i], line, from, m))
			continue;
		struct bytes hit = m->group[0];
		if (has(g, GREP_X) && hit.len != line.len)
			continue;
		bool in_word =
		        (hit.at > line.at && is_word_byte(hit.at[-1])) ||
		        (hit.at + hit.len < line.at + line.len && is_word_byte(hit.at[hit.len]));
		if (!has(g, GREP_W) || !in_word)
			return true;
	}
	return false;
}

static void say_hit(struct grep *g, struct bytes name, size_t number, struct bytes text)
{
	struct call *c = g->call;
	if (g->names)
		call_say(c, "%.*s:", BYTES_FMT(name));
	if (has(g, GREP_N))
		call_say(c, "%zu:", number);
	call_out(c, text);
	call_out(c, BYTES("\n"));
}

static void search(struct grep *g, struct bytes name, struct bytes text)
{
	struct call *c = g->call;
	struct regex_match m;
	size_t number = 0, hits = 0;
	while (text.len && call_spend(c, 4) && !(g->most >= 0 && (int64_t)hits >= g->most)) {
		struct bytes line = {text.at, bytes_find(text, "\n")};
		text.at += line.len + (line.len < text.len);
		text.len -= line.len + (line.len < text.len);
		number++;
		if (line_matches(g, line, 0, &m) == has(g, GREP_V))
			continue;
		hits++;
		g->found = true;
		if (has(g, GREP_Q) || has(g, GREP_L))
			break;
		if (has(g, GREP_C))
			continue;
		if (!has(g, GREP_O)) {
			say_hit(g, name, number, line);
			continue;
		}
		for (bool more = true; more && call_spend(c, 2);) {
			size_t next = (size_t)(m.group[0].at - line.at) + m.group[0].len;
			if (m.group[0].len)
				say_hit(g, name, number, m.group[0]);
			else
				next++;
			more = next <= line.len && line_matches(g, line, next, &m);
		}
	}
	if (has(g, GREP_L) && hits)
		call_say(c, "%.*s\n", BYTES_FMT(name));
	else if (has(g, GREP_C) && g->names)
		call_say(c, "%.*s:%zu\n", BYTES_FMT(name), hits);
	else if (has(g, GREP_C))
		call_say(c, "%zu\n", hits);
}

static int grep_run(struct call *c)
{
	struct grep g = {.call = c, .most = -1};
	struct bytes values[20], text;
	int first = call_options(c, "EFivclqnoshHwxre:m:f:A:B:", &g.set, values), status = 0;
	if (first < 0)
		return 2;
	bool extended = has(&g, GREP_E) || bytes_equal_text(c->argv[0], "egrep");
	if (bytes_equal_text(c->argv[0], "fgrep"))
		g.set |= 1u << GREP_FIXED;
	if (has(&g, GREP_MOST))
		call_number(values[GREP_MOST], &g.most);
	if (!has(&g, GREP_PATTERN) && (size_t)first >= c->argc)
		return call_usage(c);
	if (!add_patterns(&g, has(&g, GREP_PATTERN) ? values[GREP_PATTERN] : c->argv[first++],
	                  extended))
		return 2;
	bool input = (size_t)first >= c->argc;
	g.names = (c->argc - (size_t)first > 1 || has(&g, GREP_NO_H)) && !has(&g, GREP_H) && !input;
	if (input && call_read(c, BYTES("-"), &text) == 0)
		search(&g, BYTES("(standard input)"), text);
	for (size_t i = (size_t)first; i < c->argc; i++) {
		int error = call_read(c, c->argv[i], &text);
		if (!error) {
			search(&g, c->argv[i], text);
			continue;
		}
		if (!has(&g, GREP_S))
			call_error(c, "%.*s: %s", BYTES_FMT(c->argv[i]), strerror(-error));
		status = 2;
	}
	return g.found ? 0 : status ? status : 1;
}

static const struct applet applet_grep = {
        "grep", "/bin",
        "[-HhnlLoqvsrRiwFExz] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]...",
        grep_run};
APPLET(applet_grep);
static const struct applet applet_egrep = {"egrep", "/bin", NULL, grep_run};
APPLET(applet_egrep);
static const struct applet applet_fgrep = {"fgrep", "/bin", NULL, grep_run};
APPLET(applet_fgrep);
