/*
 * VNC: RFB 3.3 to 3.8 with the password of RFC 6143 7.2.2.
 *
 * The client's answer to our challenge is kept in the form that crackers read and compared with
 * the passwords of the device, user names aside: VNC has none.  Whoever gets in is shown a screen
 * of one colour, as of a machine whose display sleeps; keys and what is put into the clipboard
 * are told.
 */
#include "passive/accounts.h"
#include "passive/persona.h"
#include "passive/services/windows/crypt.h"
#include "passive/services/windows/wide.h"

#define CLIENT_VERSION 12
#define KEYS_MAX 256
#define CUT_TEXT_MAX 8192
#define ENCODINGS_MAX 1024
#define ENCODING_RRE 2
#define UPDATES_MAX 16 /* pictures of one session; the picture does not change */

enum phase { PHASE_VERSION, PHASE_SECURITY, PHASE_ANSWER, PHASE_INIT, PHASE_SCREEN };
enum security { SECURITY_NONE = 1, SECURITY_VNC = 2 };
enum message { SET_FORMAT = 0, SET_ENCODINGS = 2, UPDATE_REQUEST, KEY_EVENT, POINTER_EVENT, CUT_TEXT };

struct vnc_device {
	struct option_list accounts;
	int version;
	const char *desktop;
	uint64_t width, height;
	bool open;
};

struct vnc {
	const struct vnc_device *device;
	uint8_t challenge[16];
	uint8_t phase, minor, pixel_bytes, updates, encoding;
	uint8_t keys[KEYS_MAX];
	uint16_t key_count;
};

static const char *const version_names[] = {"003.003", "003.007", "003.008", NULL};

static enum service_next vnc_open(struct session *s, void *state)
{
	struct vnc *v = state;
	v->device = session_device(s);
	v->pixel_bytes = 4;
	session_say(s, "RFB %s\n", version_names[v->device->version]);
	return SERVICE_CONTINUE;
}

static void say_challenge(struct session *s, struct vnc *v)
{
	for (size_t i = 0; i < 2; i++)
		little_put(v->challenge + 8 * i, session_random(s), 8);
	session_say_bytes(s, (struct bytes){v->challenge, sizeof v->challenge});
	v->phase = PHASE_ANSWER;
}

static void say_reason(struct session *s, const char *reason)
{
	uint8_t room[128];
	struct writer w = writer_of(room, sizeof room);
	write_u32(&w, (uint32_t)strlen(reason));
	write_text(&w, reason);
	session_say_bytes(s, writer_bytes(&w));
}

/* RFC 6143 7.1.1: what is no version that we know is taken for 3.3. */
static enum service_next version(struct session *s, struct vnc *v, struct reader *r)
{
	struct bytes said = read_bytes(r, CLIENT_VERSION);
	if (!reader_ok(r) || memcmp(said.at, "RFB ", 4) != 0 || said.at[11] != '\n')
		return SERVICE_CLOSE;
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, BYTES("version"));
	event_set_bytes(e, FIELD_AGENT, (struct bytes){said.at, 11});
	uint64_t minor = 3;
	bytes_number((struct bytes){said.at + 8, 3}, 999, &minor);
	int most = v->device->version;
	v->minor = minor >= 8 && most == 2 ? 8 : minor >= 7 && most >= 1 ? 7 : 3;
	uint8_t security = v->device->open ? SECURITY_NONE : SECURITY_VNC;
	if (v->minor == 3) {
		session_say_bytes(s, (struct bytes){(uint8_t[]){0, 0, 0, security}, 4});
		v->phase = PHASE_INIT;
		if (security == SECURITY_VNC)
			say_challenge(s, v);
		return SERVICE_CONTINUE;
	}
	session_say_bytes(s, (struct bytes){(uint8_t[]){1, security}, 2});
	v->phase = PHASE_SECURITY;
	return SERVICE_CONTINUE;
}

static enum service_next security(struct session *s, struct vnc *v, struct reader *r)
{
	uint8_t chosen = read_u8(r);
	if (v->device->open && chosen == SECURITY_NONE) {
		if (v->minor == 8)
			session_say_bytes(s, (struct bytes){(const uint8_t *)"\0\0\0\0", 4});
		v->phase = PHASE_INIT;
		return SERVICE_CONTINUE;
	}
	if (v->device->open || chosen != SECURITY_VNC)
		return SERVICE_CLOSE;
	say_challenge(s, v);
	return SERVICE_CONTINUE;
}

/* The password is a DES key whose bytes have their bits in reverse, cut or filled to eight. */
static bool answer_fits(const struct vnc *v, struct bytes answer, struct bytes secret)
{
	uint8_t key[8] = {0}, right[16];
	for (size_t i = 0; i < 8 && i < secret.len; i++)
		for (unsigned bit = 0; bit < 8; bit++)
			key[i] |= (uint8_t)((secret.at[i] >> bit & 1) << (7 - bit));
	crypt_des_parity(key, v->challenge, right);
	crypt_des_parity(key, v->challenge + 8, right + 8);
	return memcmp(answer.at, right, 16) == 0;
}

/* "$vnc$*CHALLENGE*ANSWER", as john reads it. */
static struct bytes proof_text(const struct vnc *v, struct bytes answer, char text[80])
{
	struct writer w = writer_of(text, 80);
	write_text(&w, "$vnc$*");
	for (size_t i = 0; i < 16; i++)
		write_fmt(&w, "%02X", v->challenge[i]);
	write_text(&w, "*");
	for (size_t i = 0; i < 16; i++)
		write_fmt(&w, "%02X", answer.at[i]);
	return writer_bytes(&w);
}

static bool answer_accepted(struct session *s, struct vnc *v, struct bytes answer)
{
	const struct persona *p = session_persona(s) ? session_persona(s) : &persona_plain;
	const struct account *own = v->device->accounts.items;
	size_t own_count = v->device->accounts.count, count = own_count ? own_count : p->credential_count;
	char text[80];
	struct bytes proof = proof_text(v, answer, text);
	for (size_t i = 0; i < count; i++) {
		struct bytes secret = own_count ? bytes_of_text(own[i].password ? own[i].password : "")
						: p->credentials[i].secret;
		if (answer_fits(v, answer, secret)) {
			session_login_decided(s, (struct bytes){0}, secret, proof, true);
			return true;
		}
	}
	session_login_decided(s, (struct bytes){0}, (struct bytes){0}, proof, false);
	return false;
}

static enum service_next answer(struct session *s, struct vnc *v, struct reader *r)
{
	bool accepted = answer_accepted(s, v, read_bytes(r, 16));
	session_say_bytes(s, (struct bytes){(uint8_t[]){0, 0, 0, !accepted}, 4});
	v->phase = PHASE_INIT;
	if (accepted)
		return SERVICE_CONTINUE;
	if (v->minor == 8)
		say_reason(s, "Authentication failure");
	return SERVICE_CLOSE;
}

/* ServerInit: 32 bits a pixel in the order of a PC (RFC 6143 7.3.2). */
static enum service_next init(struct session *s, struct vnc *v, struct reader *r)
{
	char name[128];
	read_u8(r);
	uint8_t head[20] = {0};
	struct writer w = writer_of(head, sizeof head);
	write_u16(&w, (uint16_t)v->device->width);
	write_u16(&w, (uint16_t)v->device->height);
	write_span(&w, BYTES("\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00"));
	session_say_bytes(s, writer_bytes(&w));
	session_expand(s, v->device->desktop, name, sizeof name);
	say_reason(s, name);
	v->phase = PHASE_SCREEN;
	return SERVICE_CONTINUE;
}

/*
 * The whole screen as one rectangle whose background is all there is: in RRE four bytes and a
 * pixel (RFC 6143 7.7.3).  Who takes nothing but what has to be drawn waits.
 */
static void say_update(struct session *s, struct vnc *v)
{
	uint8_t room[40];
	struct writer w = writer_of(room, sizeof room);
	if (v->updates >= UPDATES_MAX || v->encoding != ENCODING_RRE)
		return;
	v->updates++;
	write_u16(&w, 0);
	write_u16(&w, 1);
	write_u32(&w, 0);
	write_u16(&w, (uint16_t)v->device->width);
	write_u16(&w, (uint16_t)v->device->height);
	write_u32(&w, ENCODING_RRE);
	write_u32(&w, 0);
	write_zero(&w, v->pixel_bytes);
	session_say_bytes(s, writer_bytes(&w));
}

static void keys_tell(struct session *s, struct vnc *v)
{
	if (!v->key_count)
		return;
	event_set_bytes(session_report(s, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE,
			(struct bytes){v->keys, v->key_count});
	v->key_count = 0;
}

/* Latin letters as they are, the rest of X11's key symbols in a word. */
static void key_add(struct session *s, struct vnc *v, uint32_t key)
{
	char text[16];
	if (key == 0xff0d) {
		keys_tell(s, v);
		return;
	}
	int n = key >= ' ' && key < 127 ? snprintf(text, sizeof text, "%c", (int)key)
					: snprintf(text, sizeof text, "<%x>", (unsigned)key);
	if (v->key_count + (size_t)n > KEYS_MAX)
		keys_tell(s, v);
	memcpy(v->keys + v->key_count, text, (size_t)n);
	v->key_count += (uint16_t)n;
}

static enum service_next cut_text(struct session *s, struct reader *r)
{
	read_bytes(r, 3);
	size_t len = read_u32(r);
	if (len > CUT_TEXT_MAX)
		return SERVICE_CLOSE;
	struct bytes text = read_bytes(r, len);
	if (!reader_ok(r))
		return SERVICE_CONTINUE;
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, BYTES("clipboard"));
	event_set_bytes(e, FIELD_BODY, text);
	return SERVICE_CONTINUE;
}

static enum service_next screen(struct session *s, struct vnc *v, struct reader *r)
{
	struct bytes part;
	size_t count;
	switch (read_u8(r)) {
	case SET_FORMAT:
		part = read_bytes(r, 19);
		if (reader_ok(r))
			v->pixel_bytes = part.at[3] == 8 ? 1 : part.at[3] == 16 ? 2 : 4;
		return SERVICE_CONTINUE;
	case SET_ENCODINGS:
		read_u8(r);
		count = read_u16(r);
		if (count > ENCODINGS_MAX)
			return SERVICE_CLOSE;
		for (; count && reader_ok(r); count--)
			if (read_u32(r) == ENCODING_RRE)
				v->encoding = ENCODING_RRE;
		return SERVICE_CONTINUE;
	case UPDATE_REQUEST:
		part = read_bytes(r, 9);
		if (reader_ok(r) && !part.at[0]) /* not "only what has changed": nothing does */
			say_update(s, v);
		return SERVICE_CONTINUE;
	case KEY_EVENT:
		part = read_bytes(r, 7);
		if (reader_ok(r) && part.at[0])
			key_add(s, v, (uint32_t)part.at[3] << 24 | (uint32_t)part.at[4] << 16 |
					      (uint32_t)part.at[5] << 8 | part.at[6]);
		return SERVICE_CONTINUE;
	case POINTER_EVENT:
		read_bytes(r, 5);
		return SERVICE_CONTINUE;
	case CUT_TEXT:
		return cut_text(s, r);
	}
	return SERVICE_CLOSE;
}

/* Bytes that must be there before the phase can go on. */
static size_t wanted(const struct vnc *v)
{
	static const uint8_t sizes[] = {CLIENT_VERSION, 1, 16, 1, 1};
	return sizes[v->phase];
}

static enum service_next step(struct session *s, struct vnc *v, struct reader *r)
{
	switch (v->phase) {
	case PHASE_VERSION:
		return version(s, v, r);
	case PHASE_SECURITY:
		return security(s, v, r);
	case PHASE_ANSWER:
		return answer(s, v, r);
	case PHASE_INIT:
		return init(s, v, r);
	default:
		return screen(s, v, r);
	}
}

static enum service_next vnc_input(struct session *s, void *state, struct reader *r)
{
	struct vnc *v = state;
	enum service_next next = SERVICE_CONTINUE;
	while (next == SERVICE_CONTINUE && reader_left(r) >= wanted(v)) {
		struct reader ahead = *r;
		next = step(s, v, &ahead);
		if (!reader_ok(&ahead)) /* the rest of the message is still to come */
			break;
		*r = ahead;
	}
	return next;
}

static void vnc_close(struct session *s, void *state)
{
	keys_tell(s, state);
}

static const struct option vnc_device[] = {
	ACCOUNTS_OPTION(struct vnc_device, accounts),
	{.name = "version",
	 .type = OPTION_CHOICE,
	 .offset = offsetof(struct vnc_device, version),
	 .fallback = "003.008",
	 .choices = version_names,
	 .summary = "of the protocol"},
	{.name = "desktop",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct vnc_device, desktop),
	 .fallback = "%{hostname}",
	 .summary = "name of the desktop, a template"},
	{.name = "width",
	 .type = OPTION_NUMBER,
	 .offset = offsetof(struct vnc_device, width),
	 .fallback = "1024",
	 .min = 160,
	 .max = 7680,
	 .summary = "of the screen, in pixels"},
	{.name = "height",
	 .type = OPTION_NUMBER,
	 .offset = offsetof(struct vnc_device, height),
	 .fallback = "768",
	 .min = 120,
	 .max = 4320,
	 .summary = "of the screen, in pixels"},
	{.name = "open",
	 .type = OPTION_BOOL,
	 .offset = offsetof(struct vnc_device, open),
	 .fallback = "false",
	 .summary = "asks for no password"},
	{0},
};

static const struct exchange vnc_exchanges[] = {
	{
		.title = "the planted password, a picture, and what is typed",
		.peer_sends = BYTES("RFB 003.008\x0a\x02wx\x07\xce\x19O4v\x1b=\x3fl\x87\x99U\xaa\x01\x02\0\0\x02\0"
		"\0\0\x02\0\0\0\0\x03\0\0\0\0\0\x04\0\x03\0\x04\x01\0\0\0\0\0\x63\x04\0\0\0\0\0"
		"\0\x63\x04\x01\0\0\0\0\0m\x04\0\0\0\0\0\0m\x04\x01\0\0\0\0\0\x64\x04\0\0\0\0\0"
		"\0\x64\x04\x01\0\0\0\0\xff\x0d\x04\0\0\0\0\0\xff\x0d"),
		.we_answer = BYTES("RFB 003.008\x0a\x01\x02-\xdb\xbd\xaf\xa3\x36-\x08\x04\xe7\x0d\x19\x0cv\xad\xa5"
		"\0\0\0\0\x04\0\x03\0 \x18\0\x01\0\xff\0\xff\0\xff\x10\x08\0\0\0\0\0\0\0\x09loc"
		"alhost\0\0\0\x01\0\0\0\0\x04\0\x03\0\0\0\0\x02\0\0\0\0\0\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"version\",\"request.agent\":\"RFB 003.008\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"\",\"login.proof\":\"$vnc$*2DDBBDAFA3362D0804E70D190C76ADA5*777807CE194F34761B3D3F6C879955AA\",\"login.accepted\":true,\"login.secret\":\"xc3511\"}\n"
		"{\"kind\":\"command.sent\",\"command.line\":\"cmd\"}\n",
	},
	{
		.title = "another password is refused, its proof kept",
		.peer_sends = BYTES("RFB 003.008\x0a\x02G7\x0e\x0dP\xda\xdf\xd4\xa4\x11p\xd1\x8e\xf5\xe5\xc0"),
		.we_answer = BYTES("RFB 003.008\x0a\x01\x02-\xdb\xbd\xaf\xa3\x36-\x08\x04\xe7\x0d\x19\x0cv\xad\xa5"
		"\0\0\0\x01\0\0\0\x16\x41uthentication failure"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"version\",\"request.agent\":\"RFB 003.008\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"\",\"login.proof\":\"$vnc$*2DDBBDAFA3362D0804E70D190C76ADA5*47370E0D50DADFD4A41170D18EF5E5C0\",\"login.accepted\":false}\n",
	},
	{
		.title = "version 3.3 has no choice and no reason",
		.peer_sends = BYTES("RFB 003.003\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		.we_answer = BYTES("RFB 003.008\x0a\0\0\0\x02-\xdb\xbd\xaf\xa3\x36-\x08\x04\xe7\x0d\x19\x0cv\xad"
		"\xa5\0\0\0\x01"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"version\",\"request.agent\":\"RFB 003.003\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"\",\"login.proof\":\"$vnc$*2DDBBDAFA3362D0804E70D190C76ADA5*00000000000000000000000000000000\",\"login.accepted\":false}\n",
	},
	{
		.title = "what is no RFB",
		.peer_sends = BYTES("GET / HTTP/1.0\x0d\x0a\x0d\x0a"),
		.we_answer = BYTES("RFB 003.008\x0a"),
		.events = "",
	},
	{0},
};

static const struct service vnc = {
	.name = "vnc",
	.summary = "remote screen with a password, which is kept as crackers read it",
	.reference = "RFC 6143; RealVNC 4, TigerVNC",
	.transports = TRANSPORT_TCP,
	.ports = {5900, 5901},
	.state_size = sizeof(struct vnc),
	.input_max = CUT_TEXT_MAX + 64,
	.output_max = 16 * 1024,
	.arena_max = 1024,
	.idle_ms_max = 300 * 1000,
	.session_ms_max = 1800 * 1000,
	.device = vnc_device,
	.device_size = sizeof(struct vnc_device),
	.open = vnc_open,
	.input = vnc_input,
	.close = vnc_close,
	.exchanges = vnc_exchanges,
};
SERVICE(vnc);
