/*
 * UPnP over HTTP: where SSDP's LOCATION leads.  An Internet gateway that takes port mappings from
 * anybody, as MiniUPnPd, the Linux IGD on the Portable SDK (libupnp) or Realtek's SDK are found on
 * the Internet; or another device, which has nothing but its description.
 *
 * Mappings are what proxies of attackers are made of, and their arguments are handed to a shell by
 * Realtek's miniigd (CVE-2014-8361, with control where the description is).  All of it is recorded.
 */
#include "base/options.h"
#include "passive/services/upnp/upnp.h"

#define BODY_MAX (16u << 10)
#define ARGUMENTS_MAX 2048

static const char *const softwares[] = {"miniupnpd", "libupnp", "miniigd", NULL};

static const struct dialect upnp_dialect = {
	.server = "upnp",
	.reference = "MiniUPnPd 2.3.1, libupnp 1.6, Realtek SDK 1.3",
	.page_head = "%{fields}\r\n",
	.alive = "",
	.dying = "",
	.statuses = (const struct dialect_status[]){{0}},
};

struct answer_kind {
	unsigned status;
	const char *reason, *words;
};

static const struct answer_kind found = {200, "OK", NULL};
static const struct answer_kind fault = {500, "Internal Server Error", NULL};
static const struct answer_kind missing = {404, "Not Found", "The requested URL was not found on this server."};
static const struct answer_kind not_done = {501, "Not Implemented", "The HTTP Method is not implemented by this server."};
static const struct answer_kind no_condition = {412, "Precondition Failed", NULL};
static const struct answer_kind senseless = {400, "Bad Request", NULL};

static const char *version_of(const struct request *r)
{
	if (r->malformed || r->version == HTTP_0_9)
		return "";
	return r->version == HTTP_1_0 ? "HTTP/1.0" : "HTTP/1.1";
}

/* MiniUPnPd says the version that it was asked in, also when there was none. */
static void head_miniupnpd(struct api_call *c, const struct answer_kind *k, const char *type, const char *server)
{
	write_fmt(&c->fields, "%s %u %s\r\nContent-Type: %s\r\nConnection: close\r\nContent-Length: %zu\r\nServer: %s\r\nExt:\r\n",
	          version_of(c->request), k->status, k->reason, type, writer_used(&c->out), server);
}

/* Errors come from another place of libupnp than files and answers do. */
static void head_libupnp(struct api_call *c, const struct answer_kind *k, const char *type, const char *server)
{
	const char *version = *version_of(c->request) ? version_of(c->request) : "HTTP/1.1";
	char date[64], started[64];
	struct writer w = writer_of(date, sizeof date - 1), v = writer_of(started, sizeof started - 1);
	uint64_t boot = 0;
	dialect_write_date(session_time_us(c->session), false, &w);
	*w.at = '\0';
	session_expand(c->session, "%{boot}", started, sizeof started);
	bytes_number(bytes_of_text(started), UINT32_MAX, &boot);
	dialect_write_date((boot + 21) * 1000000, false, &v);
	*v.at = '\0';
	if (k != &found && k != &fault) {
		write_fmt(&c->fields, "%s %u %s\r\nSERVER: %s\r\nCONNECTION: close\r\nCONTENT-LENGTH: %zu\r\nCONTENT-TYPE: text/html\r\n",
		          version, k->status, k->reason, server, writer_used(&c->out));
		return;
	}
	bool control = bytes_equal_text(c->request->method, "POST");
	write_fmt(&c->fields, "%s %u %s\r\nCONTENT-LENGTH: %zu\r\nCONTENT-TYPE: %s\r\nDATE: %s\r\n", version, k->status, k->reason,
	          writer_used(&c->out), control ? "text/xml; charset=\"utf-8\"" : type, date);
	if (control)
		write_fmt(&c->fields, "EXT:\r\nSERVER: %s\r\nX-User-Agent: redsonic\r\n", server);
	else
		write_fmt(&c->fields, "LAST-MODIFIED: %s\r\nSERVER: %s\r\nX-User-Agent: redsonic\r\nCONNECTION: close\r\n", started, server);
}

static void head(struct api_call *c, const struct upnp_device *d, const struct answer_kind *k, const char *type)
{
	char server[192];
	session_expand(c->session, d->server, server, sizeof server);
	c->status = k->status;
	c->close = true;
	if (d->software == UPNP_LIBUPNP)
		head_libupnp(c, k, "text/xml", server);
	else
		head_miniupnpd(c, k, type, server);
}

static const char *xml_type(const struct upnp_device *d)
{
	return d->software == UPNP_MINIUPNPD ? "text/xml; charset=\"utf-8\"" : "text/xml";
}

static void say_error(struct api_call *c, const struct upnp_device *d, const struct answer_kind *k)
{
	if (d->software == UPNP_LIBUPNP)
		write_fmt(&c->out, "<html><body><h1>%u %s</h1></body></html>", k->status, k->reason);
	else if (k->words)
		write_fmt(&c->out, "<HTML><HEAD><TITLE>%u %s</TITLE></HEAD><BODY><H1>%s</H1>%s</BODY></HTML>\r\n", k->status, k->reason,
		          k->reason, k->words);
	head(c, d, k, k->words ? "text/html" : xml_type(d));
}

#define ENVELOPE(gap)                                                                                                  \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "                                           \
	"s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">" gap "<s:Body>" gap
#define FAULT(gap)                                                                                                     \
	ENVELOPE(gap)                                                                                                  \
	"<s:Fault>" gap "<faultcode>s:Client</faultcode>" gap "<faultstring>UPnPError</faultstring>" gap "<detail>" gap \
	"<UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\">" gap "<errorCode>%d</errorCode>" gap                    \
	"<errorDescription>%s</errorDescription>" gap "</UPnPError>" gap "</detail>" gap "</s:Fault>" gap "</s:Body>" gap \
	"</s:Envelope>" gap

static void control(struct api_call *c, const struct upnp_device *d, struct bytes action)
{
	char room[ARGUMENTS_MAX];
	struct writer arguments = writer_of(room, sizeof room);
	struct bytes service = soap_service(c);
	bool sdk = d->software == UPNP_LIBUPNP;
	soap_tell(c, action, "upnp");
	int error = upnp_act(c, d, action, &arguments);
	if (error) {
		write_fmt(&c->out, sdk ? FAULT("\n") : FAULT(""), error, upnp_error_words(error));
		head(c, d, &fault, xml_type(d));
		return;
	}
	service.len = service.len < 128 ? service.len : 128;
	write_text(&c->out, sdk ? ENVELOPE("\n") "<u:" : "<?xml version=\"1.0\"?>\r\n" ENVELOPE("") "<u:");
	write_span(&c->out, action);
	write_text(&c->out, "Response xmlns:u=\"");
	soap_write_text(&c->out, service);
	write_text(&c->out, sdk ? "\">\n" : "\">");
	write_span(&c->out, writer_bytes(&arguments));
	write_text(&c->out, "</u:");
	write_span(&c->out, action);
	write_text(&c->out, sdk ? "Response>\n</s:Body> </s:Envelope>" : "Response></s:Body></s:Envelope>\r\n");
	head(c, d, &found, xml_type(d));
}

/* Where control is wanted: Realtek's takes it anywhere. */
static bool is_control(const struct api_call *c, const struct upnp_device *d)
{
	if (!upnp_is_gateway(d))
		return false;
	for (int i = 0; i < UPNP_SERVICES; i++)
		if (bytes_equal_text(c->path, upnp_places(d)[i].control))
			return true;
	return d->software == UPNP_MINIIGD;
}

/* A letter, so that what is echoed is a name. */
static bool is_name(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (!((b.at[i] | 0x20) >= 'a' && (b.at[i] | 0x20) <= 'z') && !(b.at[i] >= '0' && b.at[i] <= '9') && b.at[i] != '_')
			return false;
	return b.len && b.len <= 64;
}

static void on_get(struct api_call *c, const struct upnp_device *d)
{
	int service = 0;
	while (service < UPNP_SERVICES && !(upnp_is_gateway(d) && bytes_equal_text(c->path, upnp_places(d)[service].description)))
		service++;
	bool root = bytes_equal_text(c->path, d->path) || (d->software == UPNP_MINIIGD && bytes_equal_text(c->path, "/picdesc.xml"));
	if (root)
		upnp_write_description(c->session, d, &c->out);
	else if (service < UPNP_SERVICES)
		upnp_write_service(service, strstr(d->server, "UPnP/1.1"), &c->out);
	if (root || service < UPNP_SERVICES)
		head(c, d, &found, xml_type(d));
	else
		say_error(c, d, &missing);
}

static void upnp_answer(struct api_call *c)
{
	const struct upnp_device *d = session_device(c->session);
	struct bytes method = c->request->method, action = soap_action(c);
	bool get = bytes_equal_text(method, "GET") || (d->software == UPNP_LIBUPNP && bytes_equal_text(method, "HEAD"));
	if (c->request->malformed || c->request->version == HTTP_0_9)
		say_error(c, d, d->software == UPNP_LIBUPNP ? &senseless : &not_done);
	else if (get)
		on_get(c, d);
	else if (bytes_equal_text(method, "POST") && is_control(c, d) && is_name(action))
		control(c, d, action);
	else if (bytes_equal_text(method, "POST"))
		say_error(c, d, &missing);
	else
		/* An event would be sent to whoever the peer names: we never connect. */
		say_error(c, d, bytes_equal_text(method, "SUBSCRIBE") ? &no_condition : &not_done);
}

static const struct api_style upnp_style = {
	.dialect = &upnp_dialect,
	.body_max = BODY_MAX,
	.answer = upnp_answer,
	.bad_request = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
	.answers_malformed = true,
};

static enum service_next upnp_input(struct session *s, void *state, struct reader *in)
{
	return api_input(s, state, in, &upnp_style, state);
}

static void upnp_close(struct session *s, void *state)
{
	api_close(s, state);
}

/* clang-format off */
#define SERVER "Server: Linux/3.0.8 UPnP/1.0 MiniUPnPd/1.6\r\nExt:\r\n\r\n"
#define HEAD(first, type, length) first "\r\nContent-Type: " type "\r\nConnection: close\r\nContent-Length: " length "\r\n" SERVER
#define XML "text/xml; charset=\"utf-8\""
#define CONNECTION "urn:schemas-upnp-org:service:WANIPConnection:1"
#define ASK(length, action, arguments) "POST /ctl/IPConn HTTP/1.1\r\nSOAPAction: \"" CONNECTION "#" action "\"\r\nContent-Length: " length "\r\n\r\n" \
	"<s:Envelope><s:Body><u:" action " xmlns:u=\"" CONNECTION "\">" arguments "</u:" action "></s:Body></s:Envelope>"
#define ANSWER(action, arguments) "<?xml version=\"1.0\"?>\r\n" ENVELOPE("") "<u:" action "Response xmlns:u=\"" CONNECTION "\">" arguments \
	"</u:" action "Response></s:Body></s:Envelope>\r\n"
#define SAID(line, status) "{\"kind\":\"command.sent\",\"command.line\":\"" line "\"}\n{\"kind\":\"request.seen\",\"status\":" status "}"

static const struct exchange upnp_exchanges[] = {
	{"what it has not got", BYTES("GET / HTTP/1.1\r\nHost: g\r\n\r\n"),
	 BYTES(HEAD("HTTP/1.1 404 Not Found", "text/html", "134")
	       "<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD><BODY><H1>Not Found</H1>The requested URL was not found on this server.</BODY></HTML>\r\n"),
	 "{\"kind\":\"request.seen\",\"request.target\":\"/\",\"status\":404}"},
	{"where it is on the Internet", BYTES(ASK("148", "GetExternalIPAddress", "")),
	 BYTES(HEAD("HTTP/1.1 200 OK", XML, "356") ANSWER("GetExternalIPAddress", "<NewExternalIPAddress>192.0.2.23</NewExternalIPAddress>")),
	 SAID("GetExternalIPAddress", "200")},
	{"a mapping for an address that is none",
	 BYTES(ASK("300", "AddPortMapping", "<NewExternalPort>47450</NewExternalPort><NewProtocol>TCP</NewProtocol><NewInternalPort>44382"
	           "</NewInternalPort><NewInternalClient>`cd /tmp/;sh x`</NewInternalClient>")),
	 BYTES(HEAD("HTTP/1.1 500 Internal Server Error", XML, "396") ENVELOPE("") "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError"
	       "</faultstring><detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>402</errorCode><errorDescription>Invalid Args"
	       "</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>"),
	 SAID("AddPortMapping NewExternalPort=47450 NewProtocol=TCP NewInternalPort=44382 NewInternalClient=`cd /tmp/;sh x`", "500")},
	{"a mapping that is wanted, and the list of them",
	 BYTES(ASK("320", "AddPortMapping", "<NewExternalPort>3389</NewExternalPort><NewProtocol>TCP</NewProtocol><NewInternalPort>3389"
	           "</NewInternalPort><NewInternalClient>192.168.0.7</NewInternalClient><NewEnabled>1</NewEnabled>")),
	 BYTES(HEAD("HTTP/1.1 200 OK", XML, "289") ANSWER("AddPortMapping", "")),
	 SAID("AddPortMapping NewExternalPort=3389 NewProtocol=TCP NewInternalPort=3389 NewInternalClient=192.168.0.7 NewEnabled=1", "200")},
	{"what is no request", BYTES("HELP\r\n\r\n"),
	 BYTES(HEAD(" 501 Not Implemented", "text/html", "149")
	       "<HTML><HEAD><TITLE>501 Not Implemented</TITLE></HEAD><BODY><H1>Not Implemented</H1>The HTTP Method is not implemented by this server.</BODY></HTML>\r\n"),
	 "{\"kind\":\"request.seen\",\"request.method\":\"HELP\",\"status\":501}"},
	{"events for somebody else", BYTES("SUBSCRIBE /evt/IPConn HTTP/1.1\r\nCALLBACK: <http://198.51.100.9:25/>\r\nNT: upnp:event\r\n\r\n"),
	 BYTES(HEAD("HTTP/1.1 412 Precondition Failed", XML, "0")), "{\"kind\":\"request.seen\",\"request.method\":\"SUBSCRIBE\",\"status\":412}"},
	{0},
};
/* clang-format on */

#define TEXT(member, value, words)                                                                                     \
	{.name = #member, .type = OPTION_TEXT, .offset = offsetof(struct upnp_device, member), .fallback = value, .summary = words}

static const struct option upnp_device_options[] = {
	{.name = "software", .type = OPTION_CHOICE, .offset = offsetof(struct upnp_device, software), .choices = softwares,
	 .fallback = "miniupnpd", .summary = "how it talks, and where its services are: miniupnpd, libupnp or miniigd"},
	TEXT(server, "Linux/%{kernel} UPnP/1.0 MiniUPnPd/1.6", "what it calls itself, a template"),
	TEXT(path, "/rootDesc.xml", "of its description, where the location of ssdp leads"),
	TEXT(type, "urn:schemas-upnp-org:device:InternetGatewayDevice:1", "of the device; another one has no services"),
	TEXT(name, "%{hostname}", "of the device, a template"),
	TEXT(maker, "Broadcom", "of it"),
	TEXT(maker_url, "http://www.broadcom.com/", "where the maker is"),
	TEXT(about, "Residential gateway", "what it is"),
	TEXT(model, "Wireless Router", "its name"),
	TEXT(number, "1", "of the model"),
	TEXT(uuid, "", "as in ssdp: a template, or empty for one of its own by address"),
	{0},
};

static const struct service upnp = {
	.name = "upnp",
	.summary = "gateway that takes port mappings from anybody",
	.reference = "UPnP Device Architecture 1.1, IGD 1.0; MiniUPnPd 2.3.1, libupnp 1.6, Realtek SDK 1.3",
	.transports = TRANSPORT_TCP,
	.ports = {5000, 49152, 50001, 52869},
	.state_size = sizeof(struct api),
	.input_max = API_INPUT_MAX,
	.output_max = 128u << 10,
	.arena_max = API_ARENA_MAX,
	.idle_ms_max = 30 * 1000,
	.session_ms_max = 300 * 1000,
	.device = upnp_device_options,
	.device_size = sizeof(struct upnp_device),
	.input = upnp_input,
	.close = upnp_close,
	.exchanges = upnp_exchanges,
};
SERVICE(upnp);
