/*
 * Sofia, the one program of recorders and cameras by Xiongmai and all who sell them under names of
 * their own, on its port for clients: JSON behind a head of twenty bytes, once logged in by a short
 * hash of the password.  Attackers guess that, reboot, add users, and send firmware of their own,
 * which is unpacked with scripts in it (OPSystemUpgrade).
 */
#include "base/little.h"
#include "base/options.h"
#include "passive/services/dvr/dvr.h"
#include "passive/services/http/api.h"
#include <time.h>

#define HEAD 20
#define TEXT_MAX 8192 /* of one message's JSON */
#define ANSWER_MAX 3072
#define FIRMWARE_MAX (256u << 10) /* kept of what is sent as such */
#define MESSAGES_MAX 2000

enum {
	LOGIN = 1000,
	KEEP_ALIVE = 1006,
	SYSTEM_INFO = 1020,
	CONFIG_SET = 1040,
	CONFIG_GET = 1042,
	ABILITY = 1360,
	MACHINE = 1450,
	TIME_QUERY = 1452,
	USERS = 1472,
	UPGRADE = 1520,
	UPGRADE_DATA = 1522,
};

enum { DONE = 100, UNKNOWN = 102, NOT_LOGGED_IN = 105, REFUSED = 203 };

struct sofia_device {
	const char *kind, *hardware, *version, *built;
	uint64_t channels;
};

struct sofia {
	uint32_t session, messages;
	bool logged_in;
	uint8_t *firmware;
	size_t firmware_len;
};

struct message {
	uint32_t sequence;
	uint16_t number;
	struct bytes text;
};

static void say(struct session *s, const struct sofia *f, const struct message *m, struct bytes text)
{
	uint8_t room[HEAD];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, 0xff);
	write_u8(&w, 1);
	write_zero(&w, 2);
	write_little(&w, f->session, 4);
	write_little(&w, m->sequence, 4);
	write_zero(&w, 2);
	write_little(&w, m->number + 1u, 2); /* an answer is one more than its question */
	write_little(&w, (uint32_t)text.len + 2, 4);
	session_say_bytes(s, writer_bytes(&w));
	session_say_bytes(s, text);
	session_say_bytes(s, BYTES("\n\0"));
}

/* The form that most answers have: how it went, and what was asked for. */
static void say_result(struct session *s, const struct sofia *f, const struct message *m, int result, const char *values)
{
	char room[ANSWER_MAX];
	struct bytes name = m->text.len ? api_json_text(m->text, "Name") : (struct bytes){0};
	struct writer w = writer_of(room, sizeof room);
	write_text(&w, "{ \"Name\" : ");
	api_write_json(&w, (struct bytes){name.at, name.len < 64 ? name.len : 64});
	write_fmt(&w, ", \"Ret\" : %d, \"SessionID\" : \"0x%08X\"%s }", result, f->session, values);
	say(s, f, m, writer_bytes(&w));
}

static void report(struct session *s, const char *what, struct bytes text)
{
	char line[1024];
	struct writer w = writer_of(line, sizeof line);
	write_text(&w, what);
	size_t left = writer_left(&w);
	write_bytes(&w, text.at, text.len < left ? text.len : left);
	event_set_bytes(session_report(s, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, writer_bytes(&w));
	api_name_urls(s, text, "sofia");
}

static bool hash_fits(const void *of, struct bytes secret)
{
	char hash[DVR_HASH_CHARS + 1];
	dvr_hash(secret, hash);
	return bytes_equal_text(*(const struct bytes *)of, hash);
}

static void on_login(struct session *s, struct sofia *f, const struct message *m)
{
	const struct sofia_device *d = session_device(s);
	struct bytes user = api_json_text(m->text, "UserName"), sent = api_json_text(m->text, "PassWord");
	bool plain = bytes_equal_text(api_json_text(m->text, "EncryptType"), "NONE");
	char proof[64], room[512];
	struct writer p = writer_of(proof, sizeof proof), w = writer_of(room, sizeof room);
	write_text(&p, "$dahua$");
	write_bytes(&p, sent.at, sent.len < 48 ? sent.len : 48);
	f->logged_in = plain ? dvr_login_plain(s, user, sent) : dvr_login(s, user, hash_fits, &sent, writer_bytes(&p));
	f->session = f->logged_in ? (uint32_t)session_random(s) % 0x2000 + 1 : 0;
	write_fmt(&w, "{ \"AliveInterval\" : %u, \"ChannelNum\" : %u, \"DeviceType \" : \"%s\", \"ExtraChannel\" : 0, \"Ret\" : %d, "
	              "\"SessionID\" : \"0x%08X\" }",
	          f->logged_in ? 20u : 0, f->logged_in ? (unsigned)d->channels : 0, d->kind, f->logged_in ? DONE : REFUSED, f->session);
	say(s, f, m, writer_bytes(&w));
}

static void on_system(struct session *s, const struct sofia *f, const struct message *m)
{
	const struct sofia_device *d = session_device(s);
	char text[1024], made[1024], uptime[24];
	uint64_t seconds = 0;
	session_expand(s, "%{uptime}", uptime, sizeof uptime);
	bytes_number(bytes_of_text(uptime), UINT32_MAX, &seconds);
	snprintf(text, sizeof text,
	         ", \"SystemInfo\" : { \"AlarmInChannel\" : %u, \"AlarmOutChannel\" : 1, \"AudioInChannel\" : %u, \"BuildTime\" : \"%s\", "
	         "\"CombineSwitch\" : 0, \"DeviceRunTime\" : \"0x%08X\", \"DigChannel\" : 0, \"EncryptVersion\" : \"Unknown\", "
	         "\"ExtraChannel\" : 0, \"HardWare\" : \"%s\", \"HardWareVersion\" : \"Unknown\", \"SerialNo\" : \"%%{serial}\", "
	         "\"SoftWareVersion\" : \"%s\", \"TalkInChannel\" : 1, \"TalkOutChannel\" : 1, \"UpdataTime\" : \"\", "
	         "\"UpdataType\" : \"0x00000000\", \"VideoInChannel\" : %u, \"VideoOutChannel\" : 1 }",
	         (unsigned)d->channels, (unsigned)d->channels, d->built, (unsigned)(seconds / 60), d->hardware, d->version, (unsigned)d->channels);
	session_expand(s, text, made, sizeof made);
	say_result(s, f, m, DONE, made);
}

/* The device's own accounts, with their hashes, as it tells them to whoever is logged in. */
static void on_users(struct session *s, const struct sofia *f, const struct message *m)
{
	const struct persona *p = session_persona(s) ? session_persona(s) : &persona_plain;
	size_t count;
	const struct persona_credential *known = auth_credentials(p, &count);
	char room[ANSWER_MAX - 256], hash[DVR_HASH_CHARS + 1];
	struct writer w = writer_of(room, sizeof room);
	write_text(&w, ", \"Users\" : [ ");
	for (size_t i = 0, said = 0; i < count && said < 4; i++) {
		bool again = false; /* guesses of one account are many; it has one password */
		for (size_t k = 0; k < i; k++)
			again |= bytes_equal(known[k].user, known[i].user);
		if (again)
			continue;
		dvr_hash(known[i].secret, hash);
		write_text(&w, said++ ? ", { \"AuthorityList\" : [ \"Monitor\", \"Replay\" ], \"Group\" : \"admin\", \"Memo\" : \"\", \"Name\" : "
		                      : "{ \"AuthorityList\" : [ \"Monitor\", \"Replay\" ], \"Group\" : \"admin\", \"Memo\" : \"\", \"Name\" : ");
		api_write_json(&w, known[i].user);
		write_fmt(&w, ", \"Password\" : \"%s\", \"Reserved\" : true, \"Sharable\" : true }", hash);
	}
	write_text(&w, " ]");
	write_u8(&w, 0);
	say_result(s, f, m, DONE, w.bad ? "" : room);
}

static void on_time(struct session *s, const struct sofia *f, const struct message *m)
{
	char values[80];
	time_t now = (time_t)(session_time_us(s) / 1000000);
	struct tm t;
	gmtime_r(&now, &t);
	strftime(values, sizeof values, ", \"OPTimeQuery\" : \"%Y-%m-%d %H:%M:%S\"", &t);
	say_result(s, f, m, DONE, values);
}

/* What is sent as firmware is kept, and told when the session ends. */
static void keep_firmware(struct session *s, struct sofia *f, struct bytes piece)
{
	if (!f->firmware)
		f->firmware = arena_alloc(session_arena(s), FIRMWARE_MAX);
	if (!f->firmware)
		return;
	size_t left = FIRMWARE_MAX - f->firmware_len, n = piece.len < left ? piece.len : left;
	if (n)
		memcpy(f->firmware + f->firmware_len, piece.at, n);
	f->firmware_len += n;
}

static void on_config(struct session *s, const struct sofia *f, const struct message *m)
{
	struct bytes name = api_json_text(m->text, "Name");
	char text[512], made[512];
	if (bytes_equal_text(name, "NetWork.NetCommon"))
		snprintf(text, sizeof text,
		         ", \"NetWork.NetCommon\" : { \"GateWay\" : \"0x0101A8C0\", \"HostIP\" : \"0x0A01A8C0\", \"HostName\" : \"LocalHost\", "
		         "\"HttpPort\" : 80, \"MAC\" : \"%%{mac}\", \"MaxBps\" : 0, \"MonMode\" : \"TCP\", \"SSLPort\" : 8443, \"Submask\" : "
		         "\"0x00FFFFFF\", \"TCPMaxConn\" : 10, \"TCPPort\" : 34567, \"TransferPlan\" : \"Quality\", \"UDPPort\" : 34568 }");
	else if (bytes_equal_text(name, "General.General") || bytes_equal_text(name, "General"))
		snprintf(text, sizeof text,
		         ", \"%.*s\" : { \"AutoLogout\" : 0, \"FontSize\" : 24, \"IranCalendarEnable\" : 0, \"LocalNo\" : 8, \"MachineName\" : "
		         "\"LocalHost\", \"OverWrite\" : \"OverWrite\", \"ScreenAutoShutdown\" : 10, \"ScreenSaveTime\" : 0, \"VideoOutPut\" : \"AUTO\" }",
		         (int)name.len, (const char *)name.at);
	else
		*text = '\0';
	session_expand(s, text, made, sizeof made);
	say_result(s, f, m, DONE, made);
}

static void answer(struct session *s, struct sofia *f, const struct message *m)
{
	if (m->number == LOGIN) {
		on_login(s, f, m);
		return;
	}
	if (m->number == UPGRADE_DATA)
		keep_firmware(s, f, m->text);
	else if (m->number != KEEP_ALIVE)
		report(s, "", m->text);
	if (!f->logged_in && m->number != UPGRADE_DATA) {
		say_result(s, f, m, NOT_LOGGED_IN, "");
	} else if (m->number == SYSTEM_INFO) {
		on_system(s, f, m);
	} else if (m->number == CONFIG_GET) {
		on_config(s, f, m);
	} else if (m->number == TIME_QUERY) {
		on_time(s, f, m);
	} else if (m->number == USERS) {
		on_users(s, f, m);
	} else if (m->number == UPGRADE_DATA) {
		const struct message plain = {.sequence = m->sequence, .number = m->number};
		say_result(s, f, &plain, f->logged_in ? DONE : NOT_LOGGED_IN, "");
	} else {
		say_result(s, f, m, m->number >= LOGIN && m->number < 1700 ? DONE : UNKNOWN, "");
	}
}

static enum service_next sofia_input(struct session *s, void *state, struct reader *in)
{
	struct sofia *f = state;
	while (reader_left(in) >= HEAD) {
		struct bytes head = {in->at, HEAD};
		size_t length = bytes_little(head, 16, 4);
		if (head.at[0] != 0xff || length > TEXT_MAX || f->messages >= MESSAGES_MAX)
			return SERVICE_CLOSE;
		if (reader_left(in) < HEAD + length)
			break;
		read_bytes(in, HEAD);
		struct message m = {.sequence = bytes_little(head, 8, 4), .number = (uint16_t)bytes_little(head, 14, 2), .text = read_bytes(in, length)};
		/* The end of a text is a line end and a zero, or less than that. */
		while (m.number != UPGRADE_DATA && m.text.len && m.text.at[m.text.len - 1] <= ' ')
			m.text.len--;
		f->messages++;
		answer(s, f, &m);
	}
	return SERVICE_CONTINUE;
}

static void sofia_close(struct session *s, void *state)
{
	struct sofia *f = state;
	if (f->firmware_len)
		session_capture(s, (struct bytes){f->firmware, f->firmware_len}, BYTES("upgrade.bin"), (struct bytes){0}, "upload");
}

static bool sofia_claims(struct bytes first)
{
	return first.len >= HEAD && first.at[0] == 0xff && first.at[1] <= 1 && first.at[2] == 0 && first.at[3] == 0 &&
	       bytes_little(first, 14, 2) >= LOGIN && bytes_little(first, 14, 2) < 1700;
}

/* clang-format off */
#define ASK(number, length, text) "\xff\0\0\0\0\0\0\0\1\0\0\0\0\0" number length "\0\0\0" text "\n\0"
#define SAY(session, number, length, text) "\xff\1\0\0" session "\0\0\0\1\0\0\0\0\0" number length "\0\0" text "\n\0"

static const struct exchange sofia_exchanges[] = {
	{"a password that is wrong, known by its hash", BYTES(ASK("\xe8\x03", "\x59",
	 "{\"EncryptType\":\"MD5\",\"LoginType\":\"DVRIP-Web\",\"PassWord\":\"34547USn\",\"UserName\":\"nobody\"}")),
	 BYTES(SAY("\0", "\xe9\x03", "\x7f\0", "{ \"AliveInterval\" : 0, \"ChannelNum\" : 0, \"DeviceType \" : \"DVR\", \"ExtraChannel\" : 0, "
	       "\"Ret\" : 203, \"SessionID\" : \"0x00000000\" }")),
	 "{\"kind\":\"login.tried\",\"login.user\":\"nobody\",\"login.secret\":\"xc3511\",\"login.accepted\":false,\"login.proof\":\"$dahua$34547USn\"}"},
	{"a command before that", BYTES(ASK("\xaa\x05", "\x48", "{\"Name\":\"OPMachine\",\"OPMachine\":{\"Action\":\"Reboot\"},\"SessionID\":\"0x1\"}")),
	 BYTES(SAY("\0", "\xab\x05", "\x43\0", "{ \"Name\" : \"OPMachine\", \"Ret\" : 105, \"SessionID\" : \"0x00000000\" }")),
	 "{\"kind\":\"command.sent\",\"command.line\":\"{\\\"Name\\\":\\\"OPMachine\\\",\\\"OPMachine\\\":{\\\"Action\\\":\\\"Reboot\\\"},\\\"SessionID\\\":\\\"0x1\\\"}\"}"},
	{"another protocol is hung up on", BYTES("GET / HTTP/1.0\r\n\r\n\r\n\r\n"), BYTES(""), ""},
	{0},
};
/* clang-format on */

#define AT(member) offsetof(struct sofia_device, member)

static const struct option sofia_device_options[] = {
	{.name = "kind", .type = OPTION_TEXT, .offset = AT(kind), .fallback = "DVR", .summary = "of the device: DVR, HVR, IPC"},
	{.name = "hardware", .type = OPTION_TEXT, .offset = AT(hardware), .fallback = "MBD6508E", .summary = "name of its board"},
	{.name = "version", .type = OPTION_TEXT, .offset = AT(version), .fallback = "V4.02.R11.34500140.12001.131600",
	 .summary = "of its software"},
	{.name = "built", .type = OPTION_TEXT, .offset = AT(built), .fallback = "2015-06-16 14:21:09", .summary = "when that was"},
	{.name = "channels", .type = OPTION_NUMBER, .offset = AT(channels), .fallback = "8", .min = 1, .max = 64,
	 .summary = "cameras that it has room for"},
	{0},
};

static const struct service sofia = {
	.name = "sofia",
	.summary = "recorder by Xiongmai, on its port for clients",
	.reference = "DVRIP of Sofia 4.02 (NETSurveillance)",
	.transports = TRANSPORT_TCP,
	.ports = {34567},
	.state_size = sizeof(struct sofia),
	.input_max = HEAD + TEXT_MAX,
	.output_max = 64u << 10,
	.arena_max = FIRMWARE_MAX + 4096,
	.idle_ms_max = 60 * 1000,
	.session_ms_max = 600 * 1000,
	.device = sofia_device_options,
	.device_size = sizeof(struct sofia_device),
	.input = sofia_input,
	.close = sofia_close,
	.claims = sofia_claims,
	.exchanges = sofia_exchanges,
};
SERVICE(sofia);
