/*
 * URLhaus: URLs from which malware is spread, as CSV.  The header stands in a comment, and a column was inserted once.
 */
#include "share/reading/abusech_inner.h"

static void line(struct intake *in, struct bytes text)
{
	static const char usual[] = "id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter";
	abuse_take_line(in, text, usual, abuse_take_url);
}

static const struct format_specimen specimens[] = {
	{"with its header in a comment, and CRLF",
	 BYTES("################################################################\n# abuse.ch URLhaus Database Dump (CSV "
	       "- recent URLs)           #\r\n#\r\n# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,re"
	       "porter\r\n\"2901234\",\"2024-07-05 10:12:06\",\"http://198.51.100.7:41200/i\",\"online\",\"2024-07-05 11"
	       ":00:00\",\"malware_download\",\"32-bit,elf,mips,Mozi\",\"https://urlhaus.abuse.ch/url/2901234/\",\"lrz_u"
	       "rlhaus\"\r\n\"2901233\",\"2024-07-05 10:11:06\",\"https://bad-name.net/x,y.sh?q=\"\"1\"\"\",\"offline\","
	       "\"\",\"malware_download\",\"None\",\"https://urlhaus.abuse.ch/url/2901233/\",\"anonymous\"\r\n\"2901232"
	       "\",\"2024-07-05 10:11:00\",\"nothing\",\"offline\",\"\",\"malware_download\",\"\",\"https://urlhaus.abus"
	       "e.ch/url/2901232/\",\"a\"\r\n\"29\"01\"231\",\"not closed\r\n"),
	 "url http://198.51.100.7:41200/i\n"
	 "  role download\n"
	 "  id 2901234\n"
	 "  labels 32-bit elf mips Mozi online\n"
	 "  link https://urlhaus.abuse.ch/url/2901234/\n"
	 "  time 2024-07-05T10:12:06.000000Z\n"
	 "  address 198.51.100.7\n"
	 "  port 41200\n"
	 "  record.class malware_download\n"
	 "  record.last 2024-07-05T11:00:00.000000Z\n"
	 "url https://bad-name.net/x,y.sh?q=\"1\"\n"
	 "  labels offline\n"
	 "bad \"nothing\" is no URL\n"
	 "bad a quote is not closed\n"},
	{"older, without a header and without last_online",
	 BYTES("# id,dateadded,url,url_status,threat,tags,urlhaus_link,reporter\n\"1\",\"2018-03-05 10:12:06\",\"http://"
	       "203.0.113.8/a.exe\",\"offline\",\"malware_download\",\"exe\",\"https://urlhaus.abuse.ch/url/1/\",\"abuse"
	       "_ch\"\n"),
	 "url http://203.0.113.8/a.exe\n"
	 "  labels exe offline\n"
	 "  record.class malware_download\n"},
	{"no comment at all",
	 BYTES("\"5\",\"2024-07-05 10:12:06\",\"http://203.0.113.9/a\",\"online\",\"\",\"malware_download\",\"\",\"https"
	       "://urlhaus.abuse.ch/url/5/\",\"r\"\n"),
	 "url http://203.0.113.9/a\n"
	 "  id 5\n"},
	{0},
};

static const struct format urlhaus = {
	.name = "urlhaus",
	.summary = "URLs that spread malware, as abuse.ch lists them in CSV",
	.reference = "URLhaus's dumps: csv, csv_recent, csv_online",
	.shape = FORMAT_LINES,
	.line = line,
	.state_size = sizeof(struct csv_columns),
	.specimens = specimens,
};
FORMAT(urlhaus);
