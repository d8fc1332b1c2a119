#include "analysis/exposure/version_inner.h"
#include "tests/test.h"

static int order(const char *a, const char *b)
{
	int o = version_compare(bytes_of_text(a), bytes_of_text(b));
	return o < 0 ? -1 : o > 0;
}

TEST(versions_are_ordered_as_people_number_them)
{
	/* Each line stands before the next. */
	static const char *const rising[][2] = {
		{"1.9", "1.10"}, {"1.9.9", "1.10"}, {"0.9.8zh", "1.0.0"}, {"1.0.1", "1.0.1a"}, {"1.0.1g", "1.0.2"},
		{"1.0.2k", "1.0.2l"}, {"1.0.2", "1.0.2k"}, {"1.0.2z", "1.0.2za"}, {"0.9.8z", "0.9.8za"},
		{"7.4", "7.4p1"}, {"7.4p1", "7.4p2"}, {"7.4p2", "7.4p10"}, {"7.4p1", "7.5"}, {"7.9p1", "7.10p1"},
		{"1.0rc1", "1.0"}, {"1.0-rc1", "1.0"}, {"1.0rc1", "1.0rc2"}, {"1.0rc9", "1.0rc10"}, {"1.0beta3", "1.0rc1"},
		{"1.0alpha2", "1.0beta1"}, {"1.0a1", "1.0b1"}, {"2.0b3", "2.0"}, {"2.0-dev", "2.0-alpha"},
		{"2.0-SNAPSHOT", "2.0"}, {"9.0.0.M1", "9.0.0"}, {"9.0.0-M2", "9.0.0-M10"}, {"9.0.0.M27", "9.0.1"},
		{"8.4p1 Debian-5", "8.4p1 Debian-5+deb11u1"}, {"8.4p1", "8.4p1 Debian-5"},
		{"8.4p1 Debian-5+deb11u1", "8.4p1 Debian-5+deb11u2"}, {"1.18.0-6~bpo10", "1.18.0-6"}, {"1.2~rc1", "1.2"},
		{"2.4.6-40.el7", "2.4.6-93.el7"}, {"2.4.6", "2.4.6-93.el7"}, {"5.10.0-9", "5.10.0-26"},
		{"2.4.57", "2.4.58"}, {"5.6.51", "8.0.0"}, {"10.3.39", "10.11.2"}, {"3.0.0", "3.0.0.1"},
		{"20.04", "20.10"}, {"2019", "2022"}, {"v1.2", "v1.3"}, {"1.2", "v1.3"}, {"12.1x46", "12.1x47"},
		{"15.1(4)m", "15.2(1)m"}, {"6.0.0.0", "6.0.0.1"}, {"1.0.2k", "1.0.2.1"}, {"4.2.8", "4.2.8p15"},
		{"4.2.8p9", "4.2.8p15"}, {"1.8.31", "1.8.31p2"}, {"99999999999999999998", "99999999999999999999"},
		{"9999999999", "10000000000"}, {"1", "1.1"}, {"", "1"}, {"1.0.0-preview.3", "1.0.0-rc.1"},
		{"11.0.21", "11.0.22"}, {"8u191", "8u202"}, {"6.1a", "6.1b"}, {"1.0-final", "1.0.1"},
	};
	for (size_t i = 0; i < sizeof rising / sizeof *rising; i++) {
		CHECK_SAY(order(rising[i][0], rising[i][1]) == -1, "%s < %s", rising[i][0], rising[i][1]);
		CHECK_SAY(order(rising[i][1], rising[i][0]) == 1, "%s > %s", rising[i][1], rising[i][0]);
	}
}

TEST(versions_that_are_the_same)
{
	static const char *const same[][2] = {
		{"1.0", "1.0.0"}, {"1", "1.0.0.0"}, {"1.0", "01.00"}, {"1.0RC1", "1.0-rc.1"}, {"v2.3", "2.3"},
		{"1.0.2K", "1.0.2k"}, {"1.0.Final", "1.0"}, {"1_2_3", "1.2.3"}, {"", ""}, {" 1.2 ", "1.2"},
		{"7.4p1", "7.4_p1"},
	};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		CHECK_SAY(order(same[i][0], same[i][1]) == 0, "%s = %s", same[i][0], same[i][1]);
}

TEST(versions_are_split_as_dictionaries_do)
{
	static const struct {
		const char *version, *release, *update;
	} cases[] = {
		{"7.4p1", "7.4", "p1"},     {"1.0-rc.2", "1.0", "rc.2"}, {"1.0beta", "1.0", "beta"}, {"2.0b3", "2.0", "b3"},
		{"6.1 SP2", "6.1", "SP2"},  {"9.0.0.M1", "9.0.0", "M1"}, {"1.0.2k", NULL, NULL},     {"1.2.3", NULL, NULL},
		{"rc1", NULL, NULL},        {"1.2.3-90.el7", NULL, NULL}, {"", NULL, NULL},          {"8u191", "8", "u191"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes release, update;
		bool split = version_split(bytes_of_text(cases[i].version), &release, &update);
		CHECK_SAY(split == (cases[i].release != NULL), "%s", cases[i].version);
		if (split)
			CHECK_SAY(bytes_equal_text(release, cases[i].release) && bytes_equal_text(update, cases[i].update), "%s",
				  cases[i].version);
	}
}
