/* What a notice says, and how an event becomes one. */
#include "share/notify/notify_inner.h"
#include <stdlib.h>

#define LINES_MAX (64u << 10)

const struct notice_way *notice_way_find(const char *name)
{
	NOTICE_WAYS_EACH(it)
		if (!strcmp((*it)->name, name))
			return *it;
	return NULL;
}

/* Seconds are enough for people. */
static const char *time_short(uint64_t time_us, char text[TIME_TEXT_MAX])
{
	time_format(time_us, text);
	memcpy(text + 19, "Z", 2);
	return text;
}

char *notice_title(const struct notice *n, char text[NOTICE_TEXT_MAX])
{
	char since[TIME_TEXT_MAX];
	if (n->count > 1)
		snprintf(text, NOTICE_TEXT_MAX, "%s %llu times since %s (rule %s)", n->kind, (unsigned long long)n->count,
			 time_short(n->first_us, since), n->rule);
	else
		snprintf(text, NOTICE_TEXT_MAX, "%s at %s (rule %s)", n->kind, time_short(n->first_us, since), n->rule);
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return text;
}

void notice_write_json(const struct notice *n, struct writer *w)
{
	char text[NOTICE_TEXT_MAX], time[TIME_TEXT_MAX];
	write_text(w, "{\"text\":");
	write_json_string(w, bytes_of_text(notice_title(n, text)));
	write_text(w, ",\"rule\":");
	write_json_string(w, bytes_of_text(n->rule));
	write_fmt(w, ",\"count\":%llu,\"left_out\":%llu,\"first\":\"%s\"", (unsigned long long)n->count,
		  (unsigned long long)n->left_out, time_format(n->first_us, time));
	write_fmt(w, ",\"last\":\"%s\",\"event\":", time_format(n->last_us, time));
	write_span(w, n->event);
	write_text(w, "}");
}

static void drop_private(struct event *e)
{
	uint16_t kept = 0;
	for (uint16_t i = 0; i < e->count; i++)
		if (!(field_definition(e->values[i].field)->marks & FIELD_PRIVATE))
			e->values[kept++] = e->values[i];
	e->count = kept;
}

/* Each field on a line of its own, as JSON has it: what attackers sent cannot begin a line. */
static void write_lines(const struct event *e, struct writer *w)
{
	struct event *one = malloc(sizeof *one);
	if (!one)
		return;
	event_begin(one, e->kind);
	event_write_json(one, w);
	const size_t head = writer_used(w) - 1;
	w->at = w->start;
	for (uint16_t i = 0; i < e->count; i++) {
		struct writer line = *w;
		one->count = 1;
		one->values[0] = e->values[i];
		event_write_json(one, &line);
		if (line.bad)
			break; /* the rest is in the store */
		size_t len = (size_t)(line.at - w->at) - head - 2; /* without `{"kind":"…",` and `}` */
		memmove(w->at, w->at + head + 1, len);
		w->at += len;
		write_text(w, "\n");
	}
	free(one);
}

struct shared_notice *notice_of(const char *rule, struct event *e, uint64_t now_utc_us)
{
	uint8_t *json = malloc(NOTICE_JSON_MAX), *lines = malloc(LINES_MAX);
	struct shared_notice *out = NULL;
	if (json && lines) {
		struct writer j = writer_of(json, NOTICE_JSON_MAX), l = writer_of(lines, LINES_MAX);
		drop_private(e);
		event_write_json(e, &j);
		write_lines(e, &l);
		const size_t j_len = writer_used(&j), l_len = writer_used(&l);
		out = j.bad ? NULL : malloc(sizeof *out + j_len + l_len);
		if (out) {
			memcpy(out->store, json, j_len);
			memcpy(out->store + j_len, lines, l_len);
			const uint64_t time_us = e->time_us ? e->time_us : now_utc_us;
			out->holders = 1;
			out->notice = (struct notice){.kind = event_kind_name(e->kind), .count = 1, .first_us = time_us,
						      .last_us = time_us, .event = {out->store, j_len},
						      .lines = {out->store + j_len, l_len}};
			snprintf(out->notice.rule, sizeof out->notice.rule, "%s", rule);
		}
	}
	free(json);
	free(lines);
	return out;
}

void notice_drop(struct shared_notice *n)
{
	if (n && --n->holders == 0)
		free(n);
}
