#include "base/bytes.h"
#include "base/error.h"
#include <stdlib.h>

bool read_line(struct reader *r, struct bytes *line)
{
	const uint8_t *lf = r->bad || r->at == r->end ? NULL : memchr(r->at, '\n', reader_left(r));
	if (!lf)
		return false;
	*line = (struct bytes){r->at, (size_t)(lf - r->at)};
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	r->at = lf + 1;
	return true;
}

bool read_text_line(struct reader *r, struct bytes *line)
{
	if (read_line(r, line))
		return true;
	*line = read_rest(r);
	return line->len > 0;
}

struct bytes bytes_word(struct bytes *b)
{
	size_t n = 0;
	while (n < b->len && b->at[n] != ' ')
		n++;
	struct bytes word = {b->at, n};
	size_t skip = n < b->len ? n + 1 : n;
	b->at += skip;
	b->len -= skip;
	return word;
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.at, b.at, a.len));
}

bool bytes_equal_text(struct bytes a, const char *s) { return bytes_equal(a, bytes_of_text(s)); }

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; }

static bool same_nocase(const uint8_t *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(a[i]) != lower((uint8_t)b[i]))
			return false;
	return true;
}

bool bytes_equal_nocase(struct bytes a, const char *s)
{
	return a.len == strlen(s) && same_nocase(a.at, s, a.len);
}

bool bytes_start_with(struct bytes a, const char *s)
{
	size_t n = strlen(s);
	return a.len >= n && !memcmp(a.at, s, n);
}

size_t bytes_find(struct bytes haystack, const char *needle)
{
	const uint8_t *hit = haystack.len ? memmem(haystack.at, haystack.len, needle, strlen(needle)) : NULL;
	return hit ? (size_t)(hit - haystack.at) : haystack.len;
}

size_t bytes_find_nocase(struct bytes haystack, const char *needle)
{
	size_t n = strlen(needle);
	uint8_t first = lower((uint8_t)needle[0]);
	for (size_t i = 0; i + n <= haystack.len; i++)
		if (!n || (lower(haystack.at[i]) == first && same_nocase(haystack.at + i, needle, n)))
			return i;
	return haystack.len;
}

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

struct bytes bytes_trim(struct bytes b)
{
	while (b.len && is_space(b.at[0])) {
		b.at++;
		b.len--;
	}
	while (b.len && is_space(b.at[b.len - 1]))
		b.len--;
	return b;
}

bool bytes_number(struct bytes b, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	for (size_t i = 0; i < b.len; i++) {
		uint8_t digit = (uint8_t)(b.at[i] - '0');
		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (b.len == 0 || v > max)
		return false;
	*out = v;
	return true;
}

bool bytes_copy_text(struct bytes b, char *text, size_t n)
{
	size_t keep = b.len < n ? b.len : n - 1;
	if (keep)
		memcpy(text, b.at, keep);
	text[keep] = '\0';
	return keep == b.len && strlen(text) == keep;
}

/* Length of the UTF-8 sequence at the start of b, 0 when it is none (RFC 3629 4). */
static size_t utf8_sequence(struct bytes b)
{
	uint8_t c = b.at[0];
	if (c < 0x80)
		return 1;
	size_t n = c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
	if (n == 0 || b.len < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((b.at[i] & 0xc0) != 0x80)
			return 0;
	uint8_t d = b.at[1];
	bool wrong = (c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) ||
		     (c == 0xf0 && d < 0x90) || (c == 0xf4 && d > 0x8f);
	return wrong ? 0 : n;
}

bool bytes_is_utf8(struct bytes b)
{
	while (b.len) {
		size_t n = utf8_sequence(b);
		if (n == 0)
			return false;
		b.at += n;
		b.len -= n;
	}
	return true;
}

void write_zero(struct writer *w, size_t n)
{
	if (w->bad || writer_left(w) < n) {
		w->bad = true;
		return;
	}
	memset(w->at, 0, n);
	w->at += n;
}

void write_fmt(struct writer *w, const char *fmt, ...)
{
	if (w->bad)
		return;
	/* vsnprintf wants room for its NUL, which the writer need not have. */
	char line[1024];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof line)
		w->bad = true;
	else
		write_bytes(w, line, (size_t)n);
}

uint8_t *buffer_room(struct buffer *b, size_t n)
{
	size_t len = buffer_len(b);
	if (n > b->max || len > b->max - n)
		return NULL;
	if (b->capacity - b->end >= n && b->store)
		return b->store + b->end;
	if (b->at >= len && b->capacity >= len + n && b->store) {
		memcpy(b->store, b->store + b->at, len);
		b->at = 0;
		b->end = len;
		return b->store + b->end;
	}
	size_t capacity = b->capacity ? b->capacity : 256;
	while (capacity < len + n)
		capacity *= 2;
	uint8_t *grown = malloc(capacity);
	if (!grown)
		return NULL;
	if (len)
		memcpy(grown, b->store + b->at, len);
	free(b->store);
	b->store = grown;
	b->capacity = capacity;
	b->at = 0;
	b->end = len;
	return b->store + b->end;
}

int buffer_append(struct buffer *b, const void *p, size_t n)
{
	if (n == 0)
		return 0;
	uint8_t *room = buffer_room(b, n);
	if (!room)
		return n > b->max || buffer_len(b) > b->max - n ? ERR_FULL : ERR_MEMORY;
	memcpy(room, p, n);
	buffer_grown(b, n);
	return 0;
}

void buffer_consume(struct buffer *b, size_t n)
{
	b->at += n < buffer_len(b) ? n : buffer_len(b);
	if (b->at == b->end)
		b->at = b->end = 0;
}

void buffer_done(struct buffer *b)
{
	free(b->store);
	*b = (struct buffer){.max = b->max};
}
