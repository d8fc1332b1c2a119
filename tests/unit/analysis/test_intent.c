#include "analysis/intent.h"
#include "tests/test.h"
#include <math.h>
#include <stdlib.h>

#define DARK .dark = true, .classes = INTENT_CLASS_SCAN, .watched = 4096

static const struct intent_case {
	const char *what;
	struct intent_evidence e;
	enum intent verdict;
	unsigned confidence_min, confidence_max;
	int leans; /* of an unclear one: -1 survey, 1 attack, 0 neither */
} cases[] = {
	{"nothing is known", {.dark = false}, INTENT_UNCLEAR, 0, 0, 0},
	{"acknowledged, and no login",
	 {DARK, .listed = "Censys", .list = "Censys ranges", .listed_dated = true, .listed_days = 20, .packets = 5000,
	  .destinations = 4000, .ports = 30, .tool = INTENT_TOOL_SURVEY, .sessions = 3},
	 INTENT_SURVEY, 95, 100, 0},
	{"acknowledged by a list that is old",
	 {DARK, .listed = "x", .list = "y", .listed_dated = true, .listed_days = 3000, .packets = 50,
	  .destinations = 40, .ports = 1, .tool = INTENT_TOOL_ANY}, INTENT_UNCLEAR, 30, 49, -1},
	{"packets of Mirai",
	 {DARK, .packets = 40, .destinations = 40, .ports = 2, .tool = INTENT_TOOL_HOSTILE, .tool_name = "mirai",
	  .worm_share = 1}, INTENT_ATTACK, 95, 100, 0},
	{"a login from an address that nobody knows", {.sessions = 1, .logins = 1}, INTENT_ATTACK, 95, 100, 0},
	{"a login from one that everything calls a survey",
	 {DARK, .listed = "Censys", .list = "l", .listed_dated = true, .host_name = "a.survey.example",
	  .survey = "A survey", .page = "Opt out of our research scans", .packets = 9000, .destinations = 4096,
	  .ports = 1, .tool = INTENT_TOOL_SURVEY, .hours = 20, .unevenness = 0.1, .days = 7, .days_asked = 7,
	  .days_same_hour = 7, .sessions = 1, .logins = 1}, INTENT_ATTACK, 95, 100, 0},
	{"a command from one that is listed", {.listed = "Censys", .sessions = 1, .commands = 1},
	 INTENT_ATTACK, 95, 100, 0},
	{"zmap over all of the dark space at an even rate, and it explains itself",
	 {DARK, .packets = 4096, .destinations = 4096, .ports = 1, .tool = INTENT_TOOL_SURVEY, .tool_name = "zmap",
	  .hours = 12, .unevenness = 0.1, .host_name = "scan-3.example.edu", .survey = "Example University",
	  .page = "Internet-wide research scan"}, INTENT_SURVEY, 90, 100, 0},
	{"the same from somebody who says nothing",
	 {DARK, .packets = 4096, .destinations = 4096, .ports = 1, .tool = INTENT_TOOL_SURVEY, .hours = 12,
	  .unevenness = 0.1}, INTENT_UNCLEAR, 30, 49, -1},
	{"masscan over all ports from an unknown host",
	 {DARK, .packets = 200000, .destinations = 900, .ports = 60000, .tool = INTENT_TOOL_ANY,
	  .tool_name = "masscan"}, INTENT_UNCLEAR, 25, 49, 1},
	{"like a worm: few addresses at random, on 445, with an ordinary system's packets",
	 {DARK, .packets = 60, .destinations = 50, .ports = 1, .worm_share = 1, .tool = INTENT_TOOL_NONE},
	 INTENT_ATTACK, 70, 95, 0},
	{"asks many for amplification",
	 {DARK, .packets = 400, .destinations = 400, .ports = 1, .amplifies = true, .asks = "ntp.monlist",
	  .tool = INTENT_TOOL_UNKNOWN}, INTENT_ATTACK, 60, 90, 0},
	{"the same, acknowledged",
	 {DARK, .listed = "Shadowserver", .list = "l", .listed_dated = true, .packets = 400, .destinations = 400,
	  .ports = 1, .amplifies = true}, INTENT_SURVEY, 85, 100, 0},
	{"asks one address for amplification: that may be the attack's victim",
	 {DARK, .packets = 400, .destinations = 1, .ports = 1, .amplifies = true}, INTENT_UNCLEAR, 0, 0, 0},
	{"only backscatter", {.dark = true, .classes = INTENT_CLASS_BACKSCATTER, .packets = 20}, INTENT_VICTIM, 50, 80, 0},
	{"backscatter as the rule of victims has it",
	 {.dark = true, .classes = INTENT_CLASS_BACKSCATTER, .victim = true, .packets = 2000}, INTENT_VICTIM, 90, 100, 0},
	{"a victim that also scans is judged by what it scans",
	 {DARK, .victim = true, .packets = 40, .destinations = 40, .tool = INTENT_TOOL_HOSTILE},
	 INTENT_ATTACK, 90, 100, 0},
	{"a victim that logs in", {.dark = true, .classes = INTENT_CLASS_BACKSCATTER, .sessions = 1, .logins = 2},
	 INTENT_ATTACK, 95, 100, 0},
	{"a reflector", {.dark = true, .classes = INTENT_CLASS_REFLECTION}, INTENT_BYSTANDER, 50, 90, 0},
	{"a forged address", {.dark = true, .classes = INTENT_CLASS_SPOOFED}, INTENT_BYSTANDER, 50, 90, 0},
	{"the same hour of every day, with a tool of surveys",
	 {DARK, .packets = 4096, .destinations = 4096, .ports = 1, .tool = INTENT_TOOL_SURVEY, .days = 7,
	  .days_asked = 7, .days_same_hour = 7}, INTENT_SURVEY, 50, 80, 0},
	{"the same hour of every day, and nothing else",
	 {DARK, .packets = 10, .destinations = 5, .ports = 1, .days = 5, .days_asked = 7, .days_same_hour = 5},
	 INTENT_UNCLEAR, 20, 49, -1},
	{"sensors agree on an alert",
	 {DARK, .packets = 40, .destinations = 20, .ports = 1, .tool = INTENT_TOOL_ANY, .alerts_agreed = 2},
	 INTENT_ATTACK, 60, 95, 0},
	{"a camera that scans",
	 {DARK, .packets = 40, .destinations = 20, .ports = 1, .tool = INTENT_TOOL_NONE, .device = "camera"},
	 INTENT_ATTACK, 80, 100, 0},
};

TEST(intent_cases)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct intent_case *c = &cases[i];
		struct intent_verdict v;
		intent_judge(&c->e, &v);
		CHECK_SAY(v.verdict == c->verdict, "%s: %s, %u (score %.2f)", c->what, intent_name(v.verdict),
			  v.confidence, v.score);
		CHECK_SAY(v.confidence >= c->confidence_min && v.confidence <= c->confidence_max, "%s: %u", c->what,
			  v.confidence);
		if (v.verdict == INTENT_UNCLEAR)
			CHECK_SAY((v.score > 0) - (v.score < 0) == c->leans, "%s: leans %.2f", c->what, v.score);
	}
}

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

static struct intent_evidence drawn(void)
{
	static const char *const texts[] = {NULL, "scan.example", "pool-7.dsl.example"};
	return (struct intent_evidence){
		.listed = draw(3) ? NULL : "x", .list = "y", .listed_days = draw(2000), .listed_dated = draw(2),
		.host_name = texts[draw(3)], .survey = draw(4) ? NULL : "z", .page = draw(4) ? NULL : "research",
		.device = draw(4) ? NULL : "dvr", .dark = draw(4), .classes = draw(64), .victim = !draw(4),
		.watched = draw(2) ? 4096 : 0, .packets = draw(10000), .destinations = draw(5000), .ports = draw(3000),
		.worm_share = draw(11) / 10.0, .tool = draw(5), .tool_name = "t", .amplifies = !draw(3),
		.hosts = draw(4), .hours = draw(25), .unevenness = draw(30) / 10.0 - 1, .days = draw(8), .days_asked = draw(8),
		.days_same_hour = draw(8), .sessions = draw(2), .logins = draw(2), .commands = draw(2), .files = draw(2),
		.alerts_agreed = draw(3), .alerts_other = draw(3),
	};
}

static double score_of(const struct intent_evidence *e)
{
	struct intent_verdict v;
	intent_judge(e, &v);
	return v.score;
}

#define ROUNDS 20000
#define RAISES(change)                                                                            \
	do {                                                                                      \
		struct intent_evidence more = e;                                                  \
		change;                                                                           \
		CHECK_SAY(score_of(&more) >= score_of(&e) - 1e-9, "%s lowered %g to %g", #change, \
			  score_of(&e), score_of(&more));                                         \
	} while (0)

TEST(intent_more_evidence_of_an_attack_never_lowers_the_score)
{
	state = 1;
	for (int i = 0; i < ROUNDS; i++) {
		struct intent_evidence e = drawn();
		RAISES(more.logins += 1);
		RAISES(more.commands += 3);
		RAISES(more.files += 1);
		RAISES(more.listed = NULL);
		RAISES(more.listed_days += 100);
		RAISES(more.page = NULL);
		RAISES(more.days_same_hour = 0);
		if (!(e.classes & INTENT_CLASS_SCAN))
			continue; /* victims and bystanders are not judged before they act */
		RAISES(more.sessions += 1);
		RAISES(more.alerts_agreed += 1);
		RAISES(more.alerts_other += 1);
		RAISES(more.worm_share = fmin(1, more.worm_share + 0.1));
		RAISES(more.ports += 100);
		RAISES(more.amplifies = true);
		RAISES(more.tool = INTENT_TOOL_HOSTILE);
		RAISES(more.device = "camera");
	}
}

TEST(intent_a_login_decides_whatever_else_is_known)
{
	state = 2;
	for (int i = 0; i < ROUNDS; i++) {
		struct intent_evidence e = drawn();
		struct intent_verdict v;
		e.logins = 1 + draw(5);
		intent_judge(&e, &v);
		CHECK(v.verdict == INTENT_ATTACK && v.confidence >= 95);
	}
}

TEST(intent_confidence_and_verdict_follow_from_the_reasons)
{
	state = 3;
	for (int i = 0; i < ROUNDS; i++) {
		struct intent_evidence e = drawn();
		struct intent_verdict v;
		intent_judge(&e, &v);
		CHECK(v.confidence <= 100 && v.count <= INTENT_REASONS_MAX);
		double attack = 0, survey = 0;
		for (unsigned r = 0; r < v.count; r++) {
			CHECK(r == 0 || fabs(v.reasons[r].weight) <= fabs(v.reasons[r - 1].weight));
			CHECK(fabs(v.reasons[r].weight) <= fabs(intent_signal_weight(v.reasons[r].signal)) + 1e-9);
			*(v.reasons[r].weight > 0 ? &attack : &survey) += v.reasons[r].weight;
		}
		CHECK(fabs(attack + fmax(survey, -INTENT_SURVEY_MAX) - v.score) < 1e-9);
		if (v.verdict <= INTENT_ATTACK)
			CHECK((v.verdict == INTENT_UNCLEAR) == (v.confidence < INTENT_CONFIDENT));
		if (v.verdict == INTENT_SURVEY)
			CHECK(v.score < 0);
	}
}

TEST(intent_sentences_say_what_counted)
{
	struct intent_evidence e = {.listed = "Censys", .list = "Censys ranges", .listed_dated = true,
				    .listed_days = 12, .sessions = 1, .logins = 3};
	struct intent_verdict v;
	char text[1024];
	struct writer w = writer_of(text, sizeof text - 1);
	intent_judge(&e, &v);
	intent_summary_write(&e, &v, &w);
	*w.at = '\0';
	CHECK_SAY(strstr(text, "listed but tried a login: 3 attempts (+10.0)"), "%s", text);
	CHECK_SAY(!strstr(text, "Censys"), "what speaks against it is no part of the summary: %s", text);
	CHECK(v.reasons[1].signal == SIGNAL_LISTED);
	w = writer_of(text, sizeof text - 1);
	intent_reason_write(&e, &v.reasons[1], &w);
	*w.at = '\0';
	CHECK_SAY(!strcmp(text, "listed as Censys (Censys ranges, 12 days old) (-5.0)"), "%s", text);
}

TEST(intent_every_reason_has_a_sentence)
{
	state = 4;
	for (int i = 0; i < 2000; i++) {
		struct intent_evidence e = drawn();
		struct intent_verdict v;
		intent_judge(&e, &v);
		for (unsigned r = 0; r < v.count; r++) {
			char text[INTENT_SENTENCE_MAX];
			struct writer w = writer_of(text, sizeof text);
			intent_reason_write(&e, &v.reasons[r], &w);
			CHECK_SAY(!w.bad && writer_used(&w) > 12, "%s", intent_signal_word(v.reasons[r].signal));
		}
	}
}

TEST(intent_tools_and_ports_by_name)
{
	CHECK(intent_tool_of(BYTES("mirai")) == INTENT_TOOL_HOSTILE);
	CHECK(intent_tool_of(BYTES("zmap-4")) == INTENT_TOOL_SURVEY);
	CHECK(intent_tool_of(BYTES("masscan")) == INTENT_TOOL_ANY);
	CHECK(intent_tool_of(BYTES("")) == INTENT_TOOL_NONE);
	CHECK(intent_worm_port("tcp", 23) && !intent_worm_port("udp", 23) && !intent_worm_port("tcp", 443));
	CHECK(intent_class_of(BYTES("backscatter")) == INTENT_CLASS_BACKSCATTER && !intent_class_of(BYTES("scans")));
}

/* docs/intent.md has the table of weights: it must be the one that counts. */
TEST(intent_weights_are_documented)
{
	static char page[65536];
	FILE *f = fopen("docs/intent.md", "r");
	if (!f)
		SKIP("not run in the project's folder");
	size_t n = fread(page, 1, sizeof page - 1, f);
	fclose(f);
	page[n] = '\0';
	for (enum intent_signal s = 0; s < SIGNAL_COUNT; s++) {
		char row[128];
		snprintf(row, sizeof row, "| %s | %+.1f |", intent_signal_word(s), intent_signal_weight(s));
		CHECK_SAY(strstr(page, row), "docs/intent.md has no \"%s\"", row);
	}
}
