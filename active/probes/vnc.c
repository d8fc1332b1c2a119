/*
 * VNC: the version, the kinds of security, and nothing more.
 *
 * The server names its version and we answer with one that both know (RFC 6143 7.1.1); from
 * 3.7 on it then lists its kinds of security, in 3.3 it dictates one.  None is chosen: even
 * where it is "none" the connection ends before a screen could come.
 */
#include "active/reading/banner_inner.h"
#include "active/probe.h"
#include "active/reading/reply_inner.h"

#define VERSION_LEN 12 /* "RFB 003.008\n" */
#define TEXT_MAX 512

struct vnc {
	unsigned minor; /* of the version that we answered with; 0: not yet */
};

struct vnc_talk {
	unsigned major, minor; /* of the server */
	bool alien, versioned, whole;
	struct bytes kinds;    /* a byte each */
	struct bytes refusal;
};

FIELD(VNC_VERSION, "vnc.version", TEXT, 0, "version of the protocol");
FIELD(VNC_SECURITY, "vnc.security", TEXT, 0, "kinds of security that it offers, in order");
FIELD(VNC_REFUSAL, "vnc.refusal", BYTES, 0, "why it takes nobody");

static const char *vnc_kind_name(uint8_t kind)
{
	static const struct {
		uint8_t kind;
		const char *name;
	} names[] = { /* the registry of RFC 6143 8.1.2 and what products added */
		{1, "none"}, {2, "vnc"}, {5, "ra2"}, {6, "ra2ne"}, {16, "tight"}, {17, "ultra"}, {18, "tls"},
		{19, "vencrypt"}, {20, "sasl"}, {21, "md5"}, {22, "xvp"}, {30, "apple"}, {113, "mslogon2"},
		{129, "ra256"}, {130, "rane256"},
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].kind == kind)
			return names[i].name;
	return NULL;
}

/* Devices say 3.3, 3.7 or 3.8; Apple's says 3.889, RealVNC's newest 4.1 and 5.0. */
static unsigned vnc_minor(const struct vnc_talk *t)
{
	if (t->major > 3 || t->minor >= 8)
		return 8;
	return t->minor == 7 ? 7 : 3;
}

static void vnc_read_refusal(struct reader *r, struct vnc_talk *t)
{
	uint32_t len = read_u32(r);
	t->refusal = read_bytes(r, len < TEXT_MAX ? len : TEXT_MAX);
	t->whole = reader_ok(r);
}

static void vnc_read_security(struct reader *r, struct vnc_talk *t)
{
	if (vnc_minor(t) == 3) { /* 7.1.2: one, as four bytes */
		const uint8_t *at = r->at;
		uint32_t kind = read_u32(r);
		if (reader_ok(r) && kind == 0)
			vnc_read_refusal(r, t);
		else if (reader_ok(r) && kind < 256)
			t->kinds = (struct bytes){at + 3, 1};
		t->whole |= reader_ok(r) && kind != 0;
		return;
	}
	uint8_t count = read_u8(r);
	if (reader_ok(r) && count == 0)
		vnc_read_refusal(r, t);
	else
		t->kinds = read_bytes(r, count);
	t->whole |= reader_ok(r);
}

static bool vnc_begins(struct bytes b)
{
	static const char form[] = "RFB 000.000\n";
	for (size_t i = 0; i < b.len && i < VERSION_LEN; i++)
		if (form[i] == '0' ? b.at[i] < '0' || b.at[i] > '9' : b.at[i] != form[i])
			return false;
	return true;
}

static struct vnc_talk vnc_read(struct bytes all)
{
	struct vnc_talk t = {.alien = !vnc_begins(all)};
	struct reader r = reader_of_bytes(all);
	struct bytes version = read_bytes(&r, VERSION_LEN);
	uint64_t major, minor;
	if (t.alien || !reader_ok(&r) || !bytes_number((struct bytes){version.at + 4, 3}, 999, &major) ||
	    !bytes_number((struct bytes){version.at + 8, 3}, 999, &minor))
		return t;
	t.versioned = true;
	t.major = (unsigned)major;
	t.minor = (unsigned)minor;
	vnc_read_security(&r, &t);
	return t;
}

static enum probe_next vnc_input(struct asking *a, void *state, struct reader *r)
{
	struct vnc *v = state;
	struct bytes all = {r->at, reader_left(r)};
	struct vnc_talk t = vnc_read(all);
	if (t.versioned && !v->minor) {
		v->minor = vnc_minor(&t);
		asking_say(a, "RFB 003.%03u\n", v->minor);
	}
	if (t.alien)
		return hear_out(all);
	return t.whole ? PROBE_DONE : PROBE_CONTINUE;
}

static void vnc_report_kinds(struct bytes kinds, struct event *answer)
{
	char text[TEXT_MAX] = "";
	struct writer w = writer_of(text, sizeof text - 1);
	for (size_t i = 0; i < kinds.len && writer_left(&w) > 16; i++) {
		const char *name = vnc_kind_name(kinds.at[i]);
		if (i)
			write_u8(&w, ' ');
		if (name)
			write_text(&w, name);
		else
			write_fmt(&w, "%u", kinds.at[i]);
	}
	*w.at = '\0';
	event_set_text(answer, VNC_SECURITY, text);
}

static void vnc_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	struct vnc_talk t = vnc_read(unread);
	struct bytes banner = {unread.at, t.versioned ? VERSION_LEN : unread.len};
	report_banner(answer, banner);
	if (!t.versioned)
		return;
	char version[16];
	snprintf(version, sizeof version, "%u.%u", t.major, t.minor);
	event_set_text(answer, VNC_VERSION, version);
	asking_signal(a, "vnc.banner", banner);
	if (t.kinds.len)
		vnc_report_kinds(t.kinds, answer);
	if (t.refusal.len)
		event_set_bytes(answer, VNC_REFUSAL, t.refusal);
}

static bool vnc_recognises(struct bytes first) { return first.len >= 4 && vnc_begins(first); }

static const char *const vnc_signals[] = {"vnc.banner", NULL};

static const struct specimen vnc_specimens[] = {
	{
		.title = "TigerVNC 1.12 with TLSVnc and VncAuth",
		.answers = {BYTES("RFB 003.008\n\x02\x13\x02")},
		.asked = BYTES("RFB 003.008\n"),
		.answered = "{\"vnc.version\":\"3.8\",\"vnc.security\":\"vencrypt vnc\"}\n",
		.signals = "vnc.banner: RFB 003.008\n",
	},
	{
		.title = "an old controller's panel lets everybody in; we stay outside",
		.answers = {BYTES("RFB 003.003\n\0\0\0\x01")},
		.asked = BYTES("RFB 003.003\n"),
		.answered = "{\"vnc.version\":\"3.3\",\"vnc.security\":\"none\"}\n",
		.signals = "vnc.banner: RFB 003.003\n",
	},
	{
		.title = "3.3 with a challenge that nobody asked for",
		.answers = {BYTES("RFB 003.003\n\0\0\0\x02" "0123456789abcdef")},
		.asked = BYTES("RFB 003.003\n"),
		.answered = "{\"vnc.security\":\"vnc\"}\n",
		.signals = "vnc.banner: RFB 003.003\n",
	},
	{
		.title = "Apple's version, and a kind that has no name",
		.answers = {BYTES("RFB 003.889\n\x04\x1e\x21\x24\x23")},
		.asked = BYTES("RFB 003.008\n"),
		.answered = "{\"vnc.version\":\"3.889\",\"vnc.security\":\"apple 33 36 35\"}\n",
		.signals = "vnc.banner: RFB 003.889\n",
	},
	{
		.title = "a server that has shut its door",
		.answers = {BYTES("RFB 003.008\n\0\0\0\0\x1aToo many security failures")},
		.asked = BYTES("RFB 003.008\n"),
		.answered = "{\"vnc.refusal\":\"Too many security failures\"}\n",
		.signals = "vnc.banner: RFB 003.008\n",
	},
	{
		.title = "a refusal of four gigabytes",
		.answers = {BYTES("RFB 003.008\n\0\xff\xff\xff\xfftoo long")},
		.asked = BYTES("RFB 003.008\n"),
		.answered = "{\"vnc.version\":\"3.8\"}\n",
		.signals = "vnc.banner: RFB 003.008\n",
	},
	{
		.title = "something else on the port is told nothing",
		.answers = {BYTES("RFB 3.8\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"RFB 3.8\\n\"}\n",
	},
	{0},
};

static const struct probe vnc = {
	.name = "vnc",
	.summary = "exchanges versions and reads the kinds of security; chooses none",
	.reference = "RFC 6143 7.1; TigerVNC",
	.transport = PROBE_TCP,
	.ports = {5900, 5901, 5902, 5903},
	.tier = PROBE_DEFAULT,
	.question_max = VERSION_LEN,
	.answer_max = 2048,
	.time_ms_max = 8000,
	.idle_ms = 3000,
	.connections_max = 1,
	.server_first = true,
	.recognises = vnc_recognises,
	.state_size = sizeof(struct vnc),
	.input = vnc_input,
	.finish = vnc_finish,
	.signals = vnc_signals,
	.specimens = vnc_specimens,
};
PROBE(vnc);
