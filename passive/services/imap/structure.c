/* What Dovecot tells of a mail's form: ENVELOPE and BODYSTRUCTURE (RFC 3501 7.4.2), and its parts. */
#include "passive/services/imap/imap.h"
#include "passive/services/mail/message.h"
#include <ctype.h>

#define DEPTH_MAX 5
#define PARTS_MAX 24 /* of one multipart */

struct part {
	struct bytes text, head, body;
};

static struct part part_of(struct bytes text, size_t head_len)
{
	return (struct part){text, {text.at, head_len}, {text.at + head_len, text.len - head_len}};
}

static struct bytes field_of(struct bytes head, const char *name)
{
	struct bytes value = {0};
	message_field(head, name, &value);
	return value;
}

static void say_lower(struct session *s, struct bytes b)
{
	char text[80];
	size_t n = b.len < sizeof text ? b.len : sizeof text;
	for (size_t i = 0; i < n; i++)
		text[i] = (char)tolower(b.at[i]);
	imap_say_string(s, (struct bytes){(const uint8_t *)text, n});
}

/* Takes a word up to one of the marks off the front, trimmed. */
static struct bytes take_until(struct bytes *rest, const char *marks)
{
	size_t n = 0;
	bool in_quotes = false;
	while (n < rest->len && (in_quotes || !rest->at[n] || !strchr(marks, rest->at[n])))
		in_quotes ^= rest->at[n++] == '"';
	struct bytes word = bytes_trim((struct bytes){rest->at, n});
	size_t taken = n < rest->len ? n + 1 : n;
	rest->at += taken;
	rest->len -= taken;
	return word;
}

static struct bytes unquoted(struct bytes b)
{
	return b.len >= 2 && b.at[0] == '"' && b.at[b.len - 1] == '"' ? (struct bytes){b.at + 1, b.len - 2} : b;
}

static bool parameter(struct bytes rest, const char *name, struct bytes *value)
{
	take_until(&rest, ";");
	while (rest.len) {
		struct bytes one = take_until(&rest, ";");
		struct bytes key = take_until(&one, "=");
		if (bytes_equal_nocase(key, name)) {
			*value = unquoted(bytes_trim(one));
			return true;
		}
	}
	return false;
}

static void say_parameters(struct session *s, struct bytes field, bool charset)
{
	struct bytes rest = field, value;
	bool any = false;
	take_until(&rest, ";");
	while (rest.len) {
		struct bytes one = take_until(&rest, ";");
		struct bytes key = take_until(&one, "=");
		if (!key.len)
			continue;
		session_say(s, any ? " " : "(");
		say_lower(s, key);
		session_say(s, " ");
		imap_say_string(s, unquoted(bytes_trim(one)));
		any = true;
	}
	if (charset && !parameter(field, "charset", &value)) {
		session_say(s, "%s\"charset\" \"us-ascii\"", any ? " " : "(");
		any = true;
	}
	session_say(s, any ? ")" : "NIL");
}

static void say_address(struct session *s, struct bytes one)
{
	size_t open = bytes_find(one, "<");
	struct bytes name = {0}, address = one;
	if (open < one.len) {
		name = unquoted(bytes_trim((struct bytes){one.at, open}));
		address = (struct bytes){one.at + open + 1, one.len - open - 1};
		address.len = bytes_find(address, ">");
	}
	size_t at = bytes_find(address, "@");
	struct bytes domain = {address.at + at, address.len - at};
	if (domain.len)
		domain.at++, domain.len--;
	session_say(s, "(");
	imap_say_string(s, name.len ? name : (struct bytes){0});
	session_say(s, " NIL ");
	imap_say_string(s, bytes_trim((struct bytes){address.at, at}));
	session_say(s, " ");
	imap_say_string(s, domain.len ? bytes_trim(domain) : BYTES("MISSING_DOMAIN"));
	session_say(s, ")");
}

static void say_addresses(struct session *s, struct bytes head, const char *name, const char *also)
{
	struct bytes rest = field_of(head, name);
	bool any = false;
	if (!rest.len && also)
		rest = field_of(head, also);
	for (int i = 0; i < 64 && rest.len; i++) {
		struct bytes one = take_until(&rest, ",");
		if (!one.len)
			continue;
		session_say(s, "%s", any ? "" : "(");
		say_address(s, one);
		any = true;
	}
	session_say(s, any ? ")" : "NIL");
}

static void say_field(struct session *s, struct bytes head, const char *name)
{
	struct bytes value = field_of(head, name);
	imap_say_string(s, value.len ? value : (struct bytes){0});
}

void imap_say_envelope(struct session *s, struct bytes head)
{
	static const char *const parties[][2] = {{"From", NULL}, {"Sender", "From"}, {"Reply-To", "From"}, {"To", NULL}, {"Cc", NULL}, {"Bcc", NULL}};
	session_say(s, "(");
	say_field(s, head, "Date");
	session_say(s, " ");
	say_field(s, head, "Subject");
	for (size_t i = 0; i < sizeof parties / sizeof *parties; i++) {
		session_say(s, " ");
		say_addresses(s, head, parties[i][0], parties[i][1]);
	}
	session_say(s, " ");
	say_field(s, head, "In-Reply-To");
	session_say(s, " ");
	say_field(s, head, "Message-ID");
	session_say(s, ")");
}

/* The parts of a multipart; the line end before a boundary belongs to it. */
static size_t children_of(const struct part *p, struct bytes boundary, struct part out[PARTS_MAX])
{
	struct reader in = reader_of_bytes(p->body);
	struct bytes line;
	const uint8_t *start = NULL;
	size_t count = 0;
	while (count < PARTS_MAX && read_line(&in, &line)) {
		if (line.len < boundary.len + 2 || !bytes_start_with(line, "--") || memcmp(line.at + 2, boundary.at, boundary.len))
			continue;
		if (start) {
			size_t n = (size_t)(line.at - start);
			n -= n && start[n - 1] == '\n';
			n -= n && start[n - 1] == '\r';
			struct bytes text = {start, n};
			out[count++] = part_of(text, message_head_length(text));
		}
		start = in.at;
		if (bytes_start_with((struct bytes){line.at + 2 + boundary.len, line.len - 2 - boundary.len}, "--"))
			break;
	}
	return count;
}

static struct bytes type_of(const struct part *p)
{
	struct bytes type = field_of(p->head, "Content-Type");
	return type.len ? type : BYTES("text/plain");
}

static size_t children(const struct part *p, struct part out[PARTS_MAX])
{
	struct bytes type = type_of(p), boundary;
	bool multipart = type.len > 10 && bytes_equal_nocase((struct bytes){type.at, 10}, "multipart/");
	return multipart && parameter(type, "boundary", &boundary) && boundary.len ? children_of(p, boundary, out) : 0;
}

static void say_disposition(struct session *s, const struct part *p)
{
	struct bytes field = field_of(p->head, "Content-Disposition"), rest = field;
	if (!field.len) {
		session_say(s, "NIL");
		return;
	}
	session_say(s, "(");
	say_lower(s, take_until(&rest, ";"));
	session_say(s, " ");
	say_parameters(s, field, false);
	session_say(s, ")");
}

static void say_part(struct session *s, const struct part *p, bool extended, int depth);

static void say_leaf(struct session *s, const struct part *p, bool extended, int depth)
{
	struct bytes type = type_of(p), rest = type, encoding = field_of(p->head, "Content-Transfer-Encoding");
	struct bytes both = take_until(&rest, ";"), main = take_until(&both, "/");
	bool text = bytes_equal_nocase(main, "text");
	bool message = bytes_equal_nocase(main, "message") && bytes_equal_nocase(both, "rfc822") && depth > 0;
	size_t lines = 0;
	for (size_t i = 0; i < p->body.len; i++)
		lines += p->body.at[i] == '\n';
	session_say(s, "(");
	say_lower(s, main);
	session_say(s, " ");
	say_lower(s, both.len ? both : BYTES("plain"));
	session_say(s, " ");
	say_parameters(s, type, text);
	session_say(s, " ");
	say_field(s, p->head, "Content-ID");
	session_say(s, " ");
	say_field(s, p->head, "Content-Description");
	session_say(s, " ");
	say_lower(s, encoding.len ? encoding : BYTES("7bit"));
	session_say(s, " %zu", p->body.len);
	if (message) {
		struct part inner = part_of(p->body, message_head_length(p->body));
		session_say(s, " ");
		imap_say_envelope(s, inner.head);
		session_say(s, " ");
		say_part(s, &inner, extended, depth - 1);
	}
	if (text || message)
		session_say(s, " %zu", lines);
	if (extended) {
		session_say(s, " NIL ");
		say_disposition(s, p);
		session_say(s, " NIL NIL");
	}
	session_say(s, ")");
}

static void say_part(struct session *s, const struct part *p, bool extended, int depth)
{
	struct part below[PARTS_MAX];
	size_t count = depth ? children(p, below) : 0;
	if (!count) {
		say_leaf(s, p, extended, depth);
		return;
	}
	struct bytes type = type_of(p), rest = type, both = take_until(&rest, ";");
	take_until(&both, "/");
	session_say(s, "(");
	for (size_t i = 0; i < count; i++)
		say_part(s, &below[i], extended, depth - 1);
	session_say(s, " ");
	say_lower(s, both);
	if (extended) {
		session_say(s, " ");
		say_parameters(s, type, false);
		session_say(s, " ");
		say_disposition(s, p);
		session_say(s, " NIL NIL");
	}
	session_say(s, ")");
}

void imap_say_structure(struct session *s, struct bytes text, size_t head_len, bool extended)
{
	struct part p = part_of(text, head_len);
	say_part(s, &p, extended, DEPTH_MAX);
}

bool imap_part(struct bytes text, size_t head_len, struct bytes section, struct bytes *out)
{
	struct part p = part_of(text, head_len), below[PARTS_MAX];
	struct bytes rest = section;
	bool top = true;
	for (int depth = 0; depth < DEPTH_MAX && rest.len && isdigit(rest.at[0]); depth++) {
		struct bytes word = take_until(&rest, ".");
		uint64_t n;
		if (!bytes_number(word, PARTS_MAX, &n) || n == 0)
			return false;
		size_t count = children(&p, below);
		if (count ? n > count : n != 1)
			return false;
		if (count)
			p = below[n - 1];
		top = false;
	}
	if (bytes_equal_nocase(rest, "TEXT"))
		*out = p.body;
	else if (bytes_equal_nocase(rest, "HEADER") || bytes_equal_nocase(rest, "MIME"))
		*out = p.head;
	else if (rest.len == 0)
		*out = top ? p.text : p.body;
	else
		return false;
	return true;
}
