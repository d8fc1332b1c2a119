/* Identifiers of STIX against those of others' tools, and what the kinds become. */
#include "share/making/stix_making_inner.h"
#include "tests/test.h"
#include <jansson.h>

#define ROOM (1u << 20)

static void observable(const char *type, const char *canonical, const char *wanted)
{
	char id[STIX_ID_MAX];
	making_observable_id(type, bytes_of_text(canonical), id);
	assert_string_equal(strstr(id, "--") + 2, wanted);
}

TEST(stix_ids_are_those_of_others)
{
	observable("ipv4-addr", "{\"value\":\"198.51.100.3\"}", "28bb3599-77cd-5a82-a950-b5bc3caf07c4");
	observable("autonomous-system", "{\"number\":64496}", "9ad79ee3-2fde-5015-b0cc-7a96404effca");
	observable("user-account", "{\"account_login\":\"root\"}", "3d209579-8f71-5179-b6a3-49509efb52cc");
}

TEST(stix_strings_are_canonical)
{
	uint8_t room[200];
	struct writer w = writer_of(room, sizeof room);
	write_canonical_string(&w, BYTES("a\"\\\b\t\n\f\r\x01\x7f\xe2\x82\xac/"));
	assert_true(bytes_equal_text(writer_bytes(&w), "\"a\\\"\\\\\\b\\t\\n\\f\\r\\u0001\x7f\xe2\x82\xac/\""));
}

static json_t *objects_of(struct making *stix, const struct event *e, struct arena *arena)
{
	struct made_object objects[STIX_OBJECTS_MAX];
	int count = making_objects(stix, e, TLP_AMBER, arena, objects);
	json_t *list = json_array();
	assert_true(count >= 0);
	for (int i = 0; i < count; i++) {
		json_t *o = json_loadb((const char *)objects[i].json.at, objects[i].json.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
		assert_non_null(o);
		assert_string_equal(json_string_value(json_object_get(o, "id")), objects[i].id);
		json_array_append_new(list, o);
	}
	return list;
}

static const json_t *of_type(const json_t *list, const char *type)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(json_string_value(json_object_get(json_array_get(list, i), "type")), type))
			return json_array_get(list, i);
	return NULL;
}

static const char *text_of(const json_t *o, const char *key) { return json_string_value(json_object_get(o, key)); }

static bool is_id_in(const json_t *list, const char *id)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(text_of(json_array_get(list, i), "id"), id))
			return true;
	return false;
}

/* Every reference of an object leads to one that comes with it, or to what all share. */
static void assert_references(const json_t *list, const char *producer)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *key;
		json_t *value;
		json_object_foreach(json_array_get(list, i), key, value) {
			size_t n = strlen(key);
			if (n > 4 && !strcmp(key + n - 4, "_ref") && strcmp(json_string_value(value), producer))
				assert_true(is_id_in(list, json_string_value(value)));
			bool many = n > 5 && !strcmp(key + n - 5, "_refs") && strcmp(key, "object_marking_refs");
			for (size_t k = 0; many && k < json_array_size(value); k++)
				if (strcmp(json_string_value(json_array_get(value, k)), producer))
					assert_true(is_id_in(list, json_string_value(json_array_get(value, k))));
		}
	}
}

static void login(struct event *e)
{
	struct address src;
	event_begin(e, EVENT_LOGIN_TRIED);
	e->time_us = UINT64_C(1434000000123456);
	e->id.b[0] = 7;
	assert_true(address_parse(BYTES("198.51.100.3"), &src));
	event_set_address(e, FIELD_SRC, &src);
	event_set_number(e, FIELD_SPORT, 40000);
	event_set_number(e, FIELD_DPORT, 23);
	event_set_text(e, FIELD_PROTO, "tcp");
	event_set_text(e, FIELD_SERVICE, "telnet");
	event_set_bytes(e, FIELD_LOGIN_USER, BYTES("root"));
}

TEST(stix_of_a_login)
{
	struct event e;
	struct making *stix;
	struct made_object common[STIX_OBJECTS_MAX];
	struct arena arena = ARENA(ROOM);
	assert_int_equal(making_open(&stix, &(struct making_about){"a CERT"}), 0);
	int count = making_common(stix, TLP_AMBER, &arena, common);
	assert_int_equal(count, 4); /* CLEAR, GREEN, AMBER and the identity */
	login(&e);
	json_t *list = objects_of(stix, &e, &arena), *again = objects_of(stix, &e, &arena);
	assert_true(json_equal(list, again));
	assert_references(list, common[count - 1].id);
	assert_string_equal(text_of(of_type(list, "ipv4-addr"), "id"), "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
	assert_string_equal(text_of(of_type(list, "user-account"), "id"), "user-account--3d209579-8f71-5179-b6a3-49509efb52cc");
	assert_string_equal(text_of(of_type(list, "observed-data"), "first_observed"), "2015-06-11T05:20:00.123Z");
	assert_string_equal(text_of(of_type(list, "indicator"), "pattern"), "[ipv4-addr:value = '198.51.100.3']");
	assert_string_equal(text_of(of_type(list, "indicator"), "created"), "2015-06-11T00:00:00.000Z");
	const json_t *traffic = of_type(list, "network-traffic");
	assert_string_equal(text_of(traffic, "start"), "2015-06-11T05:20:00.123456Z");
	assert_int_equal(json_integer_value(json_object_get(traffic, "dst_port")), 23);
	assert_non_null(of_type(list, "sighting"));
	json_decref(list);
	json_decref(again);
	arena_done(&arena);
	making_close(stix);
}

TEST(stix_of_a_host)
{
	struct event e;
	struct address src;
	struct making *making;
	struct made_object common[STIX_OBJECTS_MAX];
	struct arena arena = ARENA(ROOM);
	assert_int_equal(making_open(&making, &(struct making_about){"a CERT"}), 0);
	assert_int_equal(event_start(NULL), 0);
	int count = making_common(making, TLP_CLEAR, &arena, common);
	event_begin(&e, EVENT_HOST_IDENTIFIED);
	e.time_us = UINT64_C(1434000000123456);
	assert_true(address_parse(BYTES("198.51.100.3"), &src));
	event_set_address(&e, FIELD_SRC, &src);
	event_set_text(&e, FIELD_DEVICE_VENDOR, "Siemens");
	event_set_text(&e, FIELD_DEVICE_PRODUCT, "S7-1200");
	event_set_text(&e, (uint16_t)field_find(BYTES("src.country")), "TR");
	event_set_number(&e, (uint16_t)field_find(BYTES("src.as")), 64496);
	json_t *list = objects_of(making, &e, &arena);
	assert_references(list, common[count - 1].id);
	assert_string_equal(text_of(of_type(list, "autonomous-system"), "id"), "autonomous-system--9ad79ee3-2fde-5015-b0cc-7a96404effca");
	assert_string_equal(text_of(of_type(list, "location"), "country"), "TR");
	assert_string_equal(text_of(of_type(list, "software"), "vendor"), "Siemens");
	assert_string_equal(text_of(of_type(list, "infrastructure"), "name"), "S7-1200");
	json_decref(list);
	arena_done(&arena);
	making_close(making);
}

TEST(stix_takes_hostile_bytes)
{
	struct event e;
	struct making *stix;
	struct arena arena = ARENA(ROOM);
	assert_int_equal(making_open(&stix, &(struct making_about){NULL}), 0);
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		struct address src;
		event_begin(&e, (enum event_kind)kind);
		e.time_us = UINT64_C(1434000000000000);
		assert_true(address_parse(BYTES("2001:db8::1"), &src));
		event_set_address(&e, FIELD_SRC, &src);
		event_set_bytes(&e, FIELD_COMMAND_LINE, BYTES("echo '\\x41\xff\x00\x1b[2J\"'"));
		event_set_bytes(&e, FIELD_BANNER, BYTES("\x00\xff\r\n'; DROP TABLE events; --"));
		event_set_bytes(&e, FIELD_LOGIN_USER, BYTES("\xc3\x28"));
		event_set_text(&e, FIELD_INDICATOR_TYPE, "url");
		event_set_text(&e, FIELD_INDICATOR_ROLE, "command");
		event_set_bytes(&e, FIELD_INDICATOR_VALUE, BYTES("http://198.51.100.9/a'b\\c\xff"));
		event_set_text(&e, FIELD_FILE_SHA256, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		json_t *list = objects_of(stix, &e, &arena);
		assert_int_equal(json_array_size(list) > 0, making_says((enum event_kind)kind));
		json_decref(list);
		arena_done(&arena);
	}
	making_close(stix);
}
