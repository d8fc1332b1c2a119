#include "base/address.h"
#include "tests/test.h"

static struct prefix prefix(const char *text)
{
	struct prefix p;
	CHECK_SAY(prefix_parse(bytes_of_text(text), &p), "%s", text);
	return p;
}

static struct address address(const char *text)
{
	struct address a;
	CHECK_SAY(address_parse(bytes_of_text(text), &a), "%s", text);
	return a;
}

TEST(address_both_families_survive_text)
{
	const char *same[] = {"192.0.2.1", "2001:db8::1", "::", "ff02::1"};
	for (size_t i = 0; i < 4; i++) {
		struct address a = address(same[i]);
		char text[ADDRESS_TEXT_MAX];
		CHECK_SAY(!strcmp(address_format(&a, text), same[i]), "%s became %s", same[i], text);
	}
	struct address a;
	CHECK(!address_parse(BYTES("192.0.2.256"), &a) && !address_parse(BYTES(""), &a));
	CHECK(!address_parse(BYTES("1.2.3"), &a));
}

TEST(address_prefixes_hold_what_they_should)
{
	struct prefix p = prefix("192.0.2.128/25");
	struct address in = address("192.0.2.200"), out = address("192.0.2.1");
	CHECK(prefix_holds(&p, &in) && !prefix_holds(&p, &out));
	struct prefix q;
	CHECK(!prefix_parse(BYTES("192.0.2.0/33"), &q) && !prefix_parse(BYTES("x/8"), &q));
	char text[ADDRESS_TEXT_MAX];
	CHECK(!strcmp(prefix_format(&p, text), "192.0.2.128/25"));
	struct prefix all = prefix("0.0.0.0/0"), six = prefix("::/0");
	struct address v6 = address("2001:db8::1");
	CHECK(prefix_holds(&all, &in) && !prefix_holds(&all, &v6) && prefix_holds(&six, &v6));
}

TEST(address_sets_answer_for_nested_prefixes)
{
	struct prefix_set set = {0};
	const char *all[] = {"10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32", "192.0.2.7"};
	for (size_t i = 0; i < 4; i++) {
		struct prefix p = prefix(all[i]);
		CHECK(prefix_set_add(&set, &p) == 0);
	}
	prefix_set_seal(&set);
	CHECK(set.count == 3);
	struct address yes[] = {address("10.1.2.3"), address("10.200.0.1"), address("2001:db8:9::"),
				address("192.0.2.7")};
	for (size_t i = 0; i < 4; i++)
		CHECK(prefix_set_holds(&set, &yes[i]));
	struct address no[] = {address("11.0.0.0"), address("9.255.255.255"), address("2001:db9::"),
			       address("192.0.2.8")};
	for (size_t i = 0; i < 4; i++)
		CHECK(!prefix_set_holds(&set, &no[i]));
	struct prefix around = prefix("192.0.2.0/24");
	CHECK(prefix_set_overlaps(&set, &around));
	prefix_set_done(&set);
}
