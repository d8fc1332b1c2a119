#include "event/event.h"
#include <assert.h>

void event_begin(struct event *e, enum event_kind kind)
{
	e->id = (struct event_id){0};
	e->time_us = 0;
	e->kind = kind;
	e->count = 0;
	e->cut = false;
	e->stored = 0;
}

static struct event_value *value_add(struct event *e, uint16_t field, enum field_type type)
{
	struct event_value *v = NULL;
	for (uint16_t i = 0; i < e->count && !v; i++)
		if (e->values[i].field == field)
			v = &e->values[i];
	if (!v) {
		assert(e->count < EVENT_FIELDS_MAX);
		v = &e->values[e->count++];
	}
	*v = (struct event_value){.field = field, .type = type};
	return v;
}

static enum field_type type_of(uint16_t field)
{
	const struct field_definition *d = field_definition(field);
	assert(d);
	return d->type;
}

void event_set_number(struct event *e, uint16_t field, uint64_t n)
{
	enum field_type type = type_of(field);
	assert(type == FIELD_NUMBER || type == FIELD_TIME);
	value_add(e, field, type)->number = n;
}

void event_set_bool(struct event *e, uint16_t field, bool b)
{
	assert(type_of(field) == FIELD_BOOL);
	value_add(e, field, FIELD_BOOL)->number = b;
}

static void value_keep(struct event *e, uint16_t field, enum field_type type, struct bytes b)
{
	size_t room = sizeof e->store - e->stored;
	if (b.len > room) {
		b.len = room;
		e->cut = true;
	}
	uint8_t *kept = e->store + e->stored;
	if (b.len)
		memmove(kept, b.at, b.len);
	value_add(e, field, type)->bytes = (struct bytes){kept, b.len};
	e->stored += b.len;
}

void event_set_bytes(struct event *e, uint16_t field, struct bytes b)
{
	enum field_type type = type_of(field);
	assert(type == FIELD_BYTES || type == FIELD_TEXT);
	assert(type == FIELD_BYTES || bytes_is_utf8(b));
	value_keep(e, field, type, b);
}

void event_set_text(struct event *e, uint16_t field, const char *s)
{
	event_set_bytes(e, field, bytes_of_text(s));
}

void event_set_address(struct event *e, uint16_t field, const struct address *a)
{
	assert(type_of(field) == FIELD_ADDRESS);
	value_keep(e, field, FIELD_ADDRESS, (struct bytes){a->b, sizeof a->b});
}

void event_set_id(struct event *e, uint16_t field, const struct event_id *id)
{
	assert(type_of(field) == FIELD_ID);
	value_keep(e, field, FIELD_ID, (struct bytes){id->b, sizeof id->b});
}

bool event_set_chain(struct event *e, const struct event_id *cause, const struct event_id *root,
		     uint64_t depth_of_cause)
{
	event_set_id(e, FIELD_CAUSE, cause);
	event_set_id(e, FIELD_ROOT, id_is_zero(root) ? cause : root);
	event_set_number(e, FIELD_DEPTH, depth_of_cause + 1);
	return depth_of_cause < EVENT_DEPTH_MAX;
}

bool event_set_cause(struct event *e, const struct event *cause)
{
	struct event_id root = cause->id;
	event_id_of(cause, FIELD_ROOT, &root);
	return event_set_chain(e, &cause->id, &root, event_number(cause, FIELD_DEPTH, 0));
}

const struct event_value *event_get(const struct event *e, uint16_t field)
{
	for (uint16_t i = 0; i < e->count; i++)
		if (e->values[i].field == field)
			return &e->values[i];
	return NULL;
}

uint64_t event_number(const struct event *e, uint16_t field, uint64_t absent)
{
	const struct event_value *v = event_get(e, field);
	return v ? v->number : absent;
}

bool event_bool(const struct event *e, uint16_t field) { return event_number(e, field, 0) != 0; }

struct bytes event_bytes(const struct event *e, uint16_t field)
{
	const struct event_value *v = event_get(e, field);
	return v ? v->bytes : (struct bytes){0};
}

bool event_address(const struct event *e, uint16_t field, struct address *out)
{
	struct bytes b = event_bytes(e, field);
	if (b.len != sizeof out->b)
		return false;
	memcpy(out->b, b.at, b.len);
	return true;
}

bool event_id_of(const struct event *e, uint16_t field, struct event_id *out)
{
	struct bytes b = event_bytes(e, field);
	if (b.len != sizeof out->b)
		return false;
	memcpy(out->b, b.at, b.len);
	return true;
}
