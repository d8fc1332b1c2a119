#include "base/special.h"
#include "tests/test.h"

static const char *range(const char *text)
{
	struct address a;
	CHECK_SAY(address_parse(bytes_of_text(text), &a), "%s", text);
	const char *name = special_range(&a);
	return name ? name : "";
}

#define IS(address, words) CHECK_SAY(strstr(range(address), words), "%s: %s", address, range(address))
#define ORDINARY(address) CHECK_SAY(!*range(address), "%s: %s", address, range(address))

TEST(special_ranges_of_ipv4_begin_and_end_where_the_registry_says)
{
	IS("0.0.0.0", "this host");
	IS("0.255.255.255", "this network");
	ORDINARY("1.0.0.0");
	IS("10.255.255.255", "1918");
	ORDINARY("11.0.0.0");
	ORDINARY("100.63.255.255");
	IS("100.64.0.0", "6598");
	IS("100.127.255.255", "6598");
	ORDINARY("100.128.0.0");
	ORDINARY("126.255.255.255");
	IS("127.20.0.1", "loopback");
	ORDINARY("128.0.0.0");
	IS("169.254.255.255", "link local");
	IS("172.16.0.0", "1918");
	IS("172.31.255.255", "1918");
	ORDINARY("172.32.0.0");
	IS("192.0.0.7", "7335");
	IS("192.0.0.9", "7723");
	IS("192.0.0.171", "8880");
	IS("192.0.0.200", "6890");
	ORDINARY("192.0.1.0");
	IS("192.0.2.255", "TEST-NET-1");
	IS("192.31.196.1", "AS112");
	IS("192.52.193.1", "7450");
	IS("192.88.99.2", "6751");
	IS("192.88.99.1", "7526");
	IS("192.168.1.1", "1918");
	IS("192.175.48.6", "7534");
	IS("198.19.255.255", "2544");
	ORDINARY("198.20.0.0");
	IS("198.51.100.1", "TEST-NET-2");
	IS("203.0.113.1", "TEST-NET-3");
	ORDINARY("223.255.255.255");
	IS("239.1.2.3", "multicast");
	IS("240.0.0.1", "reserved");
	IS("255.255.255.255", "broadcast");
	ORDINARY("8.8.8.8");
}

TEST(special_ranges_of_ipv6_begin_and_end_where_the_registry_says)
{
	IS("::", "unspecified");
	IS("::1", "loopback");
	IS("::2", "IPv4-compatible");
	IS("64:ff9b::1.2.3.4", "6052");
	IS("64:ff9b:1::1", "8215");
	IS("100::1", "6666");
	IS("100:0:0:1::1", "9780");
	IS("2001::1", "Teredo");
	IS("2001:1::1", "7723");
	IS("2001:1::2", "8155");
	IS("2001:1::3", "9665");
	IS("2001:1::4", "2928");
	IS("2001:2::1", "5180");
	IS("2001:3::1", "7450");
	IS("2001:4:112::1", "7535");
	IS("2001:1f::1", "4843");
	IS("2001:2f::1", "7343");
	IS("2001:3f::1", "9374");
	IS("2001:1ff::1", "2928");
	ORDINARY("2001:200::1");
	IS("2001:db8:ffff::1", "3849");
	ORDINARY("2001:db9::1");
	IS("2002:c000:204::1", "6to4");
	ORDINARY("2003::1");
	IS("2620:4f:8000::1", "7534");
	ORDINARY("2620:4f:8001::1");
	IS("3fff:fff::1", "9637");
	ORDINARY("3fff:1000::1");
	IS("4000::1", "outside");
	IS("5f00::1", "9602");
	IS("fdff::1", "4193");
	IS("febf::1", "link local");
	IS("fec0::1", "site local");
	IS("ff02::1", "multicast");
	ORDINARY("2606:4700::1111");
}

TEST(special_ranges_judge_a_mapped_address_as_ipv4)
{
	IS("::ffff:127.0.0.1", "loopback");
	ORDINARY("::ffff:8.8.8.8");
}

static bool no_host(const char *text)
{
	struct address a;
	CHECK_SAY(address_parse(bytes_of_text(text), &a), "%s", text);
	return special_no_host(&a);
}

TEST(special_addresses_that_are_nobodys)
{
	static const char *const nobody[] = {"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1",
					     "255.255.255.255", "::", "ff02::1"};
	static const char *const somebody[] = {"1.0.0.0", "10.0.0.1", "127.0.0.1", "223.255.255.255", "::1",
					       "2001:db8::1", "fe80::1"};
	for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++)
		CHECK_SAY(no_host(nobody[i]), "%s", nobody[i]);
	for (size_t i = 0; i < sizeof somebody / sizeof *somebody; i++)
		CHECK_SAY(!no_host(somebody[i]), "%s", somebody[i]);
}

/* The IPv4 addresses that it carries, in order, separated by a blank. */
static const char *carried(const char *text)
{
	static char all[2 * ADDRESS_TEXT_MAX];
	struct address a, out[SPECIAL_EMBEDDED_MAX];
	char one[ADDRESS_TEXT_MAX];
	CHECK_SAY(address_parse(bytes_of_text(text), &a), "%s", text);
	size_t count = special_embedded(&a, out);
	CHECK(count <= SPECIAL_EMBEDDED_MAX);
	all[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " " : "", address_format(&out[i], one));
	return all;
}

TEST(special_finds_the_ipv4_address_that_an_ipv6_address_carries)
{
	static const struct {
		const char *address, *carries;
	} cases[] = {
		{"2002:c000:204::1", "192.0.2.4"},
		/* The example of RFC 4380 4: server 65.54.227.120, client 192.0.2.45. */
		{"2001:0:4136:e378:8000:63bf:3fff:fdd2", "65.54.227.120 192.0.2.45"},
		{"64:ff9b::192.0.2.33", "192.0.2.33"}, /* RFC 6052 2.4 */
		{"64:ff9b:1:c000:2:2100::", "0.0.0.0 192.0.2.33"}, /* a /48, RFC 6052 2.4, in RFC 8215's range */
		{"64:ff9b:1::192.0.2.33", "192.0.2.33 0.0.0.0"},
		{"::192.0.2.33", "192.0.2.33"},
		{"::ffff:0:192.0.2.33", "192.0.2.33"},
		{"2606:4700::5efe:192.0.2.33", "192.0.2.33"},
		{"fe80::200:5efe:192.0.2.33", "192.0.2.33"},
		{"2606:4700::1111", ""},
		{"2606:4700::5eff:192.0.2.33", ""},
		{"64:ff9c::192.0.2.33", ""},
		{"64:ff9b:0:0:1::192.0.2.33", ""},
		{"2001:1::192.0.2.33", ""},
		{"192.0.2.33", ""},
		{"::", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK_SAY(!strcmp(carried(cases[i].address), cases[i].carries), "%s carries \"%s\"", cases[i].address,
			  carried(cases[i].address));
}
