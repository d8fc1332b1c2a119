#include "analysis/banners.h"
#include "tests/test.h"

struct added {
	const char *key, *text;
	uint64_t hosts, attackers;
};

static struct banner_groups *group_all(const struct added *added, size_t n)
{
	struct banner_groups *groups = NULL;
	CHECK(banner_groups_open(&groups) == 0);
	for (size_t i = 0; i < n; i++)
		CHECK(banner_groups_add(groups, &(struct banner_seen){added[i].key, bytes_of_text(added[i].text),
								     added[i].hosts, added[i].attackers}) == 0);
	return groups;
}

static bool pattern_is(const struct banner_group *g, const char *want)
{
	char room[BANNER_PATTERN_MAX];
	struct writer w = writer_of(room, sizeof room);
	banner_group_pattern(g, &w);
	if (!bytes_equal_text(writer_bytes(&w), want))
		fprintf(stderr, "%.*s\n", (int)writer_used(&w), room);
	return bytes_equal_text(writer_bytes(&w), want);
}

TEST(banners_that_are_alike_stand_together_by_attackers)
{
	static const struct added some[] = {
		{"html_title", "Camera 12 login", 9, 0},
		{"telnet.banner", "ACME-ZZ9 Controller v1.2", 3, 2},
		{"telnet.banner", "Welcome to something else", 5, 1},
		{"telnet.banner", "ACME-ZZ7 Controller v10.4", 1, 1},
		{"html_title", "Camera 7 login", 1, 0},
	};
	struct banner_groups *groups = group_all(some, 5);
	CHECK(banner_groups_count(groups) == 3);
	const struct banner_group *first = banner_group_at(groups, 0), *last = banner_group_at(groups, 2);
	CHECK(first->members == 2 && first->attackers == 3 && first->hosts == 4 && first->example_count == 2);
	CHECK(!strcmp(first->key, "telnet.banner"));
	CHECK(pattern_is(first, "^ACME-ZZ\\d+ Controller v\\d+\\.\\d+$"));
	CHECK(!strcmp(last->key, "html_title") && last->hosts == 10 && pattern_is(last, "^Camera \\d+ login$"));
	CHECK(pattern_is(banner_group_at(groups, 1), "^Welcome to something else$"));
	CHECK(!banner_group_at(groups, 3));
	banner_groups_close(groups);
}

TEST(banners_share_what_a_group_s_pattern_says)
{
	static const struct added some[] = {
		{"k", "Box (A) of Anna at home: 5 lamps", 1, 0},
		{"k", "Box (A) of Boris at home: 5 lamps", 1, 0},
		{"k", "Box (A) of Old Eve at home: 5 lamps, one dark", 1, 0},
	};
	struct banner_groups *groups = group_all(some, 3);
	CHECK(banner_groups_count(groups) == 1);
	CHECK(pattern_is(banner_group_at(groups, 0), "^Box \\(A\\) of (?m:.*?) at home: 5 lamps"));
	banner_groups_close(groups);
}

TEST(banners_of_any_bytes_make_a_rule_that_can_be_read)
{
	char room[4096];
	struct writer w = writer_of(room, sizeof room - 1);
	static const struct added one[] = {{"k", "a<b>&\"\x01\xff{}[]", 1, 0}};
	struct banner_groups *groups = group_all(one, 1);
	banner_group_rule(banner_group_at(groups, 0), &w);
	*w.at = 0;
	CHECK(strstr(room, "pattern=\"^a&lt;b&gt;&amp;&quot;\\x01\\xff\\{\\}\\[\\]$\""));
	CHECK(strstr(room, "<example _encoding=\"base64\">YTxiPiYiAf97fVtd</example>"));
	banner_groups_close(groups);
}
