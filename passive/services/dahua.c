/*
 * Dahua's recorders on their port for clients: heads of 32 bytes, with log-ins of three ages.
 *
 * The oldest firmware took name and password as they are, or under a key that all devices share;
 * later ones ask for two hashes over a random number of ours.  What tells everything without any
 * log-in (CVE-2013-6117: version, serial number, accounts with their hashes, a new password for
 * one) is answered by a device of that age, and recorded.
 */
#include "base/little.h"
#include "base/options.h"
#include "passive/services/dvr/dvr.h"
#include "passive/services/http/api.h"

#define HEAD 32
#define REST_MAX 4096 /* behind a head */
#define ANSWER_MAX 2048
#define MESSAGES_MAX 2000

enum { ASK_LOGIN = 0xa0, ASK_ALIVE = 0xa1, ASK_CONFIG = 0xa3, ASK_SYSTEM = 0xa4, ASK_ACCOUNTS = 0xa6, ASK_CHANNELS = 0xa8, ASK_LOGS = 0x60,
       ASK_JSON = 0xf6 };
enum { DONE = 0x0008, WRONG = 0x0100 };

struct dahua_device {
	const char *version, *model, *realm;
	uint64_t channels;
	bool open;
};

struct dahua {
	uint32_t session, messages;
	uint8_t tries_left;
	bool logged_in;
	char random[12];
};

/* `mark` is the eighth byte on: what was asked, or how a log-in went. */
static void say(struct session *s, const struct dahua *d, uint8_t kind, uint32_t mark, struct bytes rest)
{
	uint8_t room[HEAD];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, kind);
	write_zero(&w, 2);
	write_u8(&w, 0x58);
	write_le32(&w, (uint32_t)rest.len);
	write_le32(&w, mark);
	write_zero(&w, 4);
	write_le32(&w, d->session);
	write_zero(&w, 12);
	session_say_bytes(s, writer_bytes(&w));
	session_say_bytes(s, rest);
}

static void report(struct session *s, const char *what, struct bytes with)
{
	char line[512];
	struct writer w = writer_of(line, sizeof line);
	write_text(&w, what);
	write_bytes(&w, with.at, with.len < 400 ? with.len : 400);
	event_set_bytes(session_report(s, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, writer_bytes(&w));
}

/* How a log-in went: two bytes that say it, and the tries that are left at the end of the head. */
static void say_login(struct session *s, struct dahua *d, bool accepted)
{
	const struct dahua_device *device = session_device(s);
	uint8_t room[HEAD];
	struct writer w = writer_of(room, sizeof room);
	d->logged_in |= accepted;
	if (accepted)
		d->session = (uint32_t)session_random(s) & 0x7fffffff;
	else if (d->tries_left)
		d->tries_left--;
	write_u8(&w, 0xb0);
	write_zero(&w, 2);
	write_u8(&w, 0x58);
	write_zero(&w, 4);
	write_u16(&w, accepted ? DONE : WRONG);
	write_u8(&w, accepted ? (uint8_t)device->channels : 0);
	write_u8(&w, accepted ? 9 : 0);
	write_zero(&w, 4);
	write_le32(&w, accepted ? d->session : 0);
	write_zero(&w, 8);
	write_u16(&w, accepted ? 0 : d->tries_left);
	write_zero(&w, 2);
	session_say_bytes(s, writer_bytes(&w));
}

static struct bytes until_zero(struct bytes b)
{
	size_t n = 0;
	while (n < b.len && b.at[n])
		n++;
	return (struct bytes){b.at, n};
}

static void realm_of(const struct session *s, char realm[64])
{
	session_expand(s, ((const struct dahua_device *)session_device(s))->realm, realm, 64);
}

struct answer_made {
	struct bytes user, random, realm, newer, older;
};

/* MD5(user:random:MD5(user:realm:password)), or of the short hash instead of the inner one. */
static bool made_fits(const void *of, struct bytes secret)
{
	const struct answer_made *a = of;
	char inner[DVR_MD5_CHARS + 1], outer[DVR_MD5_CHARS + 1], hash[DVR_HASH_CHARS + 1];
	dvr_md5((const struct bytes[]){a->user, a->realm, secret}, 3, inner);
	dvr_md5((const struct bytes[]){a->user, a->random, bytes_of_text(inner)}, 3, outer);
	if (bytes_equal_nocase(a->newer, outer))
		return true;
	dvr_hash(secret, hash);
	dvr_md5((const struct bytes[]){a->user, a->random, bytes_of_text(hash)}, 3, outer);
	return a->older.len == DVR_MD5_CHARS && bytes_equal_nocase(a->older, outer);
}

/* name && two hashes of 32 letters */
static void on_hashes(struct session *s, struct dahua *d, struct bytes rest)
{
	char realm[64], proof[256];
	struct writer w = writer_of(proof, sizeof proof);
	size_t at = bytes_find(rest, "&&");
	struct bytes user = {rest.at, at}, hashes = {rest.at + at, rest.len - at};
	hashes = hashes.len > 2 ? until_zero((struct bytes){hashes.at + 2, hashes.len - 2}) : (struct bytes){0};
	realm_of(s, realm);
	size_t n = hashes.len < DVR_MD5_CHARS ? hashes.len : DVR_MD5_CHARS;
	struct answer_made made = {user, bytes_of_text(d->random), bytes_of_text(realm), {hashes.at, n}, {0}};
	if (hashes.len > n)
		made.older = (struct bytes){hashes.at + n, hashes.len - n};
	write_fmt(&w, "realm=%s random=%s hash=", realm, d->random);
	write_bytes(&w, hashes.at, hashes.len < 2 * DVR_MD5_CHARS ? hashes.len : 2 * DVR_MD5_CHARS);
	say_login(s, d, dvr_login(s, user, made_fits, &made, writer_bytes(&w)));
}

static void write_hex(struct writer *w, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		write_fmt(w, "%02x", b.at[i]);
}

static void on_login(struct session *s, struct dahua *d, struct bytes head, struct bytes rest)
{
	char realm[64], text[128];
	struct bytes user = until_zero((struct bytes){head.at + 8, 8}), secret = until_zero((struct bytes){head.at + 16, 8});
	if (head.at[1] == 1) { /* what the hashes are to be made with */
		realm_of(s, realm);
		snprintf(d->random, sizeof d->random, "%llu", (unsigned long long)(session_random(s) % 900000000 + 100000000));
		snprintf(text, sizeof text, "Realm:%s\r\nRandom:%s\r\n\r\n", realm, d->random);
		say(s, d, 0xb0, 0x00000901, bytes_of_text(text));
	} else if (rest.len) {
		on_hashes(s, d, rest);
	} else if (head.at[25] == 1) {
		say_login(s, d, dvr_login_plain(s, user, secret));
	} else {
		/* Under a key, in blocks of eight bytes that say nothing here. */
		char proof[64], name[20];
		struct writer p = writer_of(proof, sizeof proof), n = writer_of(name, sizeof name);
		write_hex(&n, (struct bytes){head.at + 8, 8});
		write_text(&p, "3des=");
		write_hex(&p, (struct bytes){head.at + 8, 16});
		session_login_decided(s, writer_bytes(&n), (struct bytes){0}, writer_bytes(&p), false);
		say_login(s, d, false);
	}
}

/* Accounts as the device keeps them: number, name, hash, group, words, and what they may. */
static void write_accounts(struct session *s, struct writer *w)
{
	const struct persona *p = session_persona(s) ? session_persona(s) : &persona_plain;
	size_t count;
	const struct persona_credential *known = auth_credentials(p, &count);
	char hash[DVR_HASH_CHARS + 1];
	unsigned number = 0;
	for (size_t i = 0; i < count && number < 8; i++) {
		bool again = false; /* guesses of one account are many; it has one password */
		for (size_t k = 0; k < i; k++)
			again |= bytes_equal(known[k].user, known[i].user);
		if (again || known[i].user.len > 32)
			continue;
		dvr_hash(known[i].secret, hash);
		write_fmt(w, "%s%u:%.*s:%s:1:1,2,3,4,5,6,7,8:%.*s 's account", number ? "&&" : "", number + 1, (int)known[i].user.len,
		          (const char *)known[i].user.at, hash, (int)known[i].user.len, (const char *)known[i].user.at);
		number++;
	}
}

static void on_system(struct session *s, struct dahua *d, uint32_t what)
{
	const struct dahua_device *device = session_device(s);
	char serial[32], text[64];
	session_expand(s, "%{serial}", serial, sizeof serial);
	report(s, what == 7 ? "serial number" : what == 8 ? "version" : "system information", (struct bytes){0});
	snprintf(text, sizeof text, "%s", what == 7 ? serial : what == 8 ? device->version : device->model);
	say(s, d, 0xb4, what, bytes_of_text(text));
}

static void on_accounts(struct session *s, struct dahua *d, uint32_t what, struct bytes rest)
{
	char room[ANSWER_MAX];
	struct writer w = writer_of(room, sizeof room);
	report(s, what == 5 ? "groups" : what == 9 ? "accounts" : what == 10 ? "password " : "account ", rest);
	if (what == 5)
		write_text(&w, "1:admin:administrator group:1,2,3,4,5,6,7,8&&2:user:user group:1,2,3");
	else if (what == 9)
		write_accounts(s, &w);
	say(s, d, 0xb6, what, writer_bytes(&w));
}

static void on_config(struct session *s, struct dahua *d, uint32_t what)
{
	char name[40];
	snprintf(name, sizeof name, "configuration 0x%02x", (unsigned)(what & 0xff));
	report(s, name, (struct bytes){0});
	const char *text = what == 0x0b   ? "MailServer:25&&none&&none&&none&&none&&anonymity&&anonymity"
	                   : what == 0x8c ? "1&&0&&Dyndns DDNS&&www.dyndns.com&&80&&none&&none&&none"
	                                  : "";
	say(s, d, 0xb3, what, bytes_of_text(text));
}

static void on_channels(struct session *s, struct dahua *d, uint32_t what)
{
	const struct dahua_device *device = session_device(s);
	char room[1024];
	struct writer w = writer_of(room, sizeof room);
	for (uint64_t i = 0; what == 0 && i < device->channels; i++)
		write_fmt(&w, "%sCAM %u", i ? "&&" : "", (unsigned)i + 1);
	report(s, "channels", (struct bytes){0});
	say(s, d, 0xb8, what, writer_bytes(&w));
}

/* Methods in JSON, once logged in (later firmware). */
static void on_json(struct session *s, struct dahua *d, struct bytes head, struct bytes rest)
{
	const struct dahua_device *device = session_device(s);
	struct bytes method = api_json_text(rest, "method"), id = api_json_value(rest, "id");
	char text[512], made[512];
	uint8_t room[HEAD];
	struct writer w = writer_of(room, sizeof room);
	uint64_t number = 0;
	bytes_number(id, UINT32_MAX, &number);
	if (!bytes_equal_text(method, "global.keepAlive"))
		report(s, "", rest);
	api_name_urls(s, rest, "dahua");
	const char *answer = bytes_equal_text(method, "global.keepAlive")             ? "\"params\":{\"timeout\":60},\"result\":true"
	                     : bytes_equal_text(method, "magicBox.getSerialNo")       ? "\"params\":{\"sn\":\"%{serial}\"},\"result\":true"
	                     : bytes_equal_text(method, "magicBox.getDeviceType")     ? "\"params\":{\"type\":\"MODEL\"},\"result\":true"
	                     : bytes_equal_text(method, "magicBox.getSoftwareVersion") ? "\"params\":{\"version\":{\"Version\":\"VERSION\"}},\"result\":true"
	                     : bytes_start_with(method, "configManager.set")          ? "\"params\":{\"options\":null},\"result\":true"
	                                                                              : NULL;
	const char *word = !answer ? "" : strstr(answer, "MODEL") ? "MODEL" : strstr(answer, "VERSION") ? "VERSION" : "";
	if (!d->logged_in)
		answer = "\"error\":{\"code\":287637505,\"message\":\"Invalid session in request data!\"},\"result\":false";
	else if (!answer)
		answer = "\"error\":{\"code\":268894210,\"message\":\"Request invalid param!\"},\"result\":false";
	size_t at = *word && d->logged_in ? (size_t)(strstr(answer, word) - answer) : strlen(answer);
	bool named = at < strlen(answer);
	snprintf(text, sizeof text, "{%.*s%s%s,\"id\":%u,\"session\":%u}\n", (int)at, answer,
	         !named ? "" : *word == 'M' ? device->model : device->version, named ? answer + at + strlen(word) : "", (unsigned)number,
	         d->session);
	session_expand(s, text, made, sizeof made);
	write_u8(&w, ASK_JSON);
	write_zero(&w, 3);
	write_le32(&w, (uint32_t)strlen(made));
	write_le32(&w, (uint32_t)bytes_little(head, 8, 4));
	write_zero(&w, 4);
	write_le32(&w, (uint32_t)strlen(made));
	write_zero(&w, 4);
	write_le32(&w, d->session);
	write_zero(&w, 4);
	session_say_bytes(s, writer_bytes(&w));
	session_say(s, "%s", made);
}

static void answer(struct session *s, struct dahua *d, struct bytes head, struct bytes rest)
{
	const struct dahua_device *device = session_device(s);
	uint32_t what = (uint32_t)bytes_little(head, 8, 4);
	uint8_t kind = head.at[0];
	if (kind == ASK_LOGIN)
		on_login(s, d, head, rest);
	else if (kind == ASK_ALIVE)
		say(s, d, 0xb1, what, (struct bytes){0});
	else if (kind == ASK_JSON)
		on_json(s, d, head, rest);
	else if (!device->open && !d->logged_in)
		report(s, "not logged in: ", (struct bytes){0});
	else if (kind == ASK_SYSTEM)
		on_system(s, d, what);
	else if (kind == ASK_ACCOUNTS)
		on_accounts(s, d, what, rest);
	else if (kind == ASK_CONFIG)
		on_config(s, d, (uint32_t)bytes_little(head, 16, 4));
	else if (kind == ASK_CHANNELS)
		on_channels(s, d, what);
	else
		report(s, "logs are cleared", (struct bytes){0});
}

static enum service_next dahua_open(struct session *s, void *state)
{
	(void)s;
	((struct dahua *)state)->tries_left = 5;
	return SERVICE_CONTINUE;
}

static bool is_known(uint8_t kind)
{
	static const uint8_t kinds[] = {ASK_LOGIN, ASK_ALIVE, ASK_CONFIG, ASK_SYSTEM, ASK_ACCOUNTS, ASK_CHANNELS, ASK_LOGS, ASK_JSON};
	return memchr(kinds, kind, sizeof kinds);
}

static enum service_next dahua_input(struct session *s, void *state, struct reader *in)
{
	struct dahua *d = state;
	while (reader_left(in) >= HEAD) {
		struct bytes head = {in->at, HEAD};
		/* The oldest log-in has its length where the others have none. */
		bool names = head.at[0] == ASK_LOGIN && (head.at[25] == 1 || head.at[25] == 2) && head.at[1] == 0;
		size_t length = (uint32_t)bytes_little(head, 4, 4);
		length = names && head.at[8] ? 0 : length;
		if (!is_known(head.at[0]) || length > REST_MAX || d->messages++ >= MESSAGES_MAX)
			return SERVICE_CLOSE;
		if (reader_left(in) < HEAD + length)
			break;
		read_bytes(in, HEAD);
		answer(s, d, head, read_bytes(in, length));
		if (d->tries_left == 0)
			return SERVICE_CLOSE;
	}
	return SERVICE_CONTINUE;
}

static bool dahua_claims(struct bytes first)
{
	return first.len >= HEAD && is_known(first.at[0]) && first.at[0] != ASK_LOGS && first.at[1] <= 5 && first.at[2] == 0 &&
	       (uint32_t)bytes_little(first, 4, 4) <= REST_MAX;
}

/* clang-format off */
#define ZERO4 "\0\0\0\0"
#define ASK(kind, what) kind "\0\0\0" ZERO4 what "\0\0\0" ZERO4 ZERO4 ZERO4 ZERO4 ZERO4
#define HEAD_OF(kind, length, what) kind "\0\0\x58" length "\0\0\0" what "\0\0\0" ZERO4 ZERO4 ZERO4 ZERO4 ZERO4

static const struct exchange dahua_exchanges[] = {
	{"what scanners look for", BYTES(ASK("\xa1", "\0")), BYTES(HEAD_OF("\xb1", "\0", "\0")), ""},
	{"the version, told to anybody", BYTES(ASK("\xa4", "\x08")), BYTES(HEAD_OF("\xb4", "\x0c", "\x08") "2.608.0000.0"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"version\"}"},
	{"name and password as they are", BYTES("\xa0\0\0\x60\0\0\0\0" "admin\0\0\0" "888888\0\0" "\4\1\0\0\0\0\xa1\xaa"),
	 BYTES("\xb0\0\0\x58" ZERO4 "\1\0\0\0" ZERO4 ZERO4 ZERO4 ZERO4 "\0\4\0\0"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"admin\",\"login.secret\":\"888888\",\"login.accepted\":false}"},
	{"a new password for somebody", BYTES("\xa6\0\0\0\x15\0\0\0\x0a\0\0\0" ZERO4 ZERO4 ZERO4 ZERO4 ZERO4 "888888:Intel:abc:abcd"),
	 BYTES(HEAD_OF("\xb6", "\0", "\x0a")), "{\"kind\":\"command.sent\",\"command.line\":\"password 888888:Intel:abc:abcd\"}"},
	{"another protocol is hung up on", BYTES("GET / HTTP/1.1\r\nHost: 192.0.2.23\r\n\r\n"), BYTES(""), ""},
	{0},
};
/* clang-format on */

#define AT(member) offsetof(struct dahua_device, member)

static const struct option dahua_device_options[] = {
	{.name = "version", .type = OPTION_TEXT, .offset = AT(version), .fallback = "2.608.0000.0", .summary = "of its firmware"},
	{.name = "model", .type = OPTION_TEXT, .offset = AT(model), .fallback = "DVR0804", .summary = "of the device"},
	{.name = "realm", .type = OPTION_TEXT, .offset = AT(realm), .fallback = "Login to %{serial}",
	 .summary = "that hashes of passwords are made with, a template"},
	{.name = "channels", .type = OPTION_NUMBER, .offset = AT(channels), .fallback = "8", .min = 1, .max = 64,
	 .summary = "cameras that it has room for"},
	{.name = "open", .type = OPTION_BOOL, .offset = AT(open), .fallback = "true",
	 .summary = "whether it tells everything without a log-in (CVE-2013-6117)"},
	{0},
};

static const struct service dahua = {
	.name = "dahua",
	.summary = "recorder by Dahua, on its port for clients",
	.reference = "DVRIP of Dahua firmware 2.608; CVE-2013-6117",
	.transports = TRANSPORT_TCP,
	.ports = {37777},
	.state_size = sizeof(struct dahua),
	.input_max = HEAD + REST_MAX,
	.output_max = 64u << 10,
	.arena_max = 16u << 10,
	.idle_ms_max = 60 * 1000,
	.session_ms_max = 600 * 1000,
	.device = dahua_device_options,
	.device_size = sizeof(struct dahua_device),
	.open = dahua_open,
	.input = dahua_input,
	.claims = dahua_claims,
	.exchanges = dahua_exchanges,
};
SERVICE(dahua);
