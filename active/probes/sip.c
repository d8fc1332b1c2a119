/*
 * SIP: one OPTIONS, as a proxy asks its neighbour whether it is there (RFC 3261 11).
 *
 * No call is begun and nobody is registered.  The request is addressed to the host itself
 * and to no user of it, so that no extension is guessed.  Via, From and Call-ID name the
 * host of our page; `rport` (RFC 3581) has the answer come back to where we asked from.
 * Their unique parts follow from the target, so the same look is always the same bytes.
 */
#include "active/reading/banner_inner.h"
#include "active/reading/contact_inner.h"
#include "active/reading/head_inner.h"
#include "active/probe.h"

#define SIP "SIP/"
#define QUESTION_MAX 1400 /* one datagram */

struct sip_udp {
	size_t len;
	uint8_t said[2048]; /* the last datagram */
};

FIELD(SIP_SERVER, "sip.server", BYTES, 0, "Server header");
FIELD(SIP_USER_AGENT, "sip.user_agent", BYTES, 0, "User-Agent header");
FIELD(SIP_ALLOW, "sip.allow", BYTES, 0, "methods that it allows");
FIELD(SIP_REALM, "sip.realm", BYTES, 0, "realm of its challenge");

/* One sentence: over UDP it is one datagram. */
static enum probe_next sip_ask(struct asking *a, const char *transport)
{
	uint8_t text[QUESTION_MAX];
	struct writer w = writer_of(text, sizeof text);
	char target[ADDRESS_TEXT_MAX + 16], bare[ADDRESS_TEXT_MAX];
	address_format(asking_target(a), bare);
	bool v4 = address_is_v4(asking_target(a));
	snprintf(target, sizeof target, v4 ? "%s:%u" : "[%s]:%u", bare, asking_port(a));
	uint64_t unique = address_hash(asking_target(a), asking_port(a));
	struct bytes host = contact_host(asking_settings(a));
	int n = (int)host.len;
	const char *us = (const char *)host.at;
	write_fmt(&w, "OPTIONS sip:%s SIP/2.0\r\n", target);
	write_fmt(&w, "Via: SIP/2.0/%s %.*s;branch=z9hG4bK%016llx;rport\r\n", transport, n, us,
		  (unsigned long long)unique);
	write_fmt(&w, "Max-Forwards: 70\r\nTo: <sip:%s>\r\n", target);
	write_fmt(&w, "From: <sip:kansoku@%.*s>;tag=%08x\r\n", n, us, (unsigned)(unique >> 32));
	write_fmt(&w, "Call-ID: %016llx@%.*s\r\nCSeq: 1 OPTIONS\r\n", (unsigned long long)unique, n, us);
	write_fmt(&w, "Accept: application/sdp\r\nUser-Agent: %s\r\nContent-Length: 0\r\n\r\n",
		  asking_settings(a)->agent);
	if (w.bad)
		return PROBE_DONE;
	asking_say_bytes(a, writer_bytes(&w));
	return PROBE_CONTINUE;
}

static enum probe_next sip_open(struct asking *a, void *state)
{
	(void)state;
	return sip_ask(a, "TCP");
}

/* The final answer; while there is none, the last provisional one (RFC 3261 8.1.3.2). */
static struct head sip_answer(struct bytes all)
{
	struct head h = head_read(all, SIP), next = h;
	while (next.whole && next.status < 200) {
		h = next;
		size_t taken = (size_t)(h.fields.at + h.fields.len - all.at);
		all = (struct bytes){all.at + taken, all.len - taken};
		next = head_read(all, SIP);
	}
	return next.status ? next : h;
}

static enum probe_next sip_input(struct asking *a, void *state, struct reader *r)
{
	(void)a;
	(void)state;
	struct head h = sip_answer((struct bytes){r->at, reader_left(r)});
	return h.whole && h.status >= 200 ? PROBE_DONE : PROBE_CONTINUE;
}

static void sip_report(struct asking *a, struct bytes said, struct event *answer)
{
	struct head h = sip_answer(said);
	if (!h.status) {
		report_banner(answer, said);
		return;
	}
	struct bytes server = head_field(&h, "Server", NULL), agent = head_field(&h, "User-Agent", NULL);
	struct bytes challenge = head_field(&h, "WWW-Authenticate", NULL);
	if (!challenge.len)
		challenge = head_field(&h, "Proxy-Authenticate", NULL);
	const struct {
		uint16_t field;
		struct bytes value;
	} values[] = {
		{SIP_SERVER, server},
		{SIP_USER_AGENT, agent},
		{SIP_ALLOW, head_field(&h, "Allow", NULL)},
		{SIP_REALM, head_realm(challenge)},
	};
	event_set_number(answer, FIELD_STATUS, h.status);
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		report_bytes(answer, values[i].field, values[i].value);
	asking_signal(a, "sip_header.server", server);
	asking_signal(a, "sip_header.user_agent", agent);
}

static void sip_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	sip_report(a, unread, answer);
}

static enum probe_next sip_udp_open(struct asking *a, void *state)
{
	(void)state;
	return sip_ask(a, "UDP");
}

/* Each datagram is a whole answer (RFC 3261 18.2.2): the last one counts. */
static enum probe_next sip_udp_input(struct asking *a, void *state, struct reader *r)
{
	(void)a;
	struct sip_udp *s = state;
	struct bytes datagram = bytes_cut(read_rest(r), sizeof s->said);
	if (datagram.len)
		memcpy(s->said, datagram.at, datagram.len);
	s->len = datagram.len;
	struct head h = sip_answer(datagram);
	return h.status >= 100 && h.status < 200 ? PROBE_CONTINUE : PROBE_DONE;
}

static void sip_udp_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)unread;
	const struct sip_udp *s = state;
	sip_report(a, (struct bytes){s->said, s->len}, answer);
}

static bool sip_recognises(struct bytes first) { return bytes_start_with(first, "SIP/2.0 "); }

static const char *const sip_signals[] = {"sip_header.server", "sip_header.user_agent", NULL};

#define BRANCH "7f7e706b3c880627"
#define ASKED_BY(transport)                                                                                    \
	"OPTIONS sip:192.0.2.1:5060 SIP/2.0\r\n"                                                  \
	"Via: SIP/2.0/" transport " example.org;branch=z9hG4bK" BRANCH ";rport\r\nMax-Forwards: 70\r\n"     \
	"To: <sip:192.0.2.1:5060>\r\nFrom: <sip:kansoku@example.org>;tag=7f7e706b\r\n"            \
	"Call-ID: " BRANCH "@example.org\r\nCSeq: 1 OPTIONS\r\nAccept: application/sdp\r\n"       \
	"User-Agent: Mozilla/5.0 (compatible; kansoku; +https://example.org/probing)\r\n"         \
	"Content-Length: 0\r\n\r\n"

#define ASKED ASKED_BY("TCP")

static const struct specimen sip_specimens[] = {
	{
		.title = "an Asterisk",
		.answers = {BYTES("SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP example.org;branch=z9hG4bK" BRANCH
				  ";rport=40000;received=192.0.2.9\r\n"
				  "Server: FPBX-13.0.192.7(13.14.0)\r\n"
				  "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY\r\n"
				  "Content-Length: 0\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"status\":200,\"sip.server\":\"FPBX-13.0.192.7(13.14.0)\",\"sip.allow\":"
			    "\"INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY\"}\n",
		.signals = "sip_header.server: FPBX-13.0.192.7(13.14.0)\n",
	},
	{
		.title = "a telephone that wants a login",
		.answers = {BYTES("SIP/2.0 401 Unauthorized\nUser-Agent: AVM FRITZ!Box 7490 113.07.12\n"
				  "WWW-Authenticate: Digest realm=\"fritz.box\", nonce=\"1\"\n\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"status\":401,\"sip.user_agent\":\"AVM FRITZ!Box 7490 113.07.12\","
			    "\"sip.realm\":\"fritz.box\"}\n",
		.signals = "sip_header.user_agent: AVM FRITZ!Box 7490 113.07.12\n",
	},
	{
		.title = "only a provisional answer",
		.answers = {BYTES("SIP/2.0 100 Trying\r\nServer: x\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"status\":100,\"sip.server\":\"x\"}\n",
		.signals = "sip_header.server: x\n",
	},
	{
		.title = "a provisional answer, and Kamailio's final one",
		.answers = {BYTES("SIP/2.0 100 Giving a try\r\nServer: x\r\n\r\n"
				  "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP example.org;branch=z9hG4bK" BRANCH
				  ";rport=60856;received=127.0.0.1\r\nTo: <sip:127.0.0.1:14560>;"
				  "tag=d47c944bfcbfa2141c2b569037e63d7e.9e2c0000\r\n"
				  "From: <sip:kansoku@example.org>;tag=7f7e706b\r\nCall-ID: " BRANCH "@example.org\r\n"
				  "CSeq: 1 OPTIONS\r\nServer: kamailio (5.6.3 (x86_64/linux))\r\n"
				  "Content-Length: 0\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"status\":200}\n",
		.signals = "sip_header.server: kamailio (5.6.3 (x86_64/linux))\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("OPTIONS sip:you SIP/2.0\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"banner\":\"OPTIONS sip:you SIP/2.0\\r\\n\\r\\n\"}\n",
	},
	{0},
};

static const struct probe sip = {
	.name = "sip",
	.summary = "asks the host itself for its methods; no call, no registration",
	.reference = "RFC 3261 11, RFC 3581",
	.transport = PROBE_TCP,
	.ports = {5060},
	.tier = PROBE_DEFAULT,
	.question_max = QUESTION_MAX,
	.answer_max = 8192,
	.time_ms_max = 8000,
	.idle_ms = 3000,
	.connections_max = 1,
	.recognises = sip_recognises,
	.open = sip_open,
	.input = sip_input,
	.finish = sip_finish,
	.signals = sip_signals,
	.specimens = sip_specimens,
};
PROBE(sip);

static const struct specimen sip_udp_specimens[] = {
	{
		.title = "Kamailio over UDP, after a provisional answer",
		.answers = {BYTES("SIP/2.0 100 Giving a try\r\nServer: x\r\n\r\n"),
			    BYTES("SIP/2.0 200 OK\r\nServer: kamailio (5.6.3 (x86_64/linux))\r\n"
				  "Content-Length: 0\r\n\r\n")},
		.asked = BYTES(ASKED_BY("UDP")),
		.answered = "{\"status\":200,\"sip.server\":\"kamailio (5.6.3 (x86_64/linux))\"}\n",
		.signals = "sip_header.server: kamailio (5.6.3 (x86_64/linux))\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("\0\1what?\n")},
		.asked = BYTES(ASKED_BY("UDP")),
		.answered = "{\"banner\":\"\\u0000\\u0001what?\\n\"}\n",
	},
	{0},
};

static const struct probe sip_udp = {
	.name = "sip_udp",
	.summary = "the same over UDP; no call, no registration",
	.reference = "RFC 3261 11, RFC 3581",
	.transport = PROBE_UDP,
	.ports = {5060},
	.tier = PROBE_OPT_IN,
	.question_max = QUESTION_MAX,
	.answer_max = 8192,
	.time_ms_max = 8000,
	.idle_ms = 2000,
	.connections_max = 1,
	.state_size = sizeof(struct sip_udp),
	.open = sip_udp_open,
	.input = sip_udp_input,
	.finish = sip_udp_finish,
	.signals = sip_signals,
	.specimens = sip_udp_specimens,
};
PROBE(sip_udp);
