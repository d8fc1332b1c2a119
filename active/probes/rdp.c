/*
 * RDP: which security the server negotiates, and nothing behind it.
 *
 * One X.224 connection request (MS-RDPBCGR 2.2.1.1) that offers TLS and CredSSP.  It has no
 * "Cookie: mstshash=", since that carries a user name.  The answer names what was chosen,
 * or why nothing could be.  Where it chose one that runs within TLS, the handshake is made for
 * the certificate, whose name is the host's on Windows; then we hang up: CredSSP would be the
 * start of a log-in.
 */
#include "active/reading/banner_inner.h"
#include "active/probe.h"

#define TPKT_HEADER 4

enum { CONNECTION_CONFIRM = 0xd0, NEGOTIATED = 2, FAILED = 3, TLS = 1, CREDSSP = 2 };

FIELD(RDP_PROTOCOL, "rdp.protocol", TEXT, 0, "security that the server chose: rdp, tls, credssp, ...");
FIELD(RDP_FAILURE, "rdp.failure", TEXT, 0, "why it chose none");
FIELD(RDP_FLAGS, "rdp.flags", TEXT, 0, "what else it can do");

static enum probe_next rdp_open(struct asking *a, void *state)
{
	(void)state;
	asking_say_bytes(a, BYTES("\x03\0\0\x13"                    /* TPKT, 19 bytes (RFC 1006 6) */
				  "\x0e\xe0\0\0\0\0\0"              /* connection request */
				  "\x01\0\x08\0\x03\0\0\0"));      /* TLS or CredSSP */
	return PROBE_CONTINUE;
}

static bool rdp_begins(struct bytes b)
{
	return (b.len < 1 || b.at[0] == 3) && (b.len < 6 || b.at[5] == CONNECTION_CONFIRM);
}

/* The whole TPKT; false while it is not there. */
static bool rdp_packet(struct bytes all, struct bytes *packet)
{
	struct reader r = reader_of_bytes(all);
	read_u16(&r);
	size_t len = read_u16(&r);
	if (!reader_ok(&r) || len < TPKT_HEADER + 7 || all.len < len)
		return false;
	*packet = (struct bytes){all.at, len};
	return true;
}

static enum probe_next rdp_input(struct asking *a, void *state, struct reader *r)
{
	(void)a;
	(void)state;
	struct bytes all = {r->at, reader_left(r)}, packet;
	if (!rdp_begins(all))
		return hear_out(all);
	if (!rdp_packet(all, &packet))
		return PROBE_CONTINUE;
	/* Behind the header: a choice, and one that is not plain RDP. */
	bool tls = packet.len > 15 && packet.at[11] == NEGOTIATED && packet.at[15] & (TLS | CREDSSP);
	return tls ? asking_certificate(a) : PROBE_DONE;
}

static const char *rdp_name(const char *const names[], size_t count, uint32_t value, char other[16])
{
	if (value < count && names[value])
		return names[value];
	snprintf(other, 16, "%u", value);
	return other;
}

/* 2.2.1.2.1: bits from the lowest. */
static void rdp_flags(uint8_t flags, char text[128])
{
	static const char *const names[] = {"extended-data", "graphics", "reserved", "restricted-admin",
					    "redirected-authentication"};
	struct writer w = writer_of(text, 127);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (flags >> i & 1)
			write_fmt(&w, "%s%s", writer_used(&w) ? " " : "", names[i]);
	*w.at = '\0';
}

static void rdp_report(struct asking *a, struct bytes packet, struct event *answer)
{
	static const char *const protocols[] = {"rdp", "tls", "credssp", NULL, "rdstls",
						NULL, NULL, NULL, "credssp-ex"};
	static const char *const failures[] = {NULL, "tls-required", "tls-not-allowed", "no-certificate",
					       "inconsistent-flags", "credssp-required", "tls-with-user"};
	struct reader r = reader_of_bytes(packet);
	read_bytes(&r, TPKT_HEADER + 7);
	uint8_t type = read_u8(&r), flags = read_u8(&r);
	read_u16(&r);
	struct bytes little = read_bytes(&r, 4);
	uint32_t value = 0;
	for (size_t i = little.len; i > 0; i--)
		value = value << 8 | little.at[i - 1];
	char other[16], can[128] = "", text[256];
	const char *protocol = "rdp", *failure = NULL; /* without an answer to the offer: before TLS */
	if (reader_ok(&r) && type == NEGOTIATED) {
		protocol = rdp_name(protocols, sizeof protocols / sizeof protocols[0], value, other);
		rdp_flags(flags, can);
	} else if (reader_ok(&r) && type == FAILED) {
		failure = rdp_name(failures, sizeof failures / sizeof failures[0], value, other);
	}
	if (failure)
		event_set_text(answer, RDP_FAILURE, failure);
	else
		event_set_text(answer, RDP_PROTOCOL, protocol);
	if (can[0])
		event_set_text(answer, RDP_FLAGS, can);
	if (failure)
		snprintf(text, sizeof text, "failure=%s", failure);
	else
		snprintf(text, sizeof text, "protocol=%s%s%s", protocol, can[0] ? "\nflags=" : "", can);
	asking_signal(a, "rdp.negotiation", bytes_of_text(text));
}

static void rdp_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	struct bytes packet;
	if (rdp_begins(unread) && rdp_packet(unread, &packet)) {
		rdp_report(a, packet, answer);
		return;
	}
	report_banner(answer, unread);
}

static bool rdp_recognises(struct bytes first)
{
	return first.len >= 6 && first.at[1] == 0 && rdp_begins(first);
}

static const char *const rdp_signals[] = {"rdp.negotiation", "x509.subject", "x509.issuer", NULL};

#define ASKED "\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0"

static const struct specimen rdp_specimens[] = {
	{
		.title = "Windows Server 2019 wants CredSSP",
		.answers = {BYTES("\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0")},
		.asked = BYTES(ASKED),
		.answered = "{\"rdp.protocol\":\"credssp\",\"rdp.flags\":\"extended-data graphics reserved "
			    "restricted-admin redirected-authentication\"}\n",
		.signals = "rdp.negotiation: protocol=credssp\nflags=extended-data graphics reserved "
			   "restricted-admin redirected-authentication\n",
	},
	{
		.title = "xrdp 0.9.21 with TLS",
		.answers = {BYTES("\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x01\x08\0\x01\0\0\0")},
		.asked = BYTES(ASKED),
		.answered = "{\"rdp.protocol\":\"tls\",\"rdp.flags\":\"extended-data\"}\n",
		.signals = "rdp.negotiation: protocol=tls\nflags=extended-data\n",
	},
	{
		.title = "a server without a certificate",
		.answers = {BYTES("\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x03\0\x08\0\x02\0\0\0")},
		.asked = BYTES(ASKED),
		.answered = "{\"rdp.failure\":\"tls-not-allowed\"}\n",
		.signals = "rdp.negotiation: failure=tls-not-allowed\n",
	},
	{
		.title = "Windows XP knows no negotiation",
		.answers = {BYTES("\x03\0\0\x0b\x06\xd0\0\0\x12\x34\0")},
		.asked = BYTES(ASKED),
		.answered = "{\"rdp.protocol\":\"rdp\"}\n",
		.signals = "rdp.negotiation: protocol=rdp\n",
	},
	{
		.title = "numbers that have no name",
		.answers = {BYTES("\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\0\x08\0\xff\xff\xff\xff")},
		.asked = BYTES(ASKED),
		.answered = "{\"rdp.protocol\":\"4294967295\"}\n",
		.signals = "rdp.negotiation: protocol=4294967295\n",
	},
	{
		.title = "a length that is too short, and one that never comes",
		.answers = {BYTES("\x03\0\0\x04\x0e\xd0")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("SSH-2.0-x\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"banner\":\"SSH-2.0-x\\r\\n\"}\n",
	},
	{0},
};

static const struct probe rdp = {
	.name = "rdp",
	.summary = "asks which security is negotiated, and for the certificate; no log-in",
	.reference = "MS-RDPBCGR 2.2.1.1, 2.2.1.2; xrdp",
	.transport = PROBE_TCP,
	.ports = {3389, 3388},
	.tier = PROBE_DEFAULT,
	.glances = true,
	.question_max = 4096,
	.answer_max = 32768,
	.time_ms_max = 8000,
	.idle_ms = 4000,
	.connections_max = 1,
	.recognises = rdp_recognises,
	.open = rdp_open,
	.input = rdp_input,
	.finish = rdp_finish,
	.signals = rdp_signals,
	.specimens = rdp_specimens,
};
PROBE(rdp);
