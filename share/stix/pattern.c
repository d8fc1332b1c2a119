#include "share/stix/pattern_inner.h"
#include <ctype.h>

#define DEPTH_MAX 64 /* of parentheses */
#define PATH_BYTES_MAX 512

enum token { END, WRONG, PATH, WORD, STRING, NUMBER, SIGN };

struct scanner {
	struct reader r;
	struct arena *arena;
	enum token token;
	struct bytes text; /* of the token: as it is meant */
};

static bool is_word(uint8_t c) { return isalnum(c) || c == '_' || c == '-'; }
static bool has(const struct reader *r, uint8_t c) { return r->at < r->end && *r->at == c; }

static void skip_blank(struct reader *r)
{
	while (r->at < r->end && isspace(*r->at))
		r->at++;
}

/* 9.2: only \' and \\ are escapes; the reader stands behind the first quote. */
static bool scan_string(struct scanner *s, struct bytes *out)
{
	const uint8_t *end = s->r.at;
	while (end < s->r.end && *end != '\'')
		end += *end == '\\' && end + 1 < s->r.end ? 2 : 1;
	size_t length = (size_t)(end - s->r.at);
	uint8_t *room = end < s->r.end ? arena_alloc(s->arena, length + 1) : NULL;
	struct writer w = writer_of(room, room ? length : 0);
	if (!room)
		return false;
	while (s->r.at < end) {
		s->r.at += *s->r.at == '\\';
		write_u8(&w, *s->r.at++);
	}
	s->r.at = end + 1;
	*out = writer_bytes(&w);
	return true;
}

static void write_component(struct scanner *s, struct writer *w)
{
	struct bytes quoted;
	if (has(&s->r, '\'')) {
		s->r.at++;
		if (scan_string(s, &quoted))
			write_span(w, quoted);
		else
			s->token = WRONG;
		return;
	}
	while (s->r.at < s->r.end && is_word(*s->r.at))
		write_u8(w, *s->r.at++);
}

static void skip_index(struct scanner *s)
{
	while (s->r.at < s->r.end && *s->r.at != ']')
		s->r.at++;
	if (s->r.at == s->r.end)
		s->token = WRONG;
	else
		s->r.at++;
}

/* What follows the colon of TYPE:PATH. */
static void scan_path(struct scanner *s, struct bytes type)
{
	size_t room_max = PATH_BYTES_MAX + type.len;
	uint8_t *room = arena_alloc(s->arena, room_max);
	struct writer w = writer_of(room, room ? room_max : 0);
	s->token = PATH;
	write_span(&w, type);
	write_u8(&w, ':');
	write_component(s, &w);
	while (s->token == PATH && s->r.at < s->r.end) {
		if (has(&s->r, '.')) {
			s->r.at++;
			write_u8(&w, '.');
			write_component(s, &w);
		} else if (has(&s->r, '[')) {
			s->r.at++;
			skip_index(s);
		} else {
			break;
		}
	}
	s->text = writer_bytes(&w);
	if (w.bad)
		s->token = WRONG;
}

static void scan_word(struct scanner *s)
{
	const uint8_t *begin = s->r.at;
	while (s->r.at < s->r.end && is_word(*s->r.at))
		s->r.at++;
	s->text = (struct bytes){begin, (size_t)(s->r.at - begin)};
	s->token = WORD;
	if (has(&s->r, ':')) {
		s->r.at++;
		scan_path(s, s->text);
	} else if (s->text.len == 1 && strchr("hbt", s->text.at[0]) && has(&s->r, '\'')) {
		s->r.at++;
		s->token = scan_string(s, &s->text) ? STRING : WRONG;
	}
}

static void scan_number(struct scanner *s)
{
	const uint8_t *begin = s->r.at++;
	while (s->r.at < s->r.end && (isdigit(*s->r.at) || *s->r.at == '.'))
		s->r.at++;
	s->text = (struct bytes){begin, (size_t)(s->r.at - begin)};
	s->token = NUMBER;
}

static void scan_sign(struct scanner *s)
{
	static const char *const two[] = {"!=", "<>", "==", "<=", ">=", NULL};
	struct bytes rest = {s->r.at, reader_left(&s->r)};
	size_t n = 1;
	for (size_t i = 0; two[i]; i++)
		if (bytes_start_with(rest, two[i]))
			n = 2;
	s->text = read_bytes(&s->r, n);
	s->token = SIGN;
}

static void scan(struct scanner *s)
{
	skip_blank(&s->r);
	uint8_t c = s->r.at < s->r.end ? *s->r.at : 0;
	if (s->r.at == s->r.end) {
		s->token = END;
	} else if (c == '\'') {
		s->r.at++;
		s->token = scan_string(s, &s->text) ? STRING : WRONG;
	} else if (isdigit(c) || c == '+' || (c == '-' && s->r.at + 1 < s->r.end && isdigit(s->r.at[1]))) {
		scan_number(s);
	} else if (is_word(c)) {
		scan_word(s);
	} else {
		scan_sign(s);
	}
}

static bool is_word_of(const struct scanner *s, const char *word)
{
	return s->token == WORD && bytes_equal_nocase(s->text, word);
}

static bool is_sign(const struct scanner *s, const char *sign)
{
	return s->token == SIGN && bytes_equal_text(s->text, sign);
}

static bool is_literal(const struct scanner *s)
{
	return s->token == STRING || s->token == NUMBER || is_word_of(s, "true") || is_word_of(s, "false");
}

static void add(struct stix_pattern *p, struct bytes path, struct bytes value, unsigned observation)
{
	p->cut |= p->count == STIX_COMPARISONS_MAX;
	if (!p->cut)
		p->list[p->count++] = (struct stix_comparison){.path = path, .value = value, .observation = observation};
}

/* IN ('a', 'b'); the scanner stands at IN. */
static const char *read_set(struct scanner *s, struct stix_pattern *p, struct bytes path, unsigned observation, bool told)
{
	scan(s);
	if (!is_sign(s, "("))
		return "behind IN a list in parentheses would be right";
	for (scan(s); !is_sign(s, ")"); scan(s)) {
		if (is_sign(s, ","))
			continue;
		if (!is_literal(s))
			return "a list of IN does not end";
		if (told)
			add(p, path, s->text, observation);
	}
	return NULL;
}

/* PATH [NOT] OPERATOR VALUE; the scanner stands at the path, and afterwards at its last token. */
static const char *read_comparison(struct scanner *s, struct stix_pattern *p, unsigned observation)
{
	struct bytes path = s->text;
	scan(s);
	bool told = !is_word_of(s, "NOT");
	if (!told)
		scan(s);
	if (is_word_of(s, "IN"))
		return read_set(s, p, path, observation, told);
	bool names = is_sign(s, "=") || is_sign(s, "==") || is_word_of(s, "ISSUBSET");
	if (!names && s->token != SIGN && !is_word_of(s, "LIKE") && !is_word_of(s, "MATCHES") && !is_word_of(s, "ISSUPERSET"))
		return "behind a path an operator would be right";
	scan(s);
	if (!is_literal(s))
		return "behind an operator a value would be right";
	if (told && names)
		add(p, path, s->text, observation);
	return NULL;
}

struct observation {
	unsigned number;
	size_t first; /* of its comparisons */
	bool open, joined;
};

static void end_observation(struct stix_pattern *p, struct observation *o)
{
	for (size_t i = o->first; i < p->count && o->joined && p->count - o->first > 1; i++)
		p->list[i].joined = true;
	o->open = false;
}

const char *stix_pattern_read(struct bytes pattern, struct arena *arena, struct stix_pattern *p)
{
	struct scanner s = {.r = reader_of_bytes(pattern), .arena = arena};
	struct observation o = {0};
	unsigned depth = 0;
	p->count = 0;
	p->cut = false;
	for (scan(&s); s.token != END; scan(&s)) {
		const char *wrong = NULL;
		if (is_sign(&s, "[")) {
			wrong = o.open ? "a bracket opens within brackets" : NULL;
			o = (struct observation){o.number + 1, p->count, true, false};
		} else if (is_sign(&s, "]")) {
			wrong = o.open ? NULL : "a bracket closes that none opened";
			end_observation(p, &o);
		} else if (is_sign(&s, "(") || is_sign(&s, ")")) {
			depth += is_sign(&s, "(") ? 1 : (unsigned)-1;
			wrong = depth > DEPTH_MAX ? "its parentheses are deep, or do not match" : NULL;
		} else if (s.token == PATH && o.open) {
			wrong = read_comparison(&s, p, o.number);
		} else if (s.token == WRONG || s.token == PATH || (o.open && s.token != WORD)) {
			wrong = "it is no pattern";
		}
		o.joined |= o.open && is_word_of(&s, "AND");
		if (wrong)
			return wrong;
	}
	return o.open || depth || !o.number ? "its brackets do not match" : NULL;
}
