/*
 * DShield of the SANS Internet Storm Center: its list of networks to block, and its lists of sources.
 *
 * block.txt has start, end and length of a network, how many attacked ports, name, country and mail address; networks
 * become entries of the table that tells of every address what lists know it.  Lists of sources have an address with
 * leading zeros, port, protocol, reports, targets, first and last day; or address, reports, targets, first and last.
 */
#include "share/reading/csv_inner.h"
#include "share/reading/date_inner.h"
#include "share/reading/named_inner.h"
#include "share/reading/words_inner.h"

FIELD(dshield_targets, "dshield.targets", NUMBER, 0, "addresses that it attacked, as their owners reported");

#define LISTED_CONFIDENCE 70

/* "001.002.003.004" is 1.2.3.4 and no octal number. */
static bool address_padded(struct bytes b, struct address *out)
{
	uint32_t v4 = 0;
	unsigned parts = 0, digits = 0, part = 0;
	for (size_t i = 0; i <= b.len; i++) {
		bool end = i == b.len || b.at[i] == '.';
		if (!end && (b.at[i] < '0' || b.at[i] > '9' || ++digits > 3))
			return address_parse(b, out);
		if (!end) {
			part = part * 10 + (unsigned)(b.at[i] - '0');
			continue;
		}
		if (!digits || part > 255)
			return false;
		v4 = v4 << 8 | part;
		parts++;
		digits = part = 0;
	}
	*out = address_v4(v4);
	return parts == 4;
}

static void take_block(struct intake *in, const struct csv_line *v)
{
	struct network n = {.labels = BYTES("malicious"), .name = v->count > 4 ? v->values[4] : (struct bytes){0}};
	if (!address_parse(v->values[0], &n.first) || !address_parse(v->values[1], &n.last)) {
		intake_bad(in, "a network has no start or end");
		return;
	}
	if (v->count > 5)
		bytes_copy_text(v->values[5], n.country, sizeof n.country);
	intake_network(in, &n);
}

static uint64_t number_at(const struct csv_line *v, size_t at)
{
	uint64_t number;
	return at < v->count && bytes_number(bytes_trim(v->values[at]), UINT64_MAX, &number) ? number : 0;
}

static void take_source(struct intake *in, const struct csv_line *v, struct bytes whole)
{
	struct record r = {.type = "address", .confidence = LISTED_CONFIDENCE, .kind = "scan.seen", .has_address = true, .original = whole};
	char *text = arena_alloc(intake_arena(in), ADDRESS_TEXT_MAX);
	bool ports = v->count >= 7; /* address, port, protocol, … */
	size_t at = ports ? 3 : 1;
	if (!text || !address_padded(bytes_trim(v->values[0]), &r.address)) {
		intake_bad(in, "its first column is no address");
		return;
	}
	r.value = bytes_of_text(address_format(&r.address, text));
	if (ports) {
		r.port = number_at(v, 1) <= UINT16_MAX ? (uint32_t)number_at(v, 1) : 0;
		record_text(&r, FIELD_PROTO, number_at(v, 2) == 6 ? "tcp" : number_at(v, 2) == 17 ? "udp" : number_at(v, 2) == 1 ? "icmp" : NULL);
	}
	if (number_at(v, at))
		record_number(&r, FIELD_COUNT, number_at(v, at));
	if (number_at(v, at + 1))
		record_number(&r, dshield_targets, number_at(v, at + 1));
	uint64_t first = at + 2 < v->count ? date_read(v->values[at + 2]) : 0, last = at + 3 < v->count ? date_read(v->values[at + 3]) : 0;
	if (first)
		record_number(&r, word_first, first);
	if (last)
		record_number(&r, word_last, last);
	r.time_us = last;
	record_digest(in, &r, whole);
	intake_record(in, &r);
}

static void line(struct intake *in, struct bytes whole)
{
	struct csv_line v;
	struct address second;
	if (whole.at[0] == '#' || bytes_start_with(whole, "Start\t") || bytes_start_with(whole, "source"))
		return;
	const char *wrong = csv_split_plain(whole, '\t', &v);
	if (wrong)
		intake_bad(in, "%s", wrong);
	else if (v.count >= 3 && address_parse(v.values[1], &second))
		take_block(in, &v);
	else
		take_source(in, &v, whole);
}

static const struct format_specimen specimens[] = {
	{"block.txt",
	 BYTES("# DShield.org Recommended Block List\n#\nStart\tEnd\tNetmask\tAttacks\tName\tCountry\temail\n198.51.100."
	       "0\t198.51.100.255\t24\t5263\tEXAMPLE-NET\tNL\tabuse@example.net\n203.0.113.0\t203.0.113.255\t24\t9\n203."
	       "0.113.9\t203.0.113.1\t24\t9\n"),
	 "network 198.51.100.0-198.51.100.255 0 NL EXAMPLE-NET\n"
	 "  labels malicious\n"
	 "network 203.0.113.0-203.0.113.255 0  \n"
	 "bad a range ends before\n"},
	{"lists of sources, with zeros in front",
	 BYTES("# source IP\ttarget port\tprotocol\treports\ttargets\tfirst\tlast\n198.051.100.007\t23\t6\t120\t45\t2024"
	       "-07-05\t2024-07-06\n010.001.002.003\t9\t8\t2024-07-05\t2024-07-06\n999.1.1.1\t9\t8\n"),
	 "address 198.51.100.7\n"
	 "  kind scan.seen\n"
	 "  port 23\n"
	 "  proto tcp\n"
	 "  count 120\n"
	 "  dshield.targets 45\n"
	 "  record.first 2024-07-05T00:00:00.000000Z\n"
	 "  time 2024-07-06T00:00:00.000000Z\n"
	 "address 10.1.2.3\n"
	 "  count 9\n"
	 "  dshield.targets 8\n"
	 "bad its first column is no address\n"},
	{0},
};

static const struct format dshield = {
	.name = "dshield",
	.summary = "DShield's networks to block, and its lists of sources",
	.reference = "block.txt and the daily sources of the SANS Internet Storm Center",
	.shape = FORMAT_LINES,
	.line = line,
	.specimens = specimens,
};
FORMAT(dshield);
