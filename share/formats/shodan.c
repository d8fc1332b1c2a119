/*
 * Shodan: what it heard on a port of a host.
 *
 * Its streams and downloads (`shodan download`, .json.gz) are one banner a line; a search wraps banners in
 * "matches", a host in "data".  A time has no zone and is UTC; a version is a string or a number; what is not
 * known is null or not there.  Years of banners are kept by those who study them, so that old spellings are read
 * as well: weaknesses as a list under "opts" (one with "!" was tested and is not there), the address as a number
 * alone.
 *
 * Lines come by the gigabyte: they are scanned where they lie, and nothing is built of them.
 */
#include "base/moment.h"
#include "share/reading/pick_inner.h"
#include "share/reading/words_inner.h"

FIELD(field_raw, "shodan.raw", BYTES, 0, "what was answered, in hex, where Shodan keeps it");
FIELD(field_hash, "shodan.hash", BYTES, 0, "Shodan's hash of the banner: equal ones say the same");
FIELD(field_device, "shodan.device", BYTES, 0, "kind of device, as Shodan judges it");
FIELD(field_server, "shodan.server", BYTES, 0, "Server of an HTTP answer");
FIELD(field_certificate, "shodan.certificate", BYTES, 0, "SHA-256 of the TLS certificate");
FIELD(field_subject, "shodan.subject", BYTES, 0, "common name in it");
FIELD(field_issuer, "shodan.issuer", BYTES, 0, "common name of who signed it");
FIELD(field_jarm, "shodan.jarm", BYTES, 0, "JARM of the TLS server");
FIELD(field_ssh_key, "shodan.ssh_key", BYTES, 0, "fingerprint of the SSH host key");
FIELD(field_hassh, "shodan.hassh", BYTES, 0, "HASSH of the SSH server");
FIELD(field_verified, "shodan.verified", BYTES, 0, "CVEs that Shodan tested, and the host has");
FIELD(field_crawler, "shodan.crawler", BYTES, 0, "the crawler that heard it: one vantage");

#define CONFIDENCE_HEARD 80
#define RAW_MAX 4096
#define VALUE_MAX (ADDRESS_TEXT_MAX + 8)

enum place {
	ADDRESS_TEXT, ADDRESS_NUMBER, ADDRESS_V6, PORT, TRANSPORT, TIMESTAMP, DATA, MATCHES, HASH, AS, ORGANISATION, PROVIDER,
	SYSTEM, HOSTNAMES, DOMAINS, PRODUCT, VERSION, CPE, CPE_23, WEAKNESSES, WEAKNESSES_OLD, TAGS, DEVICE, RAW, COUNTRY, CITY,
	ID, MODULE, CRAWLER, HTTP_TITLE, HTTP_SERVER, HTTP_STATUS, TITLE_OLD, CERTIFICATE, SUBJECT, ISSUER, JARM, SSH_KEY, HASSH,
	PLACES
};

static const struct pick location_picks[] = {PICK("country_code", COUNTRY), PICK("city", CITY), PICK_END};
static const struct pick own_picks[] = {PICK("id", ID), PICK("module", MODULE), PICK("crawler", CRAWLER), PICK_END};
static const struct pick opts_picks[] = {PICK("raw", RAW), PICK("vulns", WEAKNESSES_OLD), PICK_END};
static const struct pick http_picks[] = {PICK("title", HTTP_TITLE), PICK("server", HTTP_SERVER), PICK("status", HTTP_STATUS),
					 PICK_END};
static const struct pick digest_picks[] = {PICK("sha256", CERTIFICATE), PICK_END};
static const struct pick subject_picks[] = {PICK("CN", SUBJECT), PICK_END};
static const struct pick issuer_picks[] = {PICK("CN", ISSUER), PICK_END};
static const struct pick cert_picks[] = {PICK_WITHIN("fingerprint", digest_picks), PICK_WITHIN("subject", subject_picks),
					 PICK_WITHIN("issuer", issuer_picks), PICK_END};
static const struct pick ssl_picks[] = {PICK_WITHIN("cert", cert_picks), PICK("jarm", JARM), PICK_END};
static const struct pick ssh_picks[] = {PICK("fingerprint", SSH_KEY), PICK("hassh", HASSH), PICK_END};
static const struct pick banner_picks[] = {
	PICK("ip_str", ADDRESS_TEXT), PICK("ip", ADDRESS_NUMBER), PICK("ipv6", ADDRESS_V6), PICK("port", PORT),
	PICK("transport", TRANSPORT), PICK("timestamp", TIMESTAMP), PICK("data", DATA), PICK("matches", MATCHES), PICK("hash", HASH),
	PICK("asn", AS), PICK("org", ORGANISATION), PICK("isp", PROVIDER), PICK("os", SYSTEM), PICK("hostnames", HOSTNAMES),
	PICK("domains", DOMAINS), PICK("product", PRODUCT), PICK("version", VERSION), PICK("cpe", CPE), PICK("cpe23", CPE_23),
	PICK("vulns", WEAKNESSES), PICK("tags", TAGS), PICK("devicetype", DEVICE), PICK("device", DEVICE), PICK("title", TITLE_OLD),
	PICK_WITHIN("location", location_picks), PICK_WITHIN("_shodan", own_picks), PICK_WITHIN("opts", opts_picks),
	PICK_WITHIN("http", http_picks), PICK_WITHIN("ssl", ssl_picks), PICK_WITHIN("ssh", ssh_picks), PICK_END,
};

struct banner {
	struct intake *in;
	struct json_value places[PLACES];
	struct record record;
	char value[VALUE_MAX];
};

static void take_any(struct intake *, struct json_reader *);

static const struct json_value *place(const struct banner *b, enum place p) { return &b->places[p]; }
static struct bytes text(const struct banner *b, enum place p) { return pick_text(b->in, place(b, p)); }

static struct bytes either(const struct banner *b, enum place first, enum place second)
{
	struct bytes one = text(b, first);
	return one.len ? one : text(b, second);
}

static bool read_address(struct banner *b)
{
	struct address *a = &b->record.address;
	uint64_t number;
	if (address_parse(text(b, ADDRESS_TEXT), a) || address_parse(text(b, ADDRESS_V6), a))
		return true;
	if (place(b, ADDRESS_NUMBER)->type != VALUE_NUMBER || !json_whole(place(b, ADDRESS_NUMBER), UINT32_MAX, &number))
		return false;
	*a = address_v4((uint32_t)number);
	return true;
}

static void set_value(struct banner *b)
{
	struct writer w = writer_of(b->value, sizeof b->value);
	char address[ADDRESS_TEXT_MAX];
	address_format(&b->record.address, address);
	write_fmt(&w, address_is_v4(&b->record.address) ? "%s:%u" : "[%s]:%u", address, b->record.port);
	b->record.value = writer_bytes(&w);
}

static void set_proto(struct banner *b)
{
	struct bytes transport = text(b, TRANSPORT);
	record_text(&b->record, FIELD_PROTO, bytes_equal_text(transport, "tcp")   ? "tcp"
					     : bytes_equal_text(transport, "udp") ? "udp" : NULL);
}

static void set_as(struct banner *b)
{
	struct bytes as = text(b, AS);
	uint64_t number;
	size_t skip = bytes_start_with(as, "AS") ? 2 : 0;
	if (bytes_number((struct bytes){as.at + skip, as.len - skip}, UINT32_MAX, &number) && number)
		record_number(&b->record, word_as, number);
	record_bytes(&b->record, word_as_name, pick_cut(either(b, ORGANISATION, PROVIDER), RECORD_VALUE_MAX));
}

static bool is_verified(struct bytes details)
{
	static const struct pick picks[] = {PICK("verified", 0), PICK_END};
	struct json_reader j = json_of(details);
	struct json_value verified = {0};
	return json_enter(&j) && pick_read(&j, picks, &verified) && verified.type == VALUE_TRUE;
}

static void set_verified(struct banner *b)
{
	const struct json_value *all = place(b, WEAKNESSES);
	struct json_reader j = json_of(all->type == VALUE_OBJECT ? all->raw : (struct bytes){0});
	struct bytes name;
	struct json_value details;
	uint8_t *room = NULL;
	struct writer w = {0};
	for (bool in = json_enter(&j); in && json_next(&j, &name) && json_take(&j, &details);) {
		if (!is_verified(details.raw))
			continue;
		if (!room) {
			room = arena_alloc(intake_arena(b->in), RECORD_VALUE_MAX);
			w = writer_of(room, room ? RECORD_VALUE_MAX : 0);
		}
		if (writer_left(&w) > name.len) {
			write_text(&w, writer_used(&w) ? " " : "");
			write_span(&w, name);
		}
	}
	record_bytes(&b->record, field_verified, writer_bytes(&w));
}

/* The old list says by "!" that a weakness was looked for, and is not there. */
static struct bytes old_weaknesses(const struct banner *b)
{
	struct bytes all = pick_list(b->in, place(b, WEAKNESSES_OLD)), rest = all;
	uint8_t *room = all.len ? arena_alloc(intake_arena(b->in), all.len) : NULL;
	struct writer w = writer_of(room, room ? all.len : 0);
	while (rest.len && room) {
		struct bytes word = bytes_word(&rest);
		if (!word.len || word.at[0] == '!')
			continue;
		write_text(&w, writer_used(&w) ? " " : "");
		write_span(&w, word);
	}
	return writer_bytes(&w);
}

static void set_list(struct banner *b, uint16_t field, enum place first, enum place second)
{
	struct bytes one = pick_list(b->in, place(b, first));
	record_bytes(&b->record, field, pick_cut(one.len ? one : pick_list(b->in, place(b, second)), RECORD_VALUE_MAX));
}

static void set_text(struct banner *b, uint16_t field, enum place p)
{
	record_bytes(&b->record, field, pick_cut(text(b, p), RECORD_VALUE_MAX));
}

/* In order of what is missed most, since a record has RECORD_FIELDS_MAX of them. */
static void set_fields(struct banner *b)
{
	uint64_t status;
	set_proto(b);
	record_bytes(&b->record, FIELD_BANNER, pick_cut(text(b, DATA), RECORD_TEXT_MAX));
	set_text(b, word_class, MODULE);
	set_as(b);
	set_text(b, word_country, COUNTRY);
	set_text(b, word_product, PRODUCT);
	set_text(b, word_version, VERSION);
	set_text(b, word_os, SYSTEM);
	set_list(b, word_hosts, HOSTNAMES, DOMAINS);
	set_list(b, word_cpe, CPE, CPE_23);
	struct bytes old = old_weaknesses(b);
	record_bytes(&b->record, word_weaknesses, pick_cut(old.len ? old : pick_list(b->in, place(b, WEAKNESSES)), RECORD_TEXT_MAX));
	set_verified(b);
	set_text(b, field_device, DEVICE);
	set_text(b, word_city, CITY);
	if (json_whole(place(b, HTTP_STATUS), 999, &status))
		record_number(&b->record, FIELD_STATUS, status);
	set_text(b, field_server, HTTP_SERVER);
	set_text(b, field_certificate, CERTIFICATE);
	set_text(b, field_subject, SUBJECT);
	set_text(b, field_issuer, ISSUER);
	set_text(b, field_jarm, JARM);
	set_text(b, field_ssh_key, SSH_KEY);
	set_text(b, field_hassh, HASSH);
	set_text(b, field_hash, HASH);
	set_text(b, field_crawler, CRAWLER);
	record_bytes(&b->record, field_raw, pick_cut(text(b, RAW), RAW_MAX));
}

static void take_list(struct intake *in, const struct json_value *list)
{
	struct json_reader j = json_of(list->raw);
	take_any(in, &j);
}

/* A banner, or what wraps banners. */
static void take_object(struct intake *in, struct bytes whole, struct banner *b)
{
	uint64_t port = 0;
	const enum place list = place(b, MATCHES)->type == VALUE_ARRAY ? MATCHES : DATA;
	if (place(b, list)->type == VALUE_ARRAY) {
		take_list(in, place(b, list));
		return;
	}
	if (!read_address(b)) {
		intake_bad(in, "a banner has no address");
		return;
	}
	if (!json_whole(place(b, PORT), UINT16_MAX, &port)) {
		intake_bad(in, "a banner has no port");
		return;
	}
	struct record *r = &b->record;
	r->type = "endpoint";
	r->kind = "host.answered";
	r->has_address = true;
	r->port = (uint32_t)port;
	r->confidence = CONFIDENCE_HEARD;
	r->original = whole;
	r->id = text(b, ID);
	r->title = either(b, HTTP_TITLE, TITLE_OLD);
	r->labels = pick_list(in, place(b, TAGS));
	if (!moment_iso(text(b, TIMESTAMP), &r->time_us))
		r->time_us = 0;
	set_value(b);
	set_fields(b);
	intake_record(in, r);
}

static void take_any(struct intake *in, struct json_reader *j)
{
	struct json_value item;
	if (json_enter_array(j)) {
		while (json_item(j)) {
			if (json_peek(j) == VALUE_OBJECT)
				take_any(in, j);
			else if (json_take(j, &item))
				intake_bad(in, "an entry of a list is no banner");
		}
		return;
	}
	struct banner b = {.in = in};
	json_peek(j); /* past the white space */
	const uint8_t *start = j->at;
	if (json_enter(j) && pick_read(j, banner_picks, b.places))
		take_object(in, (struct bytes){start, (size_t)(j->at - start)}, &b);
}

static void take(struct intake *in, struct bytes content)
{
	struct json_reader j = json_of(content);
	const enum json_type type = json_peek(&j);
	if (type != VALUE_OBJECT && type != VALUE_ARRAY) {
		intake_bad(in, "it is no JSON object");
		return;
	}
	take_any(in, &j);
	if (!json_ended(&j))
		intake_bad(in, "%s", j.why);
}

static const struct format_specimen line_specimens[] = {
	{"a web server with weaknesses, one of them tested",
	 BYTES("{\"hash\":-1609083123,\"asn\":\"AS64496\",\"http\":{\"status\":200,\"title\":\"Caf\\u00e9\",\"server\":\"Boa/0.94\","
	       "\"html\":\"<b>\\\"</b>\"},\"os\":null,\"tags\":[\"ics\",\"self-signed\"],\"timestamp\":\"2021-02-02T20:01:23.456789\","
	       "\"isp\":\"Example Net\",\"transport\":\"tcp\",\"cpe\":[\"cpe:/a:boa:boa:0.94\"],\"_shodan\":{\"id\":\"7f1c\",\"module\":\"http\","
	       "\"crawler\":\"c1\",\"ptr\":true},\"hostnames\":[\"a.example\",\"b.example\"],\"location\":{\"city\":\"Taipei\","
	       "\"country_code\":\"TW\",\"longitude\":121.5},\"ip\":3325256709,\"domains\":[\"example\"],\"org\":null,"
	       "\"data\":\"HTTP/1.0 200 OK\\r\\nServer: Boa/0.94\\r\\n\\r\\n\",\"port\":80,\"ip_str\":\"198.51.100.5\",\"product\":\"Boa\","
	       "\"version\":0.94,\"vulns\":{\"CVE-2017-9833\":{\"verified\":true,\"cvss\":7.8},\"CVE-2021-33558\":{\"verified\":false}},"
	       "\"opts\":{\"raw\":\"485454\"}}\n"),
	 "endpoint 198.51.100.5:80\n  kind host.answered\n  id 7f1c\n  address 198.51.100.5\n  port 80\n  title Café\n"
	 "  labels ics self-signed\n  time 2021-02-02T20:01:23.456789Z\n  proto tcp\n"
	 "  banner HTTP/1.0 200 OK\\r\\nServer: Boa/0.94\\r\\n\\r\\n\n  record.class http\n  record.as 64496\n"
	 "  record.as_name Example Net\n  record.country TW\n  record.city Taipei\n  record.product Boa\n  record.version 0.94\n"
	 "  record.hosts a.example b.example\n  record.cpe cpe:/a:boa:boa:0.94\n  record.weaknesses CVE-2017-9833 CVE-2021-33558\n"
	 "  shodan.verified CVE-2017-9833\n  status 200\n  shodan.server Boa/0.94\n  shodan.hash -1609083123\n  shodan.crawler c1\n"
	 "  shodan.raw 485454\n"},
	{"a controller of 2015: the address as a number, weaknesses as a list, no id",
	 BYTES("{\"ip\":3405803785,\"port\":47808,\"transport\":\"udp\",\"timestamp\":\"2015-06-02T03:04:05.000001\",\"product\":\"BACnet\","
	       "\"data\":\"Instance ID: 1\\nObject Name: PLC\",\"opts\":{\"vulns\":[\"!CVE-2014-0160\",\"CVE-2015-1\"]},\"title\":null,"
	       "\"location\":{\"country_code\":\"TW\"}}\r\n"),
	 "endpoint 203.0.113.9:47808\n  kind host.answered\n  time 2015-06-02T03:04:05.000001Z\n  proto udp\n  record.product BACnet\n"
	 "  record.weaknesses CVE-2015-1\n  record.country TW\n"},
	{"of IPv6, with a certificate and a key",
	 BYTES("{\"ip_str\":\"2001:db8::5\",\"port\":443,\"data\":\"\",\"asn\":\"15169\",\"org\":\"Example\",\"ssl\":{\"jarm\":\"2ad\",\"cert\":"
	       "{\"subject\":{\"CN\":\"plc.example\"},\"issuer\":{\"CN\":\"CA\"},\"fingerprint\":{\"sha1\":\"aa\",\"sha256\":\"bb\"}}},"
	       "\"ssh\":{\"fingerprint\":\"01:02\",\"hassh\":\"cc\"}}\n"),
	 "endpoint [2001:db8::5]:443\n  record.as 15169\n  record.as_name Example\n  shodan.certificate bb\n  shodan.subject plc.example\n"
	 "  shodan.issuer CA\n  shodan.jarm 2ad\n  shodan.ssh_key 01:02\n  shodan.hassh cc\n"},
	{"a search and a host, which wrap banners",
	 BYTES("{\"total\":2,\"matches\":[{\"ip_str\":\"192.0.2.1\",\"port\":23},7,{\"ip_str\":\"192.0.2.2\",\"port\":502}]}\n"
	       "{\"ip_str\":\"192.0.2.3\",\"ports\":[21],\"data\":[{\"ip_str\":\"192.0.2.3\",\"port\":21,\"data\":\"220 x\\u0000\\ud83d\\ude00\"}]}\n"),
	 "endpoint 192.0.2.1:23\nbad an entry of a list is no banner\nendpoint 192.0.2.2:502\nendpoint 192.0.2.3:21\n"},
	{"what is none",
	 BYTES("{\"port\":80}\n{\"ip_str\":\"192.0.2.1\"}\n{\"ip_str\":\"192.0.2.1\",\"port\":70000}\nhello\n"
	       "{\"ip_str\":\"192.0.2.1\",\"port\":1,\"data\":\"cut\n{\"ip_str\":\"192.0.2.1\",\"port\":1} x\n"
	       "{\"ip_str\":\"192.0.2.9\",\"port\":9,\"transport\":\"sctp\",\"version\":null,\"timestamp\":\"now\"}"),
	 "bad a banner has no address\nbad a banner has no port\nbad a banner has no port\nbad it is no JSON object\n"
	 "bad the line ends within a string\nendpoint 192.0.2.1:1\nbad something follows\nendpoint 192.0.2.9:9\n"},
	{0},
};

static const struct format shodan = {
	.name = "shodan",
	.summary = "Shodan's banners, one a line, as streams and downloads have them",
	.reference = "Shodan, Banner Specification; datapedia.shodan.io",
	.shape = FORMAT_LINES,
	.line = take,
	.specimens = line_specimens,
};
FORMAT(shodan);

static const struct format_specimen search_specimens[] = {
	{"an answer of the API, over several lines",
	 BYTES("{\n  \"matches\": [\n    {\n      \"ip_str\": \"192.0.2.1\",\n      \"port\": 502,\n      \"data\": \"Unit ID: 1\"\n"
	       "    }\n  ],\n  \"total\": 1\n}\n"),
	 "endpoint 192.0.2.1:502\n  banner Unit ID: 1\n"},
	{"a list that is cut: what came before stands",
	 BYTES("[{\"ip_str\":\"192.0.2.1\",\"port\":502},\n{\"ip_str\":"), "endpoint 192.0.2.1:502\nbad the line ends within a value\n"},
	{0},
};

static const struct format shodan_search = {
	.name = "shodan-search",
	.summary = "an answer of Shodan's API: of a search of hosts, or of one host",
	.reference = "Shodan, REST API: /shodan/host/search, /shodan/host/{ip}",
	.shape = FORMAT_DOCUMENT,
	.document = take,
	.specimens = search_specimens,
};
FORMAT(shodan_search);
