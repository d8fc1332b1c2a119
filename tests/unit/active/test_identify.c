#include "active/identify/verdict.h"
#include "tests/test.h"
#include <stdlib.h>

#define HEAD "<fingerprints matches=\"html_title\" preference=\"0.5\">\n"
#define TAIL "</fingerprints>\n"
#define RULE(pattern, params) \
	"<fingerprint pattern=\"" pattern "\"><description>d</description>" params "</fingerprint>\n"

static struct identify *open_text(const char *text, struct fault *first, size_t *skipped)
{
	struct identify_file file = {"rules/html_title.xml", bytes_of_text(text)};
	struct identify *id = NULL;
	*first = (struct fault){0};
	*skipped = 0;
	identify_open_files(&id, &file, 1, first, skipped);
	return id;
}

static bool value_is(const struct identify_hit *hit, const char *name, const char *value)
{
	return bytes_equal_text(identify_value(hit, name), value);
}

TEST(identify_first_rule_in_file_order_wins)
{
	struct fault first;
	size_t skipped;
	struct identify *id = open_text(HEAD RULE("^Cam (\\w+)$", "<param pos='1' name='hw.product'/>")
					RULE("Cam", "<param pos='0' name='hw.device' value='Web Camera'/>")
					TAIL, &first, &skipped);
	struct identify_hit hit;
	CHECK(id && skipped == 0 && identify_rule_count(id) == 2);
	CHECK(identify_match(id, "html_title", BYTES(" \r\nCam X1 \n"), &hit));
	CHECK(!strcmp(hit.rule, "html_title:1") && value_is(&hit, "hw.product", "X1"));
	CHECK(hit.certainty == 85);
	CHECK(identify_match(id, "html_title", BYTES("A Cam X1"), &hit));
	CHECK(!strcmp(hit.rule, "html_title:2") && value_is(&hit, "hw.device", "Web Camera"));
	CHECK(!identify_match(id, "html_title", BYTES("cam"), &hit));
	CHECK(!identify_match(id, "telnet.banner", BYTES("Cam X1"), &hit));
	identify_close(id);
}

TEST(identify_speaks_rubys_dialect)
{
	struct fault first;
	size_t skipped;
	struct identify *id = open_text(
		"<fingerprints matches='k'>" RULE("^second (\\h{4})$", "<param pos='1' name='hw.version'/>")
		RULE("(?m)one.two", "") "<fingerprint pattern='MiXeD' flags='REG_ICASE'/>"
		RULE("[]\\h]{3}!", "") TAIL, &first, &skipped);
	struct identify_hit hit;
	CHECK(id && skipped == 0);
	CHECK(identify_match(id, "k", BYTES("first\nsecond beef\nthird"), &hit));
	CHECK(value_is(&hit, "hw.version", "beef"));
	CHECK(!identify_match(id, "k", BYTES("second  \t  "), &hit));
	CHECK(identify_match(id, "k", BYTES("one\ntwo"), &hit));
	CHECK(identify_match(id, "k", BYTES("mIxEd"), &hit));
	CHECK(identify_match(id, "k", BYTES("]a]!"), &hit));
	identify_close(id);
}

TEST(identify_interpolates_and_drops_what_is_unknown)
{
	struct fault first;
	size_t skipped;
	struct identify *id = open_text(
		HEAD RULE("^M(\\d+)(-x)?", "<param pos='1' name='_tmp.n'/><param pos='2' name='os.product'/>"
			  "<param pos='0' name='hw.product' value='Model {_tmp.n}'/>"
			  "<param pos='0' name='hw.family' value='F {os.product}'/>"
			  "<param pos='0' name='hw.cpe23' value='cpe:/h:v:{os.product}:{_tmp.n}'/>")
		TAIL, &first, &skipped);
	struct identify_hit hit;
	CHECK(id && identify_match(id, "html_title", BYTES("M20"), &hit));
	CHECK(value_is(&hit, "hw.product", "Model 20") && value_is(&hit, "hw.family", ""));
	CHECK(value_is(&hit, "hw.cpe23", "cpe:/h:v:-:20") && value_is(&hit, "_tmp.n", ""));
	identify_close(id);
}

TEST(identify_reports_a_bad_rule_and_loads_the_rest)
{
	struct fault first;
	size_t skipped;
	struct identify *id = open_text(
		HEAD RULE("ok", "") "<fingerprint pattern='(open'/>\n"
		"<fingerprint pattern='a' flags='REG_WRONG'/>\n"
		RULE("b(c)", "<param pos='2' name='hw.product'/>")
		RULE("d", "<param pos='0' name='hw.product'/>") "<fingerprint/>\n"
		RULE("also ok", "") TAIL, &first, &skipped);
	CHECK(id && identify_rule_count(id) == 2 && skipped == 5);
	CHECK(strstr(first.text, "rules/html_title.xml:3: fingerprint 2: missing closing parenthesis"));
	CHECK(strstr(identify_complaint(id, 1), ":4: fingerprint 3: flag REG_WRONG is unknown, use"));
	CHECK(strstr(identify_complaint(id, 2), "takes group 2 and the pattern has 1"));
	CHECK(strstr(identify_complaint(id, 3), "has pos 0 and no value"));
	CHECK(strstr(identify_complaint(id, 4), "it has no pattern"));
	CHECK(!identify_complaint(id, 5));
	identify_close(id);
}

TEST(identify_refuses_files_that_are_not_recogs)
{
	static const char *const bad[][2] = {
		{"", "not well-formed"},
		{"<fingerprints matches='a'><fingerprint pattern='x'></fingerprints>", "not well-formed"},
		{"<html/>", "root must be <fingerprints>"},
		{"<fingerprints matches='a' preference='2'><fingerprint pattern='x'/></fingerprints>",
		 "not a share"},
		{"<!DOCTYPE f [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"
		 "<fingerprints matches='a'><fingerprint pattern='x'>&e;</fingerprint></fingerprints>",
		 "document type is not accepted"},
		{"<fingerprints matches='a'/>", "there is no rule"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fault first;
		size_t skipped;
		CHECK_SAY(!open_text(bad[i][0], &first, &skipped), "%s", bad[i][0]);
		CHECK_SAY(strstr(first.text, bad[i][1]), "%s", first.text);
	}
}

TEST(identify_a_file_stands_in_for_what_its_rules_do_not_say)
{
	struct fault first;
	size_t skipped;
	struct identify_hit hit;
	struct identify *id = open_text(
		"<fingerprints protocol='HTTP'><fingerprint pattern='^ä?(ö+)x$' flags='REG_ICASE'>"
		"<param pos='1' name='hw.product'/></fingerprint></fingerprints>", &first, &skipped);
	CHECK(id && skipped == 0);
	CHECK(identify_match(id, "html_title", BYTES("Öx"), &hit) && value_is(&hit, "hw.product", "Ö"));
	CHECK(value_is(&hit, "service.protocol", "http"));
	CHECK(identify_match(id, "html_title", BYTES("Äöx"), &hit));
	CHECK(!identify_match(id, "html_title", BYTES("\xc3\xf6x \xff"), &hit));
	identify_close(id);
}

TEST(identify_asks_files_of_higher_preference_first)
{
	const struct identify_file files[] = {
		{"low.xml", BYTES("<fingerprints matches='k'><fingerprint pattern='x'/></fingerprints>")},
		{"high.xml", BYTES("<fingerprints matches='k' preference='0.9'>"
				   "<fingerprint pattern='x' certainty='0.31'/></fingerprints>")},
		{"torn.xml", BYTES("<fingerprints matches='k'>")},
	};
	struct identify *id;
	struct identify_hit hit;
	struct fault first;
	size_t skipped;
	CHECK(identify_open_files(&id, files, 3, &first, &skipped) == 0 && skipped == 1);
	CHECK(strstr(first.text, "torn.xml:1: not well-formed"));
	CHECK(identify_match(id, "k", BYTES("x"), &hit) && !strcmp(hit.rule, "high:1"));
	CHECK(hit.certainty == 31);
	identify_close(id);
}

/* A pattern whose literal is wrong would silently never match: each matches its own text. */
TEST(identify_literals_lose_no_match)
{
	static const char *const cases[][2] = {
		{"abc?def", "abdef"}, {"abc*def", "abdef"}, {"abc{0,2}def", "abdef"},
		{"abc+def", "abccdef"}, {"(?:abc)?def", "def"}, {"(abc|xyz)def", "xyzdef"},
		{"abc|def", "def"}, {"a(?:b(?:c|d)e)f", "abdef"}, {"(?i)ABC", "abc"},
		{"(?=abc)\\w+", "abcd"}, {"(?!abc)\\w+", "xyz"}, {"a\\.b\\/c", "a.b/c"},
		{"(a)bc\\1de", "abcade"}, {"\\x41bcd", "Abcd"}, {"[abc]def", "adef"},
		{"[]abc]def", "]def"}, {"[[:alpha:]x]yz", "ayz"}, {"(?x) a b c", "abc"},
		{"(?:TL-(WR\\d+)) x", "TL-WR841 x"}, {"abc{2}", "abcc"}, {"\\Qa.b\\E", "a.b"},
		{"(?&lt;name>abc)def", "abcdef"}, {"abc\\d*def", "abcdef"}, {"(abc){0}def", "def"},
		{"(?:a|ab\\d)c", "ac"}, {"a\\d?", "a"}, {"(?:\\d|x)", "x"}, {"a(?:\\d)*b", "ab"},
		{"(?i:AbC)[Dd]e", "aBcDe"}, {"(?i:x)abc", "Xabc"}, {"a[0-9]?b", "ab"}, {"(?!\\d)ab", "ab"},
		{"(?&lt;=x)?ab", "ab"}, {"a\\D", "ab"}, {"(?:abcd|x|efgh)z", "xz"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		struct fault first;
		size_t skipped;
		struct identify_hit hit;
		snprintf(text, sizeof text, HEAD "<fingerprint pattern=\"%s\"/>" TAIL, cases[i][0]);
		struct identify *id = open_text(text, &first, &skipped);
		CHECK_SAY(id, "%s", first.text);
		CHECK_SAY(identify_match(id, "html_title", bytes_of_text(cases[i][1]), &hit), "%s",
			  cases[i][0]);
		identify_close(id);
	}
}

/* (a+)+$ needs 2^n steps on this banner; the limits make it a miss, and the test ends. */
TEST(identify_a_runaway_pattern_is_a_miss)
{
	struct fault first;
	size_t skipped;
	struct identify_hit hit;
	struct identify *id = open_text(HEAD RULE("^(?:(a+)+)+$", "") TAIL, &first, &skipped);
	CHECK(id);
	CHECK(!identify_match(id, "html_title", BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
			      &hit));
	identify_close(id);
}

TEST(identify_a_bare_realm_is_a_challenge)
{
	const struct identify_file file = {"w.xml", BYTES(
		"<fingerprints matches='http_header.wwwauth'><fingerprint pattern='realm=\"(RT-\\w+)\"'>"
		"<param pos='1' name='hw.product'/></fingerprint></fingerprints>")};
	struct identify *id;
	struct identify_hit hit;
	CHECK(identify_open_files(&id, &file, 1, NULL, NULL) == 0);
	CHECK(identify_match(id, "http_header.wwwauth", BYTES("RT-N66U"), &hit));
	CHECK(value_is(&hit, "hw.product", "RT-N66U"));
	CHECK(identify_match(id, "http_header.wwwauth", BYTES("Digest realm=\"RT-1\", nonce=\"0\""), &hit));
	CHECK(!identify_match(id, "http_header.wwwauth", BYTES(""), &hit));
	identify_close(id);
}

TEST(identify_takes_titles_and_prompts_as_people_see_them)
{
	const struct identify_file files[] = {
		{"t.xml", BYTES("<fingerprints matches='html_title'><fingerprint pattern='^A &amp; B (\\S+) é$'>"
				"<param pos='1' name='hw.product'/></fingerprint></fingerprints>")},
		{"p.xml", BYTES("<fingerprints matches='telnet.banner'><fingerprint pattern='^DVR login:$'/>"
				"</fingerprints>")},
	};
	struct identify *id;
	struct identify_hit hit;
	CHECK(identify_open_files(&id, files, 2, NULL, NULL) == 0);
	CHECK(identify_match(id, "html_title", BYTES("A &amp; B\r\n\t X1&nbsp;&#233;&nbsp;"), &hit));
	CHECK(value_is(&hit, "hw.product", "X1"));
	CHECK(identify_match(id, "html_title", BYTES("A & B X&unknown; &#xE9;"), &hit));
	CHECK(value_is(&hit, "hw.product", "X&unknown;"));
	CHECK(identify_match(id, "telnet.banner", BYTES("\x1b[2J\x1b[1;1H\0DVR\x1b[0m login:\x1b["), &hit));
	CHECK(!identify_match(id, "html_title", BYTES("&#99999999;&#x110000;&#0;&"), &hit));
	identify_close(id);
}

/* An example in a file of its own is left out, and leaves nothing to the next one. */
TEST(identify_examples_are_tried)
{
	struct fault first;
	size_t skipped;
	struct identify_check check;
	struct identify *id = open_text(
		HEAD "<fingerprint pattern='^M(\\d)'><param pos='1' name='hw.product'/>"
		"<example hw.product='9' _filename='x'/><example hw.product='1'>M1</example>"
		"<example hw.product='2' _encoding='base64'>TTI=</example>"
		"<example hw.product='4'>M3</example><example>N3</example></fingerprint>"
		"<fingerprint pattern='M'><example>M5</example></fingerprint>" TAIL, &first, &skipped);
	CHECK(id && skipped == 0);
	identify_verify(id, &check, NULL, NULL);
	CHECK(check.rules == 2 && check.examples == 5 && check.failed == 2 && check.shadowed == 1);
	identify_close(id);
}

static void say(void *context, const char *sentence)
{
	(void)context;
	print_error("%s\n", sentence);
}

/* Every example of every own fingerprint is a test. */
TEST(identify_own_fingerprints_keep_their_examples)
{
	const char *const directory = "fingerprints";
	struct identify *id;
	struct identify_check check;
	struct fault first = {0};
	size_t skipped = 0;
	int r = identify_open(&id, &directory, 1, &first, &skipped);
	CHECK_SAY(r == 0 && skipped == 0, "%s", first.text);
	identify_verify(id, &check, say, NULL);
	identify_close(id);
	CHECK(check.failed == 0 && check.shadowed == 0);
	CHECK(check.examples >= check.rules && check.without_example == 0);
}

struct labels {
	size_t seen[DEVICE_CLASSES_MAX], unknown;
};

static void count_label(void *context, const char *rule, const char *value)
{
	struct labels *labels = context;
	const struct device_class *c;
	for (size_t i = 0; (c = device_class_at(i)); i++)
		if (strcmp(c->label, value) == 0) {
			labels->seen[i]++;
			return;
		}
	print_error("%s: no class is called \"%s\"\n", rule, value);
	labels->unknown++;
}

/* A label that no rule gives can never be reported, and one that is misspelt is a class of its own. */
TEST(identify_own_fingerprints_cover_every_class)
{
	const char *const directory = "fingerprints";
	struct identify *id;
	struct labels labels = {0};
	const struct device_class *c;
	CHECK(identify_open(&id, &directory, 1, NULL, NULL) == 0);
	identify_constants(id, "hw.device", count_label, &labels);
	identify_close(id);
	CHECK(labels.unknown == 0);
	for (size_t i = 0; (c = device_class_at(i)); i++)
		CHECK_SAY(labels.seen[i] > 0, "no rule gives %s", c->label);
}
