/*
 * RTSP: OPTIONS *, and nothing more.
 *
 * The request asks about the server itself (RFC 2326 10.1; the star is no stream), so no
 * stream's name is guessed and no picture comes.  Cameras tell their maker in Server; some
 * want a login even here, and then their realm is what we came for.
 */
#include "active/reading/banner_inner.h"
#include "active/reading/head_inner.h"
#include "active/probe.h"

#define RTSP "RTSP/"

FIELD(RTSP_SERVER, "rtsp.server", BYTES, 0, "Server header");
FIELD(RTSP_PUBLIC, "rtsp.public", BYTES, 0, "methods that the server offers");
FIELD(RTSP_AUTHENTICATE, "rtsp.authenticate", BYTES, 0, "WWW-Authenticate header");
FIELD(RTSP_REALM, "rtsp.realm", BYTES, 0, "its realm");

static enum probe_next rtsp_open(struct asking *a, void *state)
{
	(void)state;
	asking_say(a, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: %s\r\n\r\n", asking_settings(a)->agent);
	return PROBE_CONTINUE;
}

static enum probe_next rtsp_input(struct asking *a, void *state, struct reader *r)
{
	(void)a;
	(void)state;
	struct bytes all = {r->at, reader_left(r)};
	return head_read(all, RTSP).whole ? PROBE_DONE : PROBE_CONTINUE;
}

static void rtsp_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	struct head h = head_read(unread, RTSP);
	if (!h.status) {
		report_banner(answer, unread);
		return;
	}
	struct bytes server = head_field(&h, "Server", NULL);
	struct bytes challenge = head_field(&h, "WWW-Authenticate", NULL);
	const struct {
		uint16_t field;
		struct bytes value;
	} values[] = {
		{RTSP_SERVER, server},
		{RTSP_PUBLIC, head_field(&h, "Public", NULL)},
		{RTSP_AUTHENTICATE, challenge},
		{RTSP_REALM, head_realm(challenge)},
	};
	event_set_number(answer, FIELD_STATUS, h.status);
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		report_bytes(answer, values[i].field, values[i].value);
	asking_signal(a, "rtsp_header.server", server);
	asking_signal(a, "rtsp_header.wwwauth", challenge);
}

static bool rtsp_recognises(struct bytes first) { return bytes_start_with(first, "RTSP/1."); }

static const char *const rtsp_signals[] = {"rtsp_header.server", "rtsp_header.wwwauth", NULL};

#define ASKED                                                                                     \
	"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Mozilla/5.0 (compatible; kansoku; "         \
	"+https://example.org/probing)\r\n\r\n"

static const struct specimen rtsp_specimens[] = {
	{
		.title = "GStreamer's server 1.22",
		.answers = {BYTES("RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE, ANNOUNCE, "
				  "GET_PARAMETER, PAUSE, PLAY, RECORD, SETUP, SET_PARAMETER, TEARDOWN\r\n"
				  "Server: GStreamer RTSP server\r\nDate: Mon, 23 Nov 2026 19:44:48 GMT\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"status\":200,\"rtsp.server\":\"GStreamer RTSP server\",\"rtsp.public\":"
			    "\"OPTIONS, DESCRIBE, ANNOUNCE, GET_PARAMETER, PAUSE, PLAY, RECORD, SETUP, "
			    "SET_PARAMETER, TEARDOWN\"}\n",
		.signals = "rtsp_header.server: GStreamer RTSP server\n",
	},
	{
		.title = "a camera that wants a login even for this",
		.answers = {BYTES("RTSP/1.0 401 Unauthorized\nCSeq: 1\n"
				  "WWW-Authenticate: Digest realm=\"IP Camera(C2183)\", nonce=\"0a1b\", "
				  "stale=\"FALSE\"\n\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"status\":401,\"rtsp.realm\":\"IP Camera(C2183)\"}\n",
		.signals = "rtsp_header.wwwauth: Digest realm=\"IP Camera(C2183)\", nonce=\"0a1b\", "
			   "stale=\"FALSE\"\n",
	},
	{
		.title = "a head that stops in the middle of a line",
		.answers = {BYTES("RTSP/1.0 200\r\nServer: Rtsp Server/2.0\r\nPublic: OPT")},
		.asked = BYTES(ASKED),
		.answered = "{\"status\":200,\"rtsp.server\":\"Rtsp Server/2.0\"}\n",
		.signals = "rtsp_header.server: Rtsp Server/2.0\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("HTTP/1.0 400 Bad Request\r\nServer: x\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"banner\":\"HTTP/1.0 400 Bad Request\\r\\nServer: x\\r\\n\\r\\n\"}\n",
	},
	{
		.title = "a status that is none, and headers without a colon",
		.answers = {BYTES("RTSP/1.0 9 x\r\nServer\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"banner\":\"RTSP/1.0 9 x\\r\\nServer\\r\\n\\r\\n\"}\n",
	},
	{0},
};

static const struct probe rtsp = {
	.name = "rtsp",
	.summary = "asks the server for its methods; no stream is named",
	.reference = "RFC 2326 10.1, RFC 7826",
	.transport = PROBE_TCP,
	.ports = {554, 8554, 10554},
	.tier = PROBE_DEFAULT,
	.question_max = 512,
	.answer_max = 8192,
	.time_ms_max = 8000,
	.idle_ms = 3000,
	.connections_max = 1,
	.recognises = rtsp_recognises,
	.open = rtsp_open,
	.input = rtsp_input,
	.finish = rtsp_finish,
	.signals = rtsp_signals,
	.specimens = rtsp_specimens,
};
PROBE(rtsp);
