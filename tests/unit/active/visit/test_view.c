/* Reasons, comparisons and reports over looks that are made up here. */
#include "active/visit/site_inner.h"
#include "active/visit/view_inner.h"
#include "tests/test.h"
#include <jansson.h>
#include <stdlib.h>

static void check_registered(const char *host, const char *wanted)
{
	const struct bytes got = site_registered(bytes_of_text(host));
	CHECK_SAY(bytes_equal_text(got, wanted), "%s: %.*s", host, (int)got.len, (const char *)got.at);
}

TEST(site_is_what_somebody_registered)
{
	check_registered("www.example.com", "example.com");
	check_registered("a.b.example.co.jp", "example.co.jp");
	check_registered("example.co.jp", "example.co.jp");
	check_registered("localhost", "localhost");
	check_registered("192.0.2.7", "192.0.2.7");
	check_registered("a.t.me", "a.t.me");
	check_registered("example.de", "example.de");
	CHECK(site_same(BYTES("http://a.example.com/x"), BYTES("https://b.example.com:8443/")));
	CHECK(!site_same(BYTES("http://192.0.2.7/"), BYTES("http://192.0.2.8/")));
	CHECK(site_same(BYTES("data:text/html,x"), BYTES("http://192.0.2.8/")));
}

TEST(site_host_and_port_of_urls)
{
	CHECK(bytes_equal_text(site_host(BYTES("http://user:pw@host.example:81/a@b")), "host.example"));
	CHECK(site_port(BYTES("http://user:pw@host.example:81/")) == 81);
	CHECK(bytes_equal_text(site_host(BYTES("https://[2001:db8::1]:8/")), "2001:db8::1"));
	CHECK(site_port(BYTES("https://[2001:db8::1]/")) == 443);
	CHECK(bytes_equal_text(site_host(BYTES("http://evil.example\\@good.example/")), "evil.example"));
	CHECK(site_host(BYTES("about:blank")).len == 0);
	CHECK(site_port(BYTES("about:blank")) == 0);
}

static struct view *view_of(size_t looks)
{
	struct view *v = calloc(1, sizeof *v);
	CHECK(v != NULL);
	v->arena = ARENA(1u << 20);
	for (size_t i = 0; i < looks; i++) {
		v->looks[i] = (struct visit_look){.personality = &visit_personalities[i], .agent = "x", .final = "http://a.example/",
						  .title = "", .limits = ""};
		v->findings.looks[i] = &v->looks[i];
	}
	v->findings.look_count = looks;
	v->findings.reasons = v->reasons;
	v->findings.differences = v->differences;
	v->findings.url = v->findings.final = "http://a.example/";
	v->findings.title = v->findings.limits = "";
	return v;
}

static void view_end(struct view *v)
{
	arena_done(&v->arena);
	free(v);
}

static unsigned points_for(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->findings.reason_count; i++)
		if (!strcmp(v->reasons[i].name, name))
			return v->reasons[i].points;
	return 0;
}

TEST(an_ordinary_page_is_unremarkable)
{
	struct view *v = view_of(1);
	const struct visit_hop hops[] = {{.url = "http://a.example/"}, {.kind = HOP_HTTP, .url = "https://a.example/", .status = 301}};
	const struct visit_frame frames[] = {{.url = "https://a.example/"}, {.url = "http://ads.example/", .width = 300, .height = 250}};
	v->looks[0].hops = hops;
	v->looks[0].hop_count = 2;
	v->looks[0].frames = frames;
	v->looks[0].frame_count = 2;
	v->looks[0].dom = BYTES("<html><form action=\"/in\"><input type=\"password\"></form></html>");
	v->looks[0].final = "https://a.example/";
	view_judge_look(v, 0);
	view_conclude(v);
	CHECK_SAY(v->findings.score < 10, "score %u for %s", v->findings.score, v->reasons[0].name);
	CHECK(!strcmp(v->findings.verdict, "unremarkable"));
	view_end(v);
}

TEST(a_hidden_frame_and_a_program_are_malicious)
{
	struct view *v = view_of(1);
	const struct visit_frame frames[] = {{.url = "http://a.example/"}, {.url = "http://b.example/gate", .hidden = "size", .width = 1, .height = 1}};
	const struct visit_file files[] = {{.url = "http://b.example/x", .name = "x.exe", .content = BYTES("MZ\x90")}};
	v->looks[0].frames = frames;
	v->looks[0].frame_count = 2;
	v->looks[0].files = files;
	v->looks[0].file_count = 1;
	view_judge_look(v, 0);
	view_conclude(v);
	CHECK(points_for(v, "hidden-frame") == 25 && points_for(v, "drive-by") == 50);
	CHECK(!strcmp(v->findings.verdict, "malicious"));
	view_end(v);
}

TEST(what_is_new_in_the_box_is_evidence)
{
	struct view *v = view_of(1);
	const struct visit_change changes[] = {{.kind = "process", .what = "7\tsh", .expected = false},
					       {.kind = "process", .what = "8\tchromium", .expected = true}};
	v->looks[0].changes = changes;
	v->looks[0].change_count = 2;
	view_judge_look(v, 0);
	view_conclude(v);
	CHECK(points_for(v, "new-process") == 80 && v->findings.reason_count == 1);
	CHECK(!strcmp(v->findings.verdict, "malicious"));
	view_end(v);
}

TEST(a_command_in_the_clipboard_is_known)
{
	struct view *v = view_of(1);
	const struct visit_script scripts[] = {{.url = "", .origin = "clipboard", .text = BYTES("powershell -w hidden -c iex(...)")},
					       {.url = "", .origin = "source", .text = BYTES("help about PowerShell")}};
	v->looks[0].scripts = scripts;
	v->looks[0].script_count = 2;
	view_judge_look(v, 0);
	CHECK(points_for(v, "paste-and-run") == 60);
	view_end(v);
}

TEST(cloaking_is_another_end_or_file_not_another_language)
{
	struct view *v = view_of(2);
	const struct visit_file file = {.url = "http://a.example/x", .name = "x", .content = BYTES("MZ"), .sha256 = "1"};
	v->looks[0].text = BYTES("welcome to our shop of shoes and boots for the whole family in winter");
	v->looks[1].text = BYTES("welcome to our shop of shoes and boots for the whole family in summer");
	view_compare(v, 0, 1);
	CHECK(v->findings.difference_count == 0 && v->findings.reason_count == 0);
	v->looks[1].final = "http://other.example/";
	v->looks[1].files = &file;
	v->looks[1].file_count = 1;
	view_compare(v, 0, 1);
	view_conclude(v);
	CHECK(points_for(v, "cloaking") == 30);
	CHECK(v->findings.difference_count == 2);
	CHECK(!strcmp(v->findings.verdict, "suspicious"));
	view_end(v);
}

TEST(files_are_told_by_bytes_and_by_names)
{
	CHECK(!strcmp(view_file_kind(BYTES("\177ELF\1"), "photo.jpg"), "program"));
	CHECK(!strcmp(view_file_kind(BYTES("var a"), "invoice.js"), "script"));
	CHECK(!strcmp(view_file_kind(BYTES("PK\3\4"), "x"), "archive"));
	CHECK(view_file_kind(BYTES("hello"), "a.txt") == NULL);
	CHECK(view_file_kind((struct bytes){0}, "") == NULL);
}

TEST(a_reason_is_told_once_a_look_with_its_most_points)
{
	struct view *v = view_of(2);
	view_reason(v, 0, "x", 5, "five");
	view_reason(v, 0, "x", 9, "nine");
	view_reason(v, 0, "x", 7, "seven");
	view_reason(v, 1, "x", 1, "one");
	CHECK(v->findings.reason_count == 2 && v->reasons[0].points == 9 && !strcmp(v->reasons[0].detail, "nine"));
	for (unsigned i = 0; i < 2 * VIEW_DIFFERENCES_MAX; i++)
		view_difference(v, "text", 0, 1, "%u", i);
	CHECK(v->findings.difference_count == VIEW_DIFFERENCES_MAX);
	view_end(v);
}

/* All that a hostile page can put into texts; every report must stay JSON. */
TEST(reports_of_a_hostile_page_are_json)
{
	struct view *v = view_of(2);
	static const char bad[] = "\"\\</script>\x01\n\xf0\x9f\x98\x80";
	const struct visit_header headers[] = {{bad, bad}, {"Location", "http://b.example/?a=1&b&=c#d"}};
	const struct visit_request requests[] = {
		{.url = "http://a.example/?x=%22&&y", .method = "POST", .kind = "document", .initiator = bad, .address = "[2001:db8::1]:80",
		 .mime = "", .protocol = bad, .status_text = bad, .asked = headers, .asked_count = 2, .answered = headers,
		 .answered_count = 2, .sent = BYTES("a=b\xff"), .body = BYTES("\xff\xfe\0\x01"), .size = 4, .status = 302, .redirected = true},
		{.url = bad, .method = bad, .kind = bad, .initiator = "", .address = "", .mime = bad, .protocol = "", .status_text = "",
		 .failed = bad},
	};
	const struct visit_hop hops[] = {{.url = bad}, {.kind = HOP_SCRIPT, .url = bad, .status = 7}};
	const struct visit_frame frames[] = {{.url = bad, .id = bad}, {.url = bad, .id = bad, .hidden = bad, .width = -5}};
	const struct visit_script scripts[] = {{.url = bad, .origin = "eval", .text = BYTES("x\xff\"")}};
	const struct visit_change changes[] = {{.kind = "file", .what = bad}};
	v->looks[0].requests = requests;
	v->looks[0].request_count = 2;
	v->looks[0].hops = hops;
	v->looks[0].hop_count = 2;
	v->looks[0].frames = frames;
	v->looks[0].frame_count = 2;
	v->looks[0].scripts = scripts;
	v->looks[0].script_count = 1;
	v->looks[0].changes = changes;
	v->looks[0].change_count = 1;
	v->looks[0].title = v->looks[0].failed = bad;
	view_judge_look(v, 0);
	view_conclude(v);
	size_t count = 0;
	VISIT_REPORTS_EACH(r) {
		struct buffer out = BUFFER(1u << 20);
		json_error_t error;
		CHECK(visit_report_write(*r, &v->findings, &out) == 0);
		json_t *o = json_loadb((const char *)buffer_bytes(&out).at, buffer_len(&out), 0, &error);
		CHECK_SAY(o != NULL, "%s: %s at %d", (*r)->name, error.text, error.position);
		json_decref(o);
		buffer_done(&out);
		struct buffer small = BUFFER(100);
		CHECK(visit_report_write(*r, &v->findings, &small) == ERR_FULL);
		buffer_done(&small);
		count++;
	}
	CHECK(count == 3 && visit_report_find("har") && !visit_report_find("none"));
	view_end(v);
}

TEST(personalities_are_whole)
{
	CHECK(!strcmp(visit_personalities[0].name, "desktop"));
	CHECK(visit_personality_find("full")->browser == VISIT_FULL && !visit_personality_find("nobody"));
	for (const struct visit_personality *p = visit_personalities; p->name; p++) {
		CHECK(p->summary && p->agent && p->platform && p->languages && p->width && p->height);
		CHECK(!strstr(p->agent, "Headless") && !strstr(p->agent, "kansoku"));
	}
}

TEST(a_visit_wants_an_address_of_a_page)
{
	struct view *v = NULL;
	struct fault fault = {0};
	const char *const bad[] = {"file:///etc/passwd", "javascript:alert(1)", "http:///x", "chrome://version", "http", ""};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_SAY(visit_run(&v, NULL, &(struct visit_plan){.url = bad[i]}, &fault) == ERR_BAD && fault.text[0], "%s", bad[i]);
}
