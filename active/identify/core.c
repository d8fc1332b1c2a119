/*
 * The part of a pattern that a prefilter needs.
 *
 * A match of the whole holds a match of every run of its pieces, so what may be absent at
 * either end can be left away, and with it the anchors that it stood beside.  What is left is
 * looser and compiles in a hundredth of the time: titles are written as "any few words, the
 * model, any few words", and only the model tells anything.
 */
#include "active/identify/core_inner.h"
#include "active/identify/pieces_inner.h"
#include <ctype.h>
#include <string.h>

/* Anchors, word boundaries and looks around. */
static bool is_zero_width(struct bytes p, size_t at)
{
	switch (p.at[at]) {
	case '^':
	case '$':
		return true;
	case '\\':
		return at + 1 < p.len && p.at[at + 1] && strchr("bBAzZG", p.at[at + 1]);
	case '(':
		return piece_group_content(p, at) == 0;
	default:
		return false;
	}
}

/* Flags that hold for what comes after them, as in `(?i)`. */
static bool sets_flags(struct bytes p, size_t at)
{
	if (p.at[at] != '(' || at + 2 >= p.len || p.at[at + 1] != '?')
		return false;
	size_t end = piece_flags_end(p, at);
	return end > at + 2 && end < p.len && p.at[end] == ')';
}

/* How much a run of pieces tells: fixed characters do, classes and the word of every challenge do not. */
static size_t weight(struct bytes run)
{
	static const char realm[] = "realm=\"";
	size_t sum = 0, at = 0, next;
	if (run.len >= sizeof realm - 1 && memcmp(run.at, realm, sizeof realm - 1) == 0)
		at = sizeof realm - 1;
	for (; at < run.len; at = next) {
		enum repeat repeat;
		next = piece_end(run, at, &repeat);
		if (run.at[at] == '(' && !is_zero_width(run, at))
			sum += next - at;
		else if (isalnum(run.at[at]))
			sum += 2;
	}
	return sum;
}

/* A group that may be absent, or any number of something: what follows is better sought alone. */
static bool is_gap(struct bytes p, size_t at, size_t next)
{
	return p.at[at] == '(' || p.at[next - 1] != '?' || p.at[next - 2] == '?' ||
	       p.at[next - 2] == '*' || p.at[next - 2] == '}';
}

/* The run of pieces that is being read, and the weightiest that was. */
struct runs {
	size_t start, end;
	bool begun, adjacent; /* a piece that consumes was met; nothing was left out since */
	struct bytes best;
};

static void run_end(struct runs *r, struct bytes p, size_t next)
{
	struct bytes run = {p.at + r->start, r->end - r->start};
	if (r->begun && weight(run) > weight(r->best))
		r->best = run;
	r->begun = false;
	r->start = r->end = next;
}

struct bytes pattern_core(struct bytes p)
{
	struct runs r = {.adjacent = true};
	if (pieces_unclear(p) || piece_branch_end(p, 0) < p.len)
		return p;
	for (size_t at = 0, next; at < p.len; at = next) {
		enum repeat repeat;
		next = piece_end(p, at, &repeat);
		if (sets_flags(p, at) || next > p.len)
			return p;
		bool maybe = repeat == REPEAT_MAYBE, zero = is_zero_width(p, at);
		if (maybe && (!r.begun || is_gap(p, at, next)))
			run_end(&r, p, next);
		r.begun = r.begun || !(maybe || zero);
		r.adjacent = maybe ? false : zero ? r.adjacent : true;
		if (r.begun && r.adjacent)
			r.end = next;
	}
	run_end(&r, p, p.len);
	return r.best.len ? r.best : p;
}
