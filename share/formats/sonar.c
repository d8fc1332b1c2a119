/*
 * Studies of the whole Internet in Project Sonar's formats.
 *
 * sonar-csv: answers to probes, "timestamp-ts, saddr, sport, daddr, dport, ipid, ttl, data": with spaces in the
 * header, and saddr is the host that was scanned, since the table is of what came back.  The answer is hex; without
 * that column it is a study of TCP, whose rows are SYN-ACKs.
 * sonar-json: older studies, {"vhost", "host", "port", "data"} in Base64, without a time.
 * sonar-fdns: names that were looked up, {"timestamp", "name", "type", "value"}, hundreds of millions of lines.
 */
#include "base/base64.h"
#include "share/reading/named_inner.h"
#include "share/reading/pick_inner.h"
#include "share/reading/rows_inner.h"

FIELD(field_vantage, "sonar.vantage", ADDRESS, 0, "address that the study scanned from");
FIELD(field_ipid, "sonar.ipid", NUMBER, 0, "identification of the answer's IP header");
FIELD(field_path, "sonar.path", BYTES, 0, "path that was asked for");
FIELD(dns_type, "dns.type", BYTES, 0, "type of a DNS record: A, AAAA, CNAME, …");
FIELD(dns_data, "dns.data", BYTES, 0, "what a DNS record says, a line each");

#define CONFIDENCE_HEARD 80

enum csv_place { TIME, HOST, HOST_PORT, VANTAGE, IPID, TTL, DATA, CSV_PLACES };

static const struct rows_word csv_words[] = {
	{"timestamp_ts", TIME}, {"timestamp", TIME}, {"saddr", HOST}, {"sport", HOST_PORT}, {"daddr", VANTAGE}, {"ipid", IPID},
	{"ttl", TTL}, {"data", DATA}, {NULL, 0},
};

struct csv {
	struct rows rows;
	bool of_answers; /* the table has a column of data: a study over UDP */
};

static int digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Up to what a record holds; empty: it is no hex. */
static struct bytes unhexed(struct intake *in, struct bytes hex)
{
	size_t n = hex.len / 2 < RECORD_TEXT_MAX ? hex.len / 2 : RECORD_TEXT_MAX;
	uint8_t *room = hex.len % 2 ? NULL : arena_alloc(intake_arena(in), n);
	for (size_t i = 0; room && i < n; i++) {
		int high = digit(hex.at[2 * i]), low = digit(hex.at[2 * i + 1]);
		if (high < 0 || low < 0)
			return (struct bytes){0};
		room[i] = (uint8_t)(high << 4 | low);
	}
	return (struct bytes){room, room ? n : 0};
}

static void add_number(struct record *r, uint16_t field, struct bytes cell, uint64_t max)
{
	uint64_t number;
	if (cell_number(cell, max, &number))
		record_number(r, field, number);
}

static bool has_column(const struct rows *rows, const char *name)
{
	for (size_t i = 0; i < rows->count; i++)
		if (bytes_equal_text(rows_name(rows, i), name))
			return true;
	return false;
}

static void csv_line(struct intake *in, struct bytes text)
{
	struct csv *csv = intake_state(in);
	struct bytes cells[CSV_PLACES];
	const bool first = !csv->rows.begun;
	uint64_t port;
	struct address vantage;
	bool row = rows_take(&csv->rows, in, text, csv_words, cells, CSV_PLACES);
	if (first)
		csv->of_answers = has_column(&csv->rows, "data");
	if (!row)
		return;
	struct record r = {.kind = "host.answered", .confidence = CONFIDENCE_HEARD, .original = text};
	const char *wrong = cell_number(cells[HOST_PORT], UINT16_MAX, &port) ? named_set_at(in, &r, cells[HOST], port) : "has no port";
	struct bytes answer = unhexed(in, cells[DATA]);
	if (!wrong && cells[DATA].len && !answer.len)
		wrong = "answered something that is no hex";
	if (wrong) {
		intake_bad(in, "\"%.*s\" %s", (int)(cells[HOST].len < 60 ? cells[HOST].len : 60), (const char *)cells[HOST].at, wrong);
		return;
	}
	if (!cell_time(cells[TIME], 0, &r.time_us))
		r.time_us = 0;
	record_text(&r, FIELD_PROTO, csv->of_answers ? "udp" : "tcp");
	record_bytes(&r, FIELD_BANNER, answer);
	add_number(&r, FIELD_TCP_TTL, cells[TTL], 255);
	add_number(&r, field_ipid, cells[IPID], UINT16_MAX);
	if (address_parse(cells[VANTAGE], &vantage))
		record_address(&r, field_vantage, &vantage);
	intake_record(in, &r);
}

static void csv_end(struct intake *in)
{
	struct csv *csv = intake_state(in);
	rows_end(&csv->rows, in);
}

/* True: the line is one object whose members are in their places. */
static bool read_object(struct intake *in, struct bytes line, const struct pick *picks, struct json_value *places)
{
	struct json_reader j = json_of(line);
	if (!json_enter(&j)) {
		intake_bad(in, "it is no JSON object");
		return false;
	}
	pick_read(&j, picks, places);
	if (json_ended(&j))
		return true;
	intake_bad(in, "%s", j.why);
	return false;
}

enum json_place { J_HOST, J_IP, J_PORT, J_DATA, J_VHOST, J_PATH, J_TIME, J_PLACES };

static const struct pick json_picks[] = {
	PICK("host", J_HOST), PICK("ip", J_IP), PICK("port", J_PORT), PICK("data", J_DATA), PICK("vhost", J_VHOST),
	PICK("path", J_PATH), PICK("timestamp", J_TIME), PICK("ts", J_TIME), PICK_END,
};

static void json_line_read(struct intake *in, struct bytes line)
{
	struct json_value v[J_PLACES] = {0};
	uint64_t port = 0;
	if (!read_object(in, line, json_picks, v))
		return;
	struct record r = {.kind = "host.answered", .confidence = CONFIDENCE_HEARD, .original = line};
	struct bytes data = pick_text(in, &v[J_DATA]), host = pick_text(in, &v[v[J_IP].raw.len ? J_IP : J_HOST]);
	if (v[J_PORT].raw.len && !json_whole(&v[J_PORT], UINT16_MAX, &port)) {
		intake_bad(in, "a port is none");
		return;
	}
	const char *wrong = named_set_at(in, &r, host, port);
	uint8_t *room = arena_alloc(intake_arena(in), data.len / 4 * 3 + 3);
	struct writer w = writer_of(room, room ? data.len / 4 * 3 + 3 : 0);
	if (!wrong && !base64_decode_whole(data, &w))
		wrong = "answered something that is no Base64";
	if (wrong) {
		intake_bad(in, "\"%.*s\" %s", (int)(host.len < 60 ? host.len : 60), (const char *)host.at, wrong);
		return;
	}
	if (!cell_time(pick_text(in, &v[J_TIME]), 0, &r.time_us))
		r.time_us = 0;
	record_text(&r, FIELD_PROTO, "tcp");
	record_bytes(&r, FIELD_BANNER, pick_cut(writer_bytes(&w), RECORD_TEXT_MAX));
	record_bytes(&r, FIELD_HOST_NAME, pick_cut(pick_text(in, &v[J_VHOST]), RECORD_VALUE_MAX));
	record_bytes(&r, field_path, pick_cut(pick_text(in, &v[J_PATH]), RECORD_VALUE_MAX));
	intake_record(in, &r);
}

enum fdns_place { F_TIME, F_NAME, F_TYPE, F_VALUE, F_PLACES };

static const struct pick fdns_picks[] = {PICK("timestamp", F_TIME), PICK("name", F_NAME), PICK("type", F_TYPE),
					 PICK("value", F_VALUE), PICK_END};

static void fdns_line(struct intake *in, struct bytes line)
{
	struct json_value v[F_PLACES] = {0};
	if (!read_object(in, line, fdns_picks, v))
		return;
	struct record r = {.type = "name", .confidence = CONFIDENCE_HEARD, .original = line, .value = pick_text(in, &v[F_NAME])};
	struct bytes type = pick_text(in, &v[F_TYPE]), value = pick_text(in, &v[F_VALUE]);
	if (!r.value.len || !type.len) {
		intake_bad(in, "it names no record of DNS");
		return;
	}
	r.version = value; /* a name has many records */
	r.has_address = address_parse(value, &r.address);
	if (!cell_time(pick_text(in, &v[F_TIME]), 0, &r.time_us))
		r.time_us = 0;
	record_bytes(&r, dns_type, pick_cut(type, RECORD_VALUE_MAX));
	record_bytes(&r, dns_data, pick_cut(value, RECORD_VALUE_MAX));
	intake_record(in, &r);
}

static const struct format_specimen csv_specimens[] = {
	{"a study over UDP, with spaces in the header",
	 BYTES("timestamp-ts, saddr, sport, daddr, dport, ipid, ttl, data\n"
	       "1433239445, 203.0.113.9, 47808, 192.0.2.250, 40000, 7, 111, 810a0011\n"
	       "1433239445.5,198.51.100.5,161,192.0.2.250,40000,0,48,\n1433239446,203.0.113.9,47808,192.0.2.250,40000,7,111,81x\n"
	       "1433239446,203.0.113.9,,192.0.2.250,40000,7,111,81\n1433239446,nobody,1,192.0.2.250,40000,7,111,81\n"),
	 "endpoint 203.0.113.9:47808\n  kind host.answered\n  time 2015-06-02T10:04:05.000000Z\n  proto udp\n  tcp.ttl 111\n"
	 "  sonar.ipid 7\n  sonar.vantage 192.0.2.250\nendpoint 198.51.100.5:161\n  tcp.ttl 48\n  time 2015-06-02T10:04:05.500000Z\n"
	 "bad \"203.0.113.9\" answered something that is no hex\nbad \"203.0.113.9\" has no port\nbad \"nobody\" is no address\n"},
	{"a study of TCP", BYTES("timestamp_ts,saddr,sport,daddr,dport,ipid,ttl\n1433239445,203.0.113.9,502,192.0.2.250,1,0,50\n"),
	 "endpoint 203.0.113.9:502\n  proto tcp\n  tcp.ttl 50\n"},
	{0},
};

static const struct format sonar_csv = {
	.name = "sonar-csv",
	.summary = "answers to probes of the whole Internet, as Project Sonar's CSV has them",
	.reference = "Rapid7, Project Sonar: UDP and TCP studies",
	.shape = FORMAT_LINES,
	.line = csv_line,
	.end = csv_end,
	.state_size = sizeof(struct csv),
	.specimens = csv_specimens,
};
FORMAT(sonar_csv);

static const struct format_specimen json_specimens[] = {
	{"a page, and what is none",
	 BYTES("{\"vhost\":\"www.example\",\"host\":\"203.0.113.9\",\"port\":80,\"path\":\"/\",\"data\":\"SFRUUC8xLjAgMjAwIE9L\"}\n"
	       "{\"host\":\"203.0.113.9\",\"data\":\"%%\"}\n{\"host\":\"www\",\"data\":\"\"}\n[]\n{\"host\":\"203.0.113.9\",\"data\":\"\"\n"),
	 "endpoint 203.0.113.9:80\n  banner HTTP/1.0 200 OK\n  request.host www.example\n  sonar.path /\n"
	 "bad \"203.0.113.9\" answered something that is no Base64\nbad \"www\" is no address\nbad it is no JSON object\n"
	 "bad neither a comma nor the end\n"},
	{0},
};

static const struct format sonar_json = {
	.name = "sonar-json",
	.summary = "pages and greetings of the whole Internet, as Project Sonar's older JSON has them",
	.reference = "Rapid7, Project Sonar: HTTP and TLS studies",
	.shape = FORMAT_LINES,
	.line = json_line_read,
	.specimens = json_specimens,
};
FORMAT(sonar_json);

static const struct format_specimen fdns_specimens[] = {
	{"addresses of a name, an alias, and none",
	 BYTES("{\"timestamp\":\"1433239445\",\"name\":\"a.example\",\"type\":\"a\",\"value\":\"203.0.113.9\"}\n"
	       "{\"timestamp\":\"1433239445\",\"name\":\"a.example\",\"type\":\"a\",\"value\":\"203.0.113.10\"}\n"
	       "{\"timestamp\":1433239446,\"name\":\"b.example\",\"type\":\"cname\",\"value\":\"a.example\"}\n{\"name\":\"c.example\"}\n"),
	 "name a.example\n  address 203.0.113.9\n  dns.type a\n  dns.data 203.0.113.9\n  time 2015-06-02T10:04:05.000000Z\n"
	 "name a.example\n  address 203.0.113.10\nname b.example\n  dns.type cname\n  dns.data a.example\nbad it names no record\n"},
	{0},
};

static const struct format sonar_fdns = {
	.name = "sonar-fdns",
	.summary = "names of the whole Internet and what they stand for, as Project Sonar's Forward DNS has them",
	.reference = "Rapid7, Project Sonar: FDNS",
	.shape = FORMAT_LINES,
	.line = fdns_line,
	.specimens = fdns_specimens,
};
FORMAT(sonar_fdns);
