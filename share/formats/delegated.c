/*
 * The registries' delegated statistics: who was given which addresses and AS numbers, in which country.  Of IPv4 the
 * value is how many addresses, which is not always a power of 2; of IPv6 it is the prefix length; of AS how many.
 */
#include "share/format.h"
#include "share/networks/ranges_inner.h"

#define FIELDS 7
#define AS_RUN_MAX 65536

static void take_as(struct intake *in, uint64_t first, uint64_t count, const char country[3])
{
	if (first + count > UINT32_MAX || count > AS_RUN_MAX) {
		intake_bad(in, "AS numbers beyond 32 bits, or more than %u of them", AS_RUN_MAX);
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		intake_as(in, (uint32_t)(first + i), (struct bytes){0}, country);
}

static void line(struct intake *in, struct bytes text)
{
	struct bytes f[FIELDS];
	struct network n = {0};
	uint64_t value, first;
	text = bytes_trim(text);
	size_t count = text.at[0] == '#' ? 0 : split_at_bars(text, f, FIELDS);
	/* The version line begins with a number, summaries end with the word. */
	bool summary = count == 6 && bytes_equal_text(f[5], "summary"), version = count && bytes_number(f[0], UINT32_MAX, &value);
	if (!count || summary || version)
		return;
	bool v4 = count > 4 && bytes_equal_text(f[2], "ipv4"), v6 = count > 4 && bytes_equal_text(f[2], "ipv6");
	if (count < FIELDS || (!v4 && !v6 && !bytes_equal_text(f[2], "asn")) || !bytes_number(f[4], UINT32_MAX, &value)) {
		intake_bad(in, "it is no line of REGISTRY|CC|TYPE|START|VALUE|DATE|STATUS");
		return;
	}
	country_read(f[1], n.country);
	if (!*n.country)
		return;
	if (!v4 && !v6) {
		if (bytes_number(f[3], UINT32_MAX, &first))
			take_as(in, first, value, n.country);
		else
			intake_bad(in, "an AS number would be right");
		return;
	}
	bool fits = address_parse(f[3], &n.first) && address_is_v4(&n.first) == v4 && (v6 ? value <= 128 : network_of_count(&n, value));
	if (!fits) {
		intake_bad(in, "the range does not fit its family");
		return;
	}
	if (v6)
		network_of_prefix(&n, (uint32_t)value);
	intake_network(in, &n);
}

static const struct format_specimen specimens[] = {
	{"addresses, a count that is no power of 2, AS numbers, what is reserved",
	 BYTES("2|apnic|20240101|4|19830613|20240101|+1000\napnic|*|asn|*|1|summary\napnic|JP|asn|173|2|20020801|allocated\n"
	       "apnic|AU|ipv4|1.0.0.0|256|20110811|assigned\nripencc|DE|ipv4|192.0.2.0|768|19930901|allocated\n"
	       "apnic|JP|ipv6|2001:db8::|32|19990813|allocated\napnic||ipv4|198.51.100.0|256||available\n"),
	 "as 173 JP \nas 174 JP \nnetwork 1.0.0.0-1.0.0.255 0 AU \nnetwork 192.0.2.0-192.0.4.255 0 DE \n"
	 "network 2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 0 JP \n"},
	{"what is none", BYTES("apnic|AU|ipv4|255.255.255.0|512|20110811|assigned\napnic|AU\nx|AU|ipv6|1.2.3.4|32|1|allocated\n"),
	 "bad the range\nbad it is no line\nbad the range\n"},
	{0},
};

static const struct format delegated = {
	.name = "delegated",
	.summary = "which country was given addresses and AS numbers",
	.reference = "the regional registries' delegated and delegated-extended statistics",
	.shape = FORMAT_LINES,
	.line = line,
	.specimens = specimens,
};
FORMAT(delegated);
