/*
 * RESP, versions 2 and 3, and inline commands, as networking.c of Redis reads and writes them.
 *
 * A request may come in any number of pieces: what has been read of it is kept as offsets, so
 * that no byte is looked at twice.
 */
#include "passive/services/redis/redis.h"
#include <strings.h>

#define INLINE_MAX 65536 /* PROTO_INLINE_MAX_SIZE */
#define BULK_MAX 536870912
#define MULTIBULK_MAX 2147483647
#define SPANS_FIRST 16

static struct redis_call call_of(struct session *s, struct redis *r)
{
	return (struct redis_call){s, r, NULL, 0};
}

static enum redis_read protocol_fault(struct session *s, struct redis *r, const char *what)
{
	struct redis_call c = call_of(s, r);
	reply_error(&c, "ERR Protocol error: %s", what);
	return REDIS_READ_FAULT;
}

static bool blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The letter behind a backslash in double quotes; 1 or 3 more bytes are used (sds.c). */
static size_t unescape(const uint8_t *at, const uint8_t *end, uint8_t *out)
{
	static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
	if (*at == 'x' && end - at > 2 && hex_value(at[1]) >= 0 && hex_value(at[2]) >= 0) {
		*out = (uint8_t)(hex_value(at[1]) << 4 | hex_value(at[2]));
		return 3;
	}
	const char *found = *at ? strchr(from, *at) : NULL;
	*out = found ? (uint8_t)to[found - from] : *at;
	return 1;
}

/* One word of an inline command, quotes removed; false: they are unbalanced. */
static bool inline_word(const uint8_t **from, const uint8_t *end, uint8_t *out, size_t *len)
{
	const uint8_t *at = *from;
	uint8_t quote = 0;
	size_t n = 0;
	for (; at < end; at++) {
		if (quote == '"' && *at == '\\' && at + 1 < end) {
			at += unescape(at + 1, end, &out[n++]);
		} else if (quote == '\'' && *at == '\\' && at + 1 < end && at[1] == '\'') {
			out[n++] = *++at;
		} else if (quote && *at == quote) {
			if (at + 1 < end && !blank(at[1]))
				return false;
			quote = 0;
			at++;
			break;
		} else if (quote) {
			out[n++] = *at;
		} else if (blank(*at)) {
			break;
		} else if (*at == '"' || *at == '\'') {
			quote = *at;
		} else {
			out[n++] = *at;
		}
	}
	*from = at;
	*len = n;
	return !quote;
}

static enum redis_read read_inline(struct session *s, struct redis *r, struct reader *in,
				   struct bytes *arguments, size_t *count)
{
	const uint8_t *from = in->at + r->at, *end = memchr(from, '\n', (size_t)(in->end - from));
	if (!end && reader_left(in) > INLINE_MAX)
		return protocol_fault(s, r, "too big inline request");
	if (!end) {
		r->at = (uint32_t)reader_left(in);
		return REDIS_READ_NOTHING;
	}
	r->at = 0;
	const uint8_t *at = in->at;
	in->at = end + 1;
	if (end > at && end[-1] == '\r')
		end--;
	uint8_t *words = arena_alloc(session_arena(s), (size_t)(end - at) + 1);
	*count = 0;
	while (words && *count < REDIS_ARGUMENTS_MAX) {
		while (at < end && blank(*at))
			at++;
		if (at >= end)
			break;
		size_t len = 0;
		if (!inline_word(&at, end, words, &len))
			return protocol_fault(s, r, "unbalanced quotes in request");
		arguments[(*count)++] = (struct bytes){words, len};
		words += len;
	}
	return *count ? REDIS_READ_COMMAND : REDIS_READ_NOTHING;
}

/* A line "*3" or "$5" at the offset; false when it has not all come. */
static bool read_count(struct reader *in, uint32_t at, struct bytes *line, uint32_t *after)
{
	const uint8_t *from = in->at + at, *cr = memchr(from, '\r', (size_t)(in->end - from));
	if (!cr || in->end - cr < 2)
		return false;
	*line = (struct bytes){from + 1, (size_t)(cr - from) - 1};
	*after = (uint32_t)(cr + 2 - in->at);
	return true;
}

static bool spans_room(struct session *s, struct redis *r)
{
	if (r->span_count < r->span_room)
		return true;
	uint32_t room = r->span_room ? 4 * r->span_room : SPANS_FIRST;
	struct redis_span *grown = arena_alloc(session_arena(s), room * sizeof *grown);
	if (!grown)
		return false;
	if (r->span_count)
		memcpy(grown, r->spans, r->span_count * sizeof *grown);
	r->spans = grown;
	r->span_room = room;
	return true;
}

/* The next argument; REDIS_READ_COMMAND: it is whole. */
static enum redis_read read_argument(struct session *s, struct redis *r, struct reader *in)
{
	struct bytes line;
	uint32_t after;
	int64_t n;
	size_t left = reader_left(in) - r->at;
	if (left && in->at[r->at] != '$') {
		char what[32];
		snprintf(what, sizeof what, "expected '$', got '%c'", in->at[r->at]);
		return protocol_fault(s, r, what);
	}
	if (!left || !read_count(in, r->at, &line, &after))
		return left > INLINE_MAX ? protocol_fault(s, r, "too big bulk count string")
					 : REDIS_READ_NOTHING;
	if (!redis_number(line, &n) || n < 0 || n > BULK_MAX)
		return protocol_fault(s, r, "invalid bulk length");
	if (n > 16384 && !r->let_in && redis_since(r, 6, 2))
		return protocol_fault(s, r, "unauthenticated bulk length");
	if (reader_left(in) < after + (uint64_t)n + 2)
		return REDIS_READ_NOTHING;
	if (!spans_room(s, r))
		return protocol_fault(s, r, "invalid multibulk length");
	r->spans[r->span_count++] = (struct redis_span){after, (uint32_t)n};
	r->at = after + (uint32_t)n + 2;
	return REDIS_READ_COMMAND;
}

static enum redis_read read_multibulk_count(struct session *s, struct redis *r, struct reader *in)
{
	struct bytes line;
	uint32_t after;
	int64_t n;
	if (!read_count(in, 0, &line, &after))
		return reader_left(in) > INLINE_MAX ? protocol_fault(s, r, "too big mbulk count string")
						    : REDIS_READ_NOTHING;
	if (!redis_number(line, &n) || n > MULTIBULK_MAX || n > REDIS_ARGUMENTS_MAX)
		return protocol_fault(s, r, "invalid multibulk length");
	if (n > 10 && !r->let_in && redis_since(r, 6, 2))
		return protocol_fault(s, r, "unauthenticated multibulk length");
	if (n <= 0) {
		in->at += after;
		return REDIS_READ_COMMAND;
	}
	r->expected = (uint32_t)n;
	r->at = after;
	r->span_count = 0;
	return REDIS_READ_COMMAND;
}

enum redis_read redis_read(struct session *s, struct redis *r, struct reader *in,
			   struct bytes *arguments, size_t *count)
{
	*count = 0;
	if (!r->expected && reader_left(in) && *in->at != '*')
		return read_inline(s, r, in, arguments, count);
	while (!r->expected) {
		if (!reader_left(in) || *in->at != '*')
			return REDIS_READ_NOTHING;
		enum redis_read got = read_multibulk_count(s, r, in);
		if (got != REDIS_READ_COMMAND)
			return got;
	}
	while (r->span_count < r->expected) {
		enum redis_read got = read_argument(s, r, in);
		if (got != REDIS_READ_COMMAND)
			return got;
	}
	for (uint32_t i = 0; i < r->expected; i++)
		arguments[i] = (struct bytes){in->at + r->spans[i].at, r->spans[i].len};
	*count = r->expected;
	in->at += r->at;
	r->expected = r->at = r->span_count = 0;
	return REDIS_READ_COMMAND;
}

void reply_status(const struct redis_call *c, const char *text)
{
	session_say(c->session, "+%s\r\n", text);
}

/* A line end inside would split the answer: Redis writes blanks for them. */
void reply_error(const struct redis_call *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if (*p == '\r' || *p == '\n')
			*p = ' ';
	session_say(c->session, "-%s\r\n", text);
}

void reply_number(const struct redis_call *c, int64_t n)
{
	session_say(c->session, ":%lld\r\n", (long long)n);
}

void reply_bulk(const struct redis_call *c, struct bytes b)
{
	session_say(c->session, "$%zu\r\n", b.len);
	session_say_bytes(c->session, b);
	session_say(c->session, "\r\n");
}

void reply_text(const struct redis_call *c, const char *text)
{
	reply_bulk(c, bytes_of_text(text));
}

void reply_verbatim(const struct redis_call *c, struct bytes b)
{
	if (c->redis->protocol < 3) {
		reply_bulk(c, b);
		return;
	}
	session_say(c->session, "=%zu\r\ntxt:", b.len + 4);
	session_say_bytes(c->session, b);
	session_say(c->session, "\r\n");
}

void reply_nil(const struct redis_call *c)
{
	session_say(c->session, c->redis->protocol < 3 ? "$-1\r\n" : "_\r\n");
}

void reply_array(const struct redis_call *c, size_t n)
{
	session_say(c->session, "*%zu\r\n", n);
}

void reply_map(const struct redis_call *c, size_t pairs)
{
	if (c->redis->protocol < 3)
		reply_array(c, 2 * pairs);
	else
		session_say(c->session, "%%%zu\r\n", pairs);
}

bool redis_since(const struct redis *r, unsigned major, unsigned minor)
{
	unsigned a = 0, b = 0;
	sscanf(r->device->version, "%u.%u", &a, &b);
	return a > major || (a == major && b >= minor);
}

bool redis_number(struct bytes b, int64_t *out)
{
	bool negative = b.len > 1 && b.at[0] == '-';
	uint64_t n;
	if (b.len > 1 + (size_t)negative && b.at[negative] == '0')
		return false;
	if (!bytes_number((struct bytes){b.at + negative, b.len - negative}, INT64_MAX, &n))
		return false;
	*out = negative ? -(int64_t)n : (int64_t)n;
	return true;
}

static bool glob_one(struct bytes *p, uint8_t c)
{
	uint8_t first = p->at[0];
	size_t used = 1;
	bool fits = first == '?' || first == c;
	if (first == '\\' && p->len > 1) {
		fits = p->at[1] == c;
		used = 2;
	} else if (first == '[') {
		bool not = p->len > 1 && p->at[1] == '^', in = false;
		for (used = 1 + not; used < p->len && p->at[used] != ']'; used++) {
			if (used + 2 < p->len && p->at[used + 1] == '-') {
				in |= c >= p->at[used] && c <= p->at[used + 2];
				used += 2;
			} else {
				in |= p->at[used] == c;
			}
		}
		used += used < p->len;
		fits = in != not;
	}
	*p = (struct bytes){p->at + used, p->len - used};
	return fits;
}

/* Only the last star is gone back to, which is enough and bounds the work. */
bool redis_glob(struct bytes pattern, struct bytes text)
{
	struct bytes star = {0}, star_text = {0};
	bool starred = false;
	while (text.len) {
		if (pattern.len && pattern.at[0] == '*') {
			pattern = (struct bytes){pattern.at + 1, pattern.len - 1};
			star = pattern;
			star_text = text;
			starred = true;
			continue;
		}
		if (pattern.len && glob_one(&pattern, text.at[0])) {
			text = (struct bytes){text.at + 1, text.len - 1};
			continue;
		}
		if (!starred)
			return false;
		star_text = (struct bytes){star_text.at + 1, star_text.len - 1};
		pattern = star;
		text = star_text;
	}
	while (pattern.len && pattern.at[0] == '*')
		pattern = (struct bytes){pattern.at + 1, pattern.len - 1};
	return pattern.len == 0;
}
