/*
 * Banners as rules expect them: a challenge whole, a title as a browser shows it,
 * a prompt without the codes that move a terminal's cursor.
 */
#include "active/identify/rules_inner.h"
#include <ctype.h>

/* Where an ANSI control sequence (ECMA-48 5.4) that starts at `at` ends; `at` when none does. */
static size_t sequence_end(struct bytes b, size_t at)
{
	if (b.at[at] != 0x1b || at + 1 >= b.len)
		return at;
	if (b.at[at + 1] != '[')
		return at + 2;
	size_t i = at + 2;
	while (i < b.len && (b.at[i] < 0x40 || b.at[i] > 0x7e))
		i++;
	return i < b.len ? i + 1 : i;
}

static void prompt_write(struct bytes b, struct writer *w)
{
	for (size_t i = 0; i < b.len;) {
		size_t end = sequence_end(b, i);
		if (end > i) {
			i = end;
			continue;
		}
		if (b.at[i] != 0 && b.at[i] != 7)
			write_u8(w, b.at[i]);
		i++;
	}
}

/* RFC 3629; what is no character is left out. */
static void character_write(struct writer *w, uint64_t c)
{
	if (c < 0x80 && c >= 0x20) {
		write_u8(w, (uint8_t)c);
	} else if (c >= 0x80 && c < 0x800) {
		write_u8(w, (uint8_t)(0xc0 | c >> 6));
		write_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c >= 0x800 && c < 0x10000 && (c < 0xd800 || c > 0xdfff)) {
		write_u8(w, (uint8_t)(0xe0 | c >> 12));
		write_u8(w, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		write_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

static uint64_t reference_number(struct bytes digits)
{
	uint64_t v = 0;
	bool hex = digits.len && (digits.at[0] | 0x20) == 'x';
	for (size_t i = hex; i < digits.len; i++) {
		uint8_t c = digits.at[i] | 0x20;
		if (digits.len > 8 || !(isdigit(digits.at[i]) || (hex && c >= 'a' && c <= 'f')))
			return 0;
		v = v * (hex ? 16 : 10) + (isdigit(digits.at[i]) ? digits.at[i] - '0' : c - 'a' + 10);
	}
	return v;
}

/* A character reference (HTML 13.5, the few that stand in titles); 0 when it is none. */
static size_t reference_write(struct bytes b, size_t at, struct writer *w)
{
	static const struct {
		const char *name;
		uint16_t character;
	} known[] = {
		{"amp", '&'},   {"lt", '<'},     {"gt", '>'},      {"quot", '"'}, {"apos", '\''},
		{"nbsp", ' '},  {"reg", 0xae},   {"trade", 0x2122}, {"copy", 0xa9}, {"middot", 0xb7},
		{"ndash", 0x2013}, {"mdash", 0x2014}, {"raquo", 0xbb}, {"laquo", 0xab},
	};
	size_t end = at + 1;
	while (end < b.len && end < at + 12 && (isalnum(b.at[end]) || b.at[end] == '#'))
		end++;
	struct bytes name = {b.at + at + 1, end - at - 1};
	size_t after = end < b.len && b.at[end] == ';' ? end + 1 : end;
	if (name.len > 1 && name.at[0] == '#') {
		uint64_t c = reference_number((struct bytes){name.at + 1, name.len - 1});
		character_write(w, c == 0xa0 ? ' ' : c);
		return after;
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (bytes_equal_text(name, known[i].name)) {
			character_write(w, known[i].character);
			return after;
		}
	return 0;
}

static void spaces_join(struct writer *w)
{
	uint8_t *to = w->start;
	for (const uint8_t *from = w->start; from < w->at; from++) {
		bool space = isspace(*from);
		if (space && to > w->start && to[-1] == ' ')
			continue;
		*to++ = space ? ' ' : *from;
	}
	w->at = to;
}

/* Most titles are already what a browser shows. */
static bool title_is_plain(struct bytes b)
{
	bool changes = false;
	uint8_t before = 0;
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		changes |= c == '&' || (uint8_t)(c - '\t') < 5 || (c == ' ' && before == ' ');
		before = c;
	}
	return !changes;
}

static bool prompt_is_plain(struct bytes b)
{
	bool changes = false;
	for (size_t i = 0; i < b.len; i++)
		changes |= b.at[i] == 0x1b || b.at[i] == 0 || b.at[i] == 7;
	return !changes;
}

static void title_write(struct bytes b, struct writer *w)
{
	for (size_t i = 0; i < b.len;) {
		size_t after = b.at[i] == '&' ? reference_write(b, i, w) : 0;
		if (!after)
			write_u8(w, b.at[i]);
		i = after ? after : i + 1;
	}
	spaces_join(w);
}

enum banner_kind banner_kind(const char *key)
{
	return strcmp(key, "telnet.banner") == 0	 ? BANNER_PROMPT
	       : strcmp(key, "html_title") == 0		 ? BANNER_TITLE
	       : strcmp(key, "http_header.wwwauth") == 0 ? BANNER_CHALLENGE
							 : BANNER_AS_IT_IS;
}

static bool is_plain(enum banner_kind kind, struct bytes banner)
{
	switch (kind) {
	case BANNER_PROMPT:
		return prompt_is_plain(banner);
	case BANNER_TITLE:
		return title_is_plain(banner);
	case BANNER_CHALLENGE:
		return bytes_find_nocase(banner, "realm=") < banner.len;
	default:
		return true;
	}
}

struct bytes banner_plain(const struct identify *id, enum banner_kind kind, struct bytes banner)
{
	struct writer w = writer_of(id->plain, IDENTIFY_BANNER_MAX);
	if (banner.len == 0 || banner.len > IDENTIFY_BANNER_MAX / 2 || is_plain(kind, banner))
		return banner;
	if (kind == BANNER_PROMPT) {
		prompt_write(banner, &w);
	} else if (kind == BANNER_TITLE) {
		title_write(banner, &w);
	} else {
		write_text(&w, "Basic realm=\"");
		write_span(&w, banner);
		write_text(&w, "\"");
	}
	return writer_bytes(&w);
}
