#include "active/reading/page_inner.h"
#include "active/reading/unpack_inner.h"

#define TITLE_MAX 512
#define TAG_MAX 1024

/* Where the header block ends: after its empty line; 0 when that has not come. */
static size_t head_end(struct bytes raw)
{
	for (size_t i = 0; i < raw.len; i++) {
		const uint8_t *lf = memchr(raw.at + i, '\n', raw.len - i);
		if (!lf)
			return 0;
		i = (size_t)(lf - raw.at);
		size_t next = i + 1;
		if (next < raw.len && raw.at[next] == '\r')
			next++;
		if (next < raw.len && raw.at[next] == '\n')
			return next + 1;
	}
	return 0;
}

static bool status_read(struct bytes line, unsigned *status)
{
	if (!bytes_start_with(line, "HTTP/") && !bytes_start_with(line, "ICY "))
		return false;
	bytes_word(&line);
	struct bytes code = {line.at, line.len < 3 ? line.len : 3};
	uint64_t n;
	if (!bytes_number(code, 999, &n) || n < 100)
		return false;
	*status = (unsigned)n;
	return true;
}

static struct bytes cut(struct bytes b)
{
	if (b.len > PAGE_VALUE_MAX)
		b.len = PAGE_VALUE_MAX;
	return b;
}

/* The value of realm="..." or realm=token (RFC 9110 11.5; devices forget the quotes). */
static struct bytes realm_of(struct bytes challenge)
{
	size_t at = bytes_find_nocase(challenge, "realm=");
	if (at == challenge.len)
		return (struct bytes){0};
	struct bytes rest = {challenge.at + at + 6, challenge.len - at - 6};
	bool quoted = rest.len && rest.at[0] == '"';
	if (quoted) {
		rest.at++;
		rest.len--;
	}
	size_t n = 0;
	while (n < rest.len && rest.at[n] != (quoted ? '"' : ','))
		n++;
	return (struct bytes){rest.at, n};
}

static void header_take(struct page *p, struct bytes name, struct bytes value)
{
	static const struct {
		const char *name;
		size_t at;
	} kept[] = {
		{"server", offsetof(struct page, server)},
		{"www-authenticate", offsetof(struct page, authenticate)},
		{"location", offsetof(struct page, location)},
		{"content-type", offsetof(struct page, type)},
		{"x-powered-by", offsetof(struct page, powered)},
		{"content-encoding", offsetof(struct page, encoding)},
	};
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		struct bytes *place = (struct bytes *)((char *)p + kept[i].at);
		if (!place->at && bytes_equal_nocase(name, kept[i].name))
			*place = value;
	}
	if (bytes_equal_nocase(name, "set-cookie") && p->cookie_count < PAGE_COOKIES_MAX)
		p->cookies[p->cookie_count++] = value;
	else if (bytes_equal_nocase(name, "content-length"))
		p->has_length = bytes_number(value, UINT64_MAX, &p->length);
	else if (bytes_equal_nocase(name, "transfer-encoding"))
		p->chunked = bytes_find_nocase(value, "chunked") < value.len;
}

static void head_read(struct page *p)
{
	struct reader r = reader_of_bytes(p->head);
	struct bytes line;
	for (size_t i = 0; i < PAGE_HEADERS_MAX && read_line(&r, &line); i++) {
		size_t colon = bytes_find(line, ":");
		if (colon == 0 || colon == line.len)
			continue;
		struct bytes value = {line.at + colon + 1, line.len - colon - 1};
		header_take(p, bytes_trim((struct bytes){line.at, colon}), cut(bytes_trim(value)));
	}
	p->realm = realm_of(p->authenticate);
}

/* Finds status, head and the raw body; interim answers (RFC 9110 15.2) are passed over. */
static bool page_split(struct bytes raw, struct page *p)
{
	*p = (struct page){0};
	do {
		if (p->body.len)
			raw = p->body;
		size_t end = head_end(raw);
		struct reader r = reader_of(raw.at, end ? end : raw.len);
		struct bytes line;
		if (!read_line(&r, &line) || !status_read(line, &p->status))
			return false;
		p->head = read_rest(&r);
		p->body = end ? (struct bytes){raw.at + end, raw.len - end} : BYTES("");
	} while (p->status / 100 == 1 && p->status != 101 && p->body.len);
	head_read(p);
	return true;
}

static bool hex_number(struct bytes line, size_t *out)
{
	size_t v = 0, n = 0;
	for (; n < line.len && n < 7; n++) {
		uint8_t c = line.at[n] | 0x20;
		if (c >= '0' && c <= '9')
			v = v * 16 + (size_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (size_t)(c - 'a' + 10);
		else
			break;
	}
	*out = v;
	return n > 0;
}

/* Copies the chunks into `room` (may be NULL); true when the last one has come. */
static bool chunks_read(struct bytes raw, struct writer *room)
{
	struct reader r = reader_of_bytes(raw);
	struct bytes line;
	size_t size;
	while (read_line(&r, &line)) {
		if (line.len == 0)
			continue;
		if (!hex_number(line, &size))
			return true; /* broken: nothing more can be understood */
		if (size == 0)
			return true;
		size_t n = size < reader_left(&r) ? size : reader_left(&r);
		struct bytes part = read_bytes(&r, n);
		if (room && writer_left(room) >= n)
			write_span(room, part);
		if (n < size)
			return false;
	}
	return false;
}

static bool body_is_whole(const struct page *p)
{
	if (p->status == 204 || p->status == 304)
		return true;
	if (p->chunked)
		return chunks_read(p->body, NULL);
	return p->has_length && p->body.len >= p->length;
}

bool page_is_complete(struct bytes raw)
{
	struct page p;
	return head_end(raw) && page_split(raw, &p) && p.body.at && p.status / 100 != 1 &&
	       body_is_whole(&p);
}

/* A body that cannot be unpacked is left as it is, and is not whole. */
static void body_unpack(struct page *p, struct writer *room)
{
	bool packed = bytes_find_nocase(p->encoding, "gzip") < p->encoding.len ||
		      bytes_equal_nocase(p->encoding, "deflate");
	if (!packed || !p->body.len)
		return;
	const uint8_t *start = room->at;
	p->whole = unpack(p->body, room) && p->whole;
	if (room->at > start)
		p->body = (struct bytes){start, (size_t)(room->at - start)};
}

bool page_read(struct bytes raw, struct writer *room, struct page *p)
{
	if (!page_split(raw, p))
		return false;
	p->whole = body_is_whole(p) || (!p->chunked && !p->has_length);
	if (p->chunked) {
		chunks_read(p->body, room);
		p->body = writer_bytes(room);
	} else if (p->has_length && p->body.len > p->length) {
		p->body.len = (size_t)p->length;
	}
	body_unpack(p, room);
	return true;
}

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

static struct bytes after(struct bytes b, size_t n)
{
	return n < b.len ? (struct bytes){b.at + n, b.len - n} : BYTES("");
}

struct bytes page_title(struct bytes body, struct writer *room)
{
	struct bytes rest = after(body, bytes_find_nocase(body, "<title"));
	rest = after(rest, bytes_find(rest, ">") + 1);
	size_t end = bytes_find_nocase(rest, "</title");
	struct bytes text = bytes_trim((struct bytes){rest.at, end < TITLE_MAX ? end : TITLE_MAX});
	const uint8_t *start = room->at;
	for (size_t i = 0; i < text.len; i++)
		if (!is_space(text.at[i]))
			write_u8(room, text.at[i]);
		else if (i == 0 || !is_space(text.at[i - 1]))
			write_u8(room, ' ');
	return (struct bytes){start, (size_t)(room->at - start)};
}

/* The value of an attribute within one tag; quotes are optional (HTML 13.1.2.3). */
static struct bytes attribute(struct bytes tag, const char *name)
{
	for (size_t at = bytes_find_nocase(tag, name); at < tag.len;) {
		struct bytes rest = after(tag, at + strlen(name));
		bool own = at > 0 && is_space(tag.at[at - 1]);
		while (rest.len && is_space(rest.at[0]))
			rest = after(rest, 1);
		if (own && rest.len && rest.at[0] == '=') {
			rest = bytes_trim(after(rest, 1));
			uint8_t quote = rest.len && (rest.at[0] == '"' || rest.at[0] == '\'') ? rest.at[0] : 0;
			if (quote)
				rest = after(rest, 1);
			size_t n = 0;
			while (n < rest.len && (quote ? rest.at[n] != quote : !is_space(rest.at[n])))
				n++;
			return (struct bytes){rest.at, n};
		}
		size_t next = at + 1;
		struct bytes further = after(tag, next);
		at = next + bytes_find_nocase(further, name);
	}
	return (struct bytes){0};
}

struct bytes page_icon(struct bytes body)
{
	struct bytes rest = body;
	for (;;) {
		rest = after(rest, bytes_find_nocase(rest, "<link") + 5);
		if (!rest.len)
			return (struct bytes){0};
		size_t end = bytes_find(rest, ">");
		struct bytes tag = {rest.at, end < TAG_MAX ? end : TAG_MAX};
		struct bytes rel = attribute(tag, "rel");
		if (bytes_find_nocase(rel, "icon") < rel.len)
			return attribute(tag, "href");
	}
}
