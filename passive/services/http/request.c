/* Reading a request's head. */
#include "passive/services/http/request.h"

#define FIELDS_MAX 1024 /* beyond that fields are counted, no longer looked at */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct bytes next_word(struct bytes *rest)
{
	while (rest->len && is_blank(rest->at[0])) {
		rest->at++;
		rest->len--;
	}
	size_t n = 0;
	while (n < rest->len && !is_blank(rest->at[n]))
		n++;
	struct bytes word = {rest->at, n};
	rest->at += n;
	rest->len -= n;
	return word;
}

/* One stray line end before a request: an old habit after POST bodies (RFC 9112 2.2). */
static size_t stray_end(struct bytes b)
{
	size_t n = bytes_start_with(b, "\r\n") ? 2 : bytes_start_with(b, "\n") ? 1 : 0;
	return n && n < b.len && b.at[n] != '\r' && b.at[n] != '\n' ? n : 0;
}

/* A head of one line: HTTP/0.9, or something that is no request at all. */
static bool single_line(struct bytes line)
{
	next_word(&line);
	next_word(&line);
	return next_word(&line).len == 0;
}

size_t request_head_length(struct bytes input, size_t *scanned)
{
	size_t skip = stray_end(input);
	if (*scanned < skip)
		*scanned = skip;
	while (*scanned < input.len) {
		const uint8_t *from = input.at + *scanned;
		const uint8_t *lf = memchr(from, '\n', input.len - *scanned);
		if (!lf)
			return 0;
		size_t end = (size_t)(lf - input.at) + 1;
		struct bytes line = {from, (size_t)(lf - from)};
		if (line.len && line.at[line.len - 1] == '\r')
			line.len--;
		bool first = *scanned == skip;
		if (first && line.len == 0 && end == input.len && skip == 0 && end <= 2)
			return 0; /* a lone line end may be a stray one: what follows tells */
		*scanned = end;
		if (line.len == 0 || (first && single_line(line)))
			return end;
	}
	return 0;
}

/* http://host/path: the host goes first (RFC 9112 3.2.2). */
static void split_target(struct request *r)
{
	struct bytes rest = r->target;
	size_t scheme = bytes_start_with(rest, "http://")    ? 7
			: bytes_start_with(rest, "https://") ? 8
							     : 0;
	if (scheme) {
		struct bytes after = {rest.at + scheme, rest.len - scheme};
		size_t slash = bytes_find(after, "/");
		r->host = (struct bytes){after.at, slash};
		rest = slash < after.len ? (struct bytes){after.at + slash, after.len - slash}
					 : BYTES("/");
	}
	size_t question = bytes_find(rest, "?");
	r->path = (struct bytes){rest.at, question};
	if (question < rest.len)
		r->query = (struct bytes){rest.at + question + 1, rest.len - question - 1};
}

static enum http_version read_version(struct bytes word)
{
	if (word.len == 0 || bytes_equal_nocase(word, "HTTP/0.9"))
		return HTTP_0_9;
	if (bytes_equal_nocase(word, "HTTP/1.0"))
		return HTTP_1_0;
	if (bytes_equal_nocase(word, "HTTP/1.1"))
		return HTTP_1_1;
	return bytes_find_nocase(word, "HTTP/") == 0 ? HTTP_UNKNOWN : HTTP_FOREIGN;
}

/* HTTP/1.1, and RTSP/1.0 or SIP/2.0 from those who try other protocols here. */
static bool names_version(struct bytes word)
{
	size_t n = 0;
	while (n < word.len && (word.at[n] | 0x20) >= 'a' && (word.at[n] | 0x20) <= 'z')
		n++;
	return n > 1 && n + 1 < word.len && word.at[n] == '/' && word.at[n + 1] >= '0' &&
	       word.at[n + 1] <= '9';
}

/* The target may hold blanks: bots forget to encode the commands that they inject. */
static void parse_line(struct request *r)
{
	struct bytes rest = r->line;
	r->method = next_word(&rest);
	rest = bytes_trim(rest);
	size_t last = rest.len;
	while (last && !is_blank(rest.at[last - 1]))
		last--;
	struct bytes tail = {rest.at + last, rest.len - last};
	bool versioned = last && names_version(tail);
	if (versioned)
		rest.len = last;
	r->version = read_version(versioned ? tail : (struct bytes){0});
	r->target = bytes_trim(rest);
	r->malformed = r->method.len == 0 || r->target.len == 0;
	split_target(r);
}

static void take_length(struct request *r, struct bytes value)
{
	uint64_t length;
	if (!bytes_number(value, UINT64_MAX / 2, &length) || (r->has_length && length != r->length))
		r->malformed = true;
	else
		r->length = length;
	r->has_length = true;
}

static void keep_first(struct bytes *slot, struct bytes value)
{
	if (slot->len == 0)
		*slot = value;
}

static void take_connection(struct request *r, struct bytes value)
{
	r->close |= bytes_find_nocase(value, "close") < value.len;
	r->keep_alive |= bytes_find_nocase(value, "keep-alive") < value.len;
}

static void take_field(struct request *r, struct bytes name, struct bytes value)
{
	const struct {
		const char *name;
		struct bytes *slot;
	} kept[] = {
		{"Host", &r->host},
		{"User-Agent", &r->agent},
		{"Authorization", &r->authorization},
		{"Cookie", &r->cookie},
		{"Content-Type", &r->content_type},
		{"If-Modified-Since", &r->since},
		{"If-None-Match", &r->none_match},
	};
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (bytes_equal_nocase(name, kept[i].name))
			keep_first(kept[i].slot, value);
	if (bytes_equal_nocase(name, "Content-Length"))
		take_length(r, value);
	else if (bytes_equal_nocase(name, "Transfer-Encoding"))
		r->chunked |= bytes_find_nocase(value, "chunked") < value.len;
	else if (bytes_equal_nocase(name, "Connection"))
		take_connection(r, value);
	else if (bytes_equal_nocase(name, "Expect"))
		r->expects_continue |= bytes_find_nocase(value, "100-continue") < value.len;
}

/* Takes a field's line and those that continue it (obs-fold, RFC 9112 5.2). */
static bool read_field(struct reader *in, struct bytes *field)
{
	if (!read_line(in, field) || field->len == 0)
		return false;
	struct bytes more;
	while (reader_left(in) && is_blank(*in->at) && read_line(in, &more))
		field->len = (size_t)(more.at + more.len - field->at);
	return true;
}

void request_parse(struct bytes head, struct request *out)
{
	*out = (struct request){0};
	size_t skip = stray_end(head);
	struct reader in = reader_of(head.at + skip, head.len - skip);
	struct bytes field;
	if (!read_line(&in, &out->line))
		out->line = read_rest(&in);
	parse_line(out);
	while (read_field(&in, &field)) {
		if (++out->fields > FIELDS_MAX)
			continue;
		const uint8_t *colon = memchr(field.at, ':', field.len);
		if (!colon) {
			out->malformed = true;
			continue;
		}
		struct bytes name =
			bytes_trim((struct bytes){field.at, (size_t)(colon - field.at)});
		struct bytes value = {colon + 1, field.len - (size_t)(colon - field.at) - 1};
		take_field(out, name, bytes_trim(value));
	}
}

struct bytes request_cookie(const struct request *r, const char *name)
{
	struct bytes rest = r->cookie;
	while (rest.len) {
		size_t end = bytes_find(rest, ";");
		struct bytes pair = bytes_trim((struct bytes){rest.at, end});
		size_t equals = bytes_find(pair, "=");
		if (equals < pair.len && bytes_equal_text((struct bytes){pair.at, equals}, name))
			return (struct bytes){pair.at + equals + 1, pair.len - equals - 1};
		size_t step = end < rest.len ? end + 1 : end;
		rest.at += step;
		rest.len -= step;
	}
	return (struct bytes){0};
}

struct bytes request_field(struct bytes head, const char *name)
{
	struct reader r = reader_of_bytes(head);
	struct bytes line;
	size_t n = strlen(name);
	while (read_line(&r, &line)) {
		struct bytes first = {line.at, line.len < n ? line.len : n};
		if (line.len > n && line.at[n] == ':' && bytes_equal_nocase(first, name))
			return bytes_trim((struct bytes){line.at + n + 1, line.len - n - 1});
	}
	return (struct bytes){0};
}
