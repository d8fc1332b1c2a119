/* Lines as the documentation of Suricata and Zeek describes them, and what must come out. */
#include "base/json_scan.h"
#include "base/moment.h"
#include "passive/sensors/sensor_format.h"
#include "tests/test.h"
#include <jansson.h>
#include <stdlib.h>

static struct event e;

struct case_of {
	const struct sensor_format *format;
	void *state;
	struct line_result last;
};

static struct case_of open_case(const char *name, const char *path)
{
	CHECK(event_start(NULL) == 0);
	struct case_of c = {.format = sensor_format_find(name)};
	CHECK(c.format);
	c.state = calloc(1, c.format->state_size);
	CHECK(c.state);
	if (c.format->begin)
		c.format->begin(c.state, path);
	return c;
}

static enum line_took take(struct case_of *c, const char *line)
{
	c->last = c->format->line(c->state, bytes_of_text(line), &e);
	return c->last.took;
}

static void is_json(const char *part)
{
	static uint8_t room[65536];
	struct writer w = writer_of(room, sizeof room);
	event_write_json(&e, &w);
	CHECK_SAY(bytes_find(writer_bytes(&w), part) < writer_used(&w), "%s is not in %.*s", part,
		  (int)writer_used(&w), room);
}

#define EVE_ALERT                                                                                   \
	"{\"timestamp\":\"2026-11-20T10:00:00.123456+0900\",\"flow_id\":77,\"event_type\":\"alert\","   \
	"\"src_ip\":\"192.0.2.9\",\"src_port\":4444,\"dest_ip\":\"198.51.100.7\",\"dest_port\":23,"      \
	"\"proto\":\"TCP\",\"community_id\":\"1:abc+/=\",\"alert\":{\"action\":\"allowed\",\"gid\":1,"    \
	"\"signature_id\":9000001,\"rev\":2,\"signature\":\"a \\\"bot\\\" \\u00e9\",\"category\":\"Misc\","   \
	"\"severity\":2%s},\"direction\":\"to_server\",\"payload\":\"aGVsbG8=\"}"

TEST(sensors_eve_alert)
{
	struct case_of c = open_case("eve", NULL);
	char line[2048];
	snprintf(line, sizeof line, EVE_ALERT, "");
	CHECK(take(&c, line) == LINE_EVENT && e.kind == EVENT_ALERT_RAISED);
	is_json("\"time\":\"2026-11-20T01:00:00.123456Z\",\"src\":\"192.0.2.9\",\"dst\":\"198.51.100.7\","
		"\"sport\":4444,\"dport\":23,\"proto\":\"tcp\"");
	is_json("\"flow.community\":\"1:abc+/=\",\"flow.uid\":\"77\"");
	is_json("\"alert.category\":\"Misc\",\"alert.number\":9000001,\"alert.generator\":1,\"alert.revision\":2,"
		"\"alert.severity\":2,\"alert.action\":\"allowed\",\"alert.direction\":\"to_server\"");
	is_json("\"flow.payload\":\"hello\"");
	CHECK(bytes_equal_text(event_bytes(&e, (uint16_t)field_find(BYTES("alert.signature"))), "a \"bot\" \xc3\xa9"));
	/* A rule with a target names the attacker: here the packet was the victim's. */
	snprintf(line, sizeof line, EVE_ALERT,
		 ",\"source\":{\"ip\":\"198.51.100.7\",\"port\":23},\"target\":{\"ip\":\"192.0.2.9\",\"port\":4444}");
	CHECK(take(&c, line) == LINE_EVENT);
	is_json("\"src\":\"198.51.100.7\",\"dst\":\"192.0.2.9\",\"sport\":23,\"dport\":4444");
	free(c.state);
}

TEST(sensors_eve_flow_and_others)
{
	struct case_of c = open_case("eve", NULL);
	CHECK(take(&c, "@cee: {\"timestamp\":\"2026-11-20T10:00:09\",\"event_type\":\"flow\",\"src_ip\":\"2001:db8::1\","
		       "\"dest_ip\":\"2001:db8::2\",\"proto\":\"IPv6-ICMP\",\"icmp_type\":128,\"icmp_code\":0,"
		       "\"flow\":{\"pkts_toserver\":3,\"pkts_toclient\":2,\"bytes_toserver\":300,\"bytes_toclient\":200,"
		       "\"start\":\"2026-11-20T10:00:00Z\",\"end\":\"2026-11-20T10:00:05+00:00\",\"state\":\"new\","
		       "\"reason\":\"timeout\"},\"tcp\":{\"tcp_flags_ts\":\"1b\"}}") == LINE_EVENT);
	CHECK(e.kind == EVENT_FLOW_COUNTED);
	is_json("\"time\":\"2026-11-20T10:00:05.000000Z\"");
	is_json("\"sport\":128,\"dport\":0,\"proto\":\"icmp\"");
	is_json("\"duration\":5000000,\"flow.packets\":3,\"flow.bytes\":300,\"bytes.in\":300,\"bytes.out\":200");
	is_json("\"state\":\"new\",\"flow.end\":\"timeout\",\"flow.flags\":27");
	CHECK(take(&c, "{\"timestamp\":\"x\",\"event_type\":\"dns\",\"dns\":{}}") == LINE_OTHER);
	CHECK(bytes_equal_text(c.last.why, "dns"));
	CHECK(take(&c, "{\"timestamp\":\"2026-11-20T10:00:00Z\",\"event_type\":\"anomaly\",\"src_ip\":\"192.0.2.1\","
		       "\"dest_ip\":\"192.0.2.2\",\"anomaly\":{\"type\":\"stream\",\"event\":\"stream.bad\"}}") == LINE_EVENT);
	is_json("\"alert.signature\":\"stream.bad\",\"alert.category\":\"stream\",\"alert.action\":\"anomaly\"");
	CHECK(take(&c, "  ") == LINE_EMPTY);
	free(c.state);
}

TEST(sensors_eve_bad_lines)
{
	struct case_of c = open_case("eve", NULL);
	char line[2048];
	snprintf(line, sizeof line, EVE_ALERT, "");
	for (size_t n = strlen(line) - 1; n > 0; n--) { /* torn anywhere */
		struct line_result r = c.format->line(c.state, (struct bytes){(uint8_t *)line, n}, &e);
		CHECK_SAY(r.took == LINE_BAD && r.why.len, "%zu bytes of it were taken", n);
	}
	CHECK(take(&c, "{\"event_type\":\"alert\",\"timestamp\":\"2026-11-20T10:00:00Z\"}") == LINE_BAD);
	CHECK(take(&c, "{\"event_type\":\"alert\",\"src_ip\":\"1.2.3.4\",\"dest_ip\":\"1.2.3.5\","
		       "\"timestamp\":\"2026-13-20T10:00:00Z\"}") == LINE_BAD);
	CHECK(take(&c, "{\"timestamp\":\"2026-11-20T10:00:00Z\"}") == LINE_BAD);
	CHECK(take(&c, "[1]") == LINE_BAD);
	free(c.state);
}

static const char header[] = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t%s\n";

static void take_header(struct case_of *c, const char *path, const char *fields)
{
	char text[1024], *rest = text, *line;
	snprintf(text, sizeof text, header, path);
	while ((line = strsep(&rest, "\n")) && *line)
		CHECK(take(c, line) == LINE_HEADER);
	CHECK(take(c, fields) == LINE_HEADER);
}

TEST(sensors_zeek_conn)
{
	struct case_of c = open_case("zeek", "/logs/current/x.log");
	CHECK(take(&c, "1\t2") == LINE_BAD); /* before any header */
	take_header(&c, "conn", "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\t"
				"orig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes");
	CHECK(take(&c, "1795000000.500000\tCabc1\t192.0.2.9\t4444\t198.51.100.7\t22\ttcp\tssh\t1.250000\t10\t20\tSF\tShADadFf\t5\t300") == LINE_EVENT);
	is_json("\"src\":\"192.0.2.9\",\"dst\":\"198.51.100.7\",\"sport\":4444,\"dport\":22,\"proto\":\"tcp\"");
	is_json("\"duration\":1250000,\"service\":\"ssh\",\"state\":\"SF\",\"flow.history\":\"ShADadFf\",\"bytes.in\":10,"
		"\"bytes.out\":20,\"flow.packets\":5,\"flow.bytes\":300");
	CHECK(e.time_us == 1795000001750000u && event_number(&e, FIELD_FLOW_FIRST, 0) == 1795000000500000u);
	CHECK(take(&c, "1795000000.5\tCabc1\t192.0.2.9\t4444\t198.51.100.7\t22\ttcp\t-\t-\t-\t-\tS0\tS\t1\t60") == LINE_EVENT);
	CHECK(!event_get(&e, FIELD_SERVICE) && !event_get(&e, FIELD_BYTES_IN));
	CHECK(take(&c, "1795000000.5\tCabc1") == LINE_BAD);
	CHECK(take(&c, "#close\t2026-11-20-00-00-00") == LINE_HEADER);
	free(c.state);
}

TEST(sensors_zeek_notice_and_json)
{
	struct case_of c = open_case("zeek", "/logs/conn.log");
	take_header(&c, "notice", "#fields\tts\tuid\tid.orig_h\tnote\tmsg\tsub\tsrc\tdst\tp");
	CHECK(take(&c, "1795000000.1\t-\t-\tScan::Port_Scan\ttab\\x09and \\\\x41\t(empty)\t192.0.2.9\t198.51.100.7\t80") == LINE_EVENT);
	CHECK(e.kind == EVENT_ALERT_RAISED);
	is_json("\"src\":\"192.0.2.9\",\"dst\":\"198.51.100.7\",\"dport\":80");
	is_json("\"alert.signature\":\"Scan::Port_Scan\"");
	CHECK(bytes_equal_text(event_bytes(&e, (uint16_t)field_find(BYTES("alert.message"))), "tab\tand \\x41"));
	CHECK(take(&c, "{\"_path\":\"conn\",\"ts\":\"2026-11-20T10:00:00.5Z\",\"id.orig_h\":\"192.0.2.9\",\"id.resp_h\":\"::1\","
		       "\"duration\":9.5e-7,\"conn_state\":\"S0\",\"tunnel_parents\":[]}") == LINE_EVENT);
	CHECK(e.kind == EVENT_FLOW_COUNTED && event_number(&e, FIELD_DURATION, 9) == 0);
	CHECK(take(&c, "{\"_path\":\"dns\",\"ts\":1.5}") == LINE_OTHER && bytes_equal_text(c.last.why, "dns"));
	c.format->begin(c.state, "weird.2026.log");
	CHECK(take(&c, "{\"ts\":1795000000123,\"name\":\"bad_TCP_checksum\",\"id.orig_h\":\"192.0.2.9\",\"id.resp_h\":\"192.0.2.1\"}") == LINE_EVENT);
	CHECK(e.time_us == 1795000000123000u);
	is_json("\"alert.signature\":\"bad_TCP_checksum\",\"alert.action\":\"weird\"");
	free(c.state);
}

TEST(sensors_zeek_separator_of_two_bytes)
{
	struct case_of c = open_case("zeek", NULL);
	CHECK(take(&c, "#separator \\x7c\\x7c") == LINE_HEADER);
	CHECK(take(&c, "#path||conn") == LINE_HEADER && take(&c, "#fields||ts||id.orig_h||id.resp_h") == LINE_HEADER);
	CHECK(take(&c, "5.0||1.2.3.4||1.2.3.5") == LINE_EVENT);
	is_json("\"src\":\"1.2.3.4\"");
	free(c.state);
}

TEST(sensors_moments)
{
	uint64_t us;
	CHECK(moment_iso(BYTES("1970-01-01T00:00:00Z"), &us) && us == 0);
	CHECK(moment_iso(BYTES("2000-02-29T23:59:59.9-01:30"), &us) && us == 951874199900000u);
	CHECK(moment_iso(BYTES("2000-02-29T23:59:59.9999999"), &us) && us == 951868799999999u);
	CHECK(!moment_iso(BYTES("2000-02-29"), &us) && !moment_iso(BYTES("2000-02-29T23:59:59X"), &us));
	CHECK(!moment_iso(BYTES("1969-12-31T23:59:59Z"), &us));
	CHECK(moment_seconds(BYTES("12"), &us) && us == 12000000);
	CHECK(moment_seconds(BYTES("0.0000019"), &us) && us == 1);
	CHECK(!moment_seconds(BYTES("-1"), &us) && !moment_seconds(BYTES("1.5e3"), &us) && !moment_seconds(BYTES(""), &us));
}

/* Whatever jansson takes as an object is taken, and what is cut is not. */
TEST(sensors_json_agrees_with_jansson)
{
	static const char *const texts[] = {
		"{}", " { \"a\" : [ 1 , -2.5e+3, true,false , null, {\"b\":{}} ] } ", "{\"a\":\"\\ud83d\\ude00\\n\"}",
		"{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":+1}", "{\"a\":tru}", "{\"a\":\"\\x\"}",
		"{\"a\":[1,]}", "{\"a\":[}", "{\"a\":\"\t\"}", "{\"a\":1}{", "{\"a\":{\"b\":1}", "{\"a\":-}", "{\"a\":1e}",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct json_reader j = json_of(bytes_of_text(texts[i]));
		struct bytes name;
		struct json_value v;
		bool ours = json_enter(&j);
		while (ours && json_next(&j, &name))
			json_take(&j, &v);
		ours = ours && json_ended(&j);
		json_t *theirs = json_loads(texts[i], 0, NULL);
		CHECK_SAY(ours == (theirs != NULL), "%s", texts[i]);
		json_decref(theirs);
	}
	char deep[200];
	memset(deep, '[', sizeof deep);
	memcpy(deep, "{\"a\":", 5);
	struct json_reader j = json_of((struct bytes){(uint8_t *)deep, sizeof deep});
	struct json_value v;
	CHECK(json_take(&j, &v) == false && !strcmp(j.why, "nested too deep"));
	uint8_t room[16];
	struct writer w = writer_of(room, sizeof room);
	json_unescape(BYTES("\\ud83d\\ude00\\ud83dx\\/"), &w);
	CHECK(bytes_equal_text(writer_bytes(&w), "\xf0\x9f\x98\x80\xef\xbf\xbdx/"));
}
