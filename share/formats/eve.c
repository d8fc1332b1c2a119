/*
 * Suricata's EVE log of a partner, a JSON object a line: alerts, anomalies, flows, HTTP requests, TLS hellos, DNS
 * queries, files and greetings of SSH.  Statistics and the like are left out.
 *
 * What our own sensor's Suricata writes is read by the telescope (passive/sensors); the fields have the same names.
 */
#include "base/base64.h"
#include "share/reading/alert_words_inner.h"
#include "share/reading/pick_inner.h"
#include "share/reading/words_inner.h"

FIELD(eve_action, "alert.action", TEXT, 0, "what the sensor did: allowed, blocked, notice.log, ...");
FIELD(eve_tls_name, "tls.name", BYTES, 0, "name of the server that it asked for (SNI)");
FIELD(eve_tls_ja3, "tls.ja3", TEXT, 0, "digest of what the client's hello offers, JA3");
FIELD(eve_tls_ja4, "tls.ja4", TEXT, 0, "the same, JA4");

#define CONFIDENCE_SEEN 70
#define PAYLOAD_MAX 1024

enum place {
	TIMESTAMP, TYPE, SRC_IP, SRC_PORT, DST_IP, DST_PORT, PROTO, APP, FLOW_ID, COMMUNITY, PAYLOAD,
	ACTION, SID, SIGNATURE, CATEGORY, SEVERITY, SOURCE_IP, SOURCE_PORT, TARGET_IP, TARGET_PORT, ANOMALY_EVENT, ANOMALY_TYPE,
	START, END, STATE, END_REASON, PACKETS_IN, PACKETS_BACK, BYTES_THERE, BYTES_BACK,
	HOST, URL, AGENT, METHOD, STATUS, SNI, JA3, JA4, FILE_PATH, FILE_BYTES, SHA256, DNS_NAME, DNS_TYPE, SSH_SOFTWARE,
	PLACES
};

static const struct pick end_picks[] = {PICK("ip", SOURCE_IP), PICK("port", SOURCE_PORT), PICK_END};
static const struct pick target_picks[] = {PICK("ip", TARGET_IP), PICK("port", TARGET_PORT), PICK_END};
static const struct pick alert_picks[] = {
	PICK("action", ACTION), PICK("signature_id", SID), PICK("signature", SIGNATURE), PICK("category", CATEGORY),
	PICK("severity", SEVERITY), PICK_WITHIN("source", end_picks), PICK_WITHIN("target", target_picks), PICK_END};
static const struct pick anomaly_picks[] = {PICK("event", ANOMALY_EVENT), PICK("type", ANOMALY_TYPE), PICK_END};
static const struct pick flow_picks[] = {
	PICK("start", START), PICK("end", END), PICK("state", STATE), PICK("reason", END_REASON), PICK("pkts_toserver", PACKETS_IN),
	PICK("pkts_toclient", PACKETS_BACK), PICK("bytes_toserver", BYTES_THERE), PICK("bytes_toclient", BYTES_BACK), PICK_END};
static const struct pick http_picks[] = {
	PICK("hostname", HOST), PICK("url", URL), PICK("http_user_agent", AGENT), PICK("http_method", METHOD),
	PICK("status", STATUS), PICK_END};
static const struct pick ja3_picks[] = {PICK("hash", JA3), PICK_END};
static const struct pick tls_picks[] = {PICK("sni", SNI), PICK_WITHIN("ja3", ja3_picks), PICK("ja4", JA4), PICK_END};
static const struct pick file_picks[] = {PICK("filename", FILE_PATH), PICK("size", FILE_BYTES), PICK("sha256", SHA256), PICK_END};
static const struct pick dns_picks[] = {PICK("rrname", DNS_NAME), PICK("rrtype", DNS_TYPE), PICK_END};
static const struct pick software_picks[] = {PICK("software_version", SSH_SOFTWARE), PICK_END};
static const struct pick ssh_picks[] = {PICK_WITHIN("client", software_picks), PICK_END};
static const struct pick picks[] = {
	PICK("timestamp", TIMESTAMP), PICK("event_type", TYPE), PICK("src_ip", SRC_IP), PICK("src_port", SRC_PORT),
	PICK("dest_ip", DST_IP), PICK("dest_port", DST_PORT), PICK("proto", PROTO), PICK("app_proto", APP), PICK("flow_id", FLOW_ID),
	PICK("community_id", COMMUNITY), PICK("payload", PAYLOAD), PICK_WITHIN("alert", alert_picks),
	PICK_WITHIN("anomaly", anomaly_picks), PICK_WITHIN("flow", flow_picks), PICK_WITHIN("http", http_picks),
	PICK_WITHIN("tls", tls_picks), PICK_WITHIN("fileinfo", file_picks), PICK_WITHIN("dns", dns_picks),
	PICK_WITHIN("ssh", ssh_picks), PICK_END,
};

static const struct { const char *type, *kind; } sorts[] = {
	{"alert", "alert.raised"}, {"anomaly", "alert.raised"}, {"flow", "flow.counted"}, {"http", "request.seen"},
	{"tls", "client.seen"}, {"ssh", "client.seen"}, {"fileinfo", "file.captured"}, {"dns", "request.seen"},
};

static const char *kind_of(struct bytes type)
{
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
		if (bytes_equal_text(type, sorts[i].type))
			return sorts[i].kind;
	return NULL;
}

static void add_number(struct record *r, uint16_t field, const struct json_value *v)
{
	uint64_t number;
	if (json_whole(v, UINT64_MAX, &number))
		record_number(r, field, number);
}

static void set_proto(struct intake *in, const struct json_value *v, struct record *r)
{
	struct bytes proto = pick_text(in, &v[PROTO]);
	const char *name = bytes_equal_nocase(proto, "tcp") ? "tcp" : bytes_equal_nocase(proto, "udp") ? "udp" :
			   bytes_start_with(proto, "ICMP") || bytes_start_with(proto, "IPv6-ICMP") ? "icmp" : NULL;
	record_text(r, FIELD_PROTO, name);
}

/* Suricata names the attacker itself where the rule says which side that is. */
static const char *set_ends(struct intake *in, const struct json_value *v, struct record *r)
{
	bool named = v[SOURCE_IP].type == VALUE_STRING;
	struct bytes source = pick_text(in, &v[named ? SOURCE_IP : SRC_IP]), target = pick_text(in, &v[named ? TARGET_IP : DST_IP]);
	struct address other;
	if (!address_parse(source, &r->address))
		return "src_ip is no address";
	r->type = "address";
	r->value = source;
	r->has_address = true;
	add_number(r, FIELD_SPORT, &v[named ? SOURCE_PORT : SRC_PORT]);
	if (address_parse(target, &other))
		record_address(r, FIELD_DST, &other);
	r->port = (uint32_t)pick_count(&v[named ? TARGET_PORT : DST_PORT], UINT16_MAX);
	set_proto(in, v, r);
	record_token(r, flow_community, pick_text(in, &v[COMMUNITY]));
	record_token(r, flow_uid, pick_text(in, &v[FLOW_ID]));
	record_bytes(r, word_class, pick_text(in, &v[APP]));
	return NULL;
}

static void set_alert(struct intake *in, const struct json_value *v, struct record *r)
{
	struct bytes signature = pick_text(in, &v[SIGNATURE]);
	r->title = signature.len ? signature : pick_text(in, &v[ANOMALY_EVENT]);
	record_bytes(r, alert_signature, r->title);
	record_bytes(r, alert_category, pick_text(in, v[CATEGORY].raw.len ? &v[CATEGORY] : &v[ANOMALY_TYPE]));
	add_number(r, alert_number, &v[SID]);
	add_number(r, alert_severity, &v[SEVERITY]);
	record_token(r, eve_action, pick_text(in, &v[ACTION]));
	if (v[PAYLOAD].type != VALUE_STRING)
		return;
	uint8_t *room = arena_alloc(intake_arena(in), PAYLOAD_MAX);
	struct writer w = writer_of(room, room ? PAYLOAD_MAX : 0);
	base64_decode(pick_text(in, &v[PAYLOAD]), &w);
	record_bytes(r, FIELD_FLOW_PAYLOAD, writer_bytes(&w));
}

static void set_flow(struct intake *in, const struct json_value *v, struct record *r)
{
	uint64_t start = pick_moment(in, &v[START]), end = pick_moment(in, &v[END]);
	if (start)
		record_number(r, FIELD_FLOW_FIRST, start);
	if (end)
		r->time_us = end;
	if (start && end > start)
		record_number(r, FIELD_DURATION, end - start);
	add_number(r, FIELD_FLOW_PACKETS, &v[PACKETS_IN]);
	add_number(r, FIELD_FLOW_BYTES, &v[BYTES_THERE]);
	add_number(r, FIELD_BYTES_OUT, &v[BYTES_BACK]);
	add_number(r, FIELD_PACKETS_OUT, &v[PACKETS_BACK]);
	record_token(r, FIELD_STATE, pick_text(in, &v[STATE]));
	record_token(r, FIELD_FLOW_END, pick_text(in, &v[END_REASON]));
}

static void set_talk(struct intake *in, const struct json_value *v, struct record *r)
{
	struct bytes sha256 = pick_text(in, &v[SHA256]), agent = pick_text(in, &v[AGENT]), query = pick_text(in, &v[DNS_NAME]);
	record_bytes(r, FIELD_HOST_NAME, pick_text(in, &v[HOST]));
	record_bytes(r, FIELD_TARGET, query.len ? query : pick_text(in, &v[URL]));
	record_bytes(r, FIELD_METHOD, pick_text(in, v[DNS_TYPE].raw.len ? &v[DNS_TYPE] : &v[METHOD]));
	record_bytes(r, FIELD_AGENT, agent.len ? agent : pick_text(in, &v[SSH_SOFTWARE]));
	add_number(r, FIELD_STATUS, &v[STATUS]);
	record_bytes(r, eve_tls_name, pick_text(in, &v[SNI]));
	record_token(r, eve_tls_ja3, pick_text(in, &v[JA3]));
	record_token(r, eve_tls_ja4, pick_text(in, &v[JA4]));
	record_bytes(r, FIELD_FILE_NAME, pick_text(in, &v[FILE_PATH]));
	add_number(r, FIELD_FILE_SIZE, &v[FILE_BYTES]);
	if (sha256.len == 64)
		record_token(r, FIELD_FILE_SHA256, sha256);
}

/* With the output's option `prefix: "@cee: "` each object has that in front. */
static struct bytes without_prefix(struct bytes line)
{
	const uint8_t *brace = line.at[0] == '@' ? memchr(line.at, '{', line.len < 64 ? line.len : 64) : NULL;
	return brace ? (struct bytes){brace, line.len - (size_t)(brace - line.at)} : line;
}

static void line(struct intake *in, struct bytes whole)
{
	struct json_value v[PLACES];
	struct record r = {.confidence = CONFIDENCE_SEEN, .original = whole};
	if (!pick_line(in, without_prefix(whole), picks, v, PLACES))
		return;
	struct bytes type = pick_text(in, &v[TYPE]);
	if (!type.len) {
		intake_bad(in, "it has no event_type");
		return;
	}
	r.kind = kind_of(type);
	if (!r.kind)
		return;
	const char *wrong = set_ends(in, v, &r);
	/* An anomaly of a frame that is not IP has no addresses, and nothing to say of a host. */
	if (wrong && bytes_equal_text(type, "anomaly"))
		return;
	if (wrong) {
		intake_bad(in, "%s", wrong);
		return;
	}
	r.time_us = pick_moment(in, &v[TIMESTAMP]);
	if (!strcmp(r.kind, "alert.raised"))
		set_alert(in, v, &r);
	else if (!strcmp(r.kind, "flow.counted"))
		set_flow(in, v, &r);
	else
		set_talk(in, v, &r);
	record_digest(in, &r, whole);
	intake_record(in, &r);
}

static const struct format_specimen specimens[] = {
	{"an alert with its target, a flow, a request, statistics",
	 BYTES("{\"timestamp\":\"2024-05-01T10:00:00.123456+0200\",\"flow_id\":1234567890123,\"event_type\":\"alert\",\""
	       "src_ip\":\"192.0.2.5\",\"src_port\":80,\"dest_ip\":\"198.51.100.7\",\"dest_port\":50000,\"proto\":\"TCP"
	       "\",\"community_id\":\"1:abc=\",\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":2024897,\"re"
	       "v\":3,\"signature\":\"ET EXPLOIT x\",\"category\":\"Attempted Administrator Privilege Gain\",\"severity"
	       "\":1,\"source\":{\"ip\":\"198.51.100.7\",\"port\":50000},\"target\":{\"ip\":\"192.0.2.5\",\"port\":80}},"
	       "\"payload\":\"R0VUIC8=\",\"app_proto\":\"http\"}\n{\"timestamp\":\"2024-05-01T10:00:05.000000Z\",\"flow_"
	       "id\":2,\"event_type\":\"flow\",\"src_ip\":\"2001:db8::7\",\"src_port\":40000,\"dest_ip\":\"2001:db8:1::1"
	       "\",\"dest_port\":23,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":3,\"pkts_toclient\":1,\"bytes_toserver"
	       "\":180,\"bytes_toclient\":60,\"start\":\"2024-05-01T10:00:01.000000Z\",\"end\":\"2024-05-01T10:00:04.500"
	       "000Z\",\"state\":\"closed\",\"reason\":\"timeout\"}}\n{\"timestamp\":\"2024-05-01T10:00:06Z\",\"event_ty"
	       "pe\":\"http\",\"src_ip\":\"198.51.100.7\",\"src_port\":1,\"dest_ip\":\"192.0.2.5\",\"dest_port\":8080,\""
	       "proto\":\"TCP\",\"http\":{\"hostname\":\"a.example\",\"url\":\"/cgi-bin/luci\",\"http_user_agent\":\"Moz"
	       "i\",\"http_method\":\"POST\",\"status\":404}}\n{\"timestamp\":\"2024-05-01T10:00:06Z\",\"event_type\":\""
	       "stats\",\"stats\":{\"uptime\":1}}\n{\"timestamp\":\"2024-05-01T10:00:06Z\",\"event_type\":\"fileinfo\","
	       "\"src_ip\":\"203.0.113.5\",\"dest_ip\":\"192.0.2.5\",\"proto\":\"TCP\",\"fileinfo\":{\"filename\":\"/a.s"
	       "h\",\"size\":12,\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}}\n"),
	 "address 198.51.100.7\n"
	 "  kind alert.raised\n"
	 "  title ET EXPLOIT x\n"
	 "  alert.number 2024897\n"
	 "  alert.severity 1\n"
	 "  alert.action allowed\n"
	 "  port 80\n"
	 "  sport 50000\n"
	 "  dst 192.0.2.5\n"
	 "  proto tcp\n"
	 "  flow.community 1:abc=\n"
	 "  flow.uid 1234567890123\n"
	 "  flow.payload GET /\n"
	 "  time 2024-05-01T08:00:00.123456Z\n"
	 "address 2001:db8::7\n"
	 "  kind flow.counted\n"
	 "  port 23\n"
	 "  flow.packets 3\n"
	 "  flow.bytes 180\n"
	 "  duration 3500000\n"
	 "  time 2024-05-01T10:00:04.500000Z\n"
	 "address 198.51.100.7\n"
	 "  kind request.seen\n"
	 "  request.target /cgi-bin/luci\n"
	 "  request.agent Mozi\n"
	 "  request.method POST\n"
	 "  status 404\n"
	 "address 203.0.113.5\n"
	 "  kind file.captured\n"
	 "  file.name /a.sh\n"
	 "  file.sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"},
	{"with a prefix for syslog",
	 BYTES("@cee: {\"event_type\":\"flow\",\"src_ip\":\"198.51.100.7\",\"dest_ip\":\"192.0.2.5\",\"proto\":\"UDP\"}\n"),
	 "address 198.51.100.7\n  proto udp\n"},
	{"what is none",
	 BYTES("{\"event_type\":\"alert\",\"src_ip\":\"x\"}\n{\"a\":1}\n{\"event_type\":\"alert\",\n"),
	 "bad src_ip is no address\n"
	 "bad it has no event_type\n"
	 "bad \n"},
	{0},
};

static const struct format eve = {
	.name = "eve",
	.summary = "Suricata's EVE log of a partner: alerts, flows, requests, files",
	.reference = "Suricata user guide, EVE JSON format (versions 6 to 8)",
	.shape = FORMAT_LINES,
	.line = line,
	.specimens = specimens,
};
FORMAT(eve);
