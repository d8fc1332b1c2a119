/*
 * ThreatFox: servers, names, URLs and hashes that belong to malware, as CSV with 15 columns and ", " between them.
 */
#include "share/reading/abusech_inner.h"

static void line(struct intake *in, struct bytes text)
{
	static const char usual[] = "first_seen_utc,ioc_id,ioc_value,ioc_type,threat_type,fk_malware,malware_alias,malware_printable,"
				    "last_seen_utc,confidence_level,is_compromised,reference,tags,anonymous,reporter";
	abuse_take_line(in, text, usual, abuse_take_indicator);
}

static const struct format_specimen specimens[] = {
	{"each type of indicator",
	 BYTES("# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alia"
	       "s\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags"
	       "\",\"anonymous\",\"reporter\"\r\n\"2024-07-05 09:00:01\", \"1294001\", \"198.51.100.9:4443\", \"ip:port"
	       "\", \"botnet_cc\", \"elf.mirai\", \"Katana\", \"Mirai\", \"\", \"75\", \"False\", \"https://bazaar.abuse"
	       ".ch/sample/e3/\", \"mirai\", \"0\", \"abuse_ch\"\r\n\"2024-07-05 09:00:02\", \"1294002\", \"2001:db8::7:"
	       "443\", \"ip:port\", \"botnet_cc\", \"win.x\", \"None\", \"X\", \"2024-07-06 09:00:02\", \"100\", \"False"
	       "\", \"None\", \"\", \"1\", \"anonymous\"\r\n\"2024-07-05 09:00:03\", \"1294003\", \"Evil.Example.org\", "
	       "\"domain\", \"payload_delivery\", \"win.x\", \"\", \"X\", \"\", \"50\", \"False\", \"\", \"a,b\", \"0\","
	       " \"r\"\r\n\"2024-07-05 09:00:04\", \"1294004\", \"D41D8CD98F00B204E9800998ECF8427E\", \"md5_hash\", \"pa"
	       "yload\", \"win.x\", \"\", \"X\", \"\", \"50\", \"False\", \"\", \"\", \"0\", \"r\"\r\n\"2024-07-05 09:00"
	       ":05\", \"1294005\", \"198.51.100.9\", \"sha1_hash\", \"payload\", \"win.x\", \"\", \"X\", \"\", \"50\", "
	       "\"False\", \"\", \"\", \"0\", \"r\"\r\n"),
	 "endpoint 198.51.100.9:4443\n"
	 "  role command\n"
	 "  id 1294001\n"
	 "  labels mirai\n"
	 "  link https://bazaar.abuse.ch/sample/e3/\n"
	 "  record.family Mirai\n"
	 "  record.class botnet_cc\n"
	 "  port 4443\n"
	 "endpoint [2001:db8::7]:443\n"
	 "  address 2001:db8::7\n"
	 "  record.last 2024-07-06T09:00:02.000000Z\n"
	 "domain evil.example.org\n"
	 "  role download\n"
	 "  labels a b\n"
	 "hash d41d8cd98f00b204e9800998ecf8427e\n"
	 "bad \"198.51.100.9\" is no MD5\n"},
	{0},
};

static const struct format threatfox = {
	.name = "threatfox",
	.summary = "indicators of malware: endpoints, names, URLs, hashes, in CSV",
	.reference = "ThreatFox's exports in CSV",
	.shape = FORMAT_LINES,
	.line = line,
	.state_size = sizeof(struct csv_columns),
	.specimens = specimens,
};
FORMAT(threatfox);
