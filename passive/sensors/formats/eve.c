/*
 * Suricata's EVE log: one JSON object a line.
 *
 * Taken are alerts and anomalies (alert.raised) and flows (flow.counted); other types of event
 * are counted by name.  Suricata writes event_type among the first members, so a line of another
 * type is left there without being read to its end.  `src` of an alert is who sent the packet,
 * unless the rule has a `target`: then the log names the attacker itself, in alert.source.
 */
#include "base/base64.h"
#include "base/json_scan.h"
#include "base/moment.h"
#include "passive/sensors/fields_inner.h"
#include "passive/sensors/sensor_format.h"

ALERT_FIELDS;

#define TEXT_MAX 2048 /* of a signature's name or category */

enum member {
	TIMESTAMP, EVENT_TYPE, SRC_IP, DEST_IP, SRC_PORT, DEST_PORT, PROTO, APP_PROTO, FLOW_ID, COMMUNITY,
	ICMP_TYPE, ICMP_CODE, DIRECTION, PAYLOAD,
	ALERT_ACTION, ALERT_GID, ALERT_SID, ALERT_REV, ALERT_SIGNATURE, ALERT_CATEGORY, ALERT_SEVERITY,
	SOURCE_IP, SOURCE_PORT, TARGET_IP, TARGET_PORT,
	FLOW_START, FLOW_FINISH, FLOW_STATE, FLOW_REASON, PACKETS_IN, PACKETS_OUT, FLOW_IN, FLOW_OUT,
	TCP_FLAGS, ANOMALY_TYPE, ANOMALY_EVENT, MEMBERS
};

struct eve {
	struct json_value members[MEMBERS];
	uint8_t text[TEXT_MAX];
	uint8_t payload[SENSOR_PAYLOAD_MAX];
};

struct word {
	struct bytes name;
	enum member member;
	const struct word *within; /* an object: its members are these */
};

#define W(text) {(const uint8_t *)(text), sizeof(text) - 1}
static const struct word source_words[] = {{W("ip"), SOURCE_IP, NULL}, {W("port"), SOURCE_PORT, NULL}, {.member = MEMBERS}};
static const struct word target_words[] = {{W("ip"), TARGET_IP, NULL}, {W("port"), TARGET_PORT, NULL}, {.member = MEMBERS}};
static const struct word alert_words[] = {
	{W("action"), ALERT_ACTION, NULL}, {W("gid"), ALERT_GID, NULL}, {W("signature_id"), ALERT_SID, NULL},
	{W("rev"), ALERT_REV, NULL}, {W("signature"), ALERT_SIGNATURE, NULL}, {W("category"), ALERT_CATEGORY, NULL},
	{W("severity"), ALERT_SEVERITY, NULL}, {W("source"), MEMBERS, source_words}, {W("target"), MEMBERS, target_words},
	{.member = MEMBERS},
};
static const struct word flow_words[] = {
	{W("pkts_toserver"), PACKETS_IN, NULL}, {W("pkts_toclient"), PACKETS_OUT, NULL},
	{W("bytes_toserver"), FLOW_IN, NULL}, {W("bytes_toclient"), FLOW_OUT, NULL}, {W("start"), FLOW_START, NULL},
	{W("end"), FLOW_FINISH, NULL}, {W("state"), FLOW_STATE, NULL}, {W("reason"), FLOW_REASON, NULL}, {.member = MEMBERS},
};
static const struct word tcp_words[] = {{W("tcp_flags_ts"), TCP_FLAGS, NULL}, {.member = MEMBERS}};
static const struct word anomaly_words[] = {{W("type"), ANOMALY_TYPE, NULL}, {W("event"), ANOMALY_EVENT, NULL}, {.member = MEMBERS}};
static const struct word eve_words[] = {
	{W("timestamp"), TIMESTAMP, NULL}, {W("flow_id"), FLOW_ID, NULL}, {W("event_type"), EVENT_TYPE, NULL},
	{W("src_ip"), SRC_IP, NULL}, {W("src_port"), SRC_PORT, NULL}, {W("dest_ip"), DEST_IP, NULL},
	{W("dest_port"), DEST_PORT, NULL}, {W("proto"), PROTO, NULL}, {W("app_proto"), APP_PROTO, NULL},
	{W("community_id"), COMMUNITY, NULL}, {W("icmp_type"), ICMP_TYPE, NULL}, {W("icmp_code"), ICMP_CODE, NULL},
	{W("direction"), DIRECTION, NULL}, {W("payload"), PAYLOAD, NULL}, {W("alert"), MEMBERS, alert_words},
	{W("flow"), MEMBERS, flow_words}, {W("tcp"), MEMBERS, tcp_words}, {W("anomaly"), MEMBERS, anomaly_words}, {.member = MEMBERS},
};

static const struct word *word_find(const struct word *words, struct bytes name)
{
	for (; words->name.at; words++)
		if (name.len == words->name.len && !memcmp(name.at, words->name.at, name.len))
			return words;
	return NULL;
}

static const struct json_value *get(const struct eve *v, enum member m) { return &v->members[m]; }
static struct bytes span(const struct eve *v, enum member m)
{
	return v->members[m].type == VALUE_STRING ? v->members[m].raw : (struct bytes){0};
}

static bool is_taken(struct bytes type)
{
	return bytes_equal_text(type, "alert") || bytes_equal_text(type, "flow") ||
	       bytes_equal_text(type, "anomaly");
}

/* Reads an object's members into their places; stops early at a type that is not taken. */
static void read_members(struct json_reader *j, const struct word *words, struct eve *v)
{
	struct bytes name;
	while (json_next(j, &name)) {
		const struct word *w = word_find(words, name);
		struct json_value skipped;
		if (w && w->within && json_enter(j)) {
			read_members(j, w->within, v);
			continue;
		}
		json_take(j, w && !w->within ? &v->members[w->member] : &skipped);
		if (w && w->member == EVENT_TYPE && !w->within && !is_taken(span(v, EVENT_TYPE)))
			return;
	}
}

static void set_number(struct event *e, uint16_t field, const struct eve *v, enum member m)
{
	uint64_t n;
	if (json_whole(get(v, m), UINT64_MAX, &n))
		event_set_number(e, field, n);
}

static void set_string(struct event *e, uint16_t field, struct eve *v, enum member m)
{
	const struct json_value *value = get(v, m);
	if (value->type != VALUE_STRING)
		return;
	struct writer w = writer_of(v->text, sizeof v->text);
	json_unescape(value->raw, &w);
	e->cut |= w.bad;
	event_set_bytes(e, field, writer_bytes(&w));
}

static bool set_address(struct event *e, uint16_t field, const struct eve *v, enum member m)
{
	struct address a;
	if (!address_parse(span(v, m), &a))
		return false;
	event_set_address(e, field, &a);
	return true;
}

/* Suricata's "IPv6-ICMP" and Zeek's "icmp" are one word here. */
static void set_proto(struct event *e, struct bytes proto)
{
	bool icmp6 = bytes_equal_nocase(proto, "ipv6-icmp") || bytes_equal_nocase(proto, "icmpv6");
	event_set_word(e, FIELD_PROTO, icmp6 ? BYTES("icmp") : proto);
}

static void set_port(struct event *e, uint16_t field, const struct eve *v, enum member port, enum member icmp)
{
	uint64_t n;
	if (json_whole(get(v, port), 65535, &n) || json_whole(get(v, icmp), 255, &n))
		event_set_number(e, field, n);
}

static bool set_ends(struct event *e, const struct eve *v)
{
	bool named = span(v, SOURCE_IP).len && span(v, TARGET_IP).len;
	if (!set_address(e, FIELD_SRC, v, named ? SOURCE_IP : SRC_IP) ||
	    !set_address(e, FIELD_DST, v, named ? TARGET_IP : DEST_IP))
		return false;
	set_port(e, FIELD_SPORT, v, named ? SOURCE_PORT : SRC_PORT, ICMP_TYPE);
	set_port(e, FIELD_DPORT, v, named ? TARGET_PORT : DEST_PORT, ICMP_CODE);
	set_proto(e, span(v, PROTO));
	event_set_word(e, FIELD_SERVICE, span(v, APP_PROTO));
	event_set_token(e, field_flow_community, span(v, COMMUNITY));
	const struct json_value *id = get(v, FLOW_ID);
	if (id->type == VALUE_NUMBER)
		event_set_token(e, field_flow_uid, id->raw);
	return true;
}

static void set_payload(struct event *e, struct eve *v)
{
	const struct json_value *p = get(v, PAYLOAD);
	if (p->type != VALUE_STRING || p->raw.len == 0)
		return;
	struct writer w = writer_of(v->payload, sizeof v->payload);
	/* Four characters are three bytes: what cannot fit is not decoded.  Escaped slashes are. */
	size_t most = sizeof v->payload / 3 * 4;
	struct bytes text = {p->raw.at, p->raw.len < most ? p->raw.len : most};
	base64_decode(text, &w);
	e->cut |= text.len < p->raw.len;
	if (writer_used(&w))
		event_set_bytes(e, FIELD_FLOW_PAYLOAD, writer_bytes(&w));
}

static void fill_alert(struct event *e, struct eve *v)
{
	set_string(e, field_alert_signature, v, ALERT_SIGNATURE);
	set_string(e, field_alert_category, v, ALERT_CATEGORY);
	set_number(e, field_alert_number, v, ALERT_SID);
	set_number(e, field_alert_generator, v, ALERT_GID);
	set_number(e, field_alert_revision, v, ALERT_REV);
	set_number(e, field_alert_severity, v, ALERT_SEVERITY);
	event_set_word(e, field_alert_action, span(v, ALERT_ACTION));
	event_set_word(e, field_alert_direction, span(v, DIRECTION));
	set_payload(e, v);
}

static void fill_anomaly(struct event *e, struct eve *v)
{
	set_string(e, field_alert_signature, v, ANOMALY_EVENT);
	set_string(e, field_alert_category, v, ANOMALY_TYPE);
	event_set_text(e, field_alert_action, "anomaly");
	set_payload(e, v);
}

/* Two hex digits, as Suricata writes the flags of a direction. */
static void set_flags(struct event *e, struct bytes hex)
{
	uint64_t flags = 0;
	for (size_t i = 0; i < hex.len; i++) {
		uint8_t c = hex.at[i] | 0x20;
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) || i == 2)
			return;
		flags = flags << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (hex.len)
		event_set_number(e, FIELD_FLOW_FLAGS, flags);
}

static void fill_flow(struct event *e, struct eve *v)
{
	uint64_t start, end;
	bool begun = moment_iso(span(v, FLOW_START), &start);
	if (moment_iso(span(v, FLOW_FINISH), &end))
		e->time_us = end;
	if (begun)
		event_set_number(e, FIELD_FLOW_FIRST, start);
	if (begun && e->time_us >= start)
		event_set_number(e, FIELD_DURATION, e->time_us - start);
	set_number(e, FIELD_FLOW_PACKETS, v, PACKETS_IN);
	set_number(e, FIELD_FLOW_BYTES, v, FLOW_IN);
	set_number(e, FIELD_BYTES_IN, v, FLOW_IN);
	set_number(e, FIELD_BYTES_OUT, v, FLOW_OUT);
	event_set_number(e, FIELD_FLOW_DESTINATIONS, 1);
	event_set_word(e, FIELD_STATE, span(v, FLOW_STATE));
	event_set_word(e, FIELD_FLOW_END, span(v, FLOW_REASON));
	set_flags(e, span(v, TCP_FLAGS));
}

/* With the output's option `prefix: "@cee: "` each object has that in front. */
static struct bytes without_prefix(struct bytes line)
{
	const uint8_t *brace = line.len ? memchr(line.at, '{', line.len < 64 ? line.len : 64) : NULL;
	size_t skip = brace && line.at[0] == '@' ? (size_t)(brace - line.at) : 0;
	return (struct bytes){line.at + skip, line.len - skip};
}

static struct line_result eve_line(void *state, struct bytes line, struct event *e)
{
	struct eve *v = state;
	memset(v->members, 0, sizeof v->members);
	line = without_prefix(bytes_trim(line));
	if (!line.len)
		return (struct line_result){.took = LINE_EMPTY};
	struct json_reader j = json_of(line);
	if (!json_enter(&j))
		return line_bad("not a JSON object");
	read_members(&j, eve_words, v);
	struct bytes type = span(v, EVENT_TYPE);
	if (type.len && !is_taken(type) && !j.why)
		return line.at[line.len - 1] == '}' ? (struct line_result){LINE_OTHER, type}
						    : line_bad("the line ends within an object");
	if (!json_ended(&j))
		return line_bad(j.why);
	if (!type.len)
		return line_bad("no event_type");
	bool flow = bytes_equal_text(type, "flow");
	event_begin(e, flow ? EVENT_FLOW_COUNTED : EVENT_ALERT_RAISED);
	if (!moment_iso(span(v, TIMESTAMP), &e->time_us))
		return line_bad("no timestamp, or not ISO 8601");
	if (!set_ends(e, v)) /* an anomaly of a frame that is not IP has none */
		return bytes_equal_text(type, "anomaly") ? (struct line_result){LINE_OTHER, BYTES("anomaly without addresses")}
							 : line_bad("src_ip or dest_ip is no address");
	if (flow)
		fill_flow(e, v);
	else if (bytes_equal_text(type, "alert"))
		fill_alert(e, v);
	else
		fill_anomaly(e, v);
	return (struct line_result){.took = LINE_EVENT};
}

static const struct sensor_format eve = {
	.name = "eve",
	.summary = "Suricata's EVE JSON: alerts, anomalies and flows",
	.reference = "Suricata user guide, EVE JSON format (versions 6 to 8)",
	.state_size = sizeof(struct eve),
	.line = eve_line,
};
SENSOR_FORMAT(eve);
