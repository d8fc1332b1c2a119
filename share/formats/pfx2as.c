/*
 * CAIDA's prefix-to-AS tables from Routeviews: address, prefix length and AS, between tabs, a line each.  Of an origin
 * that is several ("_": announced by each; ",": an AS set) the first is taken.
 */
#include "share/format.h"
#include "share/networks/ranges_inner.h"

/* Up to a tab or space; the rest stays. */
static struct bytes next_word(struct bytes *rest)
{
	size_t begin = 0, end;
	while (begin < rest->len && (rest->at[begin] == '\t' || rest->at[begin] == ' '))
		begin++;
	for (end = begin; end < rest->len && rest->at[end] != '\t' && rest->at[end] != ' ';)
		end++;
	struct bytes word = {rest->at + begin, end - begin};
	*rest = (struct bytes){rest->at + end, rest->len - end};
	return word;
}

static struct bytes first_origin(struct bytes word)
{
	size_t n = 0;
	while (n < word.len && word.at[n] >= '0' && word.at[n] <= '9')
		n++;
	bool several = n && n < word.len && (word.at[n] == '_' || word.at[n] == ',');
	return (struct bytes){word.at, several ? n : word.len};
}

static void line(struct intake *in, struct bytes text)
{
	struct bytes rest = text, base = next_word(&rest), length = next_word(&rest), origin = next_word(&rest);
	struct network n = {0};
	uint64_t bits, as;
	if (base.len && base.at[0] == '#')
		return;
	if (!address_parse(base, &n.first) || !bytes_number(length, address_is_v4(&n.first) ? 32 : 128, &bits) ||
	    !bytes_number(first_origin(origin), UINT32_MAX, &as)) {
		intake_bad(in, "it is no line of ADDRESS, LENGTH and AS");
		return;
	}
	n.as = (uint32_t)as;
	network_of_prefix(&n, (uint32_t)bits);
	intake_network(in, &n);
}

static const struct format_specimen specimens[] = {
	{"one origin, several, a set, IPv6",
	 BYTES("1.0.0.0\t24\t13335\n1.0.4.0\t22\t38803_56203\n198.51.100.0\t24\t64496,64497\r\n2001:db8::\t32\t64500\n"),
	 "network 1.0.0.0-1.0.0.255 13335  \nnetwork 1.0.4.0-1.0.7.255 38803  \nnetwork 198.51.100.0-198.51.100.255 64496  \n"
	 "network 2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 64500  \n"},
	{"lines that are none", BYTES("1.0.0.0\t33\t1\n1.0.0.0\t24\nx\t1\t1\n1.0.0.0\t24\tAS1\n"),
	 "bad it is no line\nbad it is no line\nbad it is no line\nbad it is no line\n"},
	{0},
};

static const struct format pfx2as = {
	.name = "pfx2as",
	.summary = "which AS announces a prefix",
	.reference = "CAIDA, Routeviews Prefix to AS mappings (pfx2as)",
	.shape = FORMAT_LINES,
	.line = line,
	.specimens = specimens,
};
FORMAT(pfx2as);
