/*
 * Countries by range as Tor's geoip files have them: FIRST,LAST,CC, where IPv4 addresses are numbers; comments
 * begin with '#', and "??" is a range of which nothing is known.
 */
#include "share/format.h"
#include "share/networks/ranges_inner.h"

static bool read_end(struct bytes b, struct address *out)
{
	uint64_t n;
	if (!bytes_number(b, UINT32_MAX, &n))
		return address_parse(b, out);
	*out = address_v4((uint32_t)n);
	return true;
}

static void line(struct intake *in, struct bytes text)
{
	struct network n = {0};
	text = bytes_trim(text);
	if (text.at[0] == '#')
		return;
	size_t first = bytes_find(text, ",");
	struct bytes rest = {text.at + first + (first < text.len), text.len - first - (first < text.len)};
	size_t last = bytes_find(rest, ",");
	struct bytes code = {rest.at + last + (last < rest.len), rest.len - last - (last < rest.len)};
	if (!read_end((struct bytes){text.at, first}, &n.first) || !read_end((struct bytes){rest.at, last}, &n.last) || code.len != 2) {
		intake_bad(in, "it is no line of FIRST,LAST,COUNTRY");
		return;
	}
	country_read(code, n.country);
	if (*n.country)
		intake_network(in, &n);
}

static const struct format_specimen specimens[] = {
	{"both families, and what is not known",
	 BYTES("# Last updated\n16777216,16777471,AU\n16777472,16778239,CN\n16778240,16778495,??\n2001:200::,2001:200:ffff:ffff:ffff:ffff:ffff:ffff,JP\n"),
	 "network 1.0.0.0-1.0.0.255 0 AU \nnetwork 1.0.1.0-1.0.3.255 0 CN \nnetwork 2001:200::-2001:200:ffff:ffff:ffff:ffff:ffff:ffff 0 JP \n"},
	{"what is none", BYTES("1,2\n99999999999,1,AU\n5,1,AU\n1,2001::,AU\n"),
	 "bad it is no line\nbad it is no line\nbad a range ends\nbad a range ends\n"},
	{0},
};

static const struct format geoip = {
	.name = "geoip",
	.summary = "countries by range, as tor-geoipdb has them",
	.reference = "Tor, geoip and geoip6 (from IPFire's location database, CC BY-SA)",
	.shape = FORMAT_LINES,
	.line = line,
	.specimens = specimens,
};
FORMAT(geoip);
