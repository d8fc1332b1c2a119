/*
 * Zeek's logs of a partner, as tab-separated values with their header or as JSON: connections, notices, weird things,
 * HTTP requests and files.  Which log it is says #path, in JSON `_path`, or the members that only one of them has.
 *
 * What our own sensor's Zeek writes is read by the telescope (passive/sensors); the fields have the same names.
 */
#include "base/moment.h"
#include "share/reading/alert_words_inner.h"
#include "share/reading/csv_inner.h"
#include "share/reading/pick_inner.h"
#include "share/reading/words_inner.h"

FIELD(zeek_history, "flow.history", TEXT, 0, "Zeek's history: a letter for each thing that happened");

#define CONFIDENCE_SEEN 70
#define PATH_BYTES 32

enum place {
	TS, UID, ORIG_H, ORIG_P, RESP_H, RESP_P, PROTO, SERVICE, DURATION, ORIG_BYTES, RESP_BYTES, CONN_STATE, HISTORY, ORIG_PKTS,
	ORIG_IP_BYTES, COMMUNITY, NOTE, MSG, SRC, DST, PORT, NAME, METHOD, HOST, URI, AGENT, STATUS, SHA256, FILENAME, SEEN, FUID,
	TX_HOSTS, PATH,
	PLACES
};

static const char *const columns[] = {
	"ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "orig_bytes", "resp_bytes",
	"conn_state", "history", "orig_pkts", "orig_ip_bytes", "community_id", "note", "msg", "src", "dst", "p", "name", "method",
	"host", "uri", "user_agent", "status_code", "sha256", "filename", "seen_bytes", "fuid", "tx_hosts", "_path", NULL,
};

static const struct pick id_picks[] = {PICK("orig_h", ORIG_H), PICK("orig_p", ORIG_P), PICK("resp_h", RESP_H), PICK("resp_p", RESP_P),
				       PICK_END};
static const struct pick picks[] = {
	PICK("ts", TS), PICK("uid", UID), PICK("id.orig_h", ORIG_H), PICK("id.orig_p", ORIG_P), PICK("id.resp_h", RESP_H),
	PICK("id.resp_p", RESP_P), PICK_WITHIN("id", id_picks), PICK("proto", PROTO), PICK("service", SERVICE),
	PICK("duration", DURATION), PICK("orig_bytes", ORIG_BYTES), PICK("resp_bytes", RESP_BYTES), PICK("conn_state", CONN_STATE),
	PICK("history", HISTORY), PICK("orig_pkts", ORIG_PKTS), PICK("orig_ip_bytes", ORIG_IP_BYTES), PICK("community_id", COMMUNITY),
	PICK("note", NOTE), PICK("msg", MSG), PICK("src", SRC), PICK("dst", DST), PICK("p", PORT), PICK("name", NAME),
	PICK("method", METHOD), PICK("host", HOST), PICK("uri", URI), PICK("user_agent", AGENT), PICK("status_code", STATUS),
	PICK("sha256", SHA256), PICK("filename", FILENAME), PICK("seen_bytes", SEEN), PICK("fuid", FUID), PICK("tx_hosts", TX_HOSTS),
	PICK("_path", PATH), PICK_END,
};

struct zeek {
	struct csv_columns columns;
	char path[PATH_BYTES];
};

static int hex_digit(uint8_t c)
{
	const char *at = c ? strchr("0123456789abcdef", c | 0x20) : NULL;
	return at ? (int)(at - "0123456789abcdef") : -1;
}

/* Zeek writes what would break a line as \xHH. */
static struct bytes unescaped(struct intake *in, struct bytes b)
{
	uint8_t *room = b.len && memchr(b.at, '\\', b.len) ? arena_alloc(intake_arena(in), b.len) : NULL;
	struct writer w = writer_of(room, room ? b.len : 0);
	if (!room)
		return b;
	for (size_t i = 0; i < b.len; i++) {
		bool hex = b.at[i] == '\\' && i + 3 < b.len && b.at[i + 1] == 'x' && hex_digit(b.at[i + 2]) >= 0 && hex_digit(b.at[i + 3]) >= 0;
		write_u8(&w, hex ? (uint8_t)(hex_digit(b.at[i + 2]) << 4 | hex_digit(b.at[i + 3])) : b.at[i]);
		i += hex ? 3 : b.at[i] == '\\' && i + 1 < b.len && b.at[i + 1] == '\\';
	}
	return writer_bytes(&w);
}

static void read_header(struct zeek *z, struct bytes whole)
{
	struct csv_line names;
	if (csv_split_plain(whole, '\t', &names) || names.count < 2)
		return;
	if (bytes_equal_text(names.values[0], "#path")) {
		z->columns.known = false;
		bytes_copy_text(names.values[1], z->path, sizeof z->path);
	} else if (bytes_equal_text(names.values[0], "#fields")) {
		const struct bytes all = {names.values[1].at, (size_t)(whole.at + whole.len - names.values[1].at)};
		csv_split_plain(all, '\t', &names);
		csv_columns_read(&z->columns, &names, columns);
	}
}

/* Values of a line; false: it was said what is wrong, or there is nothing to read. */
static bool read_values(struct intake *in, struct bytes whole, struct bytes *values)
{
	struct zeek *z = intake_state(in);
	struct json_value v[PLACES];
	struct csv_line columns_here;
	if (whole.at[0] == '{') {
		if (!pick_line(in, whole, picks, v, PLACES))
			return false;
		for (size_t i = 0; i < PLACES; i++)
			values[i] = v[i].type == VALUE_ARRAY ? pick_list(in, &v[i]) : pick_text(in, &v[i]);
		return true;
	}
	if (whole.at[0] == '#') {
		read_header(z, whole);
		return false;
	}
	const char *wrong = z->columns.known ? csv_split_plain(whole, '\t', &columns_here) : "no header says what its columns are";
	if (wrong) {
		intake_bad(in, "%s", wrong);
		return false;
	}
	for (unsigned i = 0; i < PLACES; i++) {
		values[i] = unescaped(in, csv_value(&columns_here, &z->columns, i));
		if (bytes_equal_text(values[i], "-") || bytes_equal_text(values[i], "(empty)"))
			values[i] = (struct bytes){0};
	}
	values[PATH] = bytes_of_text(z->path);
	return true;
}

static const char *kind_of(const struct bytes *v)
{
	static const struct { const char *path, *kind; } sorts[] = {
		{"conn", "flow.counted"}, {"notice", "alert.raised"}, {"weird", "alert.raised"}, {"http", "request.seen"},
		{"files", "file.captured"}};
	if (!v[PATH].len)
		return v[CONN_STATE].len ? "flow.counted" : v[NOTE].len || v[NAME].len ? "alert.raised" : v[FUID].len ? "file.captured"
									    : v[METHOD].len ? "request.seen" : NULL;
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
		if (bytes_equal_text(v[PATH], sorts[i].path))
			return sorts[i].kind;
	return NULL;
}

static void add_number(struct record *r, uint16_t field, struct bytes digits)
{
	uint64_t number;
	if (bytes_number(digits, UINT64_MAX, &number))
		record_number(r, field, number);
}

static struct bytes first_of(struct bytes a, struct bytes b) { return a.len ? a : b; }

static bool set_ends(const struct bytes *v, struct record *r)
{
	struct bytes source = first_of(v[ORIG_H], first_of(v[SRC], v[TX_HOSTS]));
	struct address other;
	uint64_t port;
	source.len = bytes_find(source, ","); /* tx_hosts is a set */
	if (!address_parse(source, &r->address))
		return false;
	r->type = "address";
	r->value = source;
	r->has_address = true;
	add_number(r, FIELD_SPORT, v[ORIG_P]);
	if (address_parse(first_of(v[RESP_H], v[DST]), &other))
		record_address(r, FIELD_DST, &other);
	if (bytes_number(first_of(v[RESP_P], v[PORT]), UINT16_MAX, &port))
		r->port = (uint32_t)port;
	record_text(r, FIELD_PROTO, bytes_equal_text(v[PROTO], "tcp")    ? "tcp"
				    : bytes_equal_text(v[PROTO], "udp")  ? "udp"
				    : bytes_equal_text(v[PROTO], "icmp") ? "icmp" : NULL);
	record_token(r, flow_uid, v[UID]);
	record_token(r, flow_community, v[COMMUNITY]);
	record_bytes(r, word_class, v[SERVICE]);
	return true;
}

static void set_flow(const struct bytes *v, struct record *r)
{
	uint64_t duration = 0;
	if (r->time_us)
		record_number(r, FIELD_FLOW_FIRST, r->time_us);
	if (moment_seconds(v[DURATION], &duration)) {
		record_number(r, FIELD_DURATION, duration);
		r->time_us += r->time_us ? duration : 0;
	}
	add_number(r, FIELD_FLOW_PACKETS, v[ORIG_PKTS]);
	add_number(r, FIELD_FLOW_BYTES, v[ORIG_IP_BYTES]);
	add_number(r, FIELD_BYTES_IN, v[ORIG_BYTES]);
	add_number(r, FIELD_BYTES_OUT, v[RESP_BYTES]);
	record_token(r, FIELD_STATE, v[CONN_STATE]);
	record_token(r, zeek_history, v[HISTORY]);
}

static void set_talk(const struct bytes *v, struct record *r)
{
	struct bytes signature = first_of(v[NOTE], v[NAME]);
	bool alert = !strcmp(r->kind, "alert.raised");
	r->title = alert ? signature : (struct bytes){0};
	record_bytes(r, alert_signature, r->title);
	record_bytes(r, alert_message, v[MSG]);
	record_bytes(r, FIELD_METHOD, v[METHOD]);
	record_bytes(r, FIELD_HOST_NAME, v[HOST]);
	record_bytes(r, FIELD_TARGET, v[URI]);
	record_bytes(r, FIELD_AGENT, v[AGENT]);
	add_number(r, FIELD_STATUS, v[STATUS]);
	if (v[SHA256].len == 64)
		record_token(r, FIELD_FILE_SHA256, v[SHA256]);
	record_bytes(r, FIELD_FILE_NAME, v[FILENAME]);
	add_number(r, FIELD_FILE_SIZE, v[SEEN]);
}

static void line(struct intake *in, struct bytes whole)
{
	struct bytes v[PLACES];
	struct record r = {.confidence = CONFIDENCE_SEEN, .original = whole};
	if (!read_values(in, whole, v))
		return;
	r.kind = kind_of(v);
	if (!r.kind)
		return;
	if (!set_ends(v, &r)) {
		/* A notice may be about no host at all. */
		if (strcmp(r.kind, "alert.raised"))
			intake_bad(in, "it has no address of who began it");
		return;
	}
	if (!moment_seconds(v[TS], &r.time_us) && !moment_iso(v[TS], &r.time_us))
		r.time_us = 0;
	if (!strcmp(r.kind, "flow.counted"))
		set_flow(v, &r);
	else
		set_talk(v, &r);
	record_digest(in, &r, whole);
	intake_record(in, &r);
}

static const struct format_specimen specimens[] = {
	{"conn.log with its header",
	 BYTES("#separator \\x09\n#set_separator\t,\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid."
	       "resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes"
	       "\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tstring\tco"
	       "unt\tcount\n1591367999.305988\tCMdzit1AMNsmfAIiQc\t198.51.100.3\t36844\t192.0.2.9\t23\ttcp\t-\t0.5\t62\t"
	       "-\tS0\tS\t2\t141\n1591368000.0\tC2\tx\t1\t192.0.2.9\t23\ttcp\t-\t-\t-\t-\tS0\tS\t1\t40\n"),
	 "address 198.51.100.3\n"
	 "  kind flow.counted\n"
	 "  port 23\n"
	 "  sport 36844\n"
	 "  dst 192.0.2.9\n"
	 "  proto tcp\n"
	 "  flow.uid CMdzit1AMNsmfAIiQc\n"
	 "  flow.first 2020-06-05T14:39:59.305988Z\n"
	 "  time 2020-06-05T14:39:59.805988Z\n"
	 "  flow.packets 2\n"
	 "  flow.bytes 141\n"
	 "  state S0\n"
	 "bad it has no address of who began it\n"},
	{"notice and http in JSON, also with an object of ends",
	 BYTES("{\"ts\":1591367999.5,\"note\":\"Scan::Port_Scan\",\"msg\":\"198.51.100.3 scanned\",\"src\":\"198.51.100."
	       "3\",\"dst\":\"192.0.2.9\",\"p\":23,\"actions\":[\"Notice::ACTION_LOG\"]}\n{\"_path\":\"http\",\"ts\":\"2"
	       "020-06-05T14:40:00.000000Z\",\"uid\":\"C3\",\"id\":{\"orig_h\":\"198.51.100.4\",\"orig_p\":1,\"resp_h\":"
	       "\"192.0.2.9\",\"resp_p\":80},\"method\":\"GET\",\"host\":\"a.example\",\"uri\":\"/x\",\"user_agent\":\"z"
	       "grab/0.x\",\"status_code\":200}\n{\"_path\":\"dns\",\"ts\":1,\"id.orig_h\":\"198.51.100.4\"}\n"),
	 "address 198.51.100.3\n"
	 "  kind alert.raised\n"
	 "  title Scan::Port_Scan\n"
	 "  alert.message 198.51.100.3 scanned\n"
	 "  port 23\n"
	 "address 198.51.100.4\n"
	 "  kind request.seen\n"
	 "  request.target /x\n"
	 "  request.agent zgrab/0.x\n"},
	{"a line without a header, and escapes in one with",
	 BYTES("1\t2\t3\n#path\tweird\n#fields\tts\tid.orig_h\tid.resp_h\tname\n1.0\t198.51.100.5\t-\tbad\\x09\\\\name\n"),
	 "bad no header says what its columns are\n"
	 "address 198.51.100.5\n"
	 "  kind alert.raised\n"
	 "  title bad	\\name\n"},
	{0},
};

static const struct format zeek = {
	.name = "zeek",
	.summary = "Zeek's logs of a partner: connections, notices, requests, files; with tabs or in JSON",
	.reference = "Zeek 4 to 7, ASCII and JSON writers",
	.shape = FORMAT_LINES,
	.line = line,
	.state_size = sizeof(struct zeek),
	.specimens = specimens,
};
FORMAT(zeek);
