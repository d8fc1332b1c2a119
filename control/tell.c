/* Decisions told together: repeats of one source, refusals in bulk, what could not be told. */
#include "control/room_inner.h"

int control_publish(struct control *c)
{
	int bad = c->publish(c->arg, &c->event);
	if (bad) {
		c->totals.unpublished++;
		c->gap++;
	}
	return bad;
}

void control_window_tell(struct control *c, struct target *target)
{
	uint32_t repeats = target->repeats;
	target->repeats = 0;
	if (!repeats)
		return;
	struct event *e = &c->event;
	bool held_out = target->reason == REASON_HELD_OUT || target->reason == REASON_SILENT_DECOY;
	event_begin(e, EVENT_DECISION_MADE);
	e->time_us = c->now_us;
	event_set_address(e, FIELD_SRC, &target->address);
	event_set_text(e, FIELD_DECISION, held_out ? "held-out" : "refused");
	event_set_text(e, FIELD_REASON, reason_word((enum reason)target->reason));
	event_set_number(e, FIELD_COUNT, repeats);
	if (target->rule < c->rules.count)
		event_set_text(e, FIELD_RULE, c->rules.items[target->rule].name);
	if (!id_is_zero(&target->decision))
		event_set_chain(e, &target->decision, &target->root, target->depth);
	control_publish(c);
}

static void bulk_tell(struct control *c)
{
	for (int r = 0; r < REASON_COUNT; r++) {
		if (!c->bulk[r])
			continue;
		struct event *e = &c->event;
		event_begin(e, EVENT_DECISION_MADE);
		e->time_us = c->now_us;
		event_set_text(e, FIELD_DECISION, "refused");
		event_set_text(e, FIELD_REASON, reason_word((enum reason)r));
		event_set_number(e, FIELD_COUNT, c->bulk[r]);
		event_set_text(e, FIELD_DETAIL, "more refusals than are told one by one");
		if (control_publish(c) == 0)
			c->bulk[r] = 0;
	}
}

static void gap_tell(struct control *c)
{
	struct event *e = &c->event;
	uint64_t gap = c->gap;
	event_begin(e, EVENT_SENSOR_CHANGED);
	e->time_us = c->now_us;
	event_set_text(e, FIELD_STATE, "gap");
	event_set_text(e, FIELD_SERVICE, "control");
	event_set_number(e, FIELD_COUNT, gap);
	event_set_text(e, FIELD_DETAIL, "decisions not taken while the journal was behind");
	if (c->publish(c->arg, e) == 0)
		c->gap -= gap;
}

void control_tick(struct control *c, uint64_t now_us)
{
	c->now_us = now_us;
	uint64_t window_us = c->settings.control->repeat_window_ms * 1000;
	struct target *target;
	while (now_us > window_us && (target = targets_window_over(c->targets, now_us - window_us)))
		control_window_tell(c, target);
	bulk_tell(c);
	if (c->gap)
		gap_tell(c);
	targets_expire(c->targets, now_us, 10000);
	steers_expire(c->steers, now_us);
	control_overdue(c, now_us);
	control_survey_tick(c, now_us);
	control_follow_tick(c, now_us);
	control_approval_tick(c, now_us);
	control_visits_tick(c, now_us);
	control_check_tick(c, now_us);
	control_leak_tick(c, now_us);
	control_keep_learned(c, now_us);
}

void control_tell_all(struct control *c, uint64_t now_us)
{
	c->now_us = now_us;
	struct target *target;
	while ((target = targets_window_over(c->targets, UINT64_MAX)))
		control_window_tell(c, target);
	bulk_tell(c);
	c->stopping = true;
	control_keep_learned(c, now_us);
}
