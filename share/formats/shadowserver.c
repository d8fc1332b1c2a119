/*
 * Shadowserver's reports: CSV, one kind of observation a file, over 150 kinds.
 *
 * Two families: reports of hosts ("ip", "port": what a scan found open) and of events ("src_ip" did something to
 * "dst_ip").  Columns are inserted and dropped over the years, so that all are found by name; what a report is of
 * stands in the name of its file only, YYYY-MM-DD-TYPE-WHOSE.csv.  Times are UTC.
 *
 * An event of a sinkhole says that its source is infected, one of a honeypot that it attacks.  What Shadowserver hides
 * (dst_ip is often empty) stays hidden.
 */
#include "share/reading/named_inner.h"
#include "share/reading/rows_inner.h"
#include "share/reading/words_inner.h"

FIELD(field_severity, "shadowserver.severity", BYTES, 0, "critical, high, medium, low or info");
FIELD(field_sector, "shadowserver.sector", BYTES, 0, "sector of the source's owner");
FIELD(field_application, "shadowserver.application", BYTES, 0, "protocol or program of the event");
FIELD(field_origin, "shadowserver.source", BYTES, 0, "who observed it for Shadowserver");

#define CONFIDENCE_REPORTED 90
#define DATE_BYTES 11 /* "2024-05-01-" */

enum place {
	TIME, PROTOCOL, HOST, HOST_PORT, SOURCE, SOURCE_PORT, AS, AS_NAME, COUNTRY, CITY, HOST_NAME, SECTOR, TARGET, TARGET_PORT,
	TAG, SEVERITY, FAMILY, APPLICATION, VERSION, EVENT, VENDOR, TYPE, MODEL, ORIGIN, BANNER, STATUS, URL, METHOD, HTTP_HOST,
	AGENT, USER, SECRET, FILE_LINK, FILE_MD5, FILE_SHA256, SYSTEM, CPE, WEAKNESS, TITLE, PLACES
};

static const struct rows_word words[] = {
	{"timestamp", TIME}, {"protocol", PROTOCOL}, {"ip", HOST}, {"port", HOST_PORT}, {"src_ip", SOURCE},
	{"src_port", SOURCE_PORT}, {"asn", AS}, {"src_asn", AS}, {"as_name", AS_NAME}, {"asn_name", AS_NAME}, {"geo", COUNTRY},
	{"src_geo", COUNTRY}, {"city", CITY}, {"src_city", CITY}, {"hostname", HOST_NAME}, {"src_hostname", HOST_NAME},
	{"sector", SECTOR}, {"src_sector", SECTOR}, {"dst_ip", TARGET}, {"dst_port", TARGET_PORT}, {"tag", TAG},
	{"severity", SEVERITY}, {"infection", FAMILY}, {"family", FAMILY}, {"malware", FAMILY}, {"application", APPLICATION},
	{"service", APPLICATION}, {"version", VERSION}, {"device_version", VERSION}, {"event_id", EVENT},
	{"device_vendor", VENDOR}, {"vendor", VENDOR}, {"device_type", TYPE}, {"device_model", MODEL}, {"product", MODEL},
	{"public_source", ORIGIN}, {"source", ORIGIN}, {"banner", BANNER}, {"raw_banner", BANNER}, {"sysdesc", BANNER},
	{"http_code", STATUS}, {"http_status", STATUS}, {"url", URL}, {"http_url", URL}, {"http_request_method", METHOD},
	{"http_host", HTTP_HOST}, {"http_agent", AGENT}, {"user_agent", AGENT}, {"username", USER}, {"password", SECRET},
	{"payload_url", FILE_LINK}, {"payload_md5", FILE_MD5}, {"md5", FILE_MD5}, {"md5hash", FILE_MD5}, {"sha256", FILE_SHA256},
	{"os", SYSTEM}, {"os_name", SYSTEM}, {"cpe", CPE}, {"cve", WEAKNESS}, {"title", TITLE}, {"http_title", TITLE}, {NULL, 0},
};

/* What a report's type says of the kind of thing; the first that it holds counts. */
static const struct { const char *part, *kind; } kinds[] = {
	{"brute_force", "login.tried"}, {"darknet", "scan.seen"}, {"ddos_amp", "reflection.seen"}, {"honeypot_ddos", "reflection.seen"},
	{"sinkhole_http", "request.seen"}, {"http_scan", "request.seen"}, {"sinkhole", "session.opened"}, {"honeypot", "session.opened"},
	{"scan_", "host.answered"}, {"device_id", "host.answered"}, {"compromised", "host.answered"}, {"vulnerable", "exposure.found"},
};

/* TYPE of YYYY-MM-DD-TYPE-WHOSE.csv; empty where the file is called otherwise. */
static struct bytes type_of(const char *file)
{
	struct bytes rest = bytes_of_text(file);
	if (rest.len <= DATE_BYTES || rest.at[4] != '-' || rest.at[7] != '-' || rest.at[10] != '-')
		return (struct bytes){0};
	rest = (struct bytes){rest.at + DATE_BYTES, rest.len - DATE_BYTES};
	rest.len = bytes_find(rest, "-");
	rest.len = bytes_find(rest, ".");
	return rest;
}

static const char *kind_of(struct bytes type, const struct bytes *cells)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (bytes_find(type, kinds[i].part) < type.len)
			return kinds[i].kind;
	if (cells[HOST].len)
		return "host.answered";
	return cells[USER].len || cells[SECRET].len ? "login.tried" : cells[URL].len || cells[AGENT].len ? "request.seen" : NULL;
}

static void add_number(struct record *r, uint16_t field, struct bytes cell, uint64_t max)
{
	uint64_t number;
	if (cell_number(cell, max, &number))
		record_number(r, field, number);
}

static void add_who(struct record *r, const struct bytes *cells)
{
	add_number(r, word_as, cells[AS], UINT32_MAX);
	record_bytes(r, word_as_name, cells[AS_NAME]);
	record_bytes(r, word_country, cells[COUNTRY]);
	record_bytes(r, word_city, cells[CITY]);
	record_bytes(r, word_hosts, cells[HOST_NAME]);
	record_bytes(r, field_sector, cells[SECTOR]);
	record_bytes(r, field_severity, cells[SEVERITY]);
	record_bytes(r, field_origin, cells[ORIGIN]);
}

static void add_what(struct record *r, const struct bytes *cells)
{
	record_text(r, FIELD_PROTO, cell_proto(cells[PROTOCOL]));
	record_bytes(r, word_family, cells[FAMILY]);
	record_bytes(r, field_application, cells[APPLICATION]);
	record_bytes(r, word_vendor, cells[VENDOR]);
	record_bytes(r, word_product, cells[MODEL].len ? cells[MODEL] : cells[TYPE]);
	record_bytes(r, word_version, cells[VERSION]);
	record_bytes(r, word_os, cells[SYSTEM]);
	record_bytes(r, word_cpe, cells[CPE]);
	record_bytes(r, word_weaknesses, cells[WEAKNESS]);
	record_bytes(r, FIELD_BANNER, cells[BANNER]);
	add_number(r, FIELD_STATUS, cells[STATUS], 999);
}

static void add_deed(struct intake *in, struct record *r, const struct bytes *cells)
{
	struct address target;
	if (address_parse(cells[TARGET], &target))
		record_address(r, FIELD_DST, &target);
	add_number(r, FIELD_SPORT, cells[SOURCE_PORT], UINT16_MAX);
	record_bytes(r, FIELD_LOGIN_USER, cells[USER]);
	record_bytes(r, FIELD_LOGIN_SECRET, cells[SECRET]);
	record_bytes(r, FIELD_METHOD, cells[METHOD]);
	record_bytes(r, FIELD_TARGET, cells[URL]);
	record_bytes(r, FIELD_HOST_NAME, cells[HTTP_HOST]);
	record_bytes(r, FIELD_AGENT, cells[AGENT]);
	record_bytes(r, FIELD_FILE_URL, cells[FILE_LINK]);
	struct record hash = {0};
	if (cells[FILE_SHA256].len == 64 && !named_set(in, &hash, NAMED_HASH, cells[FILE_SHA256]))
		record_bytes(r, FIELD_FILE_SHA256, hash.value);
	if (cells[FILE_MD5].len) {
		struct bytes room = {arena_alloc(intake_arena(in), cells[FILE_MD5].len + 4), 0};
		struct writer w = writer_of((void *)(uintptr_t)room.at, room.at ? cells[FILE_MD5].len + 4 : 0);
		write_text(&w, "md5:");
		write_span(&w, cells[FILE_MD5]);
		record_bytes(r, word_digests, writer_bytes(&w));
	}
}

static void line(struct intake *in, struct bytes text)
{
	struct bytes cells[PLACES];
	uint64_t port = 0;
	if (!rows_take(intake_state(in), in, text, words, cells, PLACES))
		return;
	const struct bytes type = type_of(intake_file(in)), who = cells[HOST].len ? cells[HOST] : cells[SOURCE];
	const bool host = cells[HOST].len > 0;
	struct record r = {.confidence = CONFIDENCE_REPORTED, .id = cells[EVENT], .labels = cells[TAG], .title = cells[TITLE],
			   .original = text, .kind = kind_of(type, cells)};
	const struct bytes place = host ? cells[HOST_PORT] : cells[TARGET_PORT];
	if (place.len && !cell_number(place, UINT16_MAX, &port)) {
		intake_bad(in, "a port is none: %.*s", (int)(place.len < 40 ? place.len : 40), (const char *)place.at);
		return;
	}
	const char *wrong = named_set_at(in, &r, who, host ? port : 0);
	if (wrong) {
		intake_bad(in, "\"%.*s\" %s", (int)(who.len < 60 ? who.len : 60), (const char *)who.at, wrong);
		return;
	}
	r.port = (uint32_t)port;
	if (!cell_time(cells[TIME], 0, &r.time_us))
		r.time_us = 0;
	record_bytes(&r, word_class, type);
	add_what(&r, cells);
	if (!host)
		add_deed(in, &r, cells);
	add_who(&r, cells);
	intake_record(in, &r);
}

static void end(struct intake *in) { rows_end(intake_state(in), in); }

static const struct format_specimen specimens[] = {
	{"a scan of hosts, with a column that was not there before",
	 BYTES("\"timestamp\",\"severity\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"region\",\"city\",\"naics\",\"brand_new\","
	       "\"sector\",\"device_vendor\",\"device_type\",\"device_model\",\"device_version\"\r\n"
	       "\"2024-05-01 00:03:04\",high,\"198.51.100.7\",tcp,502,\"plc.example\",\"ics;modbus\",64496,TW,TAIPEI,TAIPEI,0,x,"
	       "\"Utilities, energy\",Siemens,ics,\"S7-\"\"1200\"\"\",4.2\r\n"),
	 "endpoint 198.51.100.7:502\n  kind host.answered\n  time 2024-05-01T00:03:04.000000Z\n  labels ics;modbus\n  proto tcp\n"
	 "  record.as 64496\n  record.country TW\n  record.city TAIPEI\n  record.hosts plc.example\n  record.vendor Siemens\n"
	 "  record.product S7-\"1200\"\n  record.version 4.2\n  shadowserver.severity high\n  shadowserver.sector Utilities, energy\n"},
	{"events of a sinkhole and of a honeypot, one file behind the other",
	 BYTES("timestamp,protocol,src_ip,src_port,src_asn,src_geo,dst_ip,dst_port,public_source,infection,tag,http_agent,url,event_id\n"
	       "2024-05-01 00:00:01,tcp,203.0.113.5,4711,64500,JP,192.0.2.1,80,partner,avalanche,,\"Mozilla/5.0 (X; \"\"y\"\")\",/gate.php,e1\n"
	       "timestamp,protocol,src_ip,src_port,src_asn,src_geo,dst_ip,dst_port,public_source,infection,tag,http_agent,url,event_id\n"
	       "2024-05-01 00:00:02,udp,2001:db8::7,53,64500,JP,,5060,,,,,,e2\n"),
	 "address 203.0.113.5\n  kind request.seen\n  id e1\n  port 80\n  sport 4711\n  dst 192.0.2.1\n  record.family avalanche\n"
	 "  request.agent Mozilla/5.0 (X; \"y\")\n  request.target /gate.php\n  shadowserver.source partner\n"
	 "address 2001:db8::7\n  id e2\n  port 5060\n  proto udp\n"},
	{"a banner over two lines, and a quote that never ends",
	 BYTES("timestamp,ip,port,banner\n2024-05-01 00:00:01,192.0.2.1,21,\"220 x\n530 y\"\n2024-05-01 00:00:02,192.0.2.2,21,\"220 z\n"
	       "2024-05-01 00:00:03,192.0.2.3,21,220\n2024-05-01 00:00:04,192.0.2.4,21\n2024-05-01 00:00:04,here,21,x\n"
	       "2024-05-01 00:00:04,192.0.2.4,99999,x\n"),
	 "endpoint 192.0.2.1:21\n  banner 220 x\\n530 y\nbad a quote that opens 1 lines before\nendpoint 192.0.2.3:21\n"
	 "bad it has 3 columns\nbad \"here\" is no address\nbad a port is none: 99999\n"},
	{"no report", BYTES("hello\nworld\n"), "bad the header names no column\nbad no header says\n"},
	{0},
};

static const struct format shadowserver = {
	.name = "shadowserver",
	.summary = "Shadowserver's reports, any of them: of hosts or of events, columns found by name",
	.reference = "The Shadowserver Foundation, reports in CSV: event4, scan and device_id families",
	.shape = FORMAT_LINES,
	.line = line,
	.end = end,
	.state_size = sizeof(struct rows),
	.specimens = specimens,
};
FORMAT(shadowserver);
