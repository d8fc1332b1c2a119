#include "tests/test.h"
#include "tests/unit/analysis/feeds.h"
#include "base/place.h"
#include <stdlib.h>

static void say(void *arg, const char *sentence)
{
	(void)arg;
	print_message("%s\n", sentence);
}

/* As personas and fingerprints: what is shipped must load whole, and every rule show what it is for. */
TEST(exposures_that_are_shipped_find_their_examples)
{
	struct exposures x;
	struct fault fault = {0};
	struct exposure_check check;
	CHECK(event_start(&fault) == 0);
	CHECK_SAY(exposures_open(&x, NULL, 0, &fault) == 0, "%s", fault.text);
	const char *complaint = exposure_rules_complaint(x.rules, 0);
	CHECK_SAY(!complaint, "%s", complaint);
	exposure_rules_verify(x.rules, &check, say, NULL);
	CHECK(check.rules >= 60 && check.failed == 0 && check.without_example == 0 && x.products);
	exposures_close(&x);
}

TEST(exposures_rules_that_are_wrong_are_left_out)
{
	static const struct {
		const char *rule, *complaint;
	} cases[] = {
		{"- {title: x, severity: low, when: {state: open}}", "id"},
		{"- {id: a, title: x, severity: awful, when: {state: open}}", "awful"},
		{"- {id: a, title: x, severity: low, when: {stat: open}}", "did you mean \"state\""},
		{"- {id: a, title: x, severity: low, when: {}}", "would find everything"},
		{"- {id: a, title: x, severity: low, when: []}", "1 to 8 alternatives"},
		{"- {id: a, title: x, severity: low, on: login.tried, when: {state: open}}", "host.answered or host.identified"},
		{"- {id: a, title: x, severity: low, when: {state: open}, evidence: [nothing]}", "no field \"nothing\""},
		{"- {id: good, title: x, severity: low, when: {state: open}}", "another rule has that id"},
		{"- text", "not a map"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct exposure_rules *rules;
		char text[512];
		struct fault fault = {0};
		CHECK(event_start(&fault) == 0 && exposure_rules_open(&rules) == 0);
		snprintf(text, sizeof text, "- {id: good, title: x, severity: low, when: {state: open}}\n%s\n"
			 "- {id: better, title: x, severity: low, when: {state: open}}\n", cases[i].rule);
		exposure_rules_add(rules, bytes_of_text(text), "mine.yaml");
		const char *complaint = exposure_rules_complaint(rules, 0);
		CHECK_SAY(complaint && strstr(complaint, "mine.yaml:2: ") && strstr(complaint, cases[i].complaint), "%s: %s",
			  cases[i].rule, complaint);
		CHECK(exposure_rules_count(rules) == 2 && !exposure_rules_complaint(rules, 1));
		exposure_rules_close(rules);
	}
}

TEST(exposures_say_which_example_fails)
{
	struct exposure_rules *rules;
	struct exposure_check check;
	struct fault fault = {0};
	CHECK(event_start(&fault) == 0 && exposure_rules_open(&rules) == 0);
	exposure_rules_add(rules, BYTES("- {id: a, title: x, severity: low, when: {state: open}, examples: [{state: closed}], "
					"not: [{state: open}]}\n- {id: b, title: x, severity: low, when: {state: open}}\n"), "f");
	exposure_rules_verify(rules, &check, say, NULL);
	CHECK(check.rules == 2 && check.examples == 2 && check.failed == 2 && check.without_example == 1);
	exposure_rules_close(rules);
}

struct heard {
	char text[8192];
	size_t count;
};

static bool hear(void *arg, struct event *e)
{
	struct heard *h = arg;
	char line[4096];
	struct writer w = writer_of(line, sizeof line - 1);
	event_write_json(e, &w);
	*w.at = '\0';
	size_t used = strlen(h->text);
	snprintf(h->text + used, sizeof h->text - used, "%s\n", line);
	h->count++;
	return true;
}

static const char feed[] = NVD(
	CVE("CVE-2021-0001", "2023-12-26T04:15:07.000", "7.0",
	    "{\"nodes\":[" OR_NODE(MATCH("true", "a:acme:web:*:*:*:*:*:*:*:*", ",\"versionEndExcluding\":\"8.8\"")) "]}") ","
	CVE("CVE-2021-0002", "2023-12-26T04:15:07.000", "9.8",
	    "{\"nodes\":[" OR_NODE(MATCH("true", "a:acme:web:*:*:*:*:*:*:*:*", ",\"versionEndExcluding\":\"8.8\"")) "]}") ","
	CVE("CVE-2021-0003", "2023-12-26T04:15:07.000", "5.0",
	    "{\"nodes\":[" OR_NODE(MATCH("true", "a:acme:web:*:*:*:*:*:*:*:*", ",\"versionEndExcluding\":\"8.8\"")) "]}"));

TEST(exposures_become_events_with_their_cause)
{
	static struct event e;
	static struct heard h;
	struct exposures x;
	struct fault fault = {0};
	struct address a = address_v4(0xcb007105);
	const struct exposures_limits limits = {.per_host = 2, .confidence_min = 20};
	CHECK(event_start(&fault) == 0);
	feeds_begin();
	CHECK(feeds_import(IMPORT_NVD, feed, &fault, NULL) == 0);
	CHECK(feeds_import(IMPORT_KEV, KEV(KNOWN("CVE-2021-0003", "2022-01-01")), &fault, NULL) == 0);
	CHECK(exposures_open(&x, NULL, 0, &fault) == 0);
	x.index = feeds_open();
	event_begin(&e, EVENT_HOST_IDENTIFIED);
	memset(e.id.b, 7, sizeof e.id.b);
	e.time_us = 1767225600000000u;
	event_set_address(&e, FIELD_SRC, &a);
	event_set_text(&e, FIELD_SOFTWARE, "80 85 server:3 cpe:/a:acme:web:1.0 Acme/1.0 (Ubuntu)\n");
	memset(&h, 0, sizeof h);
	exposures_judge(&x, &limits, &e, hear, &h);
	/* What is exploited comes first, then the gravest; the third is only counted. */
	CHECK_SAY(h.count == 3, "%s", h.text);
	const char *first = strstr(h.text, "CVE-2021-0003"), *second = strstr(h.text, "CVE-2021-0002"),
		   *rest = strstr(h.text, "further-weaknesses");
	CHECK_SAY(first && second && rest && first < second && second < rest && !strstr(h.text, "CVE-2021-0001"), "%s", h.text);
	CHECK_SAY(strstr(h.text, "\"exposure.kev\":true") && strstr(h.text, "\"cause\":\"07070707") &&
		  strstr(h.text, "the distribution may have fixed it") && strstr(h.text, "\"sport\":80") &&
		  strstr(h.text, "server:3: Acme/1.0 (Ubuntu)") && strstr(h.text, "9.8 (3.1)"), "%s", h.text);
	/* A rule on an answer. */
	memset(&h, 0, sizeof h);
	event_begin(&e, EVENT_HOST_ANSWERED);
	memset(e.id.b, 8, sizeof e.id.b);
	e.time_us = 1767225600000000u;
	event_set_address(&e, FIELD_SRC, &a);
	event_set_number(&e, FIELD_SPORT, 23);
	event_set_text(&e, FIELD_PROBE, "telnet");
	event_set_text(&e, FIELD_STATE, "open");
	event_set_bytes(&e, FIELD_BANNER, BYTES("login\xff:"));
	event_set_bool(&e, (uint16_t)field_find(BYTES("telnet.prompt")), true);
	exposures_judge(&x, &limits, &e, hear, &h);
	CHECK_SAY(h.count == 1 && strstr(h.text, "telnet-open") && strstr(h.text, "banner: login?:") &&
		  strstr(h.text, "\"cause\":\"08080808"), "%s", h.text);
	exposures_close(&x);
	feeds_end();
}
