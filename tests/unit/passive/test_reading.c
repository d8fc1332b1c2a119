/* What outputs ask for and what is worked out for them; payloads that are new. */
#include "passive/telescope/output.h"
#include "base/random.h"
#include "tests/test.h"
#include <stdlib.h>
#include <unistd.h>

#define CAPTURE "tests/captures/telescope/payloads.pcap"

struct asked {
	const char *flags[4];
	unsigned judged;
	char written[1 << 20];
};

static const char *asked_flag(void *arg, const char *name)
{
	const struct asked *a = arg;
	for (int i = 0; i < 4 && a->flags[i]; i++)
		if (!strcmp(a->flags[i], name))
			return "";
	return NULL;
}

static void asked_note(void *arg, const char *sentence)
{
	(void)arg;
	(void)sentence;
}

static bool asked_judge(void *arg, const struct source_sum *sum, struct judgement *judgement)
{
	struct asked *a = arg;
	(void)sum;
	a->judged++;
	*judgement = (struct judgement){"unclear", 0, "for the test"};
	return true;
}

/* Reads the capture with standard output in a file, as outputs write there. */
static void read_capture(struct asked *a)
{
	const struct reading_options options = {.flag = asked_flag, .note = asked_note, .judge = asked_judge, .arg = a};
	struct reading *r = NULL;
	struct fault fault = {{0}};
	bool torn;
	char path[] = "/tmp/kansoku-reading.XXXXXX";
	int file = mkstemp(path), before = dup(STDOUT_FILENO);
	CHECK(file >= 0 && before >= 0);
	unlink(path);
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	int bad = reading_open(&r, &options, &fault);
	bad = bad ? bad : reading_file(r, CAPTURE, &torn, &fault);
	bad = bad ? bad : reading_finish(r, &fault);
	reading_close(r);
	dup2(before, STDOUT_FILENO);
	close(before);
	CHECK_SAY(!bad, "%s", fault.text);
	ssize_t n = pread(file, a->written, sizeof a->written - 1, 0);
	CHECK(n > 0);
	a->written[n] = '\0';
	close(file);
}

static unsigned lines_with(const struct asked *a, const char *words)
{
	unsigned n = 0;
	for (const char *at = a->written; (at = strstr(at, words)); at++)
		n++;
	return n;
}

TEST(sources_are_judged_only_for_who_shows_them)
{
	static struct asked all, sums, csv;
	all.flags[0] = sums.flags[0] = "json";
	sums.flags[1] = "summary-only";
	csv.flags[0] = "csv";
	read_capture(&all);
	read_capture(&sums);
	read_capture(&csv);
	CHECK(all.judged == 1 && lines_with(&all, "\"verdict\":\"unclear\"") == 1);
	CHECK(sums.judged == 0 && lines_with(&sums, "\n") == 1);
	CHECK(csv.judged == 0 && lines_with(&csv, "\n") == lines_with(&all, "\"type\":\"account\"") + 1);
}

TEST(without_signatures_every_payload_is_new)
{
	static struct asked all;
	all.flags[0] = "json";
	read_capture(&all);
	CHECK(lines_with(&all, "\"type\":\"new_payload\"") > 40);
	CHECK(lines_with(&all, "\"new_payloads\":{\"groups\":") == 1);
}

TEST(flags_that_do_not_go_together_are_refused)
{
	static struct asked a;
	const struct reading_options options = {.flag = asked_flag, .note = asked_note, .arg = &a};
	const char *const wrong[][2] = {{"json", "csv"}, {"text", "json"}, {"write", "json"}, {"summary-only", "csv"}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct reading *r = NULL;
		struct fault fault = {{0}};
		a.flags[0] = wrong[i][0];
		a.flags[1] = wrong[i][1];
		CHECK(reading_open(&r, &options, &fault) == ERR_BAD && fault.text[0] && !r);
	}
}

static void keep_group(void *arg, const struct similar_group *g)
{
	memcpy(arg, g, sizeof *g);
}

/* Members of a family around random bytes: their group's suggestion has each of them. */
static void suggest(struct random *dice, uint8_t members[20][64], size_t length, uint8_t proto, char *text)
{
	struct similar *s;
	uint8_t family[64];
	CHECK(similar_open(&s, 0) == 0);
	for (size_t i = 0; i < length; i++)
		family[i] = (uint8_t)(random_below(dice, 3) ? 0x20 + random_below(dice, 95) : random_next(dice));
	for (int m = 0; m < 20; m++) {
		memcpy(members[m], family, length);
		for (size_t i = 0; i < length / 4; i++)
			members[m][length / 4 + i] = (uint8_t)random_next(dice);
		const struct similar_payload p = {.payload = {members[m], length}, .source = address_v4((uint32_t)m),
						  .proto = proto, .port = 7000, .count = 1};
		similar_take(s, &p);
	}
	struct similar_group group = {0};
	similar_each(s, 1, keep_group, &group);
	similar_suggestion(&group, text);
	CHECK(group.count == 20);
	similar_close(s);
}

TEST(suggestions_have_what_they_were_made_of)
{
	struct random dice = random_seeded(77);
	for (int round = 0; round < 300; round++) {
		uint8_t members[20][64], proto = round % 2 ? 6 : 17;
		size_t length = 16 + random_below(&dice, 48);
		char text[SIMILAR_SUGGESTION_MAX], file[SIMILAR_SUGGESTION_MAX + 16];
		struct signatures *s;
		struct fault fault = {{0}};
		suggest(&dice, members, length, proto, text);
		snprintf(file, sizeof file, "payloads:\n%s\n", text);
		CHECK(signatures_open(&s) == 0);
		CHECK_SAY(signatures_add(s, bytes_of_text(file), "suggestion", &fault) == 0, "%s: %s", fault.text, text);
		for (int m = 0; m < 20; m++)
			CHECK_SAY(signatures_payload(s, proto, 7000, (struct bytes){members[m], length}) == 1, "%s", text);
		members[0][0] ^= 0x55;
		CHECK(signatures_payload(s, proto, 7000, (struct bytes){members[0], length}) == 0);
		signatures_close(s);
	}
}

TEST(noise_is_left_out_beyond_its_share_and_counted)
{
	struct similar *s;
	CHECK(similar_open(&s, 0) == 0);
	const uint64_t seen = 100 * SIMILAR_SHARE;
	for (int i = 0; i < SIMILAR_COMPARED + 1100; i++) {
		uint8_t noise[SIMILAR_SHORTEST - 1] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16)};
		similar_take_some(s, &(struct similar_payload){.payload = {noise, sizeof noise}, .proto = 17, .count = 1}, seen);
	}
	struct similar_counts c = similar_counts(s);
	CHECK(c.taken == SIMILAR_COMPARED + 100 && c.left_out == 1000 && c.repeated == 0);
	similar_close(s);
}
