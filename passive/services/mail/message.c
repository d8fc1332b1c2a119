/* Parts are walked line by line, once for each level they lie deep. */
#include "passive/services/mail/message.h"
#include "base/base64.h"

static bool take_line(struct bytes *rest, struct bytes *line)
{
	if (rest->len == 0)
		return false;
	const uint8_t *end = memchr(rest->at, '\n', rest->len);
	size_t n = end ? (size_t)(end - rest->at) : rest->len, taken = end ? n + 1 : n;
	*line = (struct bytes){rest->at, n && rest->at[n - 1] == '\r' ? n - 1 : n};
	rest->at += taken;
	rest->len -= taken;
	return true;
}

size_t message_head_length(struct bytes raw)
{
	struct bytes rest = raw, line;
	while (take_line(&rest, &line))
		if (line.len == 0)
			break;
	return raw.len - rest.len;
}

bool message_field(struct bytes head, const char *name, struct bytes *value)
{
	struct bytes rest = head, line;
	size_t n = strlen(name);
	while (take_line(&rest, &line)) {
		if (line.len <= n || line.at[n] != ':' || !bytes_equal_nocase((struct bytes){line.at, n}, name))
			continue;
		const uint8_t *start = line.at + n + 1;
		const uint8_t *end = line.at + line.len;
		while (rest.len && (rest.at[0] == ' ' || rest.at[0] == '\t') && take_line(&rest, &line))
			end = line.at + line.len;
		*value = bytes_trim((struct bytes){start, (size_t)(end - start)});
		return true;
	}
	return false;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Quoted-printable (RFC 2045 6.7); in encoded words "_" is a blank. */
static void decode_quoted(struct bytes text, char escape, bool word, struct writer *w)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];
		if (c != (uint8_t)escape) {
			write_u8(w, word && c == '_' ? ' ' : c);
			continue;
		}
		size_t left = text.len - i - 1;
		int high = left >= 2 ? hex_digit(text.at[i + 1]) : -1, low = left >= 2 ? hex_digit(text.at[i + 2]) : -1;
		if (high >= 0 && low >= 0) {
			write_u8(w, (uint8_t)(high << 4 | low));
			i += 2;
		} else if (left && text.at[i + 1] == '\n') {
			i++;
		} else if (left >= 2 && text.at[i + 1] == '\r' && text.at[i + 2] == '\n') {
			i += 2;
		} else {
			write_u8(w, c);
		}
	}
}

/* Takes =?charset?B?text?= off the front; false: there is none. */
static bool encoded_word(struct bytes *rest, struct writer *w)
{
	struct bytes b = *rest;
	size_t marks[3], found = 0;
	if (!bytes_start_with(b, "=?"))
		return false;
	for (size_t i = 2; i < b.len && i < MESSAGE_TEXT_MAX && found < 3; i++)
		if (b.at[i] == '?')
			marks[found++] = i;
	if (found < 3 || marks[1] != marks[0] + 2 || marks[2] + 1 >= b.len || b.at[marks[2] + 1] != '=')
		return false;
	struct bytes text = {b.at + marks[1] + 1, marks[2] - marks[1] - 1};
	if ((b.at[marks[0] + 1] | 0x20) == 'b')
		base64_decode(text, w);
	else
		decode_quoted(text, '=', true, w);
	rest->at += marks[2] + 2;
	rest->len -= marks[2] + 2;
	return true;
}

void message_text(struct bytes raw, struct writer *w)
{
	struct bytes rest = {raw.at, raw.len < 8 * MESSAGE_TEXT_MAX ? raw.len : 8 * MESSAGE_TEXT_MAX};
	while (rest.len && !w->bad) {
		if (encoded_word(&rest, w)) {
			struct bytes next = bytes_trim(rest);
			if (bytes_start_with(next, "=?")) /* blanks between two are none */
				rest = (struct bytes){next.at, rest.len - (size_t)(next.at - rest.at)};
			continue;
		}
		uint8_t c = rest.at[0];
		if (c != '\r' && c != '\n')
			write_u8(w, c == '\t' ? ' ' : c);
		rest.at++;
		rest.len--;
	}
}

/* A parameter of a field such as Content-Type, quoted or not; with `extended` in the form of RFC 2231. */
static bool parameter(struct bytes field, const char *name, bool *extended, struct bytes *value)
{
	size_t n = strlen(name);
	struct bytes rest = field;
	const uint8_t *mark;
	*extended = false;
	while (rest.len && (mark = memchr(rest.at, ';', rest.len))) {
		rest.len -= (size_t)(mark + 1 - rest.at);
		rest.at = mark + 1;
		struct bytes b = bytes_trim(rest);
		if (b.len <= n || !bytes_equal_nocase((struct bytes){b.at, n}, name))
			continue;
		b.at += n;
		b.len -= n;
		*extended = b.len > 1 && b.at[0] == '*' && b.at[1] == '=';
		if (!*extended && b.at[0] != '=')
			continue;
		b.len -= *extended ? 2 : 1;
		b.at += *extended ? 2 : 1;
		bool quoted = b.len && b.at[0] == '"';
		size_t end = quoted;
		while (end < b.len && (quoted ? b.at[end] != '"' : b.at[end] != ';' && b.at[end] > ' '))
			end++;
		*value = (struct bytes){b.at + quoted, end - quoted};
		return true;
	}
	return false;
}

static void file_name(struct bytes type, struct bytes disposition, struct writer *w)
{
	struct bytes value;
	bool extended;
	if (!parameter(disposition, "filename", &extended, &value) && !parameter(type, "name", &extended, &value))
		return;
	if (!extended) {
		message_text(value, w);
		return;
	}
	for (int quotes = 0; quotes < 2 && value.len; value.at++, value.len--)
		quotes += value.at[0] == '\''; /* charset'language' */
	decode_quoted(value, '%', false, w);
}

static bool starts(struct bytes text, const char *word)
{
	size_t n = strlen(word);
	return text.len >= n && bytes_equal_nocase((struct bytes){text.at, n}, word);
}

static bool ends_url(uint8_t c)
{
	return c <= ' ' || c >= 0x7f || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\\' || c == '`';
}

static void keep_url(struct message *m, struct bytes url)
{
	while (url.len && strchr(".,;:!?)]}*", url.at[url.len - 1]))
		url.len--;
	for (size_t i = 0; i < m->url_count; i++)
		if (bytes_equal(m->urls[i], url))
			return;
	m->urls[m->url_count++] = url;
}

static void find_urls(struct message *m, struct bytes text)
{
	static const char *const schemes[] = {"https", "http", "ftp"};
	struct bytes rest = text;
	while (m->url_count < MESSAGE_URLS_MAX) {
		size_t at = bytes_find(rest, "://"), end = at + 3;
		if (at == rest.len)
			return;
		while (end < rest.len && end < at + MESSAGE_URL_MAX && !ends_url(rest.at[end]))
			end++;
		for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
			size_t n = strlen(schemes[i]);
			if (at >= n && end > at + 3 && bytes_equal_nocase((struct bytes){rest.at + at - n, n}, schemes[i])) {
				keep_url(m, (struct bytes){rest.at + at - n, end - at + n});
				break;
			}
		}
		rest.at += at + 3;
		rest.len -= at + 3;
	}
}

static struct bytes decode(struct message *m, struct bytes encoding, struct bytes body)
{
	uint8_t *start = m->decoded.at;
	if (bytes_equal_nocase(encoding, "base64"))
		base64_decode(body, &m->decoded);
	else if (bytes_equal_nocase(encoding, "quoted-printable"))
		decode_quoted(body, '=', false, &m->decoded);
	else
		return body;
	return (struct bytes){start, (size_t)(m->decoded.at - start)};
}

static void read_leaf(struct message *m, struct bytes head, struct bytes type, struct bytes body)
{
	struct bytes encoding = {0}, disposition = {0};
	uint8_t name_room[MESSAGE_TEXT_MAX];
	struct writer name = writer_of(name_room, sizeof name_room);
	message_field(head, "Content-Transfer-Encoding", &encoding);
	message_field(head, "Content-Disposition", &disposition);
	file_name(type, disposition, &name);
	struct bytes content = decode(m, encoding, body);
	bool text = type.len == 0 || starts(type, "text/");
	if (text)
		find_urls(m, content);
	bool attached = writer_used(&name) || !text || starts(disposition, "attachment");
	if (!attached || m->file_count == MESSAGE_FILES_MAX)
		return;
	struct message_file *f = &m->files[m->file_count++];
	f->content = content;
	f->name = (struct bytes){f->name_room, writer_used(&name)};
	memcpy(f->name_room, name_room, writer_used(&name));
}

static void read_entity(struct message *m, struct bytes raw, unsigned depth);

static void read_parts(struct message *m, struct bytes body, struct bytes boundary, unsigned depth)
{
	struct bytes rest = body, line;
	const uint8_t *start = NULL;
	while (m->part_count < MESSAGE_PARTS_MAX && take_line(&rest, &line)) {
		bool mark = line.len >= boundary.len + 2 && line.at[0] == '-' && line.at[1] == '-' &&
			    memcmp(line.at + 2, boundary.at, boundary.len) == 0;
		if (!mark)
			continue;
		if (start) { /* the line end before a boundary belongs to it */
			size_t n = (size_t)(line.at - start);
			n -= n && start[n - 1] == '\n';
			n -= n && start[n - 1] == '\r';
			read_entity(m, (struct bytes){start, n}, depth);
		}
		start = rest.at;
		if (bytes_start_with((struct bytes){line.at + 2 + boundary.len, line.len - 2 - boundary.len}, "--"))
			return;
	}
	if (start && m->part_count < MESSAGE_PARTS_MAX)
		read_entity(m, (struct bytes){start, (size_t)(body.at + body.len - start)}, depth);
}

static void read_entity(struct message *m, struct bytes raw, unsigned depth)
{
	size_t n = message_head_length(raw);
	struct bytes head = {raw.at, n}, body = {raw.at + n, raw.len - n}, type = {0}, boundary;
	bool extended;
	m->part_count++;
	message_field(head, "Content-Type", &type);
	if (depth && starts(type, "multipart/") &&
	    parameter(type, "boundary", &extended, &boundary) && boundary.len)
		read_parts(m, body, boundary, depth - 1);
	else if (depth && starts(type, "message/rfc822"))
		read_entity(m, body, depth - 1);
	else
		read_leaf(m, head, type, body);
}

void message_read(struct message *m, struct bytes raw, void *room, size_t size)
{
	struct bytes head = {raw.at, message_head_length(raw)}, subject;
	struct writer w = writer_of(m->subject_room, sizeof m->subject_room);
	m->decoded = writer_of(room, size);
	m->url_count = m->file_count = m->part_count = 0;
	m->agent = (struct bytes){0};
	if (message_field(head, "Subject", &subject))
		message_text(subject, &w);
	m->subject = writer_bytes(&w);
	if (!message_field(head, "User-Agent", &m->agent))
		message_field(head, "X-Mailer", &m->agent);
	read_entity(m, raw, MESSAGE_DEPTH_MAX);
}
