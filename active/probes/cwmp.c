/*
 * TR-069 connection requests (CWMP): what a modem answers on its operator's port.
 *
 * One GET / in plain words who we are.  The answer is nearly always a 401 whose realm and
 * Server name the modem; no redirect is followed, no login answered, no icon asked for, and
 * the path that would make the modem call its operator is never guessed.
 */
#include "active/reading/page_inner.h"
#include "active/probe.h"

FIELD(HTTP_SERVER, "http.server", BYTES, 0, "Server header");
FIELD(HTTP_REALM, "http.realm", BYTES, 0, "realm of WWW-Authenticate");
FIELD(HTTP_AUTHENTICATE, "http.authenticate", BYTES, 0, "WWW-Authenticate header");

static enum probe_next cwmp_open(struct asking *a, void *state)
{
	char host[ADDRESS_TEXT_MAX];
	bool v4 = address_is_v4(asking_target(a));
	(void)state;
	address_format(asking_target(a), host);
	asking_say(a, "GET / HTTP/1.1\r\nHost: %s%s%s:%u\r\nUser-Agent: %s\r\nAccept: */*\r\n"
		      "Connection: close\r\n\r\n", v4 ? "" : "[", host, v4 ? "" : "]", asking_port(a),
		   asking_settings(a)->agent);
	return PROBE_CONTINUE;
}

static enum probe_next cwmp_input(struct asking *a, void *state, struct reader *r)
{
	(void)a;
	(void)state;
	return page_is_complete((struct bytes){r->at, reader_left(r)}) ? PROBE_DONE : PROBE_CONTINUE;
}

static void cwmp_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	struct page page;
	struct writer room = asking_scratch(a);
	(void)state;
	if (!page_read(unread, &room, &page))
		return;
	event_set_number(answer, FIELD_STATUS, page.status);
	if (page.server.len)
		event_set_bytes(answer, HTTP_SERVER, page.server);
	if (page.realm.len)
		event_set_bytes(answer, HTTP_REALM, page.realm);
	if (page.authenticate.len)
		event_set_bytes(answer, HTTP_AUTHENTICATE, page.authenticate);
	asking_signal(a, "http_header.server", page.server);
	asking_signal(a, "http_header.wwwauth", page.authenticate);
}

static const char *const cwmp_signals[] = {"http_header.server", "http_header.wwwauth", NULL};

#define ASKED                                                                                     \
	"GET / HTTP/1.1\r\nHost: 192.0.2.1:7547\r\nUser-Agent: Mozilla/5.0 (compatible; "         \
	"kansoku; +https://example.org/probing)\r\nAccept: */*\r\nConnection: close\r\n\r\n"

static const struct specimen cwmp_specimens[] = {
	{
		.title = "a modem that wants its operator's word",
		.answers = {BYTES("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"HuaweiHomeGateway\","
				  "nonce=\"1\", qop=\"auth\", algorithm=\"MD5\"\r\nContent-Length: 0\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{\"status\":401,\"http.realm\":\"HuaweiHomeGateway\"}\n",
		.signals = "http_header.wwwauth: Digest realm=\"HuaweiHomeGateway\",nonce=\"1\", qop=\"auth\", "
			   "algorithm=\"MD5\"\n",
	},
	{
		.title = "RomPager, whose redirect is not followed",
		.answers = {BYTES("HTTP/1.1 302 Found\r\nServer: RomPager/4.07 UPnP/1.0\r\n"
				  "Location: http://192.0.2.1:7547/x\r\n\r\n"), BYTES("")},
		.asked = BYTES(ASKED),
		.answered = "{\"status\":302,\"http.server\":\"RomPager/4.07 UPnP/1.0\"}\n",
		.signals = "http_header.server: RomPager/4.07 UPnP/1.0\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("SSH-2.0-dropbear\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe cwmp = {
	.name = "cwmp",
	.summary = "asks a modem's remote management for a page, for its realm; never logs in",
	.reference = "TR-069 Amendment 6, 3.2.2; RFC 9110, RFC 9511",
	.transport = PROBE_TCP,
	.ports = {7547},
	.tier = PROBE_OPT_IN,
	.question_max = 1024,
	.answer_max = 16384,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = 1,
	.open = cwmp_open,
	.input = cwmp_input,
	.finish = cwmp_finish,
	.signals = cwmp_signals,
	.specimens = cwmp_specimens,
};
PROBE(cwmp);
