/*
 * Hikvision's cameras and recorders on their port for clients (8000), as far as is publicly known:
 * a message is its length, a kind, and for log-ins and commands a number of four bytes; an answer
 * is sixteen bytes, the second four of which say how it went, in the numbers of the maker's SDK.
 * Passwords come hashed in ways that are not public, so none is ever right: the whole message is
 * kept beside the name in it.
 */
#include "passive/service.h"

#define HEAD 16
#define MESSAGE_MAX 2048
#define MESSAGES_MAX 500
#define NAME_MAX_CHARS 32

enum { KIND_LOGIN = 0x5a, KIND_HELLO = 0x63 };
enum { WRONG_PASSWORD = 1, NOT_ALLOWED = 2, BAD_DATA = 30 };

struct hikvision {
	uint32_t messages;
};

static void say(struct session *s, uint32_t result)
{
	uint8_t room[HEAD];
	struct writer w = writer_of(room, sizeof room);
	write_u32(&w, HEAD);
	write_u32(&w, result);
	write_u32(&w, result == BAD_DATA ? BAD_DATA : 0);
	write_u32(&w, 0);
	session_say_bytes(s, writer_bytes(&w));
}

/* The first run of letters and digits that could be a name: clients put it behind their addresses. */
static struct bytes name_in(struct bytes b)
{
	size_t start = 0;
	for (size_t i = 0; i <= b.len; i++) {
		uint8_t c = i < b.len ? b.at[i] : 0;
		bool letter = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
		if (letter && i - start < NAME_MAX_CHARS)
			continue;
		if (i - start >= 4)
			return (struct bytes){b.at + start, i - start};
		start = i + 1;
	}
	return (struct bytes){0};
}

static void on_login(struct session *s, struct bytes message)
{
	char proof[2 * 512 + 1];
	struct writer w = writer_of(proof, sizeof proof);
	for (size_t i = 0; i < message.len && i < 512; i++)
		write_fmt(&w, "%02x", message.at[i]);
	struct bytes rest = {message.at + HEAD, message.len - HEAD};
	session_login_decided(s, name_in(rest), (struct bytes){0}, writer_bytes(&w), false);
	say(s, WRONG_PASSWORD);
}

static void on_message(struct session *s, struct bytes message)
{
	uint8_t kind = message.len > 4 ? message.at[4] : 0;
	struct reader r = reader_of_bytes(message);
	char line[64];
	read_bytes(&r, 12);
	uint32_t number = read_u32(&r);
	if (kind == KIND_LOGIN && message.len > HEAD) {
		on_login(s, message);
		return;
	}
	snprintf(line, sizeof line, "kind 0x%02x number 0x%08x", kind, number);
	struct event *e = session_report(s, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, bytes_of_text(line));
	event_set_bytes(e, FIELD_BODY, message);
	say(s, kind == KIND_HELLO ? NOT_ALLOWED : BAD_DATA);
}

static enum service_next hikvision_input(struct session *s, void *state, struct reader *in)
{
	struct hikvision *h = state;
	while (reader_left(in) >= 4) {
		struct reader ahead = *in;
		uint32_t length = read_u32(&ahead);
		if (length < 8 || length > MESSAGE_MAX || h->messages++ >= MESSAGES_MAX) {
			say(s, BAD_DATA);
			return SERVICE_CLOSE;
		}
		if (reader_left(in) < length)
			break;
		on_message(s, read_bytes(in, length));
	}
	return SERVICE_CONTINUE;
}

static bool hikvision_claims(struct bytes first)
{
	struct reader r = reader_of_bytes(first);
	uint32_t length = read_u32(&r);
	uint8_t kind = read_u8(&r);
	return reader_ok(&r) && length >= HEAD && length <= MESSAGE_MAX && (kind == KIND_LOGIN || kind == KIND_HELLO) &&
	       read_be(&r, 3) == 0;
}

/* clang-format off */
#define ZERO8 "\0\0\0\0\0\0\0\0"
static const struct exchange hikvision_exchanges[] = {
	{"what scanners look for", BYTES("\0\0\0\x20\x63\0\0\0" ZERO8 ZERO8 ZERO8), BYTES("\0\0\0\x10\0\0\0\2" ZERO8),
	 "{\"kind\":\"command.sent\",\"command.line\":\"kind 0x63 number 0x00000000\"}"},
	{"a log-in", BYTES("\0\0\0\x30\x5a\0\0\0\0\0\0\0\0\1\0\0" "\xc0\0\2\1\0\0\0\0" "admin\0\0\0" ZERO8 ZERO8),
	 BYTES("\0\0\0\x10\0\0\0\1" ZERO8), "{\"kind\":\"login.tried\",\"login.user\":\"admin\",\"login.accepted\":false}"},
	{"another protocol", BYTES("GET / HTTP/1.0\r\n\r\n"), BYTES("\0\0\0\x10\0\0\0\x1e\0\0\0\x1e\0\0\0\0"), ""},
	{0},
};
/* clang-format on */

static const struct service hikvision = {
	.name = "hikvision",
	.summary = "camera or recorder by Hikvision, on its port for clients",
	.reference = "HCNetSDK on port 8000, as scanners know it",
	.transports = TRANSPORT_TCP,
	.ports = {8000},
	.state_size = sizeof(struct hikvision),
	.input_max = MESSAGE_MAX,
	.output_max = 16u << 10,
	.arena_max = 4096,
	.idle_ms_max = 60 * 1000,
	.session_ms_max = 600 * 1000,
	.input = hikvision_input,
	.claims = hikvision_claims,
	.exchanges = hikvision_exchanges,
};
SERVICE(hikvision);
