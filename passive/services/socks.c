/*
 * An open SOCKS proxy: 4 and 4a (with host names), 5 with and without passwords.  What it is
 * asked for is told; tunnels open into nothing.
 */
#include "base/options.h"
#include "passive/room/sink.h"
#include <arpa/inet.h>

#define NAME_MAX_BYTES 255
#define TARGET_MAX 300

enum phase { PHASE_GREETING, PHASE_ACCOUNT, PHASE_REQUEST, PHASE_TUNNEL };
enum { COMMAND_CONNECT = 1, COMMAND_BIND = 2, COMMAND_ASSOCIATE = 3 };
enum { METHOD_NONE = 0, METHOD_ACCOUNT = 2, METHOD_REFUSED = 0xff };

struct socks_device {
	bool sinks, locked;
};

struct socks {
	uint8_t phase;
	struct sink sink;
};

static const struct socks_device *device_of(const struct session *s)
{
	return session_device(s);
}

static void say_raw(struct session *s, const void *at, size_t n)
{
	session_say_bytes(s, (struct bytes){at, n});
}

static void tell(struct session *s, unsigned command, struct bytes target, struct bytes user)
{
	static const char *const names[] = {"", "CONNECT", "BIND", "ASSOCIATE"};
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, bytes_of_text(command <= COMMAND_ASSOCIATE ? names[command] : ""));
	event_set_bytes(e, FIELD_TARGET, target);
	if (user.len)
		event_set_bytes(e, FIELD_LOGIN_USER, user);
}

static void write_v4(struct writer *w, const uint8_t *a)
{
	write_fmt(w, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
}

/* A text that ends with NUL; false: not yet. */
static bool read_text(struct reader *r, struct bytes *text)
{
	size_t n = 0;
	while (n < reader_left(r) && r->at[n])
		n++;
	*text = (struct bytes){r->at, n};
	if (n == reader_left(r))
		return false;
	read_bytes(r, n + 1);
	return true;
}

/* SOCKS 4: version, command, port, address, user, NUL; 4a with 0.0.0.x: name, NUL. */
static enum service_next request_4(struct session *s, struct socks *x, struct reader *in)
{
	char target[TARGET_MAX];
	struct writer w = writer_of(target, sizeof target);
	struct reader r = *in;
	struct bytes user, name = {0};
	read_u8(&r);
	uint8_t command = read_u8(&r);
	struct bytes at = read_bytes(&r, 6);
	if (!reader_ok(&r))
		return SERVICE_CONTINUE;
	const uint8_t *a = at.at + 2;
	bool named = !a[0] && !a[1] && !a[2] && a[3];
	if (!read_text(&r, &user) || (named && !read_text(&r, &name)))
		return reader_left(in) > 2 * NAME_MAX_BYTES ? SERVICE_CLOSE : SERVICE_CONTINUE;
	if (named)
		write_bytes(&w, name.at, name.len < NAME_MAX_BYTES ? name.len : NAME_MAX_BYTES);
	else
		write_v4(&w, a);
	write_fmt(&w, ":%u", at.at[0] << 8 | at.at[1]);
	tell(s, command, writer_bytes(&w), user);
	bool opens = command == COMMAND_CONNECT && device_of(s)->sinks;
	const uint8_t answer[] = {0, opens ? 90 : 91, at.at[0], at.at[1], a[0], a[1], a[2], a[3]};
	say_raw(s, answer, sizeof answer);
	*in = r;
	sink_open(s, &x->sink, writer_bytes(&w));
	x->phase = PHASE_TUNNEL;
	return opens ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

/* RFC 1928 3 */
static enum service_next greeting_5(struct session *s, struct socks *x, struct reader *in)
{
	struct reader r = *in;
	read_u8(&r);
	struct bytes methods = read_bytes(&r, read_u8(&r));
	if (!reader_ok(&r))
		return SERVICE_CONTINUE;
	bool none = methods.len && memchr(methods.at, METHOD_NONE, methods.len);
	bool account = methods.len && memchr(methods.at, METHOD_ACCOUNT, methods.len);
	bool locked = device_of(s)->locked;
	uint8_t chosen = !locked && none ? METHOD_NONE : account ? METHOD_ACCOUNT : METHOD_REFUSED;
	const uint8_t answer[] = {5, chosen};
	say_raw(s, answer, sizeof answer);
	*in = r;
	x->phase = chosen == METHOD_ACCOUNT ? PHASE_ACCOUNT : PHASE_REQUEST;
	return chosen == METHOD_REFUSED ? SERVICE_CLOSE : SERVICE_CONTINUE;
}

/* RFC 1929 2 */
static enum service_next account(struct session *s, struct socks *x, struct reader *in)
{
	struct reader r = *in;
	read_u8(&r);
	struct bytes user = read_bytes(&r, read_u8(&r)), secret = read_bytes(&r, read_u8(&r));
	if (!reader_ok(&r))
		return SERVICE_CONTINUE;
	bool accepted = session_login(s, user, secret) || !device_of(s)->locked;
	const uint8_t answer[] = {1, accepted ? 0 : 1};
	say_raw(s, answer, sizeof answer);
	*in = r;
	x->phase = PHASE_REQUEST;
	return accepted ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

static void say_reply(struct session *s, uint8_t status)
{
	uint8_t room[32];
	struct writer w = writer_of(room, sizeof room);
	const struct address *local = session_local(s);
	bool v4 = address_is_v4(local);
	write_u8(&w, 5);
	write_u8(&w, status);
	write_u8(&w, 0);
	write_u8(&w, status ? 1 : v4 ? 1 : 4);
	if (status)
		write_zero(&w, 6);
	else {
		write_bytes(&w, local->b + (v4 ? 12 : 0), v4 ? 4 : 16);
		write_u16(&w, (uint16_t)(32768 + session_random(s) % 28232));
	}
	session_say_bytes(s, writer_bytes(&w));
}

/* RFC 1928 4 */
static enum service_next request_5(struct session *s, struct socks *x, struct reader *in)
{
	char target[TARGET_MAX];
	struct writer w = writer_of(target, sizeof target);
	struct reader r = *in;
	read_u8(&r);
	uint8_t command = read_u8(&r);
	read_u8(&r);
	uint8_t kind = read_u8(&r);
	struct bytes at = read_bytes(&r, kind == 1 ? 4 : kind == 4 ? 16 : kind == 3 ? read_u8(&r) : 0);
	uint16_t port = read_u16(&r);
	if (!reader_ok(&r))
		return SERVICE_CONTINUE;
	*in = r;
	if (kind == 1) {
		write_v4(&w, at.at);
	} else if (kind == 4) {
		char text[INET6_ADDRSTRLEN];
		write_fmt(&w, "[%s]", inet_ntop(AF_INET6, at.at, text, sizeof text));
	} else {
		write_span(&w, at);
	}
	write_fmt(&w, ":%u", port);
	tell(s, command, writer_bytes(&w), (struct bytes){0});
	bool known = kind == 1 || kind == 3 || kind == 4;
	uint8_t status = !known ? 8 : command != COMMAND_CONNECT ? 7 : device_of(s)->sinks ? 0 : 5;
	say_reply(s, status);
	sink_open(s, &x->sink, writer_bytes(&w));
	x->phase = PHASE_TUNNEL;
	return status ? SERVICE_CLOSE : SERVICE_CONTINUE;
}

static enum service_next socks_input(struct session *s, void *state, struct reader *in)
{
	struct socks *x = state;
	enum service_next next = SERVICE_CONTINUE;
	size_t before;
	do {
		before = reader_left(in);
		if (before == 0)
			break;
		uint8_t version = *in->at;
		if (x->phase == PHASE_TUNNEL)
			next = sink_take(s, &x->sink, in);
		else if (x->phase == PHASE_GREETING && version == 4)
			next = request_4(s, x, in);
		else if (x->phase == PHASE_GREETING && version == 5)
			next = greeting_5(s, x, in);
		else if (x->phase == PHASE_ACCOUNT && version == 1)
			next = account(s, x, in);
		else if (x->phase == PHASE_REQUEST && version == 5)
			next = request_5(s, x, in);
		else
			next = SERVICE_CLOSE;
	} while (next == SERVICE_CONTINUE && reader_left(in) < before);
	return next;
}

static bool socks_claims(struct bytes first)
{
	if (first.len >= 3 && first.at[0] == 5 && first.len == (size_t)first.at[1] + 2)
		return first.at[1] > 0;
	return first.len >= 9 && first.at[0] == 4 && (first.at[1] == 1 || first.at[1] == 2) && first.at[first.len - 1] == 0;
}

static const struct exchange socks_exchanges[] = {
        {"version 5: no password, a tunnel to a name, what goes in",
         BYTES("\5\2\0\2\5\1\0\3\13example.com\0\31EHLO a\r\n"),
         BYTES("\5\0\5\0\0\1\xc0\0\2\27\xa7\x9d"),
         "{\"kind\":\"request.seen\",\"request.method\":\"CONNECT\",\"request.target\":\"example.com:25\"}\n"
         "{\"kind\":\"request.seen\",\"request.method\":\"DATA\",\"request.target\":\"example.com:25\"}"},
        {"version 5: a password that nobody needs", BYTES("\5\1\2\1\4root\3abc"), BYTES("\5\2\1\0"),
         "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"abc\",\"login.accepted\":false}"},
        {"version 5: no method in common", BYTES("\5\1\1"), BYTES("\5\xff"), ""},
        {"version 5: to listen is refused", BYTES("\5\1\0\5\2\0\1\300\0\2\1\0\31"), BYTES("\5\0\5\7\0\1\0\0\0\0\0\0"),
         "{\"kind\":\"request.seen\",\"request.method\":\"BIND\",\"request.target\":\"192.0.2.1:25\"}"},
        {"version 4a: a name", BYTES("\4\1\0\120\0\0\0\1bot\0example.com\0GET / HTTP/1.0\r\n\r\n"),
         BYTES("\0\132\0\120\0\0\0\1"),
         "{\"kind\":\"request.seen\",\"request.target\":\"example.com:80\",\"login.user\":\"bot\"}\n"
         "{\"request.method\":\"DATA\"}"},
        {"version 4: an address", BYTES("\4\1\1\273\300\0\2\1\0"), BYTES("\0\132\1\273\300\0\2\1"),
         "{\"kind\":\"request.seen\",\"request.method\":\"CONNECT\",\"request.target\":\"192.0.2.1:443\"}"},
        {"another protocol", BYTES("GET / HTTP/1.0\r\n\r\n"), BYTES(""), ""},
        {0},
};

static const struct option socks_device[] = {
        {.name = "sinks",
         .type = OPTION_BOOL,
         .offset = offsetof(struct socks_device, sinks),
         .fallback = "true",
         .summary = "whether tunnels seem to open; what is sent into them is kept and goes nowhere"},
        {.name = "locked",
         .type = OPTION_BOOL,
         .offset = offsetof(struct socks_device, locked),
         .fallback = "false",
         .summary = "whether version 5 asks for a password"},
        {0},
};

static const struct service socks = {
        .name = "socks",
        .summary = "open SOCKS proxy, 4, 4a and 5, that forwards nothing",
        .reference = "RFC 1928, RFC 1929; SOCKS 4A (Ying-Da Lee)",
        .transports = TRANSPORT_TCP,
        .ports = {1080, 9050, 10808},
        .state_size = sizeof(struct socks),
        .input_max = 8192,
        .output_max = 4096,
        .arena_max = 4096,
        .idle_ms_max = 60 * 1000,
        .session_ms_max = 300 * 1000,
        .device = socks_device,
        .device_size = sizeof(struct socks_device),
        .input = socks_input,
        .claims = socks_claims,
        .exchanges = socks_exchanges,
};
SERVICE(socks);
