/* Questions about events: what stands in their URL, and what never may. */
#include "share/intake/asked_inner.h"
#include "tests/test.h"

static struct event e;

TEST(questions_hold_a_value_in_its_place)
{
	char url[ASKED_URL_MAX];
	struct address a;
	CHECK(event_start(NULL) == 0);
	event_begin(&e, EVENT_INDICATOR_FOUND);
	CHECK(address_parse(BYTES("203.0.113.7"), &a));
	event_set_address(&e, FIELD_SRC, &a);
	event_set_number(&e, FIELD_DPORT, 23);
	event_set_bytes(&e, FIELD_INDICATOR_VALUE, BYTES("http://x/?a=b&c#d \xff\0é~"));
	CHECK(asked_fill("https://example.org/{src}:{dport}?q={indicator.value}&z", &e, url) == 0);
	CHECK_SAY(!strcmp(url, "https://example.org/203.0.113.7:23?q=http%3A%2F%2Fx%2F%3Fa%3Db%26c%23d%20%FF%00%C3%A9~&z"), "%s", url);
	CHECK(asked_fill("https://example.org/{file.sha256}", &e, url) == ERR_MISSING);
}

TEST(questions_let_nobody_choose_the_host_nor_ask_for_what_is_private)
{
	struct fault fault = {0};
	CHECK(event_start(NULL) == 0);
	CHECK(asked_check("https://example.org/{src}", &fault) == 0);
	CHECK(asked_check("https://{src}/x", &fault) == ERR_BAD && strstr(fault.text, "choose the host"));
	CHECK(asked_check("https://example.org/{login.secret}", &fault) == ERR_BAD && strstr(fault.text, "private"));
	CHECK(asked_check("https://example.org/{sorce}", &fault) == ERR_BAD && strstr(fault.text, "no field {sorce}"));
	CHECK(asked_check("https://example.org/{src", &fault) == ERR_BAD);
	CHECK(asked_check("https://example.org/", &fault) == ERR_BAD);
}

TEST(questions_wait_in_a_bounded_line_each_once)
{
	static struct asked asked;
	const struct source_options source = {.url = "https://example.org/{dport}", .asked = true, .again_ms = 1000};
	const struct exchange_options o = {.sources = {(void *)&source, 1}};
	const struct record_chain chain = {.depth = 1};
	CHECK(event_start(NULL) == 0);
	for (uint64_t i = 0; i <= ASKED_MAX; i++) {
		event_begin(&e, EVENT_INDICATOR_FOUND);
		event_set_number(&e, FIELD_DPORT, i);
		CHECK(asked_add(&asked, &o, &e, &chain, 5) == (i < ASKED_MAX ? 0 : ERR_FULL));
	}
	event_set_number(&e, FIELD_DPORT, 0);
	event_begin(&e, EVENT_INDICATOR_FOUND);
	CHECK(asked_add(&asked, &o, &e, &chain, 5) == ERR_MISSING);
	asked_remove(&asked, 0);
	CHECK(asked.count == ASKED_MAX - 1 && !strcmp(asked.waiting[0].url, "https://example.org/1"));
	/* What was asked is not asked again at once, and later it is. */
	event_set_number(&e, FIELD_DPORT, 0);
	CHECK(asked_add(&asked, &o, &e, &chain, 1000004) == 0 && asked.count == ASKED_MAX - 1);
	CHECK(asked_add(&asked, &o, &e, &chain, 1000005) == 0 && asked.count == ASKED_MAX);
	asked_remove(&asked, ASKED_MAX - 1);
	CHECK(asked_add(&asked, &o, &e, &chain, 1000006) == 0 && asked.count == ASKED_MAX - 1);
	asked_forget(&asked, &(struct question_asked){.url = "https://example.org/0"});
	CHECK(asked_add(&asked, &o, &e, &chain, 1000007) == 0 && asked.count == ASKED_MAX);
}

TEST(questions_tell_nobody_of_what_is_marked_red)
{
	static struct asked asked;
	const struct source_options source = {.url = "https://example.org/{dport}", .asked = true, .again_ms = 1000};
	const struct exchange_options o = {.sources = {(void *)(uintptr_t)&source, 1}};
	const struct record_chain chain = {.depth = 1};
	CHECK(event_start(NULL) == 0);
	event_begin(&e, EVENT_RECORD_IMPORTED);
	event_set_number(&e, FIELD_DPORT, 23);
	event_set_text(&e, FIELD_PAP, "RED");
	CHECK(asked_add(&asked, &o, &e, &chain, 5) == ERR_DENIED && !asked.count);
	event_begin(&e, EVENT_RECORD_IMPORTED);
	event_set_number(&e, FIELD_DPORT, 23);
	event_set_text(&e, (uint16_t)field_find(BYTES("record.tlp")), "RED");
	CHECK(asked_add(&asked, &o, &e, &chain, 5) == ERR_DENIED && !asked.count);
	event_begin(&e, EVENT_RECORD_IMPORTED);
	event_set_number(&e, FIELD_DPORT, 23);
	event_set_text(&e, FIELD_PAP, "AMBER");
	CHECK(asked_add(&asked, &o, &e, &chain, 5) == 0 && asked.count == 1);
}
