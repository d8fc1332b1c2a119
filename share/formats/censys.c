/*
 * Censys: what it heard on the ports of hosts, as its Search API of version 2 answers: {"code", "status", "result"} with
 * a host or "hits" of hosts, or hosts alone, one behind the other.  A service is a record of its own; what is known of
 * the whole host stands in each.
 */
#include "share/reading/json_inner.h"
#include "share/reading/named_inner.h"
#include "share/reading/words_inner.h"

FIELD(field_vantage, "censys.vantage", BYTES, 0, "network that it looked from");
FIELD(field_certificate, "censys.certificate", BYTES, 0, "SHA-256 of the TLS certificate");
FIELD(field_subject, "censys.subject", BYTES, 0, "subject of it");
FIELD(field_issuer, "censys.issuer", BYTES, 0, "who signed it");
FIELD(field_jarm, "censys.jarm", BYTES, 0, "JARM of the TLS server");
FIELD(field_server, "censys.server", BYTES, 0, "Server of an HTTP answer");
FIELD(field_key, "censys.ssh_key", BYTES, 0, "SHA-256 of the SSH host key");
FIELD(field_prefix, "censys.prefix", BYTES, 0, "prefix that the host's AS announces");

#define CONFIDENCE_HEARD 80
#define SERVICES_MAX 65536
#define HITS_MAX 100000

static struct bytes cut(struct bytes b) { return (struct bytes){b.at, b.len < RECORD_VALUE_MAX ? b.len : RECORD_VALUE_MAX}; }

/* The member that a path of names leads to; NULL: it ends before. */
static const json_t *at_path(const json_t *value, const char *const *path)
{
	for (; value && *path; path++)
		value = json_object_get(value, *path);
	return value;
}

#define AT(value, ...) at_path(value, (const char *const[]){__VA_ARGS__, NULL})

static void add_text(struct record *r, uint16_t field, const json_t *value) { record_bytes(r, field, cut(json_span(value))); }

static void add_host(struct intake *in, struct record *r, const json_t *host)
{
	const json_t *as = AT(host, "autonomous_system");
	uint64_t number = json_count(as, "asn");
	if (number && number <= UINT32_MAX)
		record_number(r, word_as, number);
	add_text(r, word_as_name, AT(as, "name"));
	add_text(r, field_prefix, AT(as, "bgp_prefix"));
	add_text(r, word_country, AT(host, "location", "country_code"));
	add_text(r, word_city, AT(host, "location", "city"));
	struct bytes names = json_words(in, AT(host, "dns", "names"));
	record_bytes(r, word_hosts, cut(names.len ? names : json_words(in, AT(host, "dns", "reverse_dns", "names"))));
	struct bytes system = json_text(AT(host, "operating_system"), "product");
	record_bytes(r, word_os, cut(system));
}

/* Of several programs the first is named in full; CPEs are of all. */
static void add_software(struct intake *in, struct record *r, const json_t *service)
{
	const json_t *list = AT(service, "software"), *first = json_array_get(list, 0), *one;
	struct phrase names = phrase_of(in);
	size_t i;
	add_text(r, word_vendor, AT(first, "vendor"));
	add_text(r, word_product, AT(first, "product"));
	add_text(r, word_version, AT(first, "version"));
	json_array_foreach(list, i, one)
		phrase_add(&names, json_text(one, "uniform_resource_identifier"));
	record_bytes(r, word_cpe, cut(phrase_bytes(&names)));
}

static void add_keys(struct record *r, const json_t *service)
{
	const json_t *leaf = AT(service, "tls", "certificates", "leaf_data");
	add_text(r, field_certificate, AT(leaf, "fingerprint"));
	add_text(r, field_subject, AT(leaf, "subject_dn"));
	add_text(r, field_issuer, AT(leaf, "issuer_dn"));
	add_text(r, field_jarm, AT(service, "jarm", "fingerprint"));
	add_text(r, field_key, AT(service, "ssh", "server_host_key", "fingerprint_sha256"));
	const json_t *server = AT(service, "http", "response", "headers", "Server");
	add_text(r, field_server, json_is_array(server) ? json_array_get(server, 0) : server);
	uint64_t status = json_count(AT(service, "http", "response"), "status_code");
	if (status && status <= 999)
		record_number(r, FIELD_STATUS, status);
}

static const char *transport(struct bytes word)
{
	return bytes_equal_nocase(word, "TCP") ? "tcp" : bytes_equal_nocase(word, "UDP") || bytes_equal_nocase(word, "QUIC") ? "udp" : NULL;
}

static void take_service(struct intake *in, const json_t *host, struct bytes ip, const json_t *service)
{
	struct record r = {.kind = "host.answered", .confidence = CONFIDENCE_HEARD};
	const char *wrong = json_is_object(service) ? named_set_at(in, &r, ip, json_count(service, "port")) : "has a service that is none";
	if (wrong) {
		intake_bad(in, "\"%.*s\" %s", (int)(ip.len < 60 ? ip.len : 60), (const char *)ip.at, wrong);
		return;
	}
	r.title = json_span(AT(service, "http", "response", "html_title"));
	r.labels = json_words(in, json_object_get(service, "labels"));
	r.labels = r.labels.len ? r.labels : json_words(in, json_object_get(host, "labels"));
	r.time_us = json_time(service, "observed_at");
	r.time_us = r.time_us ? r.time_us : json_time(host, "last_updated_at");
	r.original = json_line(in, service);
	struct bytes banner = json_text(service, "banner"), extended = json_text(service, "extended_service_name");
	record_text(&r, FIELD_PROTO, transport(json_text(service, "transport_protocol")));
	record_bytes(&r, FIELD_BANNER, (struct bytes){banner.at, banner.len < RECORD_TEXT_MAX ? banner.len : RECORD_TEXT_MAX});
	record_bytes(&r, word_class, cut(extended.len ? extended : json_text(service, "service_name")));
	add_software(in, &r, service);
	add_host(in, &r, host);
	add_keys(&r, service);
	add_text(&r, field_vantage, AT(service, "perspective_id"));
	intake_record(in, &r);
}

static void take_host(struct intake *in, const json_t *host)
{
	const json_t *services = json_object_get(host, "services"), *service;
	struct bytes ip = json_text(host, "ip");
	size_t i;
	if (!ip.len || !json_is_array(services)) {
		intake_bad(in, "a host has an address and services");
		return;
	}
	json_array_foreach(services, i, service) {
		if (i == SERVICES_MAX)
			break;
		take_service(in, host, ip, service);
	}
}

static void take(struct intake *in, const json_t *value)
{
	const json_t *result = json_object_get(value, "result"), *hits, *host;
	uint64_t code = json_count(value, "code");
	size_t i;
	if (code >= 400) {
		struct bytes why = json_text(value, "error");
		intake_bad(in, "it is no answer but an error: %llu %.*s", (unsigned long long)code,
			   (int)(why.len < 100 ? why.len : 100), (const char *)why.at);
		return;
	}
	result = result ? result : value;
	hits = json_is_array(result) ? result : json_object_get(result, "hits");
	if (!json_is_array(hits))
		take_host(in, result);
	json_array_foreach(hits, i, host) {
		if (i == HITS_MAX) {
			intake_bad(in, "more than %d hosts; the rest was not read", HITS_MAX);
			break;
		}
		take_host(in, host);
	}
}

static void document(struct intake *in, struct bytes whole) { json_each_value(in, whole, take); }

static const struct format_specimen specimens[] = {
	{"a host with two services",
	 BYTES("{\"code\":200,\"status\":\"OK\",\"result\":{\"ip\":\"203.0.113.9\",\"services\":[{\"port\":502,\"service_name\":\"MODBUS\","
	       "\"extended_service_name\":\"MODBUS\",\"transport_protocol\":\"TCP\",\"observed_at\":\"2023-02-02T20:01:23.456789012Z\","
	       "\"banner\":\"\\u0000x\",\"perspective_id\":\"PERSPECTIVE_NTT\",\"labels\":[\"ics\"],\"software\":[{\"vendor\":\"Schneider\","
	       "\"product\":\"M340\",\"version\":\"2.1\",\"uniform_resource_identifier\":\"cpe:2.3:h:schneider:m340\"}]},"
	       "{\"port\":443,\"service_name\":\"HTTP\",\"transport_protocol\":\"TCP\",\"http\":{\"response\":{\"status_code\":200,"
	       "\"html_title\":\"Login\",\"headers\":{\"Server\":[\"Boa\"]}}},\"tls\":{\"certificates\":{\"leaf_data\":{\"fingerprint\":"
	       "\"ab\",\"subject_dn\":\"CN=plc\",\"issuer_dn\":\"CN=ca\"}}},\"jarm\":{\"fingerprint\":\"2ad\"}}],"
	       "\"location\":{\"country_code\":\"VE\",\"city\":\"Caracas\"},\"autonomous_system\":{\"asn\":64496,\"name\":\"EXAMPLE\","
	       "\"bgp_prefix\":\"203.0.113.0/24\"},\"operating_system\":{\"product\":\"linux\"},\"dns\":{\"names\":[\"a.example\"]},"
	       "\"last_updated_at\":\"2023-02-03T00:00:00Z\"}}"),
	 "endpoint 203.0.113.9:502\n  kind host.answered\n  time 2023-02-02T20:01:23.456789Z\n  labels ics\n  record.class MODBUS\n"
	 "  record.vendor Schneider\n  record.product M340\n  record.version 2.1\n  record.cpe cpe:2.3:h:schneider:m340\n"
	 "  record.as 64496\n  record.as_name EXAMPLE\n  record.country VE\n  record.city Caracas\n  record.hosts a.example\n"
	 "  record.os linux\n  censys.vantage PERSPECTIVE_NTT\n  censys.prefix 203.0.113.0/24\n"
	 "endpoint 203.0.113.9:443\n  time 2023-02-03T00:00:00.000000Z\n  title Login\n  status 200\n  censys.server Boa\n"
	 "  censys.certificate ab\n  censys.subject CN=plc\n  censys.issuer CN=ca\n  censys.jarm 2ad\n"},
	{"a search, an error, and what is none",
	 BYTES("{\"code\":200,\"result\":{\"total\":2,\"hits\":[{\"ip\":\"2001:db8::1\",\"services\":[{\"port\":53,"
	       "\"transport_protocol\":\"UDP\"},7]},{\"ip\":\"x\"}]}}\n{\"code\":403,\"error\":\"quota\"}\n"
	       "{\"ip\":\"x\",\"services\":[{\"port\":1}]}"),
	 "endpoint [2001:db8::1]:53\n  proto udp\nbad \"2001:db8::1\" has a service that is none\nbad a host has an address\n"
	 "bad it is no answer but an error: 403 quota\nbad \"x\" is no address\n"},
	{0},
};

static const struct format censys = {
	.name = "censys",
	.summary = "Censys' hosts and searches, a record for each service",
	.reference = "Censys Search API v2: /v2/hosts/{ip}, /v2/hosts/search",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(censys);
