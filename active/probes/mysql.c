/*
 * MySQL and MariaDB: the greeting, which names the version, and nothing from us.
 *
 * The server speaks first (protocol 10; MySQL internals, "Protocol::HandshakeV10"; MariaDB
 * puts "5.5.5-" before its own version for the sake of old replicas).  One that does not
 * take our address says so in an error packet instead.
 */
#include "active/reading/banner_inner.h"
#include "active/probe.h"

#define TEXT_MAX 512
#define HEADER 4
#define PROTOCOL 10
#define ERROR 0xff

FIELD(MYSQL_VERSION, "mysql.version", BYTES, 0, "version that the server names");
FIELD(MYSQL_PLUGIN, "mysql.plugin", BYTES, 0, "how it wants a login to be done");
FIELD(MYSQL_CAPABILITIES, "mysql.capabilities", NUMBER, 0, "bits that it can do");
FIELD(MYSQL_TLS, "mysql.tls", BOOL, 0, "whether it offers TLS");
FIELD(MYSQL_ERROR, "mysql.error", BYTES, 0, "why it did not greet us");

enum { CAN_TLS = 1 << 11, CAN_AUTH_PLUGIN = 1 << 19 };

static uint32_t read_little(struct reader *r, size_t width)
{
	struct bytes b = read_bytes(r, width);
	uint32_t v = 0;
	for (size_t i = b.len; i > 0; i--)
		v = v << 8 | b.at[i - 1];
	return v;
}

static struct bytes read_text(struct reader *r)
{
	struct bytes rest = {r->at, reader_left(r)};
	const uint8_t *nul = rest.len ? memchr(rest.at, 0, rest.len) : NULL;
	struct bytes text = read_bytes(r, nul ? (size_t)(nul - rest.at) : rest.len);
	if (nul)
		read_u8(r);
	if (text.len > TEXT_MAX)
		text.len = TEXT_MAX;
	return text;
}

/* The first packet; false: it has not come, or is none. */
static bool mysql_packet(struct bytes all, struct bytes *packet)
{
	struct reader r = reader_of_bytes(all);
	size_t len = read_little(&r, 3);
	read_u8(&r); /* sequence */
	*packet = read_bytes(&r, len);
	return reader_ok(&r) && len > 0;
}

/* Can these be the first bytes of a server? */
static bool mysql_begins(struct bytes b)
{
	if (b.len >= 2 && b.at[1] > 8) /* no greeting has more than 2,303 bytes */
		return false;
	if (b.len >= 3 && b.at[2] != 0)
		return false;
	if (b.len >= HEADER && b.at[3] > 1)
		return false;
	return b.len <= HEADER || b.at[HEADER] == PROTOCOL || b.at[HEADER] == 9 || b.at[HEADER] == ERROR;
}

static enum probe_next mysql_input(struct asking *a, void *state, struct reader *r)
{
	(void)a;
	(void)state;
	struct bytes all = {r->at, reader_left(r)}, packet;
	if (!mysql_begins(all))
		return hear_out(all);
	return mysql_packet(all, &packet) ? PROBE_DONE : PROBE_CONTINUE;
}

static void mysql_report_greeting(struct asking *a, struct bytes packet, struct event *answer)
{
	struct reader r = reader_of_bytes(packet);
	read_u8(&r);
	struct bytes version = read_text(&r);
	event_set_bytes(answer, MYSQL_VERSION, version);
	asking_signal(a, "mysql.banners", version);
	if (packet.at[0] != PROTOCOL)
		return;
	read_bytes(&r, 4 + 8 + 1); /* thread, first part of the challenge, filler */
	uint32_t capabilities = read_little(&r, 2);
	read_bytes(&r, 1 + 2); /* character set, status */
	capabilities |= read_little(&r, 2) << 16;
	size_t challenge = read_u8(&r);
	read_bytes(&r, 10);
	if (!reader_ok(&r))
		return;
	event_set_number(answer, MYSQL_CAPABILITIES, capabilities);
	event_set_bool(answer, MYSQL_TLS, capabilities & CAN_TLS);
	/* The second part has 13 bytes at least, whatever the length says. */
	read_bytes(&r, challenge > 8 + 13 ? challenge - 8 : 13);
	struct bytes plugin = read_text(&r);
	if (reader_ok(&r) && plugin.len && capabilities & CAN_AUTH_PLUGIN)
		event_set_bytes(answer, MYSQL_PLUGIN, plugin);
}

static void mysql_report_error(struct asking *a, struct bytes packet, struct event *answer)
{
	struct reader r = reader_of_bytes(packet);
	read_u8(&r);
	event_set_number(answer, FIELD_STATUS, read_little(&r, 2));
	struct bytes text = read_rest(&r);
	if (text.len > 6 && text.at[0] == '#') /* and five characters of SQL state */
		text = (struct bytes){text.at + 6, text.len - 6};
	if (text.len > TEXT_MAX)
		text.len = TEXT_MAX;
	if (!text.len)
		return;
	event_set_bytes(answer, MYSQL_ERROR, text);
	asking_signal(a, "mysql.error", text);
}

static void mysql_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	struct bytes packet;
	if (!mysql_begins(unread) || !mysql_packet(unread, &packet)) {
		report_banner(answer, unread);
	} else if (packet.at[0] == ERROR) {
		mysql_report_error(a, packet, answer);
	} else {
		mysql_report_greeting(a, packet, answer);
	}
}

static bool mysql_recognises(struct bytes first)
{
	return first.len > HEADER + 1 && mysql_begins(first) &&
	       (first.at[HEADER] == ERROR || (first.at[HEADER + 1] >= '0' && first.at[HEADER + 1] <= '9'));
}

static const char *const mysql_signals[] = {"mysql.banners", "mysql.error", NULL};

static const struct specimen mysql_specimens[] = {
	{
		.title = "MariaDB 10.11",
		.answers = {BYTES("d\0\0\0\n5.5.5-10.11.19-MariaDB-0+deb12u1\0\x03\0\0\0!$-XSuuk\0"
				  "\xfe\xf7\x08\x02\0\xff\x81\x15\0\0\0\0\0\0\x1d\0\0\0"
				  "9wm?0stlA=P[\0mysql_native_password\0")},
		.asked = BYTES(""),
		.answered = "{\"mysql.version\":\"5.5.5-10.11.19-MariaDB-0+deb12u1\",\"mysql.tls\":false,"
			    "\"mysql.plugin\":\"mysql_native_password\",\"mysql.capabilities\":2181036030}\n",
		.signals = "mysql.banners: 5.5.5-10.11.19-MariaDB-0+deb12u1\n",
	},
	{
		.title = "an error instead of a greeting: MariaDB does not take our address",
		.answers = {BYTES("\x44\0\0\0\xff\x6a\x04Host '192.0.2.9' is not allowed to connect to this "
				  "MariaDB server")},
		.asked = BYTES(""),
		.answered = "{\"status\":1130,\"mysql.error\":\"Host '192.0.2.9' is not allowed to connect "
			    "to this MariaDB server\"}\n",
		.signals = "mysql.error: Host '192.0.2.9' is not allowed to connect to this MariaDB server\n",
	},
	{
		.title = "protocol 9, MySQL before 3.22",
		.answers = {BYTES("\x13\0\0\0\x09" "3.20.32a\0\x01\0\0\0abcde")},
		.asked = BYTES(""),
		.answered = "{\"mysql.version\":\"3.20.32a\"}\n",
		.signals = "mysql.banners: 3.20.32a\n",
	},
	{
		.title = "a packet that is longer than it may be",
		.answers = {BYTES("\xff\xff\xff\0\x09" "8.0.36\0")},
		.asked = BYTES(""),
		.answered = "{}\n",
	},
	{
		.title = "a greeting without an end in it",
		.answers = {BYTES("\x05\0\0\0\x0a" "8.0.")},
		.asked = BYTES(""),
		.answered = "{\"mysql.version\":\"8.0.\"}\n",
		.signals = "mysql.banners: 8.0.\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("SSH-2.0-x\r\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"SSH-2.0-x\\r\\n\"}\n",
	},
	{0},
};

static const struct probe mysql = {
	.name = "mysql",
	.summary = "reads the greeting and hangs up; sends nothing",
	.reference = "MySQL protocol 10; MariaDB 10.11",
	.transport = PROBE_TCP,
	.ports = {3306},
	.tier = PROBE_DEFAULT,
	.question_max = 0,
	.answer_max = 4096,
	.time_ms_max = 10000,
	.idle_ms = 5000,
	.connections_max = 1,
	.server_first = true,
	.recognises = mysql_recognises,
	.input = mysql_input,
	.finish = mysql_finish,
	.signals = mysql_signals,
	.specimens = mysql_specimens,
};
PROBE(mysql);
