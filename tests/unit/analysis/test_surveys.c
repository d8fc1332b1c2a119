#include "analysis/surveys.h"
#include "tests/test.h"
#include <stdlib.h>

static struct address address(const char *text)
{
	struct address a;
	CHECK_SAY(address_parse(bytes_of_text(text), &a), "%s", text);
	return a;
}

static struct surveys *opened(void)
{
	struct surveys *s;
	CHECK(surveys_open(&s) == 0);
	return s;
}

static void add(struct surveys *s, const char *text, const char *file)
{
	struct fault fault = {0};
	CHECK_SAY(surveys_add(s, bytes_of_text(text), file, &fault) == 0, "%s", fault.text);
}

static const char *who(const struct surveys *s, const char *text)
{
	struct survey_match m = {0};
	struct address a = address(text);
	return surveys_find(s, &a, &m) ? m.who : "";
}

/* As the list of that name looks, shortened. */
static const char warninglist[] =
	"{\n  \"description\": \"ranges\",\n  \"list\": [\n    \"162.142.125.0/24\",\n    \"167.248.133.7\",\n"
	"    \"2602:80d:1000:b0cc:e::/80\"\n  ],\n  \"matching_attributes\": [\"ip-src\"],\n"
	"  \"name\": \"Example IP Ranges Used for Scanning\",\n  \"type\": \"cidr\",\n  \"version\": 20260829\n}\n";

TEST(surveys_reads_a_warninglist)
{
	struct surveys *s = opened();
	struct survey_match m;
	add(s, warninglist, "list.json");
	surveys_seal(s);
	struct address a = address("162.142.125.200"), six = address("2602:80d:1000:b0cc:e::9");
	CHECK(surveys_find(s, &a, &m) && !strcmp(m.who, "Example IP Ranges Used for Scanning"));
	CHECK(survey_age_days(&m, m.dated_us + 86400000000u * 3 + 5) == 3 && survey_age_days(&m, 0) == 0);
	CHECK(m.dated_us == 1787961600000000u); /* 2026-08-29T00:00:00Z */
	CHECK(surveys_find(s, &six, &m));
	CHECK(*who(s, "167.248.133.7") && !*who(s, "167.248.133.8") && !*who(s, "162.142.126.0"));
	surveys_close(s);
}

TEST(surveys_dates_of_versions)
{
	static const struct { const char *version; const char *day; } versions[] = {
		{"20261101", "2026-11-01"}, {"2026110102", "2026-11-01"}, {"\"20261101\"", "2026-11-01"},
		{"\"2026-11-01\"", "2026-11-01"}, {"2", ""}, {"1700000000", ""}, {"20269999", ""}, {"-4", ""}, {"null", ""},
	};
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		struct surveys *s = opened();
		struct survey_match m;
		char text[256];
		snprintf(text, sizeof text, "{\"name\":\"x\",\"version\":%s,\"list\":[\"192.0.2.0/24\"]}",
			 versions[i].version);
		add(s, text, "x");
		surveys_seal(s);
		struct address a = address("192.0.2.1");
		CHECK(surveys_find(s, &a, &m));
		/* 2026-11-01T00:00:00Z */
		CHECK_SAY(m.dated_us == (*versions[i].day ? 1793491200000000u : 0), "%s: %llu", versions[i].version,
			  (unsigned long long)m.dated_us);
		surveys_close(s);
	}
}

TEST(surveys_reads_plain_text)
{
	struct surveys *s = opened();
	struct survey_match m;
	add(s, "# name: Surveys that we know\r\n# date: 2026-11-01\n\n198.51.100.0/24\tExample survey # since May\n"
	       "203.0.113.9\n2001:db8:1::/48 Six\n*.scan.example Example survey\n.Probe.Example.\nlast.line.is/short\n"
	       "192.0.2.0/25 unended", "dir/known.txt");
	surveys_seal(s);
	CHECK(!strcmp(who(s, "198.51.100.1"), "Example survey"));
	CHECK(!strcmp(who(s, "203.0.113.9"), "Surveys that we know"));
	CHECK(!strcmp(who(s, "2001:db8:1::5"), "Six") && !*who(s, "2001:db8:2::5"));
	CHECK(!strcmp(who(s, "192.0.2.127"), "unended") && !*who(s, "192.0.2.128"));
	CHECK(surveys_find_domain(s, "a-7.scan.EXAMPLE.", &m) && !strcmp(m.who, "Example survey") &&
	      m.dated_us == 1793491200000000u);
	CHECK(surveys_find_domain(s, "probe.example", &m) && !surveys_find_domain(s, "unprobe.example", &m));
	CHECK(!surveys_find_domain(s, "example", &m) && !surveys_find_domain(s, "", &m));
	CHECK(surveys_counts(s).skipped == 1 && surveys_counts(s).domains == 2);
	surveys_close(s);
}

TEST(surveys_takes_domains_of_type_hostname)
{
	struct surveys *s = opened();
	struct survey_match m;
	add(s, "{\"name\":\"Domains\",\"type\":\"hostname\",\"list\":[\".shodan.example\",\"census.example\",\"com\"]}",
	    "x");
	surveys_seal(s);
	CHECK(surveys_find_domain(s, "pirate.census.shodan.example", &m) && !strcmp(m.who, "Domains"));
	CHECK(!surveys_find_domain(s, "evil.com", &m) && surveys_counts(s).skipped == 1);
	surveys_close(s);
}

TEST(surveys_the_longest_prefix_decides)
{
	struct surveys *s = opened();
	add(s, "10.0.0.0/8 wide\n10.1.0.0/16 middle\n10.1.2.0/24 narrow\n10.1.2.3 one\n10.200.0.0/16 other\n", "x");
	surveys_seal(s);
	CHECK(!strcmp(who(s, "10.1.2.3"), "one") && !strcmp(who(s, "10.1.2.4"), "narrow"));
	CHECK(!strcmp(who(s, "10.1.3.1"), "middle") && !strcmp(who(s, "10.2.0.0"), "wide"));
	CHECK(!strcmp(who(s, "10.199.255.255"), "wide") && !strcmp(who(s, "10.201.0.0"), "wide"));
	CHECK(!*who(s, "9.255.255.255") && !*who(s, "11.0.0.0"));
	surveys_close(s);
}

TEST(surveys_the_younger_of_two_lists_is_right)
{
	struct surveys *s = opened();
	add(s, "# date: 2026-05-01\n192.0.2.0/24 new\n", "a");
	add(s, "# date: 2024-05-01\n192.0.2.0/24 old\n", "b");
	add(s, "192.0.2.0/24 undated\n", "c");
	surveys_seal(s);
	CHECK_SAY(!strcmp(who(s, "192.0.2.1"), "new") && surveys_counts(s).prefixes == 1, "%s", who(s, "192.0.2.1"));
	surveys_close(s);
}

TEST(surveys_nobody_acknowledges_the_whole_internet)
{
	struct surveys *s = opened();
	add(s, "0.0.0.0/0 all\n::/0 all\n::/19 all\n128.0.0.0/7 half\n::ffff:0:0/95 all\n2a06:4880::/29 fine\n10.0.0.0/8 fine\n",
	    "x");
	surveys_seal(s);
	CHECK_SAY(surveys_counts(s).wide + surveys_counts(s).skipped == 5 && surveys_counts(s).prefixes == 2,
		  "%llu wide", (unsigned long long)surveys_counts(s).wide);
	CHECK(!*who(s, "8.8.8.8") && *who(s, "10.9.8.7"));
	surveys_close(s);
}

TEST(surveys_what_is_no_list_is_refused_and_adds_nothing)
{
	static const char *const bad[] = {
		"", "hello\n", "{", "{}", "{\"list\":3}", "{\"list\":[]}", "{\"list\":[1,2,{}]}",
		"{\"type\":\"regex\",\"list\":[\"192.0.2.0/24\"]}", "{\"list\":[\"a\",\"b\",\"192.0.2.0/24\"]}",
		"192.0.2.0/24\nx\ny\n", "192.0.2.0/33\n",
	};
	struct surveys *s = opened();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fault fault = {0};
		CHECK_SAY(surveys_add(s, bytes_of_text(bad[i]), "bad.txt", &fault) < 0, "%s", bad[i]);
		CHECK_SAY(strstr(fault.text, "bad.txt"), "%s: \"%s\"", bad[i], fault.text);
	}
	struct surveys_counts c = surveys_counts(s);
	CHECK(c.lists == 0 && c.prefixes == 0 && c.domains == 0 && c.skipped == 0);
	surveys_seal(s);
	CHECK(!*who(s, "192.0.2.1"));
	surveys_close(s);
}

TEST(surveys_too_many_lists_are_refused)
{
	struct surveys *s = opened();
	struct fault fault = {0};
	for (int i = 0; i < SURVEY_FILES_MAX; i++)
		add(s, "192.0.2.0/24\n", "x");
	CHECK(surveys_add(s, BYTES("192.0.2.0/24\n"), "x", &fault) == ERR_FULL && fault.text[0]);
	surveys_close(s);
}

TEST(surveys_names_of_addresses)
{
	struct surveys *s = opened();
	struct fault fault = {0};
	CHECK(surveys_add_names(s, BYTES("# reverse DNS\n192.0.2.1 old.example\n192.0.2.1\tScan-1.Example.\n"
					 "2001:db8::1 six.example\nnonsense\n192.0.2.9 bad name\n192.0.2.8 x_y.example"),
				"names", &fault) == 0);
	surveys_seal(s);
	struct address one = address("192.0.2.1"), nine = address("192.0.2.9"), eight = address("192.0.2.8");
	CHECK(!strcmp(surveys_host_name(s, &one), "scan-1.example") && !surveys_host_name(s, &nine));
	CHECK(!strcmp(surveys_host_name(s, &eight), "x_y.example"));
	CHECK(surveys_counts(s).names == 3 && surveys_counts(s).skipped == 2);
	CHECK(surveys_add_names(s, BYTES("a\nb\n"), "names", &fault) == ERR_BAD && strstr(fault.text, "ADDRESS NAME"));
	surveys_close(s);
}

TEST(surveys_long_names_are_cut_between_letters)
{
	struct surveys *s = opened();
	char line[400] = "192.0.2.0/24 ";
	for (int i = 0; i < 60; i++)
		strcat(line, "観");
	add(s, line, "x");
	surveys_seal(s);
	size_t n = strlen(who(s, "192.0.2.1"));
	CHECK_SAY(n > SURVEY_WHO_MAX - 4 && n <= SURVEY_WHO_MAX && n % 3 == 0, "%zu bytes", n);
	surveys_close(s);
}

/* Against the plain search through everything. */
TEST(surveys_agrees_with_a_search_through_all)
{
	enum { PREFIXES = 500 };
	static struct prefix all[PREFIXES];
	struct surveys *s = opened();
	uint64_t state = 7;
	for (int i = 0; i < PREFIXES; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		struct address a = address_v4((uint32_t)(state >> 33) & 0x0a0f0f0f);
		all[i] = prefix_of(&a, 96 + 8 + (unsigned)(state >> 20) % 25);
	}
	static char text[PREFIXES * 64];
	size_t used = 0;
	for (int i = 0; i < PREFIXES; i++) {
		char one[ADDRESS_TEXT_MAX];
		used += (size_t)snprintf(text + used, sizeof text - used, "%s %d\n", prefix_format(&all[i], one),
					 all[i].bits);
	}
	add(s, text, "x");
	surveys_seal(s);
	for (int i = 0; i < 20000; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		struct address a = address_v4((uint32_t)(state >> 33) & 0x0b0f0f0f);
		struct survey_match m;
		int bits = 0;
		for (int k = 0; k < PREFIXES; k++)
			if (prefix_holds(&all[k], &a) && all[k].bits > bits)
				bits = all[k].bits;
		bool found = surveys_find(s, &a, &m);
		CHECK(found == (bits > 0) && (!found || (int)strtol(m.who, NULL, 10) == bits));
	}
	surveys_close(s);
}
