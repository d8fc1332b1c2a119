#include "cli/stored_banners.h"
#include "base/clock.h"
#include "cli/ask.h"
#include "cli/escapes.h"
#include "event/event.h"
#include "store/report.h"
#include <jansson.h>
#include <stdlib.h>

#define ANSWER_MAX ((size_t)512 << 20)
#define FILE_MAX ((size_t)256 << 20)

static const struct report_part heard = {
	"banners",
	"SELECT line, toUInt32(uniqExact(src)) AS hosts, toUInt32(uniqExactIf(src, src IN (SELECT src FROM events "
	"WHERE kind = 'session.opened'))) AS attackers FROM (SELECT src, arrayJoin(splitByChar('\\n', "
	"value[indexOf(field, 'signals')])) AS line FROM events WHERE kind = 'host.answered' AND "
	"has(field, 'signals') AND time >= {from} AND time < {to}) GROUP BY line "
	"ORDER BY attackers DESC, hosts DESC, line LIMIT 200000",
};

/* "telnet.banner: login:"; a port after the key tells nothing here. */
static void banner_take(struct stored_banners *b, char *line, size_t len, uint64_t hosts, uint64_t attackers)
{
	char *colon = memchr(line, ':', len);
	if (!colon || b->count == STORED_BANNERS_MAX)
		return;
	char *at = memchr(line, '@', (size_t)(colon - line));
	const char *key = arena_text(&b->arena, (struct bytes){(uint8_t *)line, (size_t)((at ? at : colon) - line)});
	char *text = colon + 1;
	struct bytes value = bytes_trim(escapes_read(text, len - (size_t)(text - line)));
	value = arena_copy(&b->arena, value);
	if (key && value.len)
		b->items[b->count++] = (struct stored_banner){key, value, hosts, attackers};
}

static bool collect(void *arg, struct bytes part) { return buffer_append(arg, part.at, part.len) == 0; }

static void row_take(struct stored_banners *b, struct bytes row)
{
	json_t *json = json_loadb((const char *)row.at, row.len, 0, NULL);
	const char *line = json_string_value(json_object_get(json, "line"));
	if (line) {
		char *copy = strdup(line);
		if (copy)
			banner_take(b, copy, strlen(copy),
				    (uint64_t)json_integer_value(json_object_get(json, "hosts")),
				    (uint64_t)json_integer_value(json_object_get(json, "attackers")));
		free(copy);
	}
	json_decref(json);
}

/* Each line of the text to `take`: a row of the store's answer, or a banner. */
static void lines_take(struct stored_banners *b, struct bytes text, bool rows)
{
	while (text.len) {
		const uint8_t *end = memchr(text.at, '\n', text.len);
		size_t len = end ? (size_t)(end - text.at) : text.len;
		if (rows)
			row_take(b, (struct bytes){text.at, len});
		else
			banner_take(b, (char *)(uintptr_t)text.at, len, 1, 0);
		text.at += len + (end != NULL);
		text.len -= len + (end != NULL);
	}
}

static bool read_time(const struct arguments *a, const char *flag, uint64_t absent, uint64_t *out)
{
	const char *text = arguments_flag(a, flag);
	*out = absent;
	return !text || time_parse(bytes_of_text(text), out);
}

static int ask_store(const struct arguments *a, struct stored_banners *b, struct fault *fault)
{
	struct question question;
	char sql[REPORT_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql);
	struct buffer answer = BUFFER(ANSWER_MAX);
	uint64_t from, to;
	if (!read_time(a, "from", 0, &from) || !read_time(a, "to", clock_utc_us() + 1000000, &to))
		return fault_set(fault, ERR_BAD, "--from or --to is not a time, 2026-04-01 would be one");
	int bad = question_begin(&question, a, fault);
	if (bad)
		return bad;
	report_sql(&heard, from, to, &w);
	bad = question_ask(&question, "lines", writer_bytes(&w), false, collect, &answer, fault);
	if (!bad)
		lines_take(b, buffer_bytes(&answer), true);
	buffer_done(&answer);
	return bad;
}

int stored_banners_read(const struct arguments *a, struct stored_banners *b, struct fault *fault)
{
	const char *file = arguments_flag(a, "read");
	*b = (struct stored_banners){.arena = ARENA(ANSWER_MAX)};
	b->items = calloc(STORED_BANNERS_MAX, sizeof *b->items);
	if (!b->items)
		return fault_set(fault, ERR_MEMORY, "no memory for the banners");
	if (!file)
		return ask_store(a, b, fault);
	struct buffer text = BUFFER(FILE_MAX);
	int bad = command_read_file(file, FILE_MAX, &text, fault);
	if (!bad)
		lines_take(b, buffer_bytes(&text), false);
	buffer_done(&text);
	return bad;
}

void stored_banners_done(struct stored_banners *b)
{
	arena_done(&b->arena);
	free(b->items);
}
