/* FETCH (RFC 3501 6.4.5), in the order and the words of Dovecot. */
#include "passive/services/imap/imap.h"
#include <time.h>

static bool add(struct imap_items *items, struct imap_item item)
{
	if (items->count == IMAP_ITEMS_MAX)
		return false;
	items->items[items->count++] = item;
	return true;
}

static bool add_plain(struct imap_items *items, struct bytes word)
{
	static const struct {
		const char *name;
		struct imap_item item;
	} known[] = {
		{"FLAGS", {.kind = IMAP_FLAGS}}, {"UID", {.kind = IMAP_UID}}, {"RFC822.SIZE", {.kind = IMAP_SIZE}},
		{"INTERNALDATE", {.kind = IMAP_DATE}}, {"ENVELOPE", {.kind = IMAP_ENVELOPE}}, {"BODY", {.kind = IMAP_BODY}},
		{"BODYSTRUCTURE", {.kind = IMAP_STRUCTURE}}, {"RFC822", {.kind = IMAP_SECTION, .name = "RFC822"}},
		{"RFC822.HEADER", {.kind = IMAP_SECTION, .name = "RFC822.HEADER", .section = {(const uint8_t *)"HEADER", 6}, .peek = true}},
		{"RFC822.TEXT", {.kind = IMAP_SECTION, .name = "RFC822.TEXT", .section = {(const uint8_t *)"TEXT", 4}}},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (bytes_equal_nocase(word, known[i].name))
			return add(items, known[i].item);
	bool all = bytes_equal_nocase(word, "ALL"), full = bytes_equal_nocase(word, "FULL");
	if (!all && !full && !bytes_equal_nocase(word, "FAST"))
		return false;
	return add(items, known[0].item) && add(items, known[3].item) && add(items, known[2].item) &&
	       (!(all || full) || add(items, known[4].item)) && (!full || add(items, known[5].item));
}

static bool read_partial(struct reader *in, struct imap_item *item)
{
	struct bytes rest = {in->at, reader_left(in)};
	uint64_t from, length;
	size_t end = bytes_find(rest, ">"), dot = bytes_find(rest, ".");
	if (!rest.len || rest.at[0] != '<')
		return true;
	if (end == rest.len || dot >= end || !bytes_number((struct bytes){rest.at + 1, dot - 1}, UINT32_MAX, &from) ||
	    !bytes_number((struct bytes){rest.at + dot + 1, end - dot - 1}, UINT32_MAX, &length))
		return false;
	item->partial = true;
	item->from = (uint32_t)from;
	item->length = (uint32_t)length;
	in->at += end + 1;
	return true;
}

/* One item: a word, or BODY[...]<...>, whose brackets hold blanks. */
static bool read_item(struct reader *in, struct imap_items *items)
{
	struct bytes rest;
	while (reader_left(in) && *in->at == ' ')
		in->at++;
	rest = (struct bytes){in->at, reader_left(in)};
	size_t n = 0;
	while (n < rest.len && rest.at[n] > ' ' && !strchr("[()", rest.at[n]))
		n++;
	struct bytes word = {rest.at, n};
	items->unknown = word;
	if (n == rest.len || rest.at[n] != '[') {
		in->at += n;
		return n && add_plain(items, word);
	}
	struct imap_item item = {.kind = IMAP_SECTION, .peek = bytes_equal_nocase(word, "BODY.PEEK")};
	struct bytes behind = {rest.at + n + 1, rest.len - n - 1};
	size_t end = bytes_find(behind, "]");
	if ((!item.peek && !bytes_equal_nocase(word, "BODY")) || end == behind.len || end > IMAP_SECTION_MAX)
		return false;
	item.section = (struct bytes){behind.at, end};
	in->at += n + 1 + end + 1;
	return read_partial(in, &item) && add(items, item);
}

bool imap_items_read(struct reader *in, bool uid, struct imap_items *items)
{
	*items = (struct imap_items){0};
	if (uid)
		add(items, (struct imap_item){.kind = IMAP_UID});
	bool list = imap_is(in, '(');
	do {
		if (list && imap_is(in, ')'))
			break;
		size_t before = items->count;
		if (!read_item(in, items))
			return false;
		if (uid && items->count == before + 1 && items->items[before].kind == IMAP_UID)
			items->count--;
	} while (list);
	return imap_at_end(in) && items->count;
}

static void say_date(struct session *s, const struct mail *m)
{
	char date[64] = "";
	time_t when = (time_t)m->received_s;
	struct tm tm;
	if (gmtime_r(&when, &tm))
		strftime(date, sizeof date, "%d-%b-%Y %H:%M:%S +0000", &tm);
	session_say(s, "INTERNALDATE \"%s\"", date);
}

/* Whether a line begins a field of that list of names. */
static bool is_named(struct bytes line, struct bytes names)
{
	struct bytes name = {line.at, bytes_find(line, ":")};
	char text[80];
	if (name.len == line.len || !bytes_copy_text(bytes_trim(name), text, sizeof text))
		return false;
	while (names.len) {
		struct bytes one = bytes_word(&names);
		if (one.len >= 2 && one.at[0] == '"')
			one = (struct bytes){one.at + 1, one.len - 2};
		if (bytes_equal_nocase(one, text))
			return true;
	}
	return false;
}

/* HEADER.FIELDS (...) and HEADER.FIELDS.NOT (...); false: the section is another. */
static bool header_fields(struct bytes section, const struct mail *m, struct arena *room, struct bytes *out)
{
	size_t open = bytes_find(section, "("), close = bytes_find(section, ")");
	struct bytes word = bytes_trim((struct bytes){section.at, open});
	bool not = bytes_equal_nocase(word, "HEADER.FIELDS.NOT");
	if (close >= section.len || close < open || (!not && !bytes_equal_nocase(word, "HEADER.FIELDS")))
		return false;
	struct bytes names = {section.at + open + 1, close - open - 1};
	struct reader in = reader_of(m->text.at, m->head_len);
	struct bytes line;
	uint8_t *copy = arena_alloc(room, m->head_len + 2);
	struct writer w = writer_of(copy, copy ? m->head_len + 2 : 0);
	bool keep = false;
	while (reader_left(&in) && read_line(&in, &line) && line.len) {
		if (line.at[0] != ' ' && line.at[0] != '\t')
			keep = is_named(line, names) != not;
		if (keep) {
			write_span(&w, line);
			write_text(&w, "\r\n");
		}
	}
	write_text(&w, "\r\n");
	*out = writer_bytes(&w);
	return copy && !w.bad;
}

static void say_section(struct session *s, const struct imap_item *item, const struct mail *m)
{
	struct arena room = ARENA(4u << 20);
	struct bytes text = {0};
	bool there = header_fields(item->section, m, &room, &text) || imap_part(m->text, m->head_len, item->section, &text);
	if (item->name)
		session_say(s, "%s", item->name);
	else
		session_say(s, "BODY[%.*s]", (int)item->section.len, (const char *)item->section.at);
	if (item->partial) {
		session_say(s, "<%u>", item->from);
		size_t from = item->from < text.len ? item->from : text.len;
		text = (struct bytes){text.at + from, text.len - from < item->length ? text.len - from : item->length};
	}
	if (there) {
		session_say(s, " {%zu}\r\n", text.len);
		session_say_bytes(s, text);
	} else {
		session_say(s, " NIL");
	}
	arena_done(&room);
}

static void say_item(struct session *s, const struct imap_item *item, const struct mail *m)
{
	char flags[96];
	struct writer w = writer_of(flags, sizeof flags);
	switch (item->kind) {
	case IMAP_FLAGS:
		imap_write_flags(m->flags, &w);
		session_say(s, "FLAGS %.*s", (int)writer_used(&w), flags);
		break;
	case IMAP_UID: session_say(s, "UID %u", m->uid); break;
	case IMAP_SIZE: session_say(s, "RFC822.SIZE %zu", m->text.len); break;
	case IMAP_DATE: say_date(s, m); break;
	case IMAP_ENVELOPE:
		session_say(s, "ENVELOPE ");
		imap_say_envelope(s, (struct bytes){m->text.at, m->head_len});
		break;
	case IMAP_BODY:
	case IMAP_STRUCTURE:
		session_say(s, item->kind == IMAP_BODY ? "BODY " : "BODYSTRUCTURE ");
		imap_say_structure(s, m->text, m->head_len, item->kind == IMAP_STRUCTURE);
		break;
	case IMAP_SECTION: say_section(s, item, m); break;
	}
}

bool imap_fetch(struct session *s, const struct imap_items *items, struct mail *m, size_t number, bool read_only)
{
	bool reads = false, shows = false;
	for (size_t i = 0; i < items->count; i++) {
		reads |= items->items[i].kind == IMAP_SECTION && !items->items[i].peek;
		shows |= items->items[i].kind == IMAP_FLAGS;
	}
	bool changed = reads && !read_only && !(m->flags & MAIL_SEEN);
	if (changed)
		m->flags |= MAIL_SEEN;
	session_say(s, "* %zu FETCH (", number);
	if (changed && !shows) {
		say_item(s, &(struct imap_item){.kind = IMAP_FLAGS}, m);
		session_say(s, " ");
	}
	for (size_t i = 0; i < items->count; i++) {
		if (i)
			session_say(s, " ");
		say_item(s, &items->items[i], m);
	}
	session_say(s, ")\r\n");
	return changed;
}
