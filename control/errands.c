#include "control/errands_inner.h"
#include <stdlib.h>

struct errand_waiting {
	struct errand_waiting *next;
	enum action action;
	bool given;
	size_t len;
	uint8_t payload[];
};

const char *errand_role(enum action action)
{
	static const char *const roles[ACTIONS] = {
		[ACTION_VISIT] = "visit",
		[ACTION_ANALYSE] = "lab",
		[ACTION_IMPORT] = "exchange",
		[ACTION_NOTIFY] = "notify",
	};
	return roles[action];
}

static void errand_of(const struct rule *rule, const struct event *e, struct bytes frame, struct errand *out)
{
	*out = (struct errand){.cause = e->id, .depth = event_number(e, FIELD_DEPTH, 0), .frame = frame};
	if (!event_id_of(e, FIELD_ROOT, &out->root))
		out->root = e->id;
	bytes_copy_text(bytes_of_text(rule->name), out->rule, sizeof out->rule);
}

int errands_add(struct errands *errands, enum action action, const struct rule *rule, const struct event *e)
{
	struct errand_line *line = &errands->lines[action];
	uint8_t frame[FRAME_MAX], wire[ERRAND_WIRE_MAX];
	struct writer f = writer_of(frame, sizeof frame), w = writer_of(wire, sizeof wire);
	struct errand errand;
	if (line->count == ERRANDS_MAX) {
		line->lost++;
		return ERR_FULL;
	}
	frame_encode(e, &f);
	errand_of(rule, e, writer_bytes(&f), &errand);
	errand_write(&errand, &w);
	struct errand_waiting *item = f.bad || w.bad ? NULL : malloc(sizeof *item + writer_used(&w));
	if (!item) {
		line->lost++;
		return ERR_MEMORY;
	}
	*item = (struct errand_waiting){.action = action, .len = writer_used(&w)};
	memcpy(item->payload, wire, item->len);
	if (line->last)
		line->last->next = item;
	else
		line->first = item;
	line->last = item;
	line->count++;
	return 0;
}

void errands_done(struct errands *errands)
{
	for (size_t i = 0; i < ACTIONS; i++) {
		struct errand_waiting *item = errands->lines[i].first, *next;
		for (; item; item = next) {
			next = item->next;
			free(item);
		}
	}
	*errands = (struct errands){0};
}

struct errand_waiting *errands_next(struct errands *errands, enum action action, uint64_t now_us)
{
	struct errand_line *line = &errands->lines[action];
	struct errand_waiting *item = line->first;
	if (line->given == ERRANDS_AT_ONCE || now_us < line->retry_us)
		return NULL;
	while (item && item->given)
		item = item->next;
	if (item) {
		item->given = true;
		line->given++;
	}
	return item;
}

struct bytes errand_payload(const struct errand_waiting *item) { return (struct bytes){item->payload, item->len}; }

static void leave_line(struct errand_line *line, struct errand_waiting *item)
{
	struct errand_waiting *before = NULL;
	for (struct errand_waiting *it = line->first; it != item; it = it->next)
		before = it;
	if (before)
		before->next = item->next;
	else
		line->first = item->next;
	if (line->last == item)
		line->last = before;
	line->count--;
	free(item);
}

void errand_answered(struct errands *errands, struct errand_waiting *item, int status, uint64_t now_us)
{
	struct errand_line *line = &errands->lines[item->action];
	item->given = false;
	line->given--;
	if (status == ERR_FULL || status == ERR_GONE) {
		line->retry_us = now_us + ERRANDS_RETRY_US;
		return;
	}
	line->taken += status == 0;
	line->refused += status != 0;
	leave_line(line, item);
}
