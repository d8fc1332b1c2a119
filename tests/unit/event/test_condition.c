#include "event/condition.h"
#include "tests/test.h"

static struct fault fault;

/* The conditions of that YAML, or their complaint in `fault`. */
static int read_from(const char *yaml, struct arena *arena, struct condition *out, size_t *count)
{
	struct yaml_node *root;
	struct condition_reading r = {"test.yaml", arena, &fault};
	*count = 0;
	fault.text[0] = '\0';
	CHECK(event_start(&fault) == 0 && yaml_read(bytes_of_text(yaml), "test.yaml", arena, &root, &fault) == 0);
	return conditions_read(&r, root, "when", out, 8, count);
}

static bool holds(const char *yaml, const struct event *e)
{
	struct arena arena = ARENA(1 << 20);
	struct condition conditions[8];
	size_t count;
	CHECK_SAY(read_from(yaml, &arena, conditions, &count) == 0, "%s: %s", yaml, fault.text);
	bool all = true;
	for (size_t i = 0; i < count; i++)
		all &= condition_holds(&conditions[i], e);
	arena_done(&arena);
	return all;
}

TEST(conditions_compare_fields)
{
	static struct event e;
	CHECK(event_start(&fault) == 0);
	event_begin(&e, EVENT_HOST_ANSWERED);
	e.time_us = 1000000000;
	event_set_text(&e, FIELD_PROTO, "tcp");
	event_set_bytes(&e, FIELD_BANNER, BYTES("Welcome to phpMyAdmin 4.9"));
	event_set_number(&e, FIELD_BYTES_OUT, 10);
	event_set_number(&e, FIELD_BYTES_IN, 35);
	event_set_number(&e, FIELD_RECEIVED, 999000000);
	event_set_bytes(&e, FIELD_AGENT, BYTES("tcp"));
	static const struct {
		const char *yaml;
		bool holds;
	} cases[] = {
		{"{proto: tcp}", true},
		{"{proto: [udp, icmp]}", false},
		{"{bytes.in: {min: 30, max: 40}, bytes.out: 10}", true},
		{"{banner: {contains: PHPMYADMIN}}", true},
		{"{banner: {contains: [adminer, myadm]}}", true},
		{"{banner: {contains: adminer}}", false},
		{"{banner: {starts: welcome}}", true},
		{"{banner: {starts: to}}", false},
		{"{banner: {ends: ' 4.9'}}", true},
		{"{banner: {ends: Welcome}}", false},
		{"{banner: {ends: 'a longer word than the banner has in all its bytes'}}", false},
		{"{banner: {present: true}}", true},
		{"{banner: {absent: true}}", false},
		{"{status: {absent: true}}", true},
		{"{status: {present: true}}", false},
		{"{bytes.in: {times: 3, of: bytes.out}}", true},
		{"{bytes.in: {times: 4, of: bytes.out}}", false},
		{"{bytes.in: {times: 3, of: status}}", false},
		{"{proto: {same_as: request.agent}}", true},
		{"{banner: {same_as: request.agent}}", false},
		{"{received: {before: 0s}}", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK_SAY(holds(cases[i].yaml, &e) == cases[i].holds, "%s", cases[i].yaml);
	e.time_us = 998000000;
	CHECK(!holds("{received: {before: 0s}}", &e) && holds("{received: {before: 2s}}", &e));
}

TEST(conditions_complain_with_their_line)
{
	static const struct {
		const char *yaml, *complaint;
	} cases[] = {
		{"banner: x\nbaner: y", "test.yaml:2: when.baner: there is no such field, did you mean \"banner\"?"},
		{"{status: {contains: x}}", "look into text"},
		{"{banner: {before: 1s}}", "compares times"},
		{"{banner: {times: 3, of: status}}", "compares numbers"},
		{"{status: {times: 3}}", "would be right"},
		{"{status: {times: 3, of: banner}}", "cannot be compared"},
		{"{banner: {same_as: src}}", "cannot be compared"},
		{"{banner: {contains: x, ends: y}}", "one test at a time"},
		{"{banner: {absent: false}}", "only true"},
		{"{banner: {contains: {a: b}}}", "list of words"},
		{"{banner: {contains: []}}", "list of 1 to"},
		{"{banner: {contains: x, nonsense: y}}", "nonsense"},
		{"[banner]", "not a map"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena arena = ARENA(1 << 20);
		struct condition conditions[8];
		size_t count;
		CHECK_SAY(read_from(cases[i].yaml, &arena, conditions, &count) == ERR_BAD, "%s", cases[i].yaml);
		CHECK_SAY(strstr(fault.text, cases[i].complaint), "%s: %s", cases[i].yaml, fault.text);
		arena_done(&arena);
	}
}
