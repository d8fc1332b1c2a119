#include "analysis/exposure/cpe_inner.h"
#include <ctype.h>

static bool put(struct cpe *c, size_t *used, int byte)
{
	if (*used == sizeof c->text)
		return false;
	c->text[(*used)++] = (char)byte;
	return true;
}

/* One component of a formatted string, up to an unquoted colon (NISTIR 7695 6.2.3.2). */
static bool take_component(struct bytes *rest, struct cpe *c, enum cpe_attribute_name name, size_t *used)
{
	struct cpe_attribute *a = &c->attributes[name];
	*a = (struct cpe_attribute){CPE_VALUE, false, (uint16_t)*used, 0};
	bool bare = true; /* nothing was quoted: "*" and "-" alone have their meanings */
	while (rest->len && rest->at[0] != ':') {
		int byte = rest->at[0];
		size_t step = 1;
		if (byte == '\\' && rest->len > 1) {
			byte = rest->at[1];
			step = 2;
			bare = false;
		} else if (byte == '*' || byte == '?') {
			a->wild = true;
			byte = byte == '*' ? CPE_MANY : CPE_ONE;
		}
		if (byte < ' ' && byte != CPE_MANY && byte != CPE_ONE)
			return false;
		if (!put(c, used, tolower(byte)))
			return false;
		rest->at += step;
		rest->len -= step;
	}
	a->len = (uint16_t)(*used - a->at);
	struct bytes value = cpe_value(c, name);
	if (bare && value.len == 1 && (value.at[0] == CPE_MANY || value.at[0] == '-'))
		*a = (struct cpe_attribute){.kind = value.at[0] == '-' ? CPE_NA : CPE_ANY};
	return value.len > 0;
}

static int parse_formatted(struct bytes text, struct cpe *c)
{
	size_t used = 0;
	for (int i = 0; i < CPE_ATTRIBUTES; i++) {
		if (i && text.len) {
			text.at++; /* the colon */
			text.len--;
		} else if (i) {
			break; /* the rest was left out: ANY */
		}
		if (!take_component(&text, c, (enum cpe_attribute_name)i, &used))
			return ERR_BAD;
	}
	return text.len ? ERR_BAD : 0;
}

static int hex_digit(int c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* A component of the URI binding: %01 and %02 are ? and *, other %xx are bytes (6.1.3.2). */
static bool take_uri_component(struct bytes *rest, struct cpe *c, enum cpe_attribute_name name, size_t *used)
{
	struct cpe_attribute *a = &c->attributes[name];
	*a = (struct cpe_attribute){CPE_VALUE, false, (uint16_t)*used, 0};
	while (rest->len && rest->at[0] != ':') {
		int byte = rest->at[0];
		size_t step = 1;
		if (byte == '%') {
			int high = rest->len > 2 ? hex_digit(rest->at[1]) : -1, low = rest->len > 2 ? hex_digit(rest->at[2]) : -1;
			if (high < 0 || low < 0)
				return false;
			byte = high * 16 + low;
			step = 3;
			a->wild |= byte == 1 || byte == 2;
			byte = byte == 1 ? CPE_ONE : byte == 2 ? CPE_MANY : byte;
		} else if (byte == '*') {
			a->wild = true; /* not of the standard, but people write it */
			byte = CPE_MANY;
		}
		if ((byte < ' ' && byte != CPE_MANY && byte != CPE_ONE) || !put(c, used, tolower(byte)))
			return false;
		rest->at += step;
		rest->len -= step;
	}
	a->len = (uint16_t)(*used - a->at);
	struct bytes value = cpe_value(c, name);
	if (value.len == 0 || (value.len == 1 && value.at[0] == CPE_MANY))
		*a = (struct cpe_attribute){.kind = CPE_ANY};
	else if (value.len == 1 && value.at[0] == '-')
		*a = (struct cpe_attribute){.kind = CPE_NA};
	return true;
}

/* The edition of a URI may hold five attributes, packed as ~edition~sw_edition~target_sw~target_hw~other. */
static void unpack_edition(struct cpe *c)
{
	static const enum cpe_attribute_name packed[] = {CPE_EDITION, CPE_SW_EDITION, CPE_TARGET_SW, CPE_TARGET_HW, CPE_OTHER};
	struct cpe_attribute whole = c->attributes[CPE_EDITION];
	if (whole.kind != CPE_VALUE || c->text[whole.at] != '~')
		return;
	size_t at = whole.at + 1u, end = whole.at + (size_t)whole.len;
	for (size_t i = 0; i < sizeof packed / sizeof *packed; i++) {
		size_t from = at;
		while (at < end && c->text[at] != '~')
			at++;
		c->attributes[packed[i]] = (struct cpe_attribute){from < at ? CPE_VALUE : CPE_ANY, whole.wild, (uint16_t)from,
								  (uint16_t)(at - from)};
		at += at < end;
	}
}

static int parse_uri(struct bytes text, struct cpe *c)
{
	size_t used = 0;
	for (int i = CPE_PART; i <= CPE_LANGUAGE; i++) {
		if (!take_uri_component(&text, c, (enum cpe_attribute_name)i, &used))
			return ERR_BAD;
		if (text.len == 0)
			break;
		text.at++;
		text.len--;
	}
	unpack_edition(c);
	return text.len ? ERR_BAD : 0;
}

int cpe_parse(struct bytes text, struct cpe *out)
{
	static const char uri[] = "cpe:/", formatted[] = "cpe:2.3:";
	memset(out->attributes, 0, sizeof out->attributes); /* the text is only what they name */
	int bad;
	if (bytes_start_with(text, uri))
		bad = parse_uri((struct bytes){text.at + sizeof uri - 1, text.len - (sizeof uri - 1)}, out);
	else if (bytes_start_with(text, formatted))
		bad = parse_formatted((struct bytes){text.at + sizeof formatted - 1, text.len - (sizeof formatted - 1)}, out);
	else
		bad = parse_formatted(text, out);
	struct bytes part = cpe_value(out, CPE_PART);
	if (bad || (out->attributes[CPE_PART].kind == CPE_VALUE && (part.len != 1 || !strchr("aoh", part.at[0]))))
		return ERR_BAD;
	return 0;
}

void cpe_format(const struct cpe *c, char text[CPE_TEXT_MAX])
{
	struct writer w = writer_of(text, CPE_TEXT_MAX - 1);
	write_text(&w, "cpe:2.3");
	for (int i = 0; i < CPE_ATTRIBUTES; i++) {
		struct bytes value = cpe_value(c, (enum cpe_attribute_name)i);
		enum cpe_kind kind = c->attributes[i].kind;
		write_text(&w, kind == CPE_ANY ? ":*" : kind == CPE_NA ? ":-" : ":");
		for (size_t n = 0; kind == CPE_VALUE && n < value.len; n++) {
			uint8_t byte = value.at[n];
			bool dash_alone = byte == '-' && value.len == 1;
			if (byte != CPE_MANY && byte != CPE_ONE &&
			    (dash_alone || (!isalnum(byte) && !strchr("_.-", byte))))
				write_u8(&w, '\\');
			write_u8(&w, byte == CPE_MANY ? '*' : byte == CPE_ONE ? '?' : byte);
		}
	}
	*w.at = '\0';
}

static size_t leading(struct bytes *b, bool from_end, bool *many)
{
	size_t ones = 0;
	while (b->len) {
		uint8_t byte = from_end ? b->at[b->len - 1] : b->at[0];
		if (byte != CPE_MANY && byte != CPE_ONE)
			break;
		*many |= byte == CPE_MANY;
		ones += byte == CPE_ONE;
		b->at += !from_end;
		b->len--;
	}
	return ones;
}

/* Wildcards stand at the ends only; ? is one byte or none, * any number of them (5.3.2, 7696 6.3). */
static bool wild_matches(struct bytes source, struct bytes target)
{
	bool many_before = false, many_behind = false;
	size_t before = leading(&source, false, &many_before), behind = leading(&source, true, &many_behind);
	for (size_t at = 0; at + source.len <= target.len; at++) {
		size_t left = target.len - at - source.len;
		if ((many_before || at <= before) && (many_behind || left <= behind) &&
		    (source.len == 0 || memcmp(target.at + at, source.at, source.len) == 0))
			return true;
	}
	return false;
}

enum cpe_relation cpe_attribute_compare(const struct cpe *source, const struct cpe *target, enum cpe_attribute_name name)
{
	const struct cpe_attribute *s = &source->attributes[name], *t = &target->attributes[name];
	struct bytes from = cpe_value(source, name), to = cpe_value(target, name);
	if (t->kind == CPE_VALUE && t->wild)
		return CPE_UNDEFINED; /* rows 4, 8, 12 and 17: targets are names, not patterns */
	if (s->kind == t->kind && s->kind != CPE_VALUE)
		return CPE_EQUAL;
	if (s->kind == CPE_ANY)
		return CPE_SUPERSET;
	if (t->kind == CPE_ANY)
		return CPE_SUBSET;
	if (s->kind == CPE_NA || t->kind == CPE_NA)
		return CPE_DISJOINT;
	if (s->wild)
		return wild_matches(from, to) ? CPE_SUPERSET : CPE_DISJOINT;
	return bytes_equal(from, to) ? CPE_EQUAL : CPE_DISJOINT;
}

enum cpe_relation cpe_compare(const struct cpe *source, const struct cpe *target)
{
	bool above = false, below = false, undefined = false;
	for (int i = 0; i < CPE_ATTRIBUTES; i++) {
		enum cpe_relation r = cpe_attribute_compare(source, target, (enum cpe_attribute_name)i);
		if (r == CPE_DISJOINT)
			return CPE_DISJOINT;
		above |= r == CPE_SUPERSET;
		below |= r == CPE_SUBSET;
		undefined |= r == CPE_UNDEFINED;
	}
	if (undefined || (above && below))
		return CPE_UNDEFINED;
	return above ? CPE_SUPERSET : below ? CPE_SUBSET : CPE_EQUAL;
}
