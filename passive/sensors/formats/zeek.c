/*
 * Zeek's logs, as tab-separated values with their header or as JSON, a line a record.
 *
 * conn.log becomes flow.counted; notice.log and weird.log become alert.raised; other logs are
 * counted by their name.  Which log it is says the header's #path, in JSON `_path` (when Zeek
 * streams), else the file's name, else the members that only one of them has.
 */
#include "base/json_scan.h"
#include "base/moment.h"
#include "passive/sensors/fields_inner.h"
#include "passive/sensors/sensor_format.h"

ALERT_FIELDS;
FIELD(field_flow_history, "flow.history", TEXT, 0, "Zeek's history: a letter for each thing that happened");

#define COLUMNS_MAX 256
#define SEPARATOR_MAX 8
#define NAME_MAX 64
#define TEXT_MAX 4096
#define DURATION_US_MAX 315360000000000u /* ten years; more is a lie */
#define MILLISECONDS_FROM 100000000000u /* JSON::TS_MILLIS: in seconds this is the year 5138 */

enum column {
	TS, UID, ORIG_H, ORIG_P, RESP_H, RESP_P, PROTO, SERVICE, DURATION, ORIG_BYTES, RESP_BYTES, CONN_STATE,
	HISTORY, ORIG_PKTS, ORIG_IP_BYTES, COMMUNITY, NOTE, MSG, SUB, SRC, DST, PORT, NAME, ADDL, PATH,
	COLUMNS
};
#define W(text) {(const uint8_t *)(text), sizeof(text) - 1}
static const struct bytes column_names[COLUMNS] = {
	W("ts"), W("uid"), W("id.orig_h"), W("id.orig_p"), W("id.resp_h"), W("id.resp_p"), W("proto"), W("service"), W("duration"),
	W("orig_bytes"), W("resp_bytes"), W("conn_state"), W("history"), W("orig_pkts"), W("orig_ip_bytes"), W("community_id"),
	W("note"), W("msg"), W("sub"), W("src"), W("dst"), W("p"), W("name"), W("addl"), W("_path"),
};

struct setting { /* of the header: a word, already unescaped */
	uint8_t at[NAME_MAX];
	size_t len;
};

struct zeek {
	struct bytes values[COLUMNS]; /* of this line; at NULL: unset */
	bool json;                    /* how text of this line is escaped */
	struct setting separator, empty, unset, path, from_name;
	uint16_t columns[COLUMNS_MAX];
	size_t column_count; /* 0: no #fields yet */
	uint8_t text[TEXT_MAX];
};

static struct bytes setting_of(const struct setting *s) { return (struct bytes){s->at, s->len}; }

static void setting_put(struct setting *s, struct bytes b)
{
	s->len = b.len < sizeof s->at ? b.len : sizeof s->at;
	if (s->len)
		memcpy(s->at, b.at, s->len);
}

/* "/var/log/zeek/conn.10:00:00-11:00:00.log" is conn. */
static void zeek_begin(void *state, const char *path)
{
	struct zeek *z = state;
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *base = slash ? slash + 1 : path ? path : "";
	setting_put(&z->from_name, (struct bytes){(const uint8_t *)base, strcspn(base, "._-")});
	setting_put(&z->separator, BYTES("\t"));
	setting_put(&z->empty, BYTES("(empty)"));
	setting_put(&z->unset, BYTES("-"));
	z->path.len = z->column_count = 0;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Zeek writes what would break a line as \xHH. */
static void unescape(struct bytes b, struct writer *w)
{
	for (size_t i = 0; i < b.len && !w->bad; i++) {
		bool hex = b.at[i] == '\\' && i + 3 < b.len && b.at[i + 1] == 'x' &&
			   hex_digit(b.at[i + 2]) >= 0 && hex_digit(b.at[i + 3]) >= 0;
		write_u8(w, hex ? (uint8_t)(hex_digit(b.at[i + 2]) << 4 | hex_digit(b.at[i + 3])) : b.at[i]);
		if (hex)
			i += 3;
		else if (b.at[i] == '\\' && i + 1 < b.len && b.at[i + 1] == '\\')
			i++;
	}
}

/* Takes the next column off the line. */
static bool split(struct bytes separator, struct bytes *line, struct bytes *value)
{
	if (!line->at)
		return false;
	const uint8_t *end = separator.len == 1 ? memchr(line->at, separator.at[0], line->len)
						: memmem(line->at, line->len, separator.at, separator.len);
	*value = (struct bytes){line->at, end ? (size_t)(end - line->at) : line->len};
	if (end)
		*line = (struct bytes){end + separator.len, line->len - value->len - separator.len};
	else
		line->at = NULL;
	return true;
}

static enum column column_of(struct bytes name)
{
	unsigned c = 0;
	while (c < COLUMNS && (name.len != column_names[c].len || memcmp(name.at, column_names[c].at, name.len)))
		c++;
	return (enum column)c;
}

static struct line_result read_fields(struct zeek *z, struct bytes names)
{
	struct bytes name;
	z->column_count = 0;
	while (split(setting_of(&z->separator), &names, &name)) {
		if (z->column_count == COLUMNS_MAX)
			return line_bad("more than 256 columns");
		z->columns[z->column_count++] = (uint16_t)column_of(name);
	}
	return (struct line_result){.took = LINE_HEADER};
}

/* "#separator" has its value behind a space, whatever the separator; the others behind that. */
static struct line_result read_header(struct zeek *z, struct bytes line)
{
	uint8_t room[NAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct bytes rest = line, key;
	if (bytes_start_with(line, "#separator ")) {
		unescape((struct bytes){line.at + 11, line.len - 11}, &w);
		if (w.bad || !writer_used(&w) || writer_used(&w) > SEPARATOR_MAX)
			return line_bad("a #separator that is empty or too long");
		setting_put(&z->separator, writer_bytes(&w));
		z->path.len = z->column_count = 0;
		return (struct line_result){.took = LINE_HEADER};
	}
	if (!split(setting_of(&z->separator), &rest, &key) || !rest.at)
		return (struct line_result){.took = LINE_HEADER}; /* a comment */
	if (bytes_equal_text(key, "#fields"))
		return read_fields(z, rest);
	unescape(rest, &w);
	struct bytes value = writer_bytes(&w);
	if (bytes_equal_text(key, "#path"))
		setting_put(&z->path, value);
	else if (bytes_equal_text(key, "#empty_field"))
		setting_put(&z->empty, value);
	else if (bytes_equal_text(key, "#unset_field"))
		setting_put(&z->unset, value);
	return (struct line_result){.took = LINE_HEADER};
}

static const char *read_columns(struct zeek *z, struct bytes line)
{
	struct bytes value, separator = setting_of(&z->separator), unset = setting_of(&z->unset),
			    empty = setting_of(&z->empty);
	size_t n = 0;
	z->json = false;
	if (!z->column_count)
		return "a line before its #fields";
	while (split(separator, &line, &value)) {
		if (n == z->column_count)
			return "more columns than #fields names";
		unsigned c = z->columns[n++];
		if (c < COLUMNS && !bytes_equal(value, unset))
			z->values[c] = bytes_equal(value, empty) ? (struct bytes){value.at, 0} : value;
	}
	return n == z->column_count ? NULL : "fewer columns than #fields names";
}

static const char *read_json(struct zeek *z, struct bytes line)
{
	struct json_reader j = json_of(line);
	struct bytes name;
	z->json = true;
	json_enter(&j);
	while (json_next(&j, &name)) {
		struct json_value v;
		if (!json_take(&j, &v))
			break;
		unsigned c = column_of(name);
		if (c < COLUMNS && (v.type == VALUE_STRING || v.type == VALUE_NUMBER))
			z->values[c] = v.raw;
	}
	return json_ended(&j) ? NULL : j.why;
}

static struct bytes get(const struct zeek *z, enum column c) { return z->values[c]; }

static struct bytes log_of(const struct zeek *z)
{
	if (z->json && get(z, PATH).len)
		return get(z, PATH);
	if (!z->json && z->path.len)
		return setting_of(&z->path);
	struct bytes name = setting_of(&z->from_name);
	if (bytes_equal_text(name, "conn") || bytes_equal_text(name, "notice") || bytes_equal_text(name, "weird"))
		return name;
	if (get(z, CONN_STATE).at)
		return BYTES("conn");
	if (get(z, NOTE).at)
		return BYTES("notice");
	return name;
}

static void set_text(struct event *e, uint16_t field, struct zeek *z, enum column c)
{
	struct writer w = writer_of(z->text, sizeof z->text);
	if (!get(z, c).at)
		return;
	if (z->json)
		json_unescape(get(z, c), &w);
	else
		unescape(get(z, c), &w);
	e->cut |= w.bad;
	event_set_bytes(e, field, writer_bytes(&w));
}

static void set_number(struct event *e, uint16_t field, const struct zeek *z, enum column c, uint64_t max)
{
	uint64_t n;
	if (bytes_number(get(z, c), max, &n))
		event_set_number(e, field, n);
}

static bool set_address(struct event *e, uint16_t field, const struct zeek *z, enum column c)
{
	struct address a;
	if (!get(z, c).at || !address_parse(get(z, c), &a))
		return false;
	event_set_address(e, field, &a);
	return true;
}

/* Seconds since 1970, or what JSON's options make of them. */
static bool time_of(struct bytes ts, uint64_t *time_us)
{
	if (ts.len > 10 && ts.at[4] == '-')
		return moment_iso(ts, time_us);
	uint64_t us;
	if (!moment_seconds(ts, &us))
		return false;
	*time_us = us / 1000000 >= MILLISECONDS_FROM ? us / 1000 : us;
	return true;
}

static bool set_ends(struct event *e, const struct zeek *z)
{
	if (!set_address(e, FIELD_SRC, z, ORIG_H) || !set_address(e, FIELD_DST, z, RESP_H))
		return false;
	set_number(e, FIELD_SPORT, z, ORIG_P, 65535);
	set_number(e, FIELD_DPORT, z, RESP_P, 65535);
	return true;
}

static void set_names(struct event *e, const struct zeek *z)
{
	event_set_word(e, FIELD_PROTO, get(z, PROTO));
	event_set_token(e, field_flow_uid, get(z, UID));
	event_set_token(e, field_flow_community, get(z, COMMUNITY));
}

static const char *fill_conn(struct event *e, const struct zeek *z)
{
	uint64_t duration = 0, start = e->time_us;
	if (!set_ends(e, z))
		return "id.orig_h or id.resp_h is no address";
	set_names(e, z);
	event_set_number(e, FIELD_FLOW_FIRST, start);
	if (moment_seconds(get(z, DURATION), &duration) && duration < DURATION_US_MAX) {
		event_set_number(e, FIELD_DURATION, duration);
		e->time_us = start + duration;
	}
	event_set_word(e, FIELD_SERVICE, get(z, SERVICE));
	event_set_token(e, FIELD_STATE, get(z, CONN_STATE));
	event_set_token(e, field_flow_history, get(z, HISTORY));
	set_number(e, FIELD_BYTES_IN, z, ORIG_BYTES, UINT64_MAX);
	set_number(e, FIELD_BYTES_OUT, z, RESP_BYTES, UINT64_MAX);
	set_number(e, FIELD_FLOW_PACKETS, z, ORIG_PKTS, UINT64_MAX);
	set_number(e, FIELD_FLOW_BYTES, z, ORIG_IP_BYTES, UINT64_MAX);
	event_set_number(e, FIELD_FLOW_DESTINATIONS, 1);
	return NULL;
}

/* A notice about a host has src and perhaps dst; one about a connection has its ends. */
static const char *fill_notice(struct event *e, struct zeek *z)
{
	if (set_address(e, FIELD_SRC, z, SRC)) {
		set_address(e, FIELD_DST, z, DST);
		set_number(e, FIELD_DPORT, z, PORT, 65535);
	} else {
		set_ends(e, z);
	}
	set_names(e, z);
	set_text(e, field_alert_signature, z, NOTE);
	set_text(e, field_alert_message, z, MSG);
	if (get(z, SUB).len)
		set_text(e, field_alert_category, z, SUB);
	return get(z, NOTE).len ? NULL : "a notice without note";
}

static const char *fill_weird(struct event *e, struct zeek *z)
{
	set_ends(e, z);
	set_names(e, z);
	set_text(e, field_alert_signature, z, NAME);
	if (get(z, ADDL).len)
		set_text(e, field_alert_message, z, ADDL);
	event_set_text(e, field_alert_action, "weird");
	return get(z, NAME).len ? NULL : "a weird without name";
}

static struct line_result zeek_line(void *state, struct bytes line, struct event *e)
{
	struct zeek *z = state;
	const char *why;
	if (!line.len)
		return (struct line_result){.took = LINE_EMPTY};
	if (line.at[0] == '#')
		return read_header(z, line);
	memset(z->values, 0, sizeof z->values);
	why = line.at[0] == '{' ? read_json(z, line) : read_columns(z, line);
	if (why)
		return line_bad(why);
	struct bytes log = log_of(z);
	bool conn = bytes_equal_text(log, "conn"), notice = bytes_equal_text(log, "notice");
	if (!conn && !notice && !bytes_equal_text(log, "weird"))
		return (struct line_result){LINE_OTHER, log};
	event_begin(e, conn ? EVENT_FLOW_COUNTED : EVENT_ALERT_RAISED);
	if (!time_of(get(z, TS), &e->time_us))
		return line_bad("ts is no time");
	why = conn ? fill_conn(e, z) : notice ? fill_notice(e, z) : fill_weird(e, z);
	return why ? line_bad(why) : (struct line_result){.took = LINE_EVENT};
}

static const struct sensor_format zeek = {
	.name = "zeek",
	.summary = "Zeek's conn.log, notice.log and weird.log, tab-separated or JSON",
	.reference = "Zeek manual, log formats (versions 3 to 7)",
	.state_size = sizeof(struct zeek),
	.begin = zeek_begin,
	.line = zeek_line,
};
SENSOR_FORMAT(zeek);
