#include "active/identify/core_inner.h"
#include "active/identify/prefilter_inner.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULE(pattern) "<fingerprint pattern='" pattern "'><param pos='0' name='hw.device' value='x'/></fingerprint>\n"

static struct identify *open_rules(const char *text)
{
	struct identify_file file = {"k.xml", bytes_of_text(text)};
	struct identify *id = NULL;
	identify_open_files(&id, &file, 1, NULL, NULL);
	return id;
}

static bool core_is(const char *pattern, const char *core)
{
	struct bytes got = pattern_core(bytes_of_text(pattern));
	if (!bytes_equal_text(got, core))
		fprintf(stderr, "core of %s: %.*s\n", pattern, (int)got.len, (const char *)got.at);
	return bytes_equal_text(got, core);
}

TEST(prefilter_core_leaves_away_what_may_be_absent)
{
	CHECK(core_is("^(?:\\w+ ){0,5}?(VB-\\d+)(?: .*)?$", "(VB-\\d+)"));
	CHECK(core_is("^ab\\d$", "^ab\\d$"));
	CHECK(core_is("^a?b", "b"));
	CHECK(core_is("^abc.*$", "^abc"));
	CHECK(core_is("one|two.*", "one|two.*"));
	CHECK(core_is("(?i)x.*", "(?i)x.*"));
	CHECK(core_is("(a)\\1.*", "(a)\\1.*"));
	CHECK(core_is(".*", ".*"));
	CHECK(core_is("ab ?cd", "ab ?cd"));
	CHECK(core_is("a[", "a["));
	CHECK(core_is("\\", "\\"));
}

/* The same answers as rule by rule, for patterns of every sort that the prefilter treats apart. */
TEST(prefilter_changes_no_answer)
{
	static const char text[] =
		"<fingerprints matches='k'>" RULE("^Alpha-(\\d+)") RULE("(?:^|[\\s(])([DF]\\d{3})(?= |$)")
		RULE("^x?$") RULE("(b)\\1(?!c)") RULE("[Kk]\\d{200}\\w{200}") RULE("^Ö+ K\\d$")
		"<fingerprint flags='REG_ICASE' pattern='^ä kelvins'/>"
		"<fingerprint flags='REG_DOT_NEWLINE' pattern='one.{1,3}two'/>"
		RULE("^\\W*(?:cctv(?!-?dvr)|eye)[\\w -]*(?:login|$)") RULE("(?:\\.|,)?z(?:\\d+,?)+$")
		RULE("(?:^|[\\s(])(Zed-\\w+|Q[789]\\d(?:Z|X)|(?:WON|TOO) ?\\w*)(?:[\\s)]|$)") RULE("(P\\d|né-\\w+)")
		"</fingerprints>";
	static const char *const banners[] = {
		"Alpha-7", "alpha-7", "a D123 b", "D1234", "", "x", "xx", "bb", "bbc", "cbb-", "Ö K1", "ÖÖ K1", "Ä KELVINS",
		"ä \342\204\252elvin\305\277", "one\n\ntwo", "one\n\n\n\ntwo", "cctv-dvr login", "cctv login",
		"first\nAlpha-1\nlast", "z1,2,3", ",z9", "k\xff\xfe", "\xc3\x96 K1 \xff", "D123", "(Zed-a)", "zed-a",
		"Zed-1", "Zed", "Q71Z", "Q7Z1", "a WON b", "TOO1", "TO1", "P1", "P", "n\303\251-x", "n\303\251-1"};
	struct identify *plain = open_rules(text), *fast = open_rules(text);
	CHECK(plain && fast && identify_rule_count(fast) == 12);
	CHECK(identify_prefilter(fast, NULL, IDENTIFY_BUILD_NOW) == 0);
	for (size_t i = 0; i < sizeof banners / sizeof *banners; i++) {
		struct identify_hit a = {.rule = "none"}, b = {.rule = "none"};
		bool one = identify_match(plain, "k", bytes_of_text(banners[i]), &a);
		bool two = identify_match(fast, "k", bytes_of_text(banners[i]), &b);
		CHECK_SAY(one == two && !strcmp(a.rule, b.rule), "%s: %s, with it %s", banners[i], a.rule, b.rule);
	}
	identify_close(plain);
	identify_close(fast);
}

TEST(prefilter_compiles_when_many_banners_come)
{
	struct identify *id = open_rules("<fingerprints matches='k'>" RULE("^Al\\d") "</fingerprints>");
	struct identify_hit hit;
	CHECK(id && identify_prefilter(id, NULL, IDENTIFY_BUILD_WHEN_BUSY) == 1);
	for (size_t i = 0; i < 5000; i++)
		CHECK(identify_match(id, "k", BYTES("Al1"), &hit) && !identify_match(id, "k", BYTES("Al"), &hit));
	CHECK(identify_prefilter(id, NULL, IDENTIFY_BUILD_NEVER) == 0);
	identify_close(id);
}

static const char cached[] = "<fingerprints matches='k.x/y'>" RULE("^Al\\d") RULE("beta") "</fingerprints>";

/* Whether the key's file in the directory is taken by these rules. */
static bool is_taken(const char *directory, const char *rules)
{
	struct identify *id = open_rules(rules);
	struct identify_hit hit;
	bool taken = id && identify_prefilter(id, directory, IDENTIFY_BUILD_NEVER) == 0;
	CHECK(identify_match(id, "k.x/y", BYTES("a beta"), &hit) && !identify_match(id, "k.x/y", BYTES("bet"), &hit));
	identify_close(id);
	return taken;
}

static void byte_turn(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte = 0;
	CHECK(fd >= 0 && pread(fd, &byte, 1, at) == 1);
	byte ^= 1;
	CHECK(pwrite(fd, &byte, 1, at) == 1);
	close(fd);
}

TEST(prefilter_file_is_taken_only_when_it_is_whole_and_ours)
{
	char directory[] = "/tmp/kansoku-prefilter.XXXXXX", path[128];
	CHECK(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/k.x_y.hs", directory);
	CHECK(!is_taken(directory, cached));
	struct identify *id = open_rules(cached);
	CHECK(id && identify_prefilter(id, directory, IDENTIFY_BUILD_NOW) == 0);
	identify_close(id);
	CHECK(is_taken(directory, cached));
	CHECK(!is_taken(directory, "<fingerprints matches='k.x/y'>" RULE("beta") RULE("^Al\\d") "</fingerprints>"));
	struct stat st;
	CHECK(stat(path, &st) == 0);
	const off_t places[] = {0, 9, 40, st.st_size / 2, st.st_size - 1};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		byte_turn(path, places[i]);
		CHECK_SAY(!is_taken(directory, cached), "byte %zu", (size_t)places[i]);
		byte_turn(path, places[i]);
	}
	CHECK(is_taken(directory, cached));
	CHECK(chmod(path, 0622) == 0 && !is_taken(directory, cached));
	CHECK(chmod(path, 0600) == 0 && truncate(path, st.st_size - 1) == 0 && !is_taken(directory, cached));
	/* Whoever compiles next replaces it. */
	id = open_rules(cached);
	CHECK(id && identify_prefilter(id, directory, IDENTIFY_BUILD_NOW) == 0);
	identify_close(id);
	CHECK(is_taken(directory, cached));
	CHECK(unlink(path) == 0 && rmdir(directory) == 0);
}

TEST(identify_gives_up_what_backtracks_without_end)
{
	struct identify *id = open_rules("<fingerprints matches='k'>" RULE("^(a|a?)+[bc]$") RULE("^a+!$") "</fingerprints>");
	struct identify_hit hit;
	const char *rule;
	CHECK(id && identify_given_up(id, &rule) == 0 && !*rule);
	CHECK(identify_match(id, "k", BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"), &hit));
	CHECK(!strcmp(hit.rule, "k:2") && identify_given_up(id, &rule) == 1 && !strcmp(rule, "k:1"));
	identify_close(id);
}
