/* Reading the words of a command (RFC 3501 9). */
#include "passive/services/imap/imap.h"

static void skip_blanks(struct reader *in)
{
	while (reader_left(in) && *in->at == ' ')
		in->at++;
}

bool imap_is(struct reader *in, char c)
{
	skip_blanks(in);
	if (!reader_left(in) || *in->at != (uint8_t)c)
		return false;
	in->at++;
	return true;
}

bool imap_at_end(struct reader *in)
{
	skip_blanks(in);
	return !reader_left(in) || *in->at == '\r' || *in->at == '\n';
}

bool imap_atom(struct reader *in, struct bytes *out)
{
	skip_blanks(in);
	const uint8_t *start = in->at;
	while (reader_left(in) && *in->at > ' ' && *in->at < 0x7f && !strchr("(){\"", *in->at))
		in->at++;
	*out = (struct bytes){start, (size_t)(in->at - start)};
	return out->len > 0;
}

static bool quoted(struct reader *in, struct arena *arena, struct bytes *out)
{
	const uint8_t *start = in->at;
	size_t n = 0;
	bool escapes = false;
	while (n < reader_left(in) && start[n] != '"' && start[n] != '\r' && start[n] != '\n') {
		escapes |= start[n] == '\\';
		n += start[n] == '\\' && n + 1 < reader_left(in) ? 2 : 1;
	}
	if (n >= reader_left(in) || start[n] != '"')
		return false;
	in->at += n + 1;
	*out = (struct bytes){start, n};
	if (!escapes)
		return true;
	uint8_t *copy = arena_alloc(arena, n);
	if (!copy)
		return false;
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		i += start[i] == '\\' && i + 1 < n;
		copy[len++] = start[i];
	}
	*out = (struct bytes){copy, len};
	return true;
}

/* "{n}" or "{n+}", its line end, and n bytes, which are there. */
static bool literal(struct reader *in, struct bytes *out)
{
	struct bytes line;
	uint64_t n;
	if (!read_line(in, &line))
		return false;
	size_t end = bytes_find(line, "}");
	end -= end && end < line.len && line.at[end - 1] == '+';
	if (!bytes_number((struct bytes){line.at, end}, UINT32_MAX, &n) || n > reader_left(in))
		return false;
	*out = read_bytes(in, (size_t)n);
	return true;
}

bool imap_string(struct reader *in, struct arena *arena, struct bytes *out)
{
	skip_blanks(in);
	if (imap_is(in, '"'))
		return quoted(in, arena, out);
	if (imap_is(in, '{'))
		return literal(in, out);
	return imap_atom(in, out);
}

bool imap_is_set(struct bytes set)
{
	bool digit = false;
	for (size_t i = 0; i < set.len; i++) {
		uint8_t c = set.at[i];
		if ((c < '0' || c > '9') && c != '*' && !(digit && (c == ':' || c == ',')))
			return false;
		digit = c != ':' && c != ',';
	}
	return digit && set.len <= IMAP_SET_MAX;
}

static uint32_t set_number(struct bytes *rest, uint32_t last)
{
	uint64_t n = 0;
	bool star = rest->len && *rest->at == '*';
	while (rest->len && *rest->at != ':' && *rest->at != ',') {
		n = n < UINT32_MAX ? n * 10 + (*rest->at - '0') : n;
		rest->at++;
		rest->len--;
	}
	return star ? last : (uint32_t)(n < UINT32_MAX ? n : UINT32_MAX);
}

bool imap_set_has(struct bytes set, uint32_t number, uint32_t last)
{
	struct bytes rest = set;
	while (rest.len) {
		uint32_t from = set_number(&rest, last), to = from;
		if (rest.len && *rest.at == ':') {
			rest.at++, rest.len--;
			to = set_number(&rest, last);
		}
		if (number >= (from < to ? from : to) && number <= (from < to ? to : from))
			return true;
		if (rest.len)
			rest.at++, rest.len--;
	}
	return false;
}

static const struct {
	const char *name;
	uint8_t flag;
} flag_names[] = {
	{"\\Answered", MAIL_ANSWERED}, {"\\Flagged", MAIL_FLAGGED}, {"\\Deleted", MAIL_DELETED},
	{"\\Seen", MAIL_SEEN}, {"\\Draft", MAIL_DRAFT}, {"\\Recent", MAIL_RECENT},
};

bool imap_flags(struct reader *in, uint8_t *flags)
{
	bool list = imap_is(in, '(');
	struct bytes word;
	*flags = 0;
	while (imap_atom(in, &word))
		for (size_t i = 0; i + 1 < sizeof flag_names / sizeof *flag_names; i++)
			if (bytes_equal_nocase(word, flag_names[i].name))
				*flags |= flag_names[i].flag;
	return !list || imap_is(in, ')');
}

void imap_write_flags(uint8_t flags, struct writer *w)
{
	bool first = true;
	write_u8(w, '(');
	for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++) {
		if (!(flags & flag_names[i].flag))
			continue;
		write_fmt(w, "%s%s", first ? "" : " ", flag_names[i].name);
		first = false;
	}
	write_u8(w, ')');
}

void imap_say_string(struct session *s, struct bytes b)
{
	bool plain = b.len < 1000;
	for (size_t i = 0; i < b.len && plain; i++)
		plain = b.at[i] >= ' ' && b.at[i] < 0x7f && b.at[i] != '"' && b.at[i] != '\\';
	if (!b.at)
		session_say(s, "NIL");
	else if (plain)
		session_say(s, "\"%.*s\"", (int)b.len, (const char *)b.at);
	else
		session_say(s, "{%zu}\r\n", b.len);
	if (b.at && !plain)
		session_say_bytes(s, b);
}
