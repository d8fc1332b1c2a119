#include "tests/unit/lab/story_case.h"
#include "tests/test.h"
#include "lab/reports/identifier_inner.h"
#include "lab/story_inner.h"
#include <jansson.h>
#include <stdlib.h>

static char *report_text(const char *name, const struct sample_story *story)
{
	const struct lab_report *r = lab_report_find(name);
	struct buffer out = BUFFER(2 * REPORT_BYTES_MAX);
	CHECK(r && lab_report_make(r, story, &out) == 0);
	char *text = strndup((const char *)buffer_bytes(&out).at, buffer_len(&out));
	CHECK(text && strlen(text) == buffer_len(&out));
	buffer_done(&out);
	return text;
}

static json_t *report_json(const char *name, const struct sample_story *story)
{
	json_error_t error;
	char *text = report_text(name, story);
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	CHECK_SAY(root, "%s: %s at %d: %.200s", name, error.text, error.position, text);
	free(text);
	return root;
}

TEST(story_takes_static_and_dynamic_together)
{
	struct story_case c;
	story_case_open(&c, false);
	const struct sample_story *s = &c.story;
	CHECK(s->indicator_count == 6);
	/* What it takes orders from comes first, victims last; the same value stands once, with both ways. */
	CHECK(bytes_equal_text(s->indicators[0].value, "198.51.100.3:23") && s->indicators[0].role == FOR_COMMAND &&
	      s->indicators[0].confidence == 95 && !strcmp(s->indicators[0].how, "xor 0x22, run: connect"));
	CHECK(s->indicators[5].role == FOR_VICTIM);
	const struct family *f = lab_story_family(s);
	CHECK(f && !strcmp(f->name, "mirai") && f->points == 80);
	CHECK(strstr(f->reasons, "XORed with 0x22; its first bytes") && strstr(f->reasons, "telnet at many addresses"));
	CHECK(!strcmp(s->verdict, "malicious") && s->score == 100 && strstr(s->reasons, "it scanned for port 23"));
	CHECK(s->limit_count == 2 && !strcmp(s->limits[0], "archive.bytes") && !strcmp(s->limits[1], "time"));
	story_case_close(&c);
}

TEST(story_of_nothing_says_unknown)
{
	struct arena arena = ARENA(1u << 20);
	const struct findings nothing = {.sha256 = "00", .type = "data", .architecture = ""};
	struct sample_story s = {.findings = &nothing};
	CHECK(lab_story_complete(&s, &arena) == 0);
	CHECK(!strcmp(s.verdict, "unknown") && s.score == 0 && !s.indicator_count && !lab_story_family(&s));
	LAB_REPORTS_EACH(r)
		free(report_text((*r)->name, &s));
	arena_done(&arena);
}

/* A string alone makes nobody a bot: libraries hold addresses, too. */
TEST(story_one_string_is_no_verdict)
{
	struct arena arena = ARENA(1u << 20);
	const struct indicator one = {INDICATOR_ADDRESS, FOR_UNKNOWN, BYTES("192.0.2.1"), "strings", 40, 0, 0};
	const struct findings f = {.sha256 = "00", .type = "elf", .architecture = "", .indicators = &one, .indicator_count = 1};
	struct sample_story s = {.findings = &f};
	CHECK(lab_story_complete(&s, &arena) == 0 && !strcmp(s.verdict, "unknown"));
	arena_done(&arena);
}

TEST(report_json_has_what_programs_ask_for)
{
	struct story_case c;
	story_case_open(&c, false);
	json_t *root = report_json("json", &c.story);
	const json_t *first = json_array_get(json_object_get(root, "indicators"), 0);
	CHECK(!strcmp(json_string_value(json_object_get(first, "type")), "endpoint"));
	CHECK(!strcmp(json_string_value(json_object_get(first, "value")), "198.51.100.3:23"));
	CHECK(!strcmp(json_string_value(json_object_get(first, "how")), "xor 0x22, run: connect"));
	CHECK(json_integer_value(json_object_get(first, "confidence")) == 95);
	CHECK(json_array_size(json_object_get(root, "behaviour")) == 5 && json_array_size(json_object_get(root, "runs")) == 2);
	CHECK(!strcmp(json_string_value(json_object_get(root, "architecture")), "mips"));
	CHECK(!strcmp(json_string_value(json_object_get(root, "family")), "mirai"));
	json_decref(root);
	c.story.runs[0] = c.story.runs[1] = NULL;
	root = report_json("json", &c.story);
	CHECK(!json_object_get(root, "behaviour") && !json_object_get(root, "runs"));
	json_decref(root);
	story_case_close(&c);
}

/* The first two are what the specification's own library gives; RFC 8785 decides the rest. */
TEST(report_stix_identifiers_are_those_of_everybody)
{
	CHECK(!strcmp(stix_observable_of("ipv4-addr", "value", BYTES("198.51.100.3")).text,
		      "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"));
	CHECK(!strcmp(stix_observable_of("ipv6-addr", "value", BYTES("2001:db8::1")).text,
		      "ipv6-addr--6469e3a9-b053-5e34-a025-9396ae051d26"));
	CHECK(!strcmp(stix_observable_of("domain-name", "value", BYTES("example.com")).text,
		      "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7"));
	char text[64];
	struct writer w = writer_of(text, sizeof text);
	write_canonical(&w, BYTES("a\"\\\b\t\n\x0b\f\r\x01/\x7f\xc3\xa9"));
	CHECK(bytes_equal(writer_bytes(&w), BYTES("\"a\\\"\\\\\\b\\t\\n\\u000b\\f\\r\\u0001/\x7f\xc3\xa9\"")));
}

static bool is_there(const json_t *objects, const char *id)
{
	size_t i;
	const json_t *o;
	json_array_foreach(objects, i, o)
		if (!strcmp(json_string_value(json_object_get(o, "id")), id))
			return true;
	return false;
}

/* Every reference has its object, no identifier stands twice, and nothing points at victims. */
static void check_bundle(const json_t *root)
{
	const json_t *objects = json_object_get(root, "objects"), *o, *value;
	const char *key;
	size_t i, n, k;
	CHECK(!strcmp(json_string_value(json_object_get(root, "type")), "bundle") && json_array_size(objects) > 3);
	json_array_foreach(objects, i, o) {
		const char *id = json_string_value(json_object_get(o, "id")), *type = json_string_value(json_object_get(o, "type"));
		CHECK_SAY(id && type && !strncmp(id, type, strlen(type)) && strlen(id) == strlen(type) + 38, "%s", id);
		for (n = 0; n < i; n++)
			CHECK_SAY(strcmp(id, json_string_value(json_object_get(json_array_get(objects, n), "id"))), "%s", id);
		json_object_foreach((json_t *)o, key, value) {
			size_t len = strlen(key);
			if (len > 4 && !strcmp(key + len - 4, "_ref"))
				CHECK_SAY(is_there(objects, json_string_value(value)), "%s of %s", key, id);
			for (k = 0; len > 5 && !strcmp(key + len - 5, "_refs") && k < json_array_size(value); k++)
				CHECK_SAY(is_there(objects, json_string_value(json_array_get(value, k))), "%s of %s", key, id);
		}
	}
}

TEST(report_stix_is_a_whole_bundle)
{
	struct story_case c;
	story_case_open(&c, false);
	json_t *root = report_json("stix", &c.story);
	check_bundle(root);
	char *text = report_text("stix", &c.story), *again = report_text("stix", &c.story);
	CHECK(!strcmp(text, again));
	CHECK(strstr(text, "\"type\":\"malware-analysis\"") && strstr(text, "\"product\":\"kansoku\""));
	CHECK(strstr(text, "\"result\":\"malicious\",\"result_name\":\"mirai\"") && strstr(text, "\"malware_types\":[\"bot\"]"));
	CHECK(strstr(text, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4") && strstr(text, "\"dst_port\":23"));
	CHECK(strstr(text, "[ipv4-addr:value = '198.51.100.3']") && strstr(text, "[url:value = 'http://192.0.2.7/bins/it\\u005c's.sh']"));
	CHECK(!strstr(text, "203.0.113.77") && !strstr(text, "check.example.net"));
	free(text);
	free(again);
	json_decref(root);
	story_case_close(&c);
}

TEST(report_cape_has_its_shape)
{
	struct story_case c;
	story_case_open(&c, false);
	json_t *root = report_json("cape", &c.story);
	const json_t *config = json_object_get(
		json_array_get(json_object_get(json_object_get(root, "CAPE"), "configs"), 0), "mirai");
	CHECK(config && !strcmp(json_string_value(json_array_get(json_object_get(config, "CNCs"), 0)), "tcp://198.51.100.3:23"));
	CHECK(json_object_get(json_object_get(config, "raw"), "keys"));
	CHECK(json_array_size(json_object_get(json_object_get(root, "network"), "domains")) == 1);
	CHECK(!strcmp(json_string_value(json_object_get(json_array_get(json_object_get(root, "detections"), 0), "family")), "mirai"));
	CHECK(json_real_value(json_object_get(root, "malscore")) == 10.0);
	json_decref(root);
	story_case_close(&c);
}

TEST(report_of_hostile_texts_stays_in_its_form)
{
	struct story_case c;
	story_case_open(&c, true);
	json_t *json = report_json("json", &c.story), *cape = report_json("cape", &c.story), *stix = report_json("stix", &c.story);
	check_bundle(stix);
	char *page = report_text("page", &c.story);
	CHECK(!strstr(page, "<script") && !strstr(page, "<img") && !strstr(page, "<b>") && !strstr(page, "<i>"));
	CHECK(!strchr(page, '\x1b') && !strstr(page, "\xe2\x80\xae") && strstr(page, "\\u202e") && strstr(page, "\\xff"));
	CHECK(strstr(page, "hxxp://h/") && !strstr(page, "\"http"));
	free(page);
	json_decref(json);
	json_decref(cape);
	json_decref(stix);
	story_case_close(&c);
}

TEST(report_that_is_too_large_is_cut_and_says_so)
{
	struct story_case c;
	story_case_open(&c, false);
	size_t n = 12000;
	struct indicator *many = calloc(n, sizeof *many);
	char *value = calloc(n, INDICATOR_VALUE_MAX);
	CHECK(many && value);
	for (size_t i = 0; i < n; i++) {
		char *at = value + i * INDICATOR_VALUE_MAX;
		memset(at, 1, INDICATOR_VALUE_MAX); /* six characters each, in JSON */
		int head = snprintf(at, 32, "%zu", i);
		at[head] = 1;
		many[i] = (struct indicator){INDICATOR_AGENT, FOR_UNKNOWN, {(uint8_t *)at, (size_t)head + 1800}, "strings", 50, 0, 0};
	}
	c.findings.indicators = many;
	c.findings.indicator_count = n;
	arena_done(&c.arena);
	CHECK(lab_story_complete(&c.story, &c.arena) == 0);
	json_t *root = report_json("json", &c.story);
	size_t kept = json_array_size(json_object_get(root, "indicators")), i;
	const json_t *limit;
	bool said = false;
	json_array_foreach(json_object_get(root, "limits"), i, limit)
		said |= !strcmp(json_string_value(limit), "report.bytes");
	CHECK(said && kept > 100 && kept < n);
	json_decref(root);
	free(many);
	free(value);
	story_case_close(&c);
}

TEST(endpoints_are_taken_apart)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} good[] = {{"192.0.2.7:23", "192.0.2.7", 23}, {"[2001:db8::1]:65535", "2001:db8::1", 65535}, {"host.example:0", "host.example", 0}};
	static const char *const bad[] = {"", ":", ":23", "host", "host:", "host:65536", "host:2x", "[]"};
	char host[ENDPOINT_HOST_MAX + 1];
	uint16_t port;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CHECK(endpoint_split(bytes_of_text(good[i].text), host, &port) && !strcmp(host, good[i].host) && port == good[i].port);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_SAY(!endpoint_split(bytes_of_text(bad[i]), host, &port), "%s", bad[i]);
}
