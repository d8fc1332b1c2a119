#include "passive/device/shell/regex.h"
#include "passive/device/shell/shell_inner.h"

enum node_kind { NODE_BYTE, NODE_ANY, NODE_SET, NODE_START, NODE_END, NODE_GROUP, NODE_BACK };

struct node {
	struct node *next;
	struct node *options[16]; /* GROUP: its alternatives */
	size_t option_count;
	uint32_t least, most; /* repetitions */
	enum node_kind kind;
	uint8_t byte, group;
	uint8_t set[32]; /* SET: one bit for each byte */
};

struct regex {
	struct node *top; /* a GROUP: number 0 */
	unsigned nodes, groups;
	bool extended, ignore_case;
};

struct reading {
	struct regex *re;
	struct arena *arena;
	struct bytes text;
	size_t at;
	unsigned depth;
	bool bad;
};

static struct node *read_group(struct reading *);

static struct node *node_new(struct reading *r, enum node_kind kind)
{
	struct node *n = r->re->nodes++ < REGEX_NODES_MAX ? arena_alloc(r->arena, sizeof *n) : NULL;
	if (!n) {
		r->bad = true;
		return NULL;
	}
	n->kind = kind;
	n->least = n->most = 1;
	return n;
}

static uint8_t ahead(const struct reading *r, size_t n)
{
	return r->at + n < r->text.len ? r->text.at[r->at + n] : 0;
}

/* Whether an operator stands here: "\(" in a basic expression, "(" in an extended one. */
static bool at_operator(const struct reading *r, uint8_t c)
{
	return r->re->extended ? ahead(r, 0) == c : ahead(r, 0) == '\\' && ahead(r, 1) == c;
}

static void skip_operator(struct reading *r)
{
	r->at += r->re->extended ? 1 : 2;
}

static void set_add(struct node *n, uint8_t b, bool ignore_case)
{
	n->set[b / 8] |= (uint8_t)(1 << b % 8);
	if (ignore_case && ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z')))
		n->set[(b ^ 32) / 8] |= (uint8_t)(1 << (b ^ 32) % 8);
}

static bool in_class(struct bytes name, uint8_t b)
{
	bool lower = b >= 'a' && b <= 'z', upper = b >= 'A' && b <= 'Z',
	     digit = b >= '0' && b <= '9';
	if (bytes_equal_text(name, "alpha"))
		return lower || upper;
	if (bytes_equal_text(name, "digit"))
		return digit;
	if (bytes_equal_text(name, "alnum"))
		return lower || upper || digit;
	if (bytes_equal_text(name, "lower"))
		return lower;
	if (bytes_equal_text(name, "upper"))
		return upper;
	if (bytes_equal_text(name, "space"))
		return b == ' ' || (b >= '\t' && b <= '\r');
	if (bytes_equal_text(name, "xdigit"))
		return digit || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F');
	if (bytes_equal_text(name, "punct"))
		return b > ' ' && b < 127 && !lower && !upper && !digit;
	return b >= ' ' && b < 127;
}

/* [[:alpha:]]: true when one stood here and was taken in. */
static bool read_class(struct reading *r, struct node *n)
{
	struct bytes rest = {r->text.at + r->at, r->text.len - r->at};
	size_t end = bytes_find(rest, ":]");
	if (!bytes_start_with(rest, "[:") || end == rest.len || end < 2)
		return false;
	for (unsigned b = 0; b < 256; b++)
		if (in_class((struct bytes){rest.at + 2, end - 2}, (uint8_t)b))
			set_add(n, (uint8_t)b, r->re->ignore_case);
	r->at += end + 2;
	return true;
}

static struct node *read_set(struct reading *r)
{
	struct node *n = node_new(r, NODE_SET);
	bool negated = ahead(r, 0) == '^';
	r->at += negated;
	for (bool first = true; n && !r->bad; first = false) {
		if (r->at >= r->text.len) {
			r->bad = true;
			return n;
		}
		if (ahead(r, 0) == ']' && !first)
			break;
		if (read_class(r, n))
			continue;
		uint8_t low = ahead(r, 0), high = low;
		r->at++;
		if (ahead(r, 0) == '-' && ahead(r, 1) != ']' && r->at + 1 < r->text.len) {
			high = ahead(r, 1);
			r->at += 2;
		}
		for (unsigned b = low; b <= high; b++)
			set_add(n, (uint8_t)b, r->re->ignore_case);
	}
	r->at++;
	for (size_t i = 0; n && negated && i < sizeof n->set; i++)
		n->set[i] = (uint8_t)~n->set[i];
	return n;
}

static struct node *literal(struct reading *r, uint8_t b)
{
	struct node *n = node_new(r, r->re->ignore_case ? NODE_SET : NODE_BYTE);
	if (n && r->re->ignore_case)
		set_add(n, b, true);
	else if (n)
		n->byte = b;
	return n;
}

static struct node *read_escape(struct reading *r)
{
	uint8_t c = ahead(r, 1);
	if (r->at + 1 >= r->text.len) {
		r->bad = true;
		return NULL;
	}
	r->at += 2;
	if (c >= '1' && c <= '9') {
		struct node *n = node_new(r, NODE_BACK);
		if (n)
			n->group = (uint8_t)(c - '0');
		return n;
	}
	return literal(r, c == 'n' ? '\n' : c == 't' ? '\t' : c);
}

static struct node *read_atom(struct reading *r, bool first)
{
	uint8_t c = ahead(r, 0);
	bool last = r->at + 1 == r->text.len;
	if (at_operator(r, '(')) {
		skip_operator(r);
		struct node *n = read_group(r);
		if (!at_operator(r, ')'))
			r->bad = true;
		skip_operator(r);
		return n;
	}
	if (c == '\\')
		return read_escape(r);
	r->at++;
	if (c == '.')
		return node_new(r, NODE_ANY);
	if (c == '[')
		return read_set(r);
	if (c == '^' && (first || r->re->extended))
		return node_new(r, NODE_START);
	if (c == '$' && (last || r->re->extended || at_operator(r, ')')))
		return node_new(r, NODE_END);
	return literal(r, c);
}

/* {2}, {2,}, {2,5} behind an atom. */
static void read_bounds(struct reading *r, struct node *n)
{
	uint32_t v[2] = {0, 0};
	bool comma = false, most_given = false;
	skip_operator(r);
	while (r->at < r->text.len && !at_operator(r, '}')) {
		uint8_t c = ahead(r, 0);
		if (c == ',' && !comma)
			comma = true;
		else if (c >= '0' && c <= '9' && v[comma] < 256)
			v[comma] = v[comma] * 10 + (c - '0'), most_given |= comma;
		else
			r->bad = true;
		r->at++;
	}
	skip_operator(r);
	n->least = v[0];
	n->most = !comma ? v[0] : most_given ? v[1] : UINT32_MAX;
}

static void read_repeats(struct reading *r, struct node *n, bool first)
{
	while (r->at < r->text.len && n && !r->bad) {
		bool extended = r->re->extended;
		if (ahead(r, 0) == '*' && !(first && !extended && n->kind == NODE_START)) {
			n->least = 0;
			n->most = UINT32_MAX;
			r->at++;
		} else if (at_operator(r, '+')) {
			n->most = UINT32_MAX;
			skip_operator(r);
		} else if (at_operator(r, '?')) {
			n->least = 0;
			skip_operator(r);
		} else if (at_operator(r, '{')) {
			read_bounds(r, n);
		} else {
			return;
		}
	}
}

static struct node *read_group(struct reading *r)
{
	struct node *group = node_new(r, NODE_GROUP);
	if (!group || ++r->depth > 16) {
		r->bad = true;
		return group;
	}
	group->group = r->re->groups < REGEX_GROUPS_MAX ? (uint8_t)r->re->groups : REGEX_GROUPS_MAX;
	r->re->groups++;
	struct node **end = &group->options[group->option_count++];
	bool first = true;
	while (r->at < r->text.len && !r->bad && !at_operator(r, ')')) {
		if (at_operator(r, '|')) {
			skip_operator(r);
			if (group->option_count == 16) {
				r->bad = true;
				break;
			}
			end = &group->options[group->option_count++];
			first = true;
			continue;
		}
		*end = read_atom(r, first);
		read_repeats(r, *end, first);
		first = false;
		if (*end)
			end = &(*end)->next;
	}
	r->depth--;
	return group;
}

struct regex *regex_read(struct arena *arena, struct bytes pattern, bool extended, bool ignore_case)
{
	struct regex *re = arena_alloc(arena, sizeof *re);
	if (!re)
		return NULL;
	re->extended = extended;
	re->ignore_case = ignore_case;
	struct reading r = {.re = re, .arena = arena, .text = pattern};
	re->top = read_group(&r);
	return r.bad || r.at < pattern.len ? NULL : re;
}

/* What is to be matched behind the node at hand. */
struct rest {
	const struct node *next;  /* of the sequence, or NULL */
	const struct node *again; /* the GROUP that just matched once */
	uint32_t count;
	size_t started;
	const struct rest *behind;
};

struct matching {
	struct shell *shell;
	struct bytes text;
	struct regex_match *match;
	size_t end;
	unsigned depth;
};

static bool match_sequence(struct matching *, const struct node *, size_t at, const struct rest *);

static bool match_byte(const struct node *n, uint8_t b)
{
	return n->kind == NODE_ANY ||
	       (n->kind == NODE_BYTE ? b == n->byte : n->set[b / 8] >> b % 8 & 1);
}

static bool match_group(struct matching *m, const struct node *n, uint32_t count, size_t at,
                        const struct rest *behind)
{
	if (count < n->most) {
		const struct rest after = {NULL, n, count + 1, at, behind};
		for (size_t i = 0; i < n->option_count; i++)
			if (match_sequence(m, n->options[i], at, &after))
				return true;
	}
	return count >= n->least && match_sequence(m, n->next, at, behind);
}

static bool match_rest(struct matching *m, size_t at, const struct rest *k)
{
	if (!k) {
		m->end = at;
		return true;
	}
	const struct node *g = k->again;
	if (g->group < REGEX_GROUPS_MAX)
		m->match->group[g->group] =
		        (struct bytes){m->text.at + k->started, at - k->started};
	if (at == k->started && k->count > g->least) /* an empty round brings nothing new */
		return match_sequence(m, g->next, at, k->behind);
	return match_group(m, g, k->count, at, k->behind);
}

static bool match_simple(struct matching *m, const struct node *n, size_t at, const struct rest *k)
{
	size_t most = 0;
	while (most < n->most && at + most < m->text.len && match_byte(n, m->text.at[at + most]))
		most++;
	for (size_t taken = most;; taken--) {
		if (taken < n->least || !shell_spend(m->shell, 1))
			return false;
		if (match_sequence(m, n->next, at + taken, k))
			return true;
		if (taken == 0)
			return false;
	}
}

static bool match_sequence(struct matching *m, const struct node *n, size_t at,
                           const struct rest *k)
{
	if (m->depth >= REGEX_DEPTH_MAX || !shell_spend(m->shell, 1))
		return false;
	m->depth++;
	bool yes;
	struct bytes back;
	if (!n) {
		yes = match_rest(m, at, k);
	} else if (n->kind == NODE_START) {
		yes = at == 0 && match_sequence(m, n->next, at, k);
	} else if (n->kind == NODE_END) {
		yes = at == m->text.len && match_sequence(m, n->next, at, k);
	} else if (n->kind == NODE_GROUP) {
		yes = match_group(m, n, 0, at, k);
	} else if (n->kind == NODE_BACK) {
		back = m->match->group[n->group];
		yes = m->text.len - at >= back.len &&
		      (!back.len || !memcmp(m->text.at + at, back.at, back.len)) &&
		      match_sequence(m, n->next, at + back.len, k);
	} else {
		yes = match_simple(m, n, at, k);
	}
	m->depth--;
	return yes;
}

bool regex_find(struct shell *sh, const struct regex *re, struct bytes text, size_t from,
                struct regex_match *match)
{
	struct matching m = {.shell = sh, .text = text, .match = match};
	for (size_t at = from; at <= text.len; at++) {
		*match = (struct regex_match){0};
		if (match_group(&m, re->top, 0, at, NULL)) {
			match->group[0] = (struct bytes){text.at + at, m.end - at};
			return true;
		}
		if (!shell_spend(sh, 1))
			return false;
	}
	return false;
}
