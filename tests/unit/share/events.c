#include "tests/unit/share/events.h"
#include "tests/test.h"
#include <jansson.h>
#include <stdlib.h>

/* Characters up to U+00FF are one byte each where the text has no others, as the writer made them of bytes. */
static struct bytes bytes_of_json(const json_t *value, uint8_t *room, size_t size)
{
	struct bytes text = {(const uint8_t *)json_string_value(value), json_string_length(value)};
	size_t n = 0;
	for (size_t i = 0; i < text.len && n < size; i++) {
		if (text.at[i] < 0x80)
			room[n++] = text.at[i];
		else if ((text.at[i] & 0xfc) == 0xc0 && i + 1 < text.len) {
			room[n++] = (uint8_t)(text.at[i] << 6 | (text.at[i + 1] & 0x3f));
			i++;
		} else
			return text;
	}
	return (struct bytes){room, n};
}

static void set(struct event *e, const char *name, const json_t *value)
{
	static uint8_t room[EVENT_BYTES_MAX];
	int field = field_find(bytes_of_text(name));
	CHECK_SAY(field >= 0, "\"%s\" is no field", name);
	uint16_t f = (uint16_t)field;
	struct bytes text = bytes_of_text(json_is_string(value) ? json_string_value(value) : "");
	struct address a;
	struct event_id id;
	uint64_t time_us;
	switch (field_definition(f)->type) {
	case FIELD_NUMBER:
		event_set_number(e, f, json_is_string(value) ? strtoull((const char *)text.at, NULL, 10)
							     : (uint64_t)json_integer_value(value));
		break;
	case FIELD_BOOL:
		event_set_bool(e, f, json_is_true(value));
		break;
	case FIELD_TIME:
		CHECK_SAY(time_parse(text, &time_us), "%s: no time", name);
		event_set_number(e, f, time_us);
		break;
	case FIELD_ADDRESS:
		CHECK_SAY(address_parse(text, &a), "%s: no address", name);
		event_set_address(e, f, &a);
		break;
	case FIELD_ID:
		CHECK_SAY(id_parse(text, &id), "%s: no id", name);
		event_set_id(e, f, &id);
		break;
	case FIELD_TEXT:
		event_set_bytes(e, f, text);
		break;
	case FIELD_BYTES:
		event_set_bytes(e, f, bytes_of_json(value, room, sizeof room));
		break;
	}
}

void event_of_json(struct bytes line, struct event *e)
{
	json_error_t error;
	json_t *object = json_loadb((const char *)line.at, line.len, JSON_ALLOW_NUL, &error), *value;
	const char *name;
	CHECK_SAY(object, "%s: %.*s", error.text, (int)line.len, (const char *)line.at);
	int kind = event_kind_find(bytes_of_text(json_string_value(json_object_get(object, "kind"))));
	CHECK_SAY(kind >= 0, "no such kind: %.*s", (int)line.len, (const char *)line.at);
	event_begin(e, (enum event_kind)kind);
	json_object_foreach(object, name, value) {
		if (!strcmp(name, "id"))
			CHECK(id_parse(bytes_of_text(json_string_value(value)), &e->id));
		else if (!strcmp(name, "time"))
			CHECK(time_parse(bytes_of_text(json_string_value(value)), &e->time_us));
		else if (strcmp(name, "kind"))
			set(e, name, value);
	}
	json_decref(object);
}
