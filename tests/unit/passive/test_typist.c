/* Dialogues as they arrive, with their times: who typed them? */
#include "passive/room/typist.h"
#include "base/random.h"
#include "tests/test.h"

struct piece {
	uint32_t after_ms;
	const char *typed;
};

static struct typist play(const struct piece *p)
{
	struct typist t = {0};
	uint64_t now_us = 1000000;
	for (; p->typed; p++) {
		now_us += p->after_ms * 1000ull;
		typist_typed(&t, bytes_of_text(p->typed), now_us);
	}
	return t;
}

static bool says(const struct typist *t, const char *name, uint16_t signs, uint16_t signs_not)
{
	struct typist_verdict v;
	if (!typist_judge(t, &v))
		return !strcmp(name, "");
	return !strcmp(typist_name(v.score), name) && (v.signs & signs) == signs && !(v.signs & signs_not);
}

TEST(typist_human_types_keys_and_mistakes)
{
	static const struct piece dialogue[] = {
		{4100, "r"}, {180, "o"}, {95, "o"}, {210, "t"}, {320, "\r\n"},
		{1900, "x"}, {240, "c"}, {120, "3"}, {310, "5"}, {150, "1"}, {160, "1"}, {410, "\r\n"},
		{2600, "u"}, {130, "n"}, {90, "m"}, {420, "\x7f"}, {170, "a"}, {110, "m"}, {95, "e"}, {600, "\r\n"},
		{5200, "l"}, {140, "s"}, {380, "\r\n"},
		{3100, "\x1b[A"}, {700, "\r\n"},
		{0, NULL}};
	struct typist t = play(dialogue);
	CHECK(t.lines == 5 && t.corrections == 1 && t.arrows == 1 && t.whole_lines == 0);
	CHECK(says(&t, "human", TYPIST_KEYS | TYPIST_UNEVEN | TYPIST_CORRECTIONS | TYPIST_ARROWS | TYPIST_THINKS,
		   TYPIST_EVEN | TYPIST_AT_ONCE));
}

TEST(typist_bot_sends_whole_lines_at_once)
{
	static const struct piece loader[] = {
		{40, "root\r\n"}, {61, "xc3511\r\n"}, {60, "enable\r\n"}, {62, "system\r\n"}, {58, "shell\r\n"},
		{61, "sh\r\n"}, {60, "/bin/busybox ECCHI\r\n"}, {63, "/bin/busybox ps; /bin/busybox ECCHI\r\n"}, {0, NULL}};
	static const struct piece bundle[] = {
		{40, "root\r\n"}, {80, "admin\r\n"}, {90, "enable\r\nsystem\r\nshell\r\nsh\r\n"}, {95, "cat /proc/mounts\r\n"},
		{0, NULL}};
	struct typist t = play(loader);
	CHECK(says(&t, "bot", TYPIST_WHOLE_LINES | TYPIST_AT_ONCE, TYPIST_KEYS));
	t = play(bundle);
	CHECK(says(&t, "bot", TYPIST_BUNDLES | TYPIST_WHOLE_LINES, 0));
}

TEST(typist_slow_script_waits_as_by_a_clock)
{
	static const struct piece script[] = {{2000, "root\r\n"}, {2001, "toor\r\n"}, {2000, "uname -a\r\n"},
					      {2002, "w\r\n"}, {2000, "exit\r\n"}, {0, NULL}};
	struct typist t = play(script);
	CHECK(says(&t, "bot", TYPIST_EVEN | TYPIST_WHOLE_LINES, TYPIST_THINKS));
}

TEST(typist_program_that_sends_single_bytes_is_told_from_fingers)
{
	struct typist even = {0}, fast = {0};
	uint64_t now_us = 1000000;
	for (int line = 0; line < 5; line++) {
		const char *typed = "cat /proc/cpuinfo\r";
		for (const char *c = typed; *c; c++) {
			now_us += 50000;
			typist_typed(&even, (struct bytes){(const uint8_t *)c, 1}, now_us);
			typist_typed(&fast, (struct bytes){(const uint8_t *)c, 1}, now_us / 50);
		}
	}
	CHECK(says(&even, "bot", TYPIST_KEYS | TYPIST_EVEN, TYPIST_UNEVEN));
	CHECK(says(&fast, "bot", TYPIST_KEYS | TYPIST_FAST, TYPIST_UNEVEN));
}

TEST(typist_human_with_a_client_that_sends_lines_is_found_by_mistakes)
{
	static const struct piece dialogue[] = {{3000, "root\r\n"}, {1500, "toor\r\n"}, {4200, "lls\r\n"},
						{1100, "ls\r\n"}, {9000, "cat notes.txt\r\n"}, {0, NULL}};
	struct typist t = play(dialogue);
	CHECK(says(&t, "unsure", TYPIST_THINKS | TYPIST_WHOLE_LINES, 0));
	typist_command(&t, BYTES("lls"), false);
	typist_command(&t, BYTES("ls"), true);
	CHECK(t.typos == 1 && says(&t, "human", TYPIST_TYPOS, 0));
	typist_command(&t, BYTES("enable"), false);
	typist_command(&t, BYTES("sh"), true);
	typist_command(&t, BYTES(""), true);
	typist_command(&t, BYTES("a-command-that-is-much-longer-than-what-is-kept-of-one"), false);
	typist_command(&t, BYTES("a-command-that-is-much-longer-than-what-is-kept"), true);
	CHECK(t.typos == 1);
}

TEST(typist_says_nothing_of_little_and_survives_anything)
{
	static const struct piece little[] = {{1000, "root\r\n"}, {0, NULL}};
	struct typist t = play(little);
	CHECK(says(&t, "", 0, 0));
	struct random random = random_seeded(3);
	uint8_t room[64];
	char words[512];
	for (int i = 0; i < 100000; i++) {
		size_t n = random_below(&random, sizeof room);
		for (size_t k = 0; k < n; k++)
			room[k] = (uint8_t)random_next(&random);
		typist_typed(&t, (struct bytes){room, n}, 1000000 + random_below(&random, 1u << 30));
		typist_command(&t, (struct bytes){room, n}, random_below(&random, 2));
	}
	struct typist_verdict v;
	struct writer w = writer_of(words, sizeof words);
	CHECK(typist_judge(&t, &v) && v.score <= 100);
	typist_write_signs(0xffff, &w);
	CHECK(!w.bad && bytes_find(writer_bytes(&w), "single keys, uneven rhythm") == 0);
}
