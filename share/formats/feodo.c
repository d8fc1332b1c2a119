/*
 * Feodo Tracker: servers from which botnets take orders, as CSV, also the list of bare addresses.  Its JSON is read by
 * the format abusech.
 */
#include "share/reading/abusech_inner.h"

/* The list of bare addresses has one column, which is none of those. */
static void take_any(struct intake *in, const struct abuse *a)
{
	struct abuse b = *a;
	if (!b.words[ABUSE_ADDRESS].len) {
		b.words[ABUSE_ADDRESS] = bytes_trim(a->original);
		b.words[ABUSE_FIRST] = (struct bytes){0};
	}
	abuse_take_server(in, &b);
}

static void line(struct intake *in, struct bytes text)
{
	static const char usual[] = "first_seen_utc,dst_ip,dst_port,c2_status,last_online,malware";
	abuse_take_line(in, text, usual, take_any);
}

static const struct format_specimen specimens[] = {
	{"a server, and an address alone",
	 BYTES("# \"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n\"2021-01-17 07:"
	       "30:05\",\"198.51.100.12\",\"443\",\"online\",\"2024-07-05\",\"Dridex\"\n\"2021-01-17 07:30:05\",\"198.51"
	       ".100.12\",\"70000\",\"online\",\"2024-07-05\",\"Dridex\"\n203.0.113.77\n"),
	 "endpoint 198.51.100.12:443\n"
	 "  role command\n"
	 "  record.family Dridex\n"
	 "  labels online\n"
	 "  record.first 2021-01-17T07:30:05.000000Z\n"
	 "  record.last 2024-07-05T00:00:00.000000Z\n"
	 "bad \"198.51.100.12\" has no port\n"
	 "address 203.0.113.77\n"
	 "  role command\n"},
	{0},
};

static const struct format feodo = {
	.name = "feodo",
	.summary = "servers of botnets, in CSV or as bare addresses",
	.reference = "Feodo Tracker's blocklists",
	.shape = FORMAT_LINES,
	.line = line,
	.state_size = sizeof(struct csv_columns),
	.specimens = specimens,
};
FORMAT(feodo);
