#include "share/reading/pick_inner.h"
#include "base/moment.h"

static const struct pick *pick_find(const struct pick *picks, struct bytes name)
{
	for (; picks->name.at; picks++)
		if (name.len == picks->name.len && !memcmp(name.at, picks->name.at, name.len))
			return picks;
	return NULL;
}

bool pick_read(struct json_reader *j, const struct pick *picks, struct json_value *places)
{
	struct bytes name;
	struct json_value skipped;
	while (json_next(j, &name)) {
		const struct pick *p = pick_find(picks, name);
		if (p && p->within && json_enter(j))
			pick_read(j, p->within, places);
		else
			json_take(j, p && !p->within ? &places[p->place] : &skipped);
	}
	return !j->why;
}

struct bytes pick_text(struct intake *in, const struct json_value *v)
{
	if (v->type == VALUE_NUMBER || v->type == VALUE_TRUE || v->type == VALUE_FALSE)
		return v->raw;
	if (v->type != VALUE_STRING || !v->escaped)
		return v->type == VALUE_STRING ? v->raw : (struct bytes){0};
	uint8_t *room = arena_alloc(intake_arena(in), v->raw.len); /* an escape never means more bytes than it has */
	struct writer w = writer_of(room, room ? v->raw.len : 0);
	json_unescape(v->raw, &w);
	return writer_bytes(&w);
}

static void write_word(struct writer *w, struct bytes raw, bool escaped)
{
	if (!raw.len || writer_left(w) < raw.len + 1)
		return;
	if (writer_used(w))
		write_u8(w, ' ');
	if (escaped)
		json_unescape(raw, w);
	else
		write_span(w, raw);
}

struct bytes pick_list(struct intake *in, const struct json_value *v)
{
	if (v->type != VALUE_ARRAY && v->type != VALUE_OBJECT)
		return pick_text(in, v);
	size_t room = v->raw.len < RECORD_TEXT_MAX ? v->raw.len : RECORD_TEXT_MAX;
	uint8_t *at = room > 2 ? arena_alloc(intake_arena(in), room) : NULL;
	struct writer w = writer_of(at, at ? room : 0);
	struct json_reader j = json_of(v->raw);
	struct json_value item;
	struct bytes name;
	if (!at)
		return (struct bytes){0};
	if (json_enter(&j)) {
		while (json_next(&j, &name) && json_take(&j, &item))
			write_word(&w, name, memchr(name.at, '\\', name.len) != NULL);
	} else if (json_enter_array(&j)) {
		while (json_item(&j) && json_take(&j, &item))
			if (item.type == VALUE_STRING || item.type == VALUE_NUMBER)
				write_word(&w, item.raw, item.escaped);
	}
	return writer_bytes(&w);
}

struct bytes pick_cut(struct bytes b, size_t max) { return (struct bytes){b.at, b.len < max ? b.len : max}; }

bool pick_line(struct intake *in, struct bytes line, const struct pick *picks, struct json_value *places, size_t count)
{
	struct json_reader j = json_of(line);
	memset(places, 0, count * sizeof *places);
	if (json_enter(&j) && pick_read(&j, picks, places) && json_ended(&j))
		return true;
	intake_bad(in, "%s", j.why ? j.why : "it is no JSON object");
	return false;
}

uint64_t pick_count(const struct json_value *v, uint64_t max)
{
	uint64_t number;
	return json_whole(v, max, &number) ? number : 0;
}

uint64_t pick_moment(struct intake *in, const struct json_value *v)
{
	uint64_t time_us;
	struct bytes text = pick_text(in, v);
	return moment_iso(text, &time_us) || (v->type == VALUE_NUMBER && moment_seconds(text, &time_us)) ? time_us : 0;
}
