/*
 * Windows Remote Management: WS-Management over HTTP.sys on 5985, and 5986 with TLS.
 *
 * WS-Man Identify answers without a log-in when it is asked so; everything else is asked for
 * Negotiate (and Basic where the device allows it).  The proof that NTLM carries is told in the
 * form that crackers read.  Both are judged by the device's accounts, and then end in a fault, as
 * of an account without rights.
 */
#include "base/little.h"
#include "base/options.h"
#include "base/random.h"
#include "passive/services/http/api.h"
#include "base/base64.h"
#include "passive/services/windows/ntlm.h"

#define TOKEN_MAX 4096
#define TEXT_MAX 512
#define TIME_1601_US 11644473600000000ull /* between 1601 and 1970 */

struct winrm_device {
	const char *os, *stack, *computer, *domain, *build;
	bool basic;
};

struct winrm {
	struct api api;
	uint8_t challenge[8];
	bool challenged;
};

/* clang-format off */
static const struct dialect winrm_dialect = {
	.server = "Microsoft-HTTPAPI/2.0", .reference = "HTTP.sys of Windows Server 2012 R2 to 2019",
	.page_head = "HTTP/1.1 %{status} %{reason}\r\n%{fields}Server: Microsoft-HTTPAPI/2.0\r\nDate: %{date}\r\n"
		     "%{connection}Content-Length: %{length}\r\n\r\n",
	.alive = "", .dying = "Connection: close\r\n",
	.statuses = (const struct dialect_status[]){{401, "", NULL}, {200, "", NULL}, {500, "", NULL}, {0}},
};
/* clang-format on */

static const struct winrm_device *device_of(const struct api_call *c)
{
	return session_device(c->session);
}

static void write_wide(struct writer *w, const char *text)
{
	for (; *text; text++)
		write_little(w, (uint8_t)*text, 2);
}

static void write_pair(struct writer *w, unsigned id, const char *text)
{
	write_little(w, id, 2);
	write_little(w, 2 * strlen(text), 2);
	write_wide(w, text);
}

/* MS-NLMP 2.2.1.2: what nmap's http-ntlm-info reads the names and the build from. */
static void write_challenge(struct api_call *c, struct writer *w)
{
	const struct winrm_device *d = device_of(c);
	struct winrm *state = c->state;
	char computer[64], domain[64];
	uint8_t room[1024];
	struct writer pairs = writer_of(room, sizeof room);
	session_expand(c->session, d->computer, computer, sizeof computer);
	session_expand(c->session, d->domain, domain, sizeof domain);
	uint64_t drawn = session_random(c->session);
	memcpy(state->challenge, &drawn, 8);
	state->challenged = true;
	write_pair(&pairs, 2, domain);
	write_pair(&pairs, 1, computer);
	write_pair(&pairs, 4, domain);
	write_pair(&pairs, 3, computer);
	write_little(&pairs, 7, 2);
	write_little(&pairs, 8, 2);
	write_little(&pairs, (session_time_us(c->session) + TIME_1601_US) * 10, 8);
	write_little(&pairs, 0, 4);
	size_t name = 2 * strlen(domain), info = writer_used(&pairs);
	write_bytes(w, "NTLMSSP\0\2\0\0\0", 12);
	write_little(w, name, 2);
	write_little(w, name, 2);
	write_little(w, 56, 4);
	write_little(w, 0xe2898215, 4);
	write_bytes(w, state->challenge, 8);
	write_zero(w, 8);
	write_little(w, info, 2);
	write_little(w, info, 2);
	write_little(w, 56 + name, 4);
	unsigned major = 10, minor = 0, build = 17763;
	if (sscanf(d->build, "%u.%u.%u", &major, &minor, &build) != 3)
		build = 17763;
	write_u8(w, (uint8_t)major);
	write_u8(w, (uint8_t)minor);
	write_little(w, build, 2);
	write_bytes(w, "\0\0\0\x0f", 4);
	write_wide(w, domain);
	write_span(w, writer_bytes(&pairs));
}

static bool proved(struct api_call *c, struct bytes token)
{
	struct winrm *state = c->state;
	struct ntlm_login login = {0};
	uint8_t key[16];
	state->challenged = false;
	if (!ntlm_read(token, &login))
		return false;
	memcpy(login.challenge, state->challenge, sizeof login.challenge);
	return ntlm_decide(c->session, NULL, &login, key) == NTLM_ACCEPTED;
}

/*
 * Negotiate carries NTLM within SPNEGO or bare; the message itself is found by its name.  True:
 * the password is proved.
 */
static bool negotiate(struct api_call *c, struct bytes text)
{
	uint8_t token_room[TOKEN_MAX], answer_room[2048];
	struct writer w = writer_of(token_room, sizeof token_room), a = writer_of(answer_room, sizeof answer_room);
	struct winrm *state = c->state;
	base64_decode(text, &w);
	struct bytes token = writer_bytes(&w);
	const uint8_t *at = token.len ? memmem(token.at, token.len, "NTLMSSP", 8) : NULL;
	if (!at)
		return false;
	token = (struct bytes){at, token.len - (size_t)(at - token.at)};
	if (bytes_little(token, 8, 4) == 3 && state->challenged)
		return proved(c, token);
	if (bytes_little(token, 8, 4) != 1)
		return false;
	write_challenge(c, &a);
	write_text(&c->fields, "WWW-Authenticate: Negotiate ");
	base64_encode(writer_bytes(&a), &c->fields);
	write_text(&c->fields, "\r\n");
	return false;
}

static bool basic(struct api_call *c, struct bytes text)
{
	uint8_t room[TEXT_MAX];
	struct writer w = writer_of(room, sizeof room);
	base64_decode(text, &w);
	struct bytes both = writer_bytes(&w);
	size_t n = bytes_find(both, ":");
	size_t skip = n < both.len ? n + 1 : n;
	return session_login(c->session, (struct bytes){both.at, n}, (struct bytes){both.at + skip, both.len - skip});
}

static void identify(struct api_call *c)
{
	const struct winrm_device *d = device_of(c);
	write_fmt(&c->fields, "Content-Type: application/soap+xml;charset=UTF-8\r\n");
	write_fmt(&c->out,
	          "<s:Envelope xml:lang=\"en-US\" xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header/><s:Body>"
	          "<wsmid:IdentifyResponse xmlns:wsmid=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\">"
	          "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
	          "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor><wsmid:ProductVersion>OS: %s SP: 0.0 Stack: %s"
	          "</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>",
	          d->os, d->stack);
}

static void denied(struct api_call *c)
{
	c->status = 500;
	write_text(&c->fields, "Content-Type: application/soap+xml;charset=UTF-8\r\n");
	write_text(&c->out,
	           "<s:Envelope xml:lang=\"en-US\" xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"http://schemas."
	           "xmlsoap.org/ws/2004/08/addressing\"><s:Header><a:Action>http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
	           "</a:Action></s:Header><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:AccessDenied"
	           "</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang=\"en-US\">Access is denied. </s:Text></s:Reason>"
	           "</s:Fault></s:Body></s:Envelope>");
}

static void ask(struct api_call *c, struct bytes authorization)
{
	size_t before = writer_used(&c->fields);
	c->status = 401;
	if (bytes_start_with(authorization, "Negotiate ") &&
	    negotiate(c, (struct bytes){authorization.at + 10, authorization.len - 10})) {
		denied(c);
		return;
	}
	if (writer_used(&c->fields) == before)
		write_fmt(&c->fields, "WWW-Authenticate: Negotiate\r\n%s", device_of(c)->basic ? "WWW-Authenticate: Basic realm=\"WSMAN\"\r\n" : "");
}

static void winrm_answer(struct api_call *c)
{
	struct bytes authorization = bytes_trim(c->request->authorization);
	bool post = bytes_equal_text(c->request->method, "POST");
	if (!api_path(c, "/wsman", NULL)) {
		c->status = 404;
		write_text(&c->fields, "Content-Type: text/html; charset=us-ascii\r\n");
		write_text(&c->out, "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n"
		                    "<HTML><HEAD><TITLE>Not Found</TITLE>\r\n<META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; "
		                    "charset=us-ascii\"></HEAD>\r\n<BODY><h2>Not Found</h2>\r\n<hr><p>HTTP Error 404. The requested "
		                    "resource is not found.</p>\r\n</BODY></HTML>\r\n");
		c->close = true;
	} else if (!post) {
		c->status = 405;
		write_text(&c->fields, "Allow: POST\r\n");
	} else if (bytes_find_nocase(c->head, "wsmanidentify: unauthenticated") < c->head.len &&
	           bytes_find(c->body, "Identify") < c->body.len) {
		identify(c);
	} else if (device_of(c)->basic && bytes_start_with(authorization, "Basic ") &&
	           basic(c, (struct bytes){authorization.at + 6, authorization.len - 6})) {
		denied(c);
	} else {
		ask(c, authorization);
	}
}

static const struct api_style winrm_style = {
	.dialect = &winrm_dialect,
	.body_max = 64u << 10,
	.answer = winrm_answer,
	.bad_request = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html; charset=us-ascii\r\nServer: Microsoft-HTTPAPI/2.0\r\n"
		       "Connection: close\r\nContent-Length: 326\r\n\r\n<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/"
		       "TR/html4/strict.dtd\">\r\n<HTML><HEAD><TITLE>Bad Request</TITLE>\r\n<META HTTP-EQUIV=\"Content-Type\" Content=\"text/"
		       "html; charset=us-ascii\"></HEAD>\r\n<BODY><h2>Bad Request - Invalid Verb</h2>\r\n<hr><p>HTTP Error 400. The request verb "
		       "is invalid.</p>\r\n</BODY></HTML>\r\n",
};

static enum service_next winrm_input(struct session *s, void *state, struct reader *in)
{
	return api_input(s, state, in, &winrm_style, state);
}

static void winrm_close(struct session *s, void *state)
{
	api_close(s, state);
}

/* clang-format off */
static const struct exchange winrm_exchanges[] = {
	{"a log-in is asked for", BYTES("POST /wsman HTTP/1.1\r\nHost: w\r\nContent-Length: 0\r\n\r\n"),
	 BYTES("HTTP/1.1 401 \r\nWWW-Authenticate: Negotiate\r\nServer: Microsoft-HTTPAPI/2.0\r\nDate: Wed, 01 Apr 2015 00:00:00 GMT\r\n"
	       "Content-Length: 0\r\n\r\n"),
	 "{\"kind\":\"request.seen\",\"request.target\":\"/wsman\",\"status\":401}"},
	{"who are you",
	 BYTES("POST /wsman HTTP/1.0\r\nWSMANIDENTIFY: unauthenticated\r\nContent-Length: 18\r\n\r\n<wsmid:Identify/> "),
	 BYTES("HTTP/1.1 200 \r\nContent-Type: application/soap+xml;charset=UTF-8\r\nServer: Microsoft-HTTPAPI/2.0\r\n"
	       "Date: Wed, 01 Apr 2015 00:00:00 GMT\r\nConnection: close\r\nContent-Length: 482\r\n\r\n"
	       "<s:Envelope xml:lang=\"en-US\" xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header/><s:Body>"
	       "<wsmid:IdentifyResponse xmlns:wsmid=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\">"
	       "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
	       "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor><wsmid:ProductVersion>OS: 10.0.17763 SP: 0.0 Stack: 3.0"
	       "</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>"),
	 "{\"kind\":\"request.seen\",\"status\":200}"},
	{
		.title = "the planted password is proved by NTLM, and has no rights",
		.peer_sends = BYTES(
		"POST /wsman HTTP/1.1\x0d\x0aHost: 192.0.2.23:5985\x0d\x0a\x41uthorization: Neg"
		"otiate TlRMTVNTUAABAAAANYKI4AAAAAAAAAAAAAAAAAAAAAA=\x0d\x0a\x43ontent-Length: "
		"0\x0d\x0a\x0d\x0aPOST /wsman HTTP/1.1\x0d\x0aHost: 192.0.2.23:5985\x0d\x0a\x41"
		"uthorization: Negotiate TlRMTVNTUAADAAAAGAAYAEgAAAC4ALgAYAAAAAAAAABAAAAACAAIAE"
		"AAAAAAAAAASAAAABAAEAAYAQAAFYKI4HIAbwBvAHQAAt0BTRm11y0EjQNSYxR+tDhBU1BNNGc3njN4"
		"Dyj5PVaoDDefJYXjmAEBAAAAAAAAAADnyw5s0AE4QVNQTTRnNwAAAAACABIAbABvAGMAYQBsAGgAbw"
		"BzAHQAAQASAGwAbwBjAGEAbABoAG8AcwB0AAQAEgBsAG8AYwBhAGwAaABvAHMAdAADABIAbABvAGMA"
		"YQBsAGgAbwBzAHQABwAIAAAA58sObNABCQAcAGMAaQBmAHMALwBsAG8AYwBhAGwAaABvAHMAdAAAAA"
		"AAAAAAALxyLG7pwnIDowBeTPxSyEs=\x0d\x0a\x43ontent-Length: 0\x0d\x0a\x0d\x0a"),
		.we_answer = BYTES(
		"HTTP/1.1 401 \x0d\x0aWWW-Authenticate: Negotiate TlRMTVNTUAACAAAAEgASADgAAAAVg"
		"oniLdu9r6M2LQgAAAAAAAAAAGgAaABKAAAACgBjRQAAAA9sAG8AYwBhAGwAaABvAHMAdAACABIAbAB"
		"vAGMAYQBsAGgAbwBzAHQAAQASAGwAbwBjAGEAbABoAG8AcwB0AAQAEgBsAG8AYwBhAGwAaABvAHMAd"
		"AADABIAbABvAGMAYQBsAGgAbwBzAHQABwAIAAAA58sObNABAAAAAA==\x0d\x0aServer: Microso"
		"ft-HTTPAPI/2.0\x0d\x0a\x44\x61te: Wed, 01 Apr 2015 00:00:00 GMT\x0d\x0a\x43ont"
		"ent-Length: 0\x0d\x0a\x0d\x0aHTTP/1.1 500 \x0d\x0a\x43ontent-Type: application"
		"/soap+xml;charset=UTF-8\x0d\x0aServer: Microsoft-HTTPAPI/2.0\x0d\x0a\x44\x61te"
		": Wed, 01 Apr 2015 00:00:00 GMT\x0d\x0a\x43ontent-Length: 450\x0d\x0a\x0d\x0a<"
		"s:Envelope xml:lang=\"en-US\" xmlns:s=\"http://www.w3.org/2003/05/soap-envelop"
		"e\" xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\"><s:Header><a:"
		"Action>http://schemas.dmtf.org/wbem/wsman/1/wsman/fault</a:Action></s:Header><"
		"s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:Acces"
		"sDenied</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang=\"en-US\">Acc"
		"ess is denied. </s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"POST\",\"request.target\":\"/wsman\",\"request.host\":\"192.0.2.23:5985\",\"status\":401,\"http.version\":\"1.1\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"xc3511\",\"login.proof\":\"root:::2ddbbdafa3362d08:9e33780f28f93d56a80c379f2585e398:01010000000000000000e7cb0e6cd001384153504d34673700000000020012006c006f00630061006c0068006f0073007400010012006c006f00630061006c0068006f0073007400040012006c006f00630061006c0068006f0073007400030012006c006f00630061006c0068006f0073007400070008000000e7cb0e6cd00109001c0063006900660073002f006c006f00630061006c0068006f00730074000000000000000000\",\"login.accepted\":true}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"POST\",\"request.target\":\"/wsman\",\"request.host\":\"192.0.2.23:5985\",\"status\":500,\"http.version\":\"1.1\"}\n",
	},
	{
		.title = "another is asked again, its proof kept",
		.peer_sends = BYTES(
		"POST /wsman HTTP/1.1\x0d\x0aHost: 192.0.2.23:5985\x0d\x0a\x41uthorization: Neg"
		"otiate TlRMTVNTUAABAAAANYKI4AAAAAAAAAAAAAAAAAAAAAA=\x0d\x0a\x43ontent-Length: "
		"0\x0d\x0a\x0d\x0aPOST /wsman HTTP/1.1\x0d\x0aHost: 192.0.2.23:5985\x0d\x0a\x41"
		"uthorization: Negotiate TlRMTVNTUAADAAAAGAAYAEgAAAC4ALgAYAAAAAAAAABAAAAACAAIAE"
		"AAAAAAAAAASAAAABAAEAAYAQAAFYKI4HIAbwBvAHQAKBKpbMi0uA2v1u20pitLuzhBU1BNNGc3AgB4"
		"piV76DLyMACOx7KU6wEBAAAAAAAAAADnyw5s0AE4QVNQTTRnNwAAAAACABIAbABvAGMAYQBsAGgAbw"
		"BzAHQAAQASAGwAbwBjAGEAbABoAG8AcwB0AAQAEgBsAG8AYwBhAGwAaABvAHMAdAADABIAbABvAGMA"
		"YQBsAGgAbwBzAHQABwAIAAAA58sObNABCQAcAGMAaQBmAHMALwBsAG8AYwBhAGwAaABvAHMAdAAAAA"
		"AAAAAAAHksnjoZMvZdBu2gApVwnKs=\x0d\x0a\x43ontent-Length: 0\x0d\x0a\x0d\x0a"),
		.we_answer = BYTES(
		"HTTP/1.1 401 \x0d\x0aWWW-Authenticate: Negotiate TlRMTVNTUAACAAAAEgASADgAAAAVg"
		"oniLdu9r6M2LQgAAAAAAAAAAGgAaABKAAAACgBjRQAAAA9sAG8AYwBhAGwAaABvAHMAdAACABIAbAB"
		"vAGMAYQBsAGgAbwBzAHQAAQASAGwAbwBjAGEAbABoAG8AcwB0AAQAEgBsAG8AYwBhAGwAaABvAHMAd"
		"AADABIAbABvAGMAYQBsAGgAbwBzAHQABwAIAAAA58sObNABAAAAAA==\x0d\x0aServer: Microso"
		"ft-HTTPAPI/2.0\x0d\x0a\x44\x61te: Wed, 01 Apr 2015 00:00:00 GMT\x0d\x0a\x43ont"
		"ent-Length: 0\x0d\x0a\x0d\x0aHTTP/1.1 401 \x0d\x0aWWW-Authenticate: Negotiate"
		"\x0d\x0aServer: Microsoft-HTTPAPI/2.0\x0d\x0a\x44\x61te: Wed, 01 Apr 2015 00:0"
		"0:00 GMT\x0d\x0a\x43ontent-Length: 0\x0d\x0a\x0d\x0a"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"POST\",\"request.target\":\"/wsman\",\"request.host\":\"192.0.2.23:5985\",\"status\":401,\"http.version\":\"1.1\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.proof\":\"root:::2ddbbdafa3362d08:020078a6257be832f230008ec7b294eb:01010000000000000000e7cb0e6cd001384153504d34673700000000020012006c006f00630061006c0068006f0073007400010012006c006f00630061006c0068006f0073007400040012006c006f00630061006c0068006f0073007400030012006c006f00630061006c0068006f0073007400070008000000e7cb0e6cd00109001c0063006900660073002f006c006f00630061006c0068006f00730074000000000000000000\",\"login.accepted\":false}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"POST\",\"request.target\":\"/wsman\",\"request.host\":\"192.0.2.23:5985\",\"status\":401,\"http.version\":\"1.1\"}\n",
	},
	{0},
};
/* clang-format on */

static const struct option winrm_device[] = {
	{.name = "os", .type = OPTION_TEXT, .offset = offsetof(struct winrm_device, os), .fallback = "10.0.17763",
	 .summary = "version of Windows as Identify says it"},
	{.name = "stack", .type = OPTION_TEXT, .offset = offsetof(struct winrm_device, stack), .fallback = "3.0",
	 .summary = "version of WinRM"},
	{.name = "build", .type = OPTION_TEXT, .offset = offsetof(struct winrm_device, build), .fallback = "10.0.17763",
	 .summary = "version of Windows in the NTLM challenge"},
	{.name = "computer", .type = OPTION_TEXT, .offset = offsetof(struct winrm_device, computer), .fallback = "%{hostname}",
	 .summary = "name of the computer in the NTLM challenge"},
	{.name = "domain", .type = OPTION_TEXT, .offset = offsetof(struct winrm_device, domain), .fallback = "%{hostname}",
	 .summary = "name of its domain there; that of the computer when it is in none"},
	{.name = "basic", .type = OPTION_BOOL, .offset = offsetof(struct winrm_device, basic), .fallback = "false",
	 .summary = "whether it takes Basic passwords, too"},
	{0},
};

static const struct service winrm = {
	.name = "winrm",
	.summary = "Windows Remote Management: Identify, NTLM up to the proof, nobody gets in",
	.reference = "DMTF DSP0226; MS-WSMV; MS-NLMP",
	.transports = TRANSPORT_TCP,
	.ports = {5985, 47001},
	.secure_ports = {5986},
	.state_size = sizeof(struct winrm),
	.input_max = API_INPUT_MAX,
	.output_max = 128u << 10,
	.arena_max = API_ARENA_MAX,
	.idle_ms_max = 120 * 1000,
	.session_ms_max = 600 * 1000,
	.device = winrm_device,
	.device_size = sizeof(struct winrm_device),
	.input = winrm_input,
	.close = winrm_close,
	.exchanges = winrm_exchanges,
};
SERVICE(winrm);
