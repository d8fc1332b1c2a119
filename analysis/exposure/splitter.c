#include "analysis/exposure/splitter_inner.h"

#define DEPTH_MAX 64
#define IN_OBJECT 1
#define IN_ARRAY 2

void splitter_open(struct splitter *s) { *s = (struct splitter){.element = BUFFER(SPLITTER_ELEMENT_MAX)}; }
void splitter_done(struct splitter *s) { buffer_done(&s->element); }
bool splitter_is_whole(const struct splitter *s) { return s->begun && s->depth == 0 && !s->in_string; }

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* Takes the bytes of an element that lie together; one beyond the bound is counted and left out. */
static int keep(struct splitter *s, const uint8_t *from, const uint8_t *to)
{
	if (s->skips || from == to)
		return 0;
	int bad = buffer_append(&s->element, from, (size_t)(to - from));
	if (bad != ERR_FULL)
		return bad;
	s->skips = true;
	s->too_long++;
	return 0;
}

static int element_ends(struct splitter *s, int (*take)(void *, struct bytes), void *arg)
{
	int bad = 0;
	if (!s->skips) {
		s->elements++;
		bad = take(arg, buffer_bytes(&s->element));
	}
	buffer_consume(&s->element, buffer_len(&s->element));
	s->skips = false;
	return bad;
}

static void string_goes_on(struct splitter *s, uint8_t c)
{
	if (s->escaped)
		s->escaped = false;
	else if (c == '\\')
		s->escaped = true;
	else if (c == '"')
		s->in_string = false;
}

/* One structural byte; the element that it ends begins at *from and ends behind `at`. */
static int step(struct splitter *s, const uint8_t **from, const uint8_t *at, int (*take)(void *, struct bytes),
		void *arg)
{
	bool opens = *at == '{' || *at == '[';
	if (!s->begun) {
		if (is_space(*at) || *at >= 0x80) /* or a byte order mark */
			return 0;
		s->begun = true;
		s->depth = IN_OBJECT;
		return *at == '{' ? 0 : ERR_BAD;
	}
	if (s->depth == 0)
		return is_space(*at) ? 0 : ERR_BAD;
	if (*at == '"')
		s->in_string = true;
	if (opens) {
		if (s->depth == IN_OBJECT && *at == '[' && !s->past)
			s->within = true;
		if (s->depth == IN_ARRAY && s->within)
			*from = at;
		return ++s->depth > DEPTH_MAX ? ERR_BAD : 0;
	}
	if (*at != '}' && *at != ']')
		return 0;
	s->depth--;
	if (s->within && s->depth == IN_ARRAY) {
		int bad = keep(s, *from, at + 1);
		*from = at + 1;
		return bad ? bad : element_ends(s, take, arg);
	}
	if (s->within && s->depth == IN_OBJECT) {
		s->within = false;
		s->past = true;
	}
	return 0;
}

int splitter_take(struct splitter *s, struct bytes text, int (*take)(void *, struct bytes), void *arg)
{
	const uint8_t *from = text.at, *end = text.at + text.len;
	int bad = 0;
	for (const uint8_t *at = text.at; at < end && !bad; at++) {
		if (s->in_string)
			string_goes_on(s, *at);
		else
			bad = step(s, &from, at, take, arg);
	}
	if (!bad && s->within && s->depth > IN_ARRAY)
		bad = keep(s, from, end);
	return bad;
}
