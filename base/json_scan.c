#include "base/json_scan.h"

static bool fail(struct json_reader *j, const char *why)
{
	if (!j->why)
		j->why = why;
	j->at = j->end;
	return false;
}

struct json_reader json_of(struct bytes line)
{
	return (struct json_reader){.at = line.at, .end = line.len ? line.at + line.len : line.at};
}

static void skip_space(struct json_reader *j)
{
	while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\r' || *j->at == '\n'))
		j->at++;
}

static bool take_byte(struct json_reader *j, uint8_t byte)
{
	skip_space(j);
	if (j->at == j->end || *j->at != byte)
		return false;
	j->at++;
	return true;
}

/* Where a string's plain run ends: quote, backslash and control characters. */
static const uint8_t *plain_end(const uint8_t *at, const uint8_t *end)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
	while (end - at >= 8) {
		uint64_t w;
		memcpy(&w, at, sizeof w);
		uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
		/* A byte is 0 in one of the two, or below 0x20 itself; false hits only cost a look. */
		uint64_t hit = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((w - ones * 0x20) & ~w);
		if (hit & high)
			break;
		at += 8;
	}
	while (at < end && *at != '"' && *at != '\\' && *at >= 0x20)
		at++;
	return at;
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool take_escape(struct json_reader *j)
{
	j->at++;
	if (j->at == j->end)
		return fail(j, "the line ends within a string");
	uint8_t c = *j->at++;
	if (c != 'u')
		return memchr("\"\\/bfnrt", c, 8) ? true : fail(j, "an escape that JSON does not have");
	for (int i = 0; i < 4; i++, j->at++)
		if (j->at == j->end || !is_hex(*j->at))
			return fail(j, "\\u without four hex digits");
	return true;
}

static bool take_string(struct json_reader *j, struct bytes *raw, bool *escaped)
{
	const uint8_t *start = ++j->at;
	*escaped = false;
	for (;;) {
		j->at = plain_end(j->at, j->end);
		if (j->at == j->end)
			return fail(j, "the line ends within a string");
		if (*j->at == '"')
			break;
		if (*j->at < 0x20)
			return fail(j, "a control character within a string");
		*escaped = true;
		if (!take_escape(j))
			return false;
	}
	*raw = (struct bytes){start, (size_t)(j->at - start)};
	j->at++;
	return true;
}

static bool take_digits(struct json_reader *j)
{
	const uint8_t *start = j->at;
	while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
		j->at++;
	return j->at > start || fail(j, "a number without digits");
}

static bool take_number(struct json_reader *j, struct bytes *raw)
{
	const uint8_t *start = j->at;
	if (*j->at == '-')
		j->at++;
	if (j->at < j->end && *j->at == '0')
		j->at++;
	else if (!take_digits(j))
		return false;
	if (j->at < j->end && *j->at == '.') {
		j->at++;
		if (!take_digits(j))
			return false;
	}
	if (j->at < j->end && (*j->at | 0x20) == 'e') {
		j->at++;
		if (j->at < j->end && (*j->at == '+' || *j->at == '-'))
			j->at++;
		if (!take_digits(j))
			return false;
	}
	*raw = (struct bytes){start, (size_t)(j->at - start)};
	return true;
}

static bool take_word(struct json_reader *j, const char *word, struct bytes *raw)
{
	size_t n = strlen(word);
	if ((size_t)(j->end - j->at) < n || memcmp(j->at, word, n))
		return fail(j, "a word that JSON does not have");
	*raw = (struct bytes){j->at, n};
	j->at += n;
	return true;
}

bool json_enter(struct json_reader *j)
{
	if (json_peek(j) != VALUE_OBJECT)
		return false;
	if (j->depth == JSON_DEPTH_MAX)
		return fail(j, "nested too deep");
	j->at++;
	j->depth++;
	j->first = true;
	return true;
}

bool json_next(struct json_reader *j, struct bytes *name)
{
	bool escaped;
	if (j->why)
		return false;
	if (take_byte(j, '}')) {
		j->depth--;
		j->first = false;
		return false;
	}
	if (!j->first && !take_byte(j, ','))
		return fail(j, "neither a comma nor the end behind a member");
	j->first = false;
	skip_space(j);
	if (j->at == j->end || *j->at != '"')
		return fail(j, "no name where a member should be");
	if (!take_string(j, name, &escaped))
		return false;
	return take_byte(j, ':') || fail(j, "no colon behind a name");
}

enum json_type json_peek(struct json_reader *j)
{
	skip_space(j);
	if (j->at == j->end)
		return VALUE_NONE;
	switch (*j->at) {
	case '"': return VALUE_STRING;
	case '{': return VALUE_OBJECT;
	case '[': return VALUE_ARRAY;
	case 't': return VALUE_TRUE;
	case 'f': return VALUE_FALSE;
	case 'n': return VALUE_NULL;
	default: return *j->at == '-' || (*j->at >= '0' && *j->at <= '9') ? VALUE_NUMBER : VALUE_NONE;
	}
}

bool json_enter_array(struct json_reader *j)
{
	if (json_peek(j) != VALUE_ARRAY)
		return false;
	if (j->depth == JSON_DEPTH_MAX)
		return fail(j, "nested too deep");
	j->at++;
	j->depth++;
	j->first = true;
	return true;
}

bool json_item(struct json_reader *j)
{
	if (j->why)
		return false;
	if (take_byte(j, ']')) {
		j->depth--;
		j->first = false;
		return false;
	}
	if (!j->first && !take_byte(j, ','))
		return fail(j, "neither a comma nor the end behind an item");
	j->first = false;
	return true;
}

static bool skip_array(struct json_reader *j)
{
	struct json_value item;
	if (!json_enter_array(j))
		return false;
	while (json_item(j))
		if (!json_take(j, &item))
			return false;
	return !j->why;
}

static bool skip_object(struct json_reader *j)
{
	struct bytes name;
	struct json_value value;
	if (!json_enter(j))
		return false;
	while (json_next(j, &name))
		if (!json_take(j, &value))
			return false;
	return !j->why;
}

bool json_take(struct json_reader *j, struct json_value *v)
{
	*v = (struct json_value){.type = json_peek(j)};
	const uint8_t *start = j->at;
	bool first = j->first, taken = false;
	switch (v->type) {
	case VALUE_NONE: return fail(j, j->at == j->end ? "the line ends within a value" : "no value where one should be");
	case VALUE_STRING: return take_string(j, &v->raw, &v->escaped);
	case VALUE_NUMBER: return take_number(j, &v->raw);
	case VALUE_TRUE: return take_word(j, "true", &v->raw);
	case VALUE_FALSE: return take_word(j, "false", &v->raw);
	case VALUE_NULL: return take_word(j, "null", &v->raw);
	case VALUE_OBJECT: taken = skip_object(j); break;
	case VALUE_ARRAY: taken = skip_array(j); break;
	}
	j->first = first;
	v->raw = (struct bytes){start, (size_t)(j->at - start)};
	return taken;
}

bool json_ended(struct json_reader *j)
{
	skip_space(j);
	if (!j->why && (j->depth || j->at != j->end))
		fail(j, j->depth ? "the line ends within an object" : "something follows the object");
	return !j->why;
}

static unsigned hex4(const uint8_t *at)
{
	unsigned v = 0;
	for (int i = 0; i < 4; i++)
		v = v << 4 | (unsigned)(at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
	return v;
}

static void write_character(struct writer *w, unsigned c)
{
	uint8_t b[4];
	size_t n;
	if (c < 0x80) {
		b[0] = (uint8_t)c;
		n = 1;
	} else if (c < 0x800) {
		b[0] = (uint8_t)(0xc0 | c >> 6);
		n = 2;
	} else if (c < 0x10000) {
		b[0] = (uint8_t)(0xe0 | c >> 12);
		n = 3;
	} else {
		b[0] = (uint8_t)(0xf0 | c >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		b[i] = (uint8_t)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
	write_bytes(w, b, n);
}

/* At a \u: how many bytes of the raw string it takes (RFC 8259 7: pairs beyond the BMP). */
static size_t unescape_unicode(struct bytes raw, size_t at, struct writer *w)
{
	if (raw.len - at < 6)
		return raw.len - at;
	unsigned c = hex4(raw.at + at + 2);
	size_t n = 6;
	if (c >= 0xd800 && c < 0xdc00 && raw.len - at >= 12 && raw.at[at + 6] == '\\' && raw.at[at + 7] == 'u') {
		unsigned low = hex4(raw.at + at + 8);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			n = 12;
		}
	}
	write_character(w, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	return n;
}

void json_unescape(struct bytes raw, struct writer *w)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	for (size_t at = 0; at < raw.len && !w->bad;) {
		const uint8_t *slash = memchr(raw.at + at, '\\', raw.len - at);
		size_t plain = slash ? (size_t)(slash - raw.at) - at : raw.len - at;
		size_t fits = plain < writer_left(w) ? plain : writer_left(w);
		write_bytes(w, raw.at + at, fits);
		w->bad |= fits < plain;
		at += plain;
		if (!slash || at + 1 >= raw.len || w->bad)
			break;
		const char *name = memchr(names, raw.at[at + 1], sizeof names - 1);
		if (name)
			write_u8(w, (uint8_t)values[name - names]);
		at += name ? 2 : unescape_unicode(raw, at, w);
	}
}

bool json_whole(const struct json_value *v, uint64_t max, uint64_t *out)
{
	return (v->type == VALUE_NUMBER || v->type == VALUE_STRING) && bytes_number(v->raw, max, out);
}
