#include "share/reading/json_inner.h"
#include "share/reading/date_inner.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 253402300800 /* the year 10000 */
#define SECOND_US 1000000
#define BROKEN_MAX 10000 /* values; a document with more of them is not what it was taken for */

/* jansson reads one value and says how far it came; white space and RFC 7464's mark may stand between. */
static size_t skip_blank(struct bytes document, size_t at)
{
	while (at < document.len && document.at[at] && strchr(" \t\r\n\x1e", document.at[at]))
		at++;
	return at;
}

static size_t lines_within(struct bytes document, size_t from, size_t to)
{
	size_t lines = 0;
	for (size_t i = from; i < to; i++)
		lines += document.at[i] == '\n';
	return lines;
}

/* Where a value may begin that has nothing to do with the one that is broken: a line that opens an object or list. */
static size_t next_value(struct bytes document, size_t at)
{
	for (; at + 1 < document.len; at++)
		if (document.at[at] == '\n' && (document.at[at + 1] == '{' || document.at[at + 1] == '['))
			return at + 1;
	return document.len;
}

static void each_value(struct intake *in, struct bytes document, void (*take)(struct intake *, const json_t *))
{
	size_t at = skip_blank(document, bytes_start_with(document, "\xef\xbb\xbf") ? 3 : 0), value_at, lines = 0, counted = 0, broken = 0;
	if (at == document.len)
		intake_bad(in, "it is empty, JSON would be right");
	for (; at < document.len; at = skip_blank(document, at)) {
		json_error_t error;
		value_at = at;
		json_t *value = json_loadb((const char *)document.at + at, document.len - at,
					   JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &error);
		at += error.position > 0 ? (size_t)error.position : 0;
		if (value) {
			take(in, value);
			json_decref(value);
			arena_done(intake_arena(in));
			continue;
		}
		lines += lines_within(document, counted, value_at);
		counted = value_at;
		intake_bad(in, "line %zu, column %d: %s", lines + (size_t)error.line, error.column, error.text);
		if (++broken == BROKEN_MAX) {
			intake_bad(in, "more than %d of its values are broken; the rest was not read", BROKEN_MAX);
			return;
		}
		at = next_value(document, at > value_at + 1 ? at - 2 : value_at); /* the mistake may be what begins that line */
	}
}

/* The length of the character of UTF-8 (RFC 3629) that begins here; 0: none does. */
static size_t character_of(struct bytes b)
{
	size_t n = b.at[0] < 0x80 ? 1 : b.at[0] < 0xe0 ? 2 : b.at[0] < 0xf0 ? 3 : 4;
	return n <= b.len && (n == 1 || bytes_is_utf8((struct bytes){b.at, n})) ? n : 0;
}

/* jansson refuses a whole document for one byte of another charset, which would cost all that stands in it. */
static uint8_t *repaired(struct bytes document)
{
	uint8_t *copy = malloc(document.len);
	for (size_t i = 0, n; copy && i < document.len; i += n ? n : 1) {
		n = character_of((struct bytes){document.at + i, document.len - i});
		if (n)
			memcpy(copy + i, document.at + i, n);
		else
			copy[i] = '?';
	}
	return copy;
}

void json_each_value(struct intake *in, struct bytes document, void (*take)(struct intake *, const json_t *))
{
	if (bytes_is_utf8(document)) {
		each_value(in, document, take);
		return;
	}
	uint8_t *copy = repaired(document);
	intake_bad(in, copy ? "it is not UTF-8; bytes that are not are read as \"?\"" : "no memory for a document that is not UTF-8");
	if (copy)
		each_value(in, (struct bytes){copy, document.len}, take);
	free(copy);
}

struct bytes json_span(const json_t *value)
{
	return json_is_string(value) ? (struct bytes){(const uint8_t *)json_string_value(value), json_string_length(value)}
				     : (struct bytes){0};
}

struct bytes json_text(const json_t *object, const char *key) { return json_span(json_object_get(object, key)); }

const char *json_word(const json_t *object, const char *key)
{
	struct bytes b = json_text(object, key);
	return b.len && !memchr(b.at, '\0', b.len) ? (const char *)b.at : NULL;
}

uint64_t json_count(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	uint64_t number = 0;
	if (json_is_integer(value))
		return json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
	return bytes_number(json_span(value), UINT64_MAX, &number) ? number : 0;
}

uint64_t json_moment(const json_t *value)
{
	uint64_t seconds;
	double real = json_is_number(value) ? json_number_value(value) : 0;
	if (real > 0 && real < (double)SECONDS_MAX)
		return (uint64_t)llround(real * SECOND_US);
	if (bytes_number(json_span(value), SECONDS_MAX, &seconds))
		return seconds * SECOND_US;
	return date_read(json_span(value));
}

uint64_t json_time(const json_t *object, const char *key) { return json_moment(json_object_get(object, key)); }

struct phrase phrase_of(struct intake *in)
{
	uint8_t *room = arena_alloc(intake_arena(in), RECORD_TEXT_MAX);
	return (struct phrase){writer_of(room, room ? RECORD_TEXT_MAX : 0)};
}

void phrase_add(struct phrase *phrase, struct bytes word)
{
	if (!word.len || word.len + 1 > writer_left(&phrase->w))
		return;
	if (writer_used(&phrase->w))
		write_u8(&phrase->w, ' ');
	for (size_t i = 0; i < word.len; i++)
		write_u8(&phrase->w, word.at[i] <= ' ' ? '-' : word.at[i]);
}

void phrase_add_pair(struct phrase *phrase, const char *name, struct bytes value)
{
	if (!value.len || strlen(name) + value.len + 2 > writer_left(&phrase->w))
		return;
	if (writer_used(&phrase->w))
		write_u8(&phrase->w, ' ');
	write_fmt(&phrase->w, "%s:", name);
	write_span(&phrase->w, value);
}

struct bytes json_words(struct intake *in, const json_t *value)
{
	size_t i;
	const json_t *word;
	if (!json_is_array(value))
		return json_span(value);
	struct phrase phrase = phrase_of(in);
	json_array_foreach(value, i, word)
		phrase_add(&phrase, json_span(word));
	return phrase_bytes(&phrase);
}

struct dump {
	struct writer w;
};

static int on_dump(const char *text, size_t n, void *arg)
{
	struct writer *w = &((struct dump *)arg)->w;
	write_bytes(w, text, n < writer_left(w) ? n : writer_left(w));
	return writer_left(w) ? 0 : -1;
}

struct bytes json_line(struct intake *in, const json_t *value)
{
	uint8_t *room = arena_alloc(intake_arena(in), RECORD_TEXT_MAX);
	struct dump dump = {writer_of(room, room ? RECORD_TEXT_MAX : 0)};
	if (room)
		json_dump_callback(value, on_dump, &dump, JSON_COMPACT | JSON_ENCODE_ANY);
	return writer_bytes(&dump.w);
}
