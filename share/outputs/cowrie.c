/*
 * Cowrie's JSON lines, which the tools of most people who run decoys read: what our decoys saw, under the names of
 * its events.
 *
 * Its session is twelve digits; ours is made of our id's digest, so the lines of one session meet and nothing else is
 * told.  Passwords are private and never in a view, so `password` is absent.  `protocol` is the service's name, also of
 * those that Cowrie has not got.
 */
#include "share/output.h"
#include <openssl/sha.h>

#define LINE_MAX_BYTES (13 * EVENT_BYTES_MAX + 8192)
#define SESSION_DIGITS 12

FIELD(ssh_hassh, "ssh.hassh", TEXT, 0, "digest of the client's algorithm lists");
FIELD(ssh_algorithms, "ssh.algorithms", BYTES, 0, "the client's lists of key exchange, ciphers, MACs and compression");

static void write_member(struct writer *w, const char *name, struct bytes value)
{
	if (!value.len)
		return;
	write_fmt(w, ",\"%s\":", name);
	write_json_string(w, value);
}

static void write_session(struct writer *w, const struct event *e)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct event_id id = e->id;
	if (e->kind != EVENT_SESSION_OPENED && !event_id_of(e, FIELD_SESSION, &id))
		return;
	SHA256(id.b, sizeof id.b, digest);
	write_text(w, ",\"session\":\"");
	for (size_t i = 0; i < SESSION_DIGITS / 2; i++)
		write_fmt(w, "%02x", digest[i]);
	write_u8(w, '"');
}

static void write_address(struct writer *w, const struct event *e, uint16_t field, const char *name)
{
	struct address a;
	char text[ADDRESS_TEXT_MAX];
	if (event_address(e, field, &a))
		write_fmt(w, ",\"%s\":\"%s\"", name, address_format(&a, text));
}

static void write_number(struct writer *w, const struct event *e, uint16_t field, const char *name)
{
	const struct event_value *v = event_get(e, field);
	if (v)
		write_fmt(w, ",\"%s\":%llu", name, (unsigned long long)v->number);
}

/* A message of words and at most one value of the peer's. */
static void write_message(struct writer *w, const char *before, struct bytes value, const char *after)
{
	write_text(w, ",\"message\":");
	uint8_t *quote = w->at;
	write_json_string(w, value);
	if (w->bad)
		return;
	size_t n = (size_t)(w->at - quote) - 2, b = strlen(before);
	memmove(quote + 1 + b, quote + 1, n);
	memcpy(quote + 1, before, b);
	w->at = quote + 1 + b + n;
	write_text(w, after);
	write_u8(w, '"');
}

static void begin_line(struct writer *w, const struct event *e, const char *name)
{
	char time[TIME_TEXT_MAX];
	write_fmt(w, "{\"eventid\":\"cowrie.%s\"", name);
	if (e->time_us)
		write_fmt(w, ",\"timestamp\":\"%s\"", time_format(e->time_us, time));
	write_member(w, "sensor", event_bytes(e, FIELD_SENSOR));
	write_session(w, e);
	write_address(w, e, FIELD_SRC, "src_ip");
	write_member(w, "protocol", event_bytes(e, FIELD_SERVICE));
}

static void say_opened(struct writer *w, const struct event *e)
{
	begin_line(w, e, "session.connect");
	write_number(w, e, FIELD_SPORT, "src_port");
	write_address(w, e, FIELD_DST, "dst_ip");
	write_number(w, e, FIELD_DPORT, "dst_port");
	write_message(w, "New connection", (struct bytes){0}, "");
}

static void say_closed(struct writer *w, const struct event *e)
{
	uint64_t us = event_number(e, FIELD_DURATION, 0);
	begin_line(w, e, "session.closed");
	write_fmt(w, ",\"duration\":%llu.%06llu", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
	write_fmt(w, ",\"message\":\"Connection lost after %llu seconds\"", (unsigned long long)(us / 1000000));
}

static void say_login(struct writer *w, const struct event *e)
{
	bool in = event_bool(e, FIELD_LOGIN_ACCEPTED);
	begin_line(w, e, in ? "login.success" : "login.failed");
	write_member(w, "username", event_bytes(e, FIELD_LOGIN_USER));
	write_message(w, "login attempt [", event_bytes(e, FIELD_LOGIN_USER), in ? "] succeeded" : "] failed");
}

/* Cowrie tells every line, and of what its shell has not got once more that it failed. */
static void say_command(struct writer *w, const struct event *e)
{
	begin_line(w, e, "command.input");
	write_member(w, "input", event_bytes(e, FIELD_COMMAND_LINE));
	write_message(w, "CMD: ", event_bytes(e, FIELD_COMMAND_LINE), "");
	if (!event_get(e, FIELD_COMMAND_FOUND) || event_bool(e, FIELD_COMMAND_FOUND))
		return;
	write_text(w, "}\n");
	begin_line(w, e, "command.failed");
	write_member(w, "input", event_bytes(e, FIELD_COMMAND_LINE));
	write_message(w, "Command not found: ", event_bytes(e, FIELD_COMMAND_LINE), "");
}

static void say_file(struct writer *w, const struct event *e)
{
	struct bytes url = event_bytes(e, FIELD_FILE_URL), name = event_bytes(e, FIELD_FILE_NAME);
	begin_line(w, e, url.len ? "session.file_download" : "session.file_upload");
	write_member(w, "url", url);
	write_member(w, "filename", name);
	write_member(w, "shasum", event_bytes(e, FIELD_FILE_SHA256));
	write_number(w, e, FIELD_FILE_SIZE, "size");
	write_message(w, url.len ? "Downloaded URL (" : "Uploaded file \\\"", url.len ? url : name, url.len ? ")" : "\\\"");
}

static void say_client(struct writer *w, const struct event *e)
{
	struct bytes hassh = event_bytes(e, ssh_hassh);
	begin_line(w, e, "client.version");
	write_member(w, "version", event_bytes(e, FIELD_AGENT));
	write_message(w, "Remote SSH version: ", event_bytes(e, FIELD_AGENT), "");
	if (!hassh.len)
		return;
	write_text(w, "}\n");
	begin_line(w, e, "client.kex");
	write_member(w, "hassh", hassh);
	write_member(w, "hasshAlgorithms", event_bytes(e, ssh_algorithms));
	write_message(w, "SSH client hassh fingerprint: ", hassh, "");
}

static int event(struct output_run *run, const struct event *e)
{
	static void (*const says[EVENT_KIND_COUNT])(struct writer *, const struct event *) = {
		[EVENT_SESSION_OPENED] = say_opened, [EVENT_SESSION_CLOSED] = say_closed, [EVENT_LOGIN_TRIED] = say_login,
		[EVENT_COMMAND_SENT] = say_command, [EVENT_FILE_CAPTURED] = say_file, [EVENT_CLIENT_SEEN] = say_client,
	};
	if (e->kind == EVENT_CLIENT_SEEN && !event_get(e, FIELD_AGENT))
		return output_skip(run); /* a greeting over TLS, which Cowrie has no word for */
	struct writer w = output_room(run, 2 * LINE_MAX_BYTES);
	says[e->kind](&w, e);
	write_text(&w, "}\n");
	return output_wrote(run, &w);
}

#define SESSION "00050d4b5d3c4000000000010000002a"
#define HEAD(name) "{\"eventid\":\"cowrie." name "\",\"timestamp\":\"2015-03-05T10:20:30.000004Z\","
#define WHO "\"session\":\"12ea1b032e87\",\"src_ip\":\"203.0.113.9\",\"protocol\":\"telnet\","
#define OURS "\"time\":\"2015-03-05T10:20:30.000004Z\",\"src\":\"203.0.113.9\",\"service\":\"telnet\","

static const struct output_specimen specimens[] = {
	{"a session from its beginning to its end",
	 "{\"kind\":\"session.opened\",\"id\":\"" SESSION "\"," OURS "\"sport\":4711,\"dport\":23}\n"
	 "{\"kind\":\"login.tried\"," OURS "\"session\":\"" SESSION "\",\"login.user\":\"ro\\u0022ot\",\"login.accepted\":true}\n"
	 "{\"kind\":\"command.sent\"," OURS "\"session\":\"" SESSION "\",\"command.line\":\"nope\",\"command.found\":false}\n"
	 "{\"kind\":\"file.captured\"," OURS "\"session\":\"" SESSION "\",\"file.url\":\"http://203.0.113.8/x\",\"file.size\":3}\n"
	 "{\"kind\":\"session.closed\"," OURS "\"session\":\"" SESSION "\",\"duration\":12500000}\n"
	 "{\"kind\":\"flow.counted\",\"src\":\"203.0.113.9\"}\n",
	 HEAD("session.connect") WHO "\"src_port\":4711,\"dst_port\":23,\"message\":\"New connection\"}\n"
	 HEAD("login.success") WHO "\"username\":\"ro\\u0022ot\",\"message\":\"login attempt [ro\\u0022ot] succeeded\"}\n"
	 HEAD("command.input") WHO "\"input\":\"nope\",\"message\":\"CMD: nope\"}\n"
	 HEAD("command.failed") WHO "\"input\":\"nope\",\"message\":\"Command not found: nope\"}\n"
	 HEAD("session.file_download") WHO "\"url\":\"http://203.0.113.8/x\",\"size\":3,"
	 "\"message\":\"Downloaded URL (http://203.0.113.8/x)\"}\n"
	 HEAD("session.closed") WHO "\"duration\":12.500000,\"message\":\"Connection lost after 12 seconds\"}\n", NULL},
	{0},
};

static const struct output cowrie = {
	.name = "cowrie",
	.summary = "sessions with our decoys as Cowrie's JSON lines, for tools that read those",
	.reference = "Cowrie's output_jsonlog; its events of 2.5",
	.media_type = "application/x-ndjson",
	.extension = "json",
	.kinds = KIND_MASK(EVENT_SESSION_OPENED) | KIND_MASK(EVENT_SESSION_CLOSED) | KIND_MASK(EVENT_LOGIN_TRIED) |
		 KIND_MASK(EVENT_COMMAND_SENT) | KIND_MASK(EVENT_FILE_CAPTURED) | KIND_MASK(EVENT_CLIENT_SEEN),
	.event = event,
	.specimens = specimens,
};
OUTPUT(cowrie);
