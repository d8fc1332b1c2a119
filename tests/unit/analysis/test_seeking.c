#include "tests/test.h"
#include "analysis/seeking.h"
#include <stdlib.h>

static void say(void *arg, const char *sentence)
{
	(void)arg;
	print_message("%s\n", sentence);
}

TEST(seeks_that_are_shipped_find_their_examples)
{
	struct exposures x = {0};
	struct fault fault = {0};
	struct exposure_check check;
	CHECK(event_start(&fault) == 0);
	CHECK_SAY(exposures_open_seeks(&x, NULL, 0, &fault) == 0, "%s", fault.text);
	const char *complaint = exposure_rules_complaint(x.seeks, 0);
	CHECK_SAY(!complaint, "%s", complaint);
	exposure_rules_verify(x.seeks, &check, say, NULL);
	CHECK(check.rules >= 4 && check.examples >= 2 * check.rules && check.failed == 0 && check.without_example == 0);
	exposures_close(&x);
}

#define SEEK(name, more) "- {name: " name ", label: \"infected: x\", learned: [y], " more "}\n"

TEST(seeks_that_are_wrong_are_left_out)
{
	static const struct {
		const char *seek, *complaint;
	} cases[] = {
		{"- {label: \"infected: x\", learned: [y], when: {state: open}}\n", "name"},
		{"- {name: a, label: x, learned: [y], when: {state: open}}\n", "it begins with \"infected: \""},
		{"- {name: a, label: \"infected: x\", when: {state: open}}\n", "learned"},
		{"- {name: a, label: \"infected: x\", learned: [], when: {state: open}}\n", "learned"},
		{"- {name: A b, label: \"infected: x\", learned: [y], when: {state: open}}\n", "small letters"},
		{SEEK("a", "when: {baner: x}"), "did you mean \"banner\""},
		{SEEK("a", "when: {}"), "would find everything"},
		{SEEK("a", "on: probe.sent, when: {state: open}"), "host.answered or host.identified"},
		{SEEK("a", "ask: 23, when: {state: open}"), "ask"},
		{SEEK("good", "when: {state: open}"), "another rule has that id"},
		{"- text\n", "not a map with name"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct exposure_rules *seeks = NULL;
		char text[600];
		struct fault fault = {0};
		CHECK(event_start(&fault) == 0 && seek_rules_open(&seeks) == 0);
		snprintf(text, sizeof text, SEEK("good", "when: {state: open}") "%s" SEEK("better", "when: {state: open}"), cases[i].seek);
		exposure_rules_add(seeks, bytes_of_text(text), "mine.yaml");
		const char *complaint = exposure_rules_complaint(seeks, 0);
		CHECK_SAY(complaint && strstr(complaint, "mine.yaml:2: ") && strstr(complaint, cases[i].complaint), "%s: %s",
			  cases[i].seek, complaint);
		CHECK(exposure_rules_count(seeks) == 2 && !exposure_rules_complaint(seeks, 1));
		exposure_rules_close(seeks);
	}
}

static bool keep(void *arg, struct event *e)
{
	char *text = arg;
	struct writer w = writer_of(text, 2047);
	event_write_json(e, &w);
	*w.at = '\0';
	return true;
}

TEST(seeks_match_becomes_an_event_with_its_cause)
{
	static struct event answer;
	static char matched[2048];
	struct exposures x = {0};
	struct fault fault = {0};
	struct address a = address_v4(0xcb007105);
	const struct exposures_limits limits = {.per_host = 2};
	CHECK(event_start(&fault) == 0 && exposure_rules_open(&x.rules) == 0 && seek_rules_open(&x.seeks) == 0);
	exposure_rules_add(x.seeks, BYTES("- {name: bot, label: \"infected: a bot\", learned: [own looks], confidence: 70, "
					  "when: {probe: telnet, banner: {starts: \"#! bot\"}}, evidence: [banner]}\n"), "f");
	event_begin(&answer, EVENT_HOST_ANSWERED);
	memset(answer.id.b, 7, sizeof answer.id.b);
	event_set_address(&answer, FIELD_SRC, &a);
	event_set_number(&answer, FIELD_SPORT, 23);
	event_set_text(&answer, FIELD_PROBE, "telnet");
	event_set_bytes(&answer, FIELD_BANNER, BYTES("#! Bot 3"));
	exposures_judge(&x, &limits, &answer, keep, matched);
	static const char *const parts[] = {"host.matched", "203.0.113.5", "\"rule\":\"bot\"", "\"sport\":23", "\"confidence\":70",
		"\"cause\":\"07070707", "banner: #! Bot 3", "infected: a bot", "\"seek.learned\":\"own looks\""};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		CHECK_SAY(strstr(matched, parts[i]), "%s is not in %s", parts[i], matched);
	matched[0] = '\0';
	event_set_bytes(&answer, FIELD_BANNER, BYTES("Bot 3"));
	exposures_judge(&x, &limits, &answer, keep, matched);
	CHECK_SAY(!matched[0], "%s", matched);
	exposures_close(&x);
}

static void learn(struct seek_learning *l, const char *const *rows, size_t count)
{
	struct fault fault = {0};
	CHECK(event_start(&fault) == 0 && seek_learning_open(l) == 0);
	for (size_t i = 0; i < count; i++)
		seek_learning_take(l, bytes_of_text(rows[i]));
}

#define ROW(probe, field, hex, named, others)                                                                     \
	"{\"kind\":\"host.answered\",\"probe\":\"" probe "\",\"name\":\"" field "\",\"text\":\"" hex "\",\"named\":" #named \
	",\"others\":" #others "}"

TEST(seeks_are_learned_from_what_is_shared_and_rare)
{
	static const char *const rows[] = {
		"{\"named\":10,\"others\":200}",
		ROW("telnet", "banner", "23212022626F740A", 9, 1),        /* #! "bot, LF: of nearly all */
		ROW("telnet", "telnet.options", "646F3A31", 10, 150),     /* as everybody */
		ROW("http", "http.title", "C3A9", 8, 0),                  /* é */
		ROW("http", "http.server", "78", 7, 0),                   /* of too few */
		ROW("ftp", "banner", "FF41", 10, 0),                      /* is no text */
		ROW("ftp", "banner", "C285", 10, 0),                      /* no character that YAML has */
		ROW("ftp", "no.field", "41", 10, 0), ROW("ftp", "sport", "3231", 10, 0), ROW("ftp", "banner", "", 10, 0), "{", "[]", "",
		ROW("ftp", "banner", "6E6F626F6479", -1, 1),              /* of fewer than none */
	};
	const struct seek_wish wish = {"bots", "infected: \"bots\"", "here", 80, 1};
	static char text[SEEK_CANDIDATE_MAX];
	struct seek_learning l;
	struct exposure_rules *seeks = NULL;
	struct exposure_check check;
	learn(&l, rows, sizeof rows / sizeof *rows);
	CHECK(l.named == 10 && l.others == 200 && l.count == 5);
	struct writer w = writer_of(text, sizeof text - 1);
	CHECK(seek_candidate_write(&l, &wish, &w) == 2 && !w.bad);
	CHECK_SAY(strstr(text, "{probe: \"telnet\", banner: \"#! \\\"bot\\x0A\"} # 9 of 10 named hosts, 1 of 200 others"), "%s", text);
	CHECK_SAY(strstr(text, "confidence: 90\n") && !strstr(text, "telnet.options") && !strstr(text, "http.server"), "%s", text);
	CHECK(seek_rules_open(&seeks) == 0);
	exposure_rules_add(seeks, writer_bytes(&w), "candidate");
	exposure_rules_verify(seeks, &check, say, NULL);
	CHECK_SAY(check.rules == 1 && check.failed == 0 && check.examples == 3, "%s\n%s", exposure_rules_complaint(seeks, 0), text);
	CHECK(!strcmp(exposure_rules_at(seeks, 0)->title, "infected: \"bots\""));
	exposure_rules_close(seeks);
	seek_learning_close(&l);
}

TEST(seeks_from_a_few_hosts_are_not_sure)
{
	static const char *const rows[] = {
		"{\"named\":2,\"others\":0}", ROW("telnet", "banner", "41", 2, 0), ROW("telnet", "telnet.options", "4243", 2, 0)};
	static const char *const none[] = {"{\"named\":4,\"others\":50}", ROW("telnet", "banner", "41", 4, 30)};
	const struct seek_wish wish = {"bots", "infected: bots", "here", 80, 1};
	static char text[SEEK_CANDIDATE_MAX];
	struct seek_learning l;
	learn(&l, rows, 3);
	struct writer w = writer_of(text, sizeof text - 1);
	/* One answer says a thing once: the longer value is the condition, the other one is told. */
	CHECK(seek_candidate_write(&l, &wish, &w) == 1);
	CHECK_SAY(strstr(text, "confidence: 40\n") && strstr(text, "nothing shows that these values are rare"), "%s", text);
	CHECK_SAY(strstr(text, "Shared and as rare, too:\n#   {probe: \"telnet\", banner: \"A\"}"), "%s", text);
	seek_learning_close(&l);
	learn(&l, none, 2);
	w = writer_of(text, sizeof text - 1);
	CHECK(seek_candidate_write(&l, &wish, &w) == 0 && writer_used(&w) == 0);
	seek_learning_close(&l);
}

TEST(seeks_are_tried_on_each_host_once)
{
	static struct event e;
	struct seek_trial *trial = NULL;
	struct exposure_rules *seeks = NULL;
	struct fault fault = {0};
	struct address shown[SEEK_SHOWN_MAX];
	size_t count;
	CHECK(event_start(&fault) == 0 && seek_rules_open(&seeks) == 0);
	exposure_rules_add(seeks, BYTES(SEEK("open", "when: {state: open}") SEEK("odd", "when: {banner: odd}")), "f");
	CHECK(seek_trial_open(&trial, seeks) == 0);
	for (uint32_t i = 0; i < 300; i++) {
		struct address a = address_v4(0xcb007100 + i % 100);
		event_begin(&e, EVENT_HOST_ANSWERED);
		event_set_address(&e, FIELD_SRC, &a);
		event_set_text(&e, FIELD_STATE, i % 2 ? "open" : "closed");
		event_set_bytes(&e, FIELD_BANNER, i % 100 < 3 ? BYTES("odd") : BYTES("even"));
		seek_trial_judge(trial, &e);
	}
	CHECK(seek_trial_answered(trial) == 100);
	CHECK(seek_trial_matched(trial, 0, shown, &count) == 50 && count == SEEK_SHOWN_MAX);
	CHECK(seek_trial_matched(trial, 1, shown, &count) == 3 && count == 3);
	seek_trial_close(trial);
	exposure_rules_close(seeks);
}
