/*
 * The literals of which every match of a pattern contains at least one, or else a digit.
 *
 * Looking for fixed strings costs a fraction of a failing match, and almost all
 * rules fail on almost all banners.  The walk is careful rather than clever:
 * what it does not understand ends a literal or gives none, which costs time
 * and never a match.  Letters are lowered: the strings are sought in either case.
 */
#include "active/identify/literal_inner.h"
#include "active/identify/pieces_inner.h"
#include <ctype.h>

enum { DEPTH_MAX = 12 };

/* The run of characters under the pen, and the best set that the walk has met. */
struct walk {
	struct literal run;
	struct literal_set best;
	bool digit; /* a digit must stand somewhere */
};

static const char realm[] = "realm=\"";

/*
 * How selective a set is: by its shortest literal, since any one of them lets the
 * pattern run.  The word that stands in every challenge selects nothing.  A set that a digit may
 * stand for is worth less than any other.
 */
static int set_worth(const struct literal_set *set)
{
	size_t shortest = set->count ? sizeof set->items->text : 0;
	for (size_t i = 0; i < set->count; i++) {
		const struct literal *l = &set->items[i];
		size_t len = l->len;
		if (len >= 6 && memcmp(l->text, realm, len < 7 ? len : 7) == 0)
			len -= len < 7 ? len : 7;
		if (len < shortest)
			shortest = len;
	}
	int worth = (int)(shortest * 8) - set->count / 2;
	if (shortest < RULE_LITERAL_MIN || worth < 0)
		return -1;
	return set->digit_instead ? worth : worth + (int)sizeof set->items->text * 8;
}

static void consider(struct walk *w, const struct literal_set *set)
{
	if (set_worth(set) > set_worth(&w->best))
		w->best = *set;
}

static void literal_end(struct walk *w)
{
	struct literal_set one = {.count = 1, .items = {w->run}};
	if (w->run.len)
		consider(w, &one);
	w->run.len = 0;
}

static void literal_take(struct walk *w, uint8_t c)
{
	if (w->run.len == sizeof w->run.text)
		literal_end(w);
	w->digit |= isdigit(c) != 0;
	w->run.text[w->run.len++] = (char)tolower(c);
}

/* Takes one character unless it may be absent; a repeated one ends the run. */
static size_t character(struct walk *w, struct bytes p, uint8_t c, size_t next)
{
	enum repeat repeat = piece_repeat_at(p, next);
	if (repeat != REPEAT_MAYBE)
		literal_take(w, c);
	if (repeat != REPEAT_ONCE)
		literal_end(w);
	return piece_repeat_end(p, next);
}

static size_t escape(struct walk *w, struct bytes p, size_t at)
{
	uint8_t c = at + 1 < p.len ? p.at[at + 1] : 0;
	if (c && !isalnum(c))
		return character(w, p, c, at + 2);
	if (c == 'r' || c == 'n' || c == 't')
		return character(w, p, c == 'r' ? '\r' : c == 'n' ? '\n' : '\t', at + 2);
	literal_end(w);
	size_t next = at + 2;
	w->digit |= c == 'd' && piece_repeat_at(p, next) != REPEAT_MAYBE;
	if (c == 'x')
		for (size_t i = 0; i < 2 && next < p.len && isxdigit(p.at[next]); i++)
			next++;
	return piece_repeat_end(p, next);
}

/* Both cases of one letter are a character like any other: [Pp]hone. */
static size_t class(struct walk *w, struct bytes p, size_t at)
{
	size_t end = piece_class_end(p, at);
	if (end - at == 4 && isalpha(p.at[at + 1]) && tolower(p.at[at + 1]) == tolower(p.at[at + 2]))
		return character(w, p, p.at[at + 1], end);
	literal_end(w);
	return piece_repeat_end(p, end);
}

static void walk_sequence(struct walk *, struct bytes, unsigned depth);
static struct literal_set choice_set(struct bytes, unsigned depth);

static size_t group(struct walk *w, struct bytes p, size_t at, unsigned depth)
{
	bool choice = false;
	size_t end = piece_group_end(p, at, &choice), content = piece_group_content(p, at);
	enum repeat repeat = piece_repeat_at(p, end);
	if (!content || repeat == REPEAT_MAYBE || depth >= DEPTH_MAX || end <= content) {
		literal_end(w);
		return piece_repeat_end(p, end);
	}
	struct bytes inside = {p.at + content, end - 1 - content};
	if (choice) {
		struct literal_set set = choice_set(inside, depth + 1);
		literal_end(w);
		consider(w, &set);
		w->digit |= set.digit;
	} else {
		walk_sequence(w, inside, depth + 1);
		if (repeat != REPEAT_ONCE)
			literal_end(w);
	}
	return piece_repeat_end(p, end);
}

static void walk_sequence(struct walk *w, struct bytes p, unsigned depth)
{
	for (size_t i = 0; i < p.len;) {
		uint8_t c = p.at[i];
		if (c == '\\') {
			i = escape(w, p, i);
		} else if (c == '(') {
			i = group(w, p, i, depth);
		} else if (c == '[') {
			i = class(w, p, i);
		} else if (c == '^' || c == '$' || c == '.' || c >= 0x80) {
			/* Beyond ASCII a character is several bytes and has cases of its own. */
			literal_end(w);
			i = piece_repeat_end(p, i + 1);
		} else {
			i = character(w, p, c, i + 1);
		}
	}
}

/* Adds what a branch needs: literals, or else a digit.  False when it needs neither, or there is no room. */
static bool branch_add(struct literal_set *all, const struct walk *w)
{
	const struct literal_set *best = &w->best;
	if (w->digit && (best->count == 0 || best->digit_instead)) {
		all->digit_instead = true;
		return true;
	}
	if (best->count == 0 || all->count + best->count > RULE_LITERALS_MAX)
		return false;
	memcpy(all->items + all->count, best->items, best->count * sizeof *all->items);
	all->count = (uint16_t)(all->count + best->count);
	all->digit_instead |= best->digit_instead;
	return true;
}

/*
 * One literal of every branch is needed; a branch without any leaves the whole
 * without, unless it needs a digit.  A digit is needed when every branch needs one.
 */
static struct literal_set choice_set(struct bytes p, unsigned depth)
{
	struct literal_set all = {.digit = true};
	bool lacking = false;
	for (size_t at = 0; at <= p.len;) {
		size_t end = piece_branch_end(p, at);
		struct walk w = {0};
		walk_sequence(&w, (struct bytes){p.at + at, end - at}, depth);
		literal_end(&w);
		all.digit = all.digit && w.digit;
		lacking = lacking || !branch_add(&all, &w);
		at = end + 1;
	}
	/* Where every match has a digit, that alone is asked. */
	if (lacking || (all.digit && all.digit_instead))
		all.count = 0;
	all.digit_instead = all.digit_instead && all.count > 0;
	return all;
}

struct literal_set literals_find(struct bytes pattern)
{
	return pieces_unclear(pattern) ? (struct literal_set){0} : choice_set(pattern, 0);
}
