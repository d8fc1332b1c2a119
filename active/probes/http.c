/*
 * HTTP and HTTP over TLS: the first page, and the icon that it shows.
 *
 * GET / as any browser would, in plain words who we are (User-Agent, RFC 9511 3).  A
 * redirect is followed twice at most and only to the same host, port and scheme: devices
 * like to name an inner address, which is nobody we may ask.  A page that wants a login
 * is left alone; its realm is what we came for.
 */
#include "active/reading/favicon_inner.h"
#include "active/reading/page_inner.h"
#include "active/probe.h"
#include <openssl/evp.h>

#define PATH_MAX_KEPT 256
#define REDIRECTS_MAX 2
#define EXCERPT_MAX 512

struct http {
	char path[PATH_MAX_KEPT];
	unsigned redirects;
	bool wants_icon; /* the connection that is open asks for the icon */
};

FIELD(HTTP_PATH, "http.path", TEXT, 0, "path that was asked for");
FIELD(HTTP_TITLE, "http.title", BYTES, 0, "title of the page");
FIELD(HTTP_SERVER, "http.server", BYTES, 0, "Server header");
FIELD(HTTP_REALM, "http.realm", BYTES, 0, "realm of WWW-Authenticate");
FIELD(HTTP_AUTHENTICATE, "http.authenticate", BYTES, 0, "WWW-Authenticate header");
FIELD(HTTP_COOKIE, "http.cookie", BYTES, 0, "first Set-Cookie header");
FIELD(HTTP_LOCATION, "http.location", BYTES, 0, "Location header");
FIELD(HTTP_TYPE, "http.type", BYTES, 0, "Content-Type header");
FIELD(HTTP_POWERED_BY, "http.powered_by", BYTES, 0, "X-Powered-By header");
FIELD(HTTP_BODY_EXCERPT, "http.body_excerpt", BYTES, 0, "start of the body");
FIELD(HTTP_BODY_BYTES, "http.body_bytes", NUMBER, 0, "bytes of the body that were read");
FIELD(HTTP_FAVICON_MD5, "http.favicon_md5", TEXT, 0, "MD5 of the icon, lower-case hex");
FIELD(HTTP_FAVICON_MMH3, "http.favicon_mmh3", TEXT, 0, "Shodan's hash of the icon, a signed number");

static enum probe_next http_open(struct asking *a, void *state)
{
	struct http *h = state;
	char host[ADDRESS_TEXT_MAX];
	const struct address *target = asking_target(a);
	bool v4 = address_is_v4(target);
	address_format(target, host);
	if (!h->path[0])
		memcpy(h->path, "/", 2);
	asking_say(a, "GET %s HTTP/1.1\r\nHost: %s%s%s", h->path, v4 ? "" : "[", host, v4 ? "" : "]");
	if (asking_port(a) != (asking_is_secure(a) ? 443 : 80))
		asking_say(a, ":%u", asking_port(a));
	asking_say(a, "\r\nUser-Agent: %s\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		   asking_settings(a)->agent);
	return PROBE_CONTINUE;
}

static enum probe_next http_input(struct asking *a, void *state, struct reader *r)
{
	(void)a;
	(void)state;
	return page_is_complete((struct bytes){r->at, reader_left(r)}) ? PROBE_DONE : PROBE_CONTINUE;
}

/* Takes "scheme://host:port" off a reference; false when it names anybody but the target. */
static bool http_same_host(struct asking *a, struct bytes *reference)
{
	const char *scheme = asking_is_secure(a) ? "https:" : "http:";
	struct bytes b = *reference;
	if (bytes_find_nocase(b, scheme) == 0 && b.len > strlen(scheme)) {
		b.at += strlen(scheme);
		b.len -= strlen(scheme);
	}
	if (!bytes_start_with(b, "//"))
		return b.len == reference->len && bytes_find(b, ":") >= bytes_find(b, "/");
	b.at += 2;
	b.len -= 2;
	size_t end = bytes_find(b, "/");
	char host[ADDRESS_TEXT_MAX], named[ADDRESS_TEXT_MAX + 8];
	address_format(asking_target(a), host);
	const char *form = address_is_v4(asking_target(a)) ? "%s:%u" : "[%s]:%u";
	snprintf(named, sizeof named, form, host, asking_port(a));
	struct bytes authority = {b.at, end}, ours = bytes_of_text(named);
	bool same = bytes_equal(authority, ours);
	if (!same && asking_port(a) == (asking_is_secure(a) ? 443 : 80))
		same = bytes_equal(authority, (struct bytes){ours.at, (size_t)(strrchr(named, ':') - named)});
	*reference = (struct bytes){b.at + end, b.len - end};
	return same;
}

static bool path_is_plain(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] <= ' ' || b.at[i] > '~' || b.at[i] == '"' || b.at[i] == '\\')
			return false;
	return true;
}

/* Makes `path` what the reference points to (RFC 3986 5.2, without dot segments). */
static bool http_resolve(struct asking *a, struct http *h, struct bytes reference)
{
	char path[PATH_MAX_KEPT];
	struct writer w = writer_of(path, sizeof path);
	if (!reference.len || !http_same_host(a, &reference))
		return false;
	reference.len = bytes_find(reference, "#");
	if (!path_is_plain(reference))
		return false;
	if (!reference.len || reference.at[0] != '/') {
		const char *slash = strrchr(h->path, '/');
		size_t query = strcspn(h->path, "?");
		while (slash && slash > h->path && (size_t)(slash - h->path) > query)
			slash--;
		while (slash && slash > h->path && *slash != '/')
			slash--;
		write_bytes(&w, h->path, slash ? (size_t)(slash - h->path) : 0);
		write_u8(&w, '/');
	}
	write_span(&w, reference);
	write_u8(&w, '\0');
	if (w.bad || !strcmp(path, h->path))
		return false;
	memcpy(h->path, path, writer_used(&w));
	return true;
}

static void http_icon(struct asking *a, const struct page *p, struct event *answer)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
	bool is_page = bytes_find_nocase(p->type, "text/html") < p->type.len;
	bool whole = p->whole && (p->chunked || p->has_length || asking_is_whole(a));
	if (p->status != 200 || is_page || !whole || !p->body.len ||
	    EVP_Digest(p->body.at, p->body.len, digest, &n, EVP_md5(), NULL) != 1)
		return;
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	event_set_text(answer, HTTP_FAVICON_MD5, hex);
	asking_signal(a, "favicon.md5", bytes_of_text(hex));
	char number[16];
	snprintf(number, sizeof number, "%d", favicon_hash(p->body));
	event_set_text(answer, HTTP_FAVICON_MMH3, number);
	asking_signal(a, "favicon.mmh3", bytes_of_text(number));
}

static void http_headers(struct asking *a, const struct page *p, struct event *answer)
{
	const struct {
		uint16_t field;
		struct bytes value;
		const char *key;
	} headers[] = {
		{HTTP_SERVER, p->server, "http_header.server"},
		{HTTP_AUTHENTICATE, p->authenticate, "http_header.wwwauth"},
		{HTTP_REALM, p->realm, NULL},
		{HTTP_LOCATION, p->location, NULL},
		{HTTP_TYPE, p->type, NULL},
		{HTTP_POWERED_BY, p->powered, NULL},
		{HTTP_COOKIE, p->cookies[0], NULL},
	};
	event_set_number(answer, FIELD_STATUS, p->status);
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		if (headers[i].value.len)
			event_set_bytes(answer, headers[i].field, headers[i].value);
		if (headers[i].key)
			asking_signal(a, headers[i].key, headers[i].value);
	}
	for (size_t i = 0; i < p->cookie_count; i++)
		asking_signal(a, "http_header.cookie", p->cookies[i]);
}

static void http_page(struct asking *a, struct bytes body, struct event *answer)
{
	uint8_t room[EXCERPT_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct bytes title = page_title(body, &w);
	if (title.len) {
		event_set_bytes(answer, HTTP_TITLE, title);
		asking_signal(a, "html_title", title);
	}
	if (!body.len)
		return;
	event_set_number(answer, HTTP_BODY_BYTES, body.len);
	event_set_bytes(answer, HTTP_BODY_EXCERPT,
			(struct bytes){body.at, body.len < EXCERPT_MAX ? body.len : EXCERPT_MAX});
	/* Frames and scripts often name the firmware where the title says nothing. */
	asking_signal(a, "http.body", body);
}

/* What to ask next of this host, if anything. */
static void http_further(struct asking *a, struct http *h, const struct page *p)
{
	bool redirect = p->status / 100 == 3 && p->location.len;
	if (redirect && h->redirects < REDIRECTS_MAX && http_resolve(a, h, p->location)) {
		h->redirects++;
		asking_again(a);
	} else if (p->status == 200 && asking_settings(a)->favicon) {
		struct bytes icon = page_icon(p->body);
		h->wants_icon = http_resolve(a, h, icon.len ? icon : BYTES("/favicon.ico"));
		if (h->wants_icon)
			asking_again(a);
	}
}

static void http_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	struct http *h = state;
	struct page page;
	struct writer room = asking_scratch(a);
	event_set_text(answer, HTTP_PATH, h->path);
	if (page_read(unread, &room, &page)) {
		http_headers(a, &page, answer);
		if (h->wants_icon) {
			http_icon(a, &page, answer);
			return;
		}
		http_page(a, page.body, answer);
		http_further(a, h, &page);
	} else if (unread.len && unread.at[0] == '<') {
		/* HTTP/0.9: some devices send the bare page. */
		http_page(a, unread, answer);
	} else if (unread.len) {
		event_set_bytes(answer, FIELD_BANNER,
				(struct bytes){unread.at, unread.len < EXCERPT_MAX ? unread.len : EXCERPT_MAX});
	}
}

static const char *const http_signals[] = {
	"http_header.server", "http_header.wwwauth", "http_header.cookie", "html_title",
	"http.body",          "favicon.md5", "favicon.mmh3", NULL,
};

#define ASKED(path)                                                                               \
	"GET " path " HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Agent: Mozilla/5.0 (compatible; "       \
	"kansoku; +https://example.org/probing)\r\nAccept: */*\r\nConnection: close\r\n\r\n"

static const struct specimen http_specimens[] = {
	{
		.title = "a camera that wants a login",
		.answers = {BYTES("HTTP/1.0 401 Unauthorized\nServer: GoAhead-Webs\r\n"
				  "WWW-Authenticate: Digest realm=\"GoAhead\", domain=\":81\"\r\n"
				  "Content-type: text/html\r\n\r\n<html><title>Document Error: "
				  "Unauthorized</title></html>")},
		.asked = BYTES(ASKED("/")),
		.answered = "{\"status\":401,\"http.server\":\"GoAhead-Webs\",\"http.realm\":\"GoAhead\","
			    "\"http.title\":\"Document Error: Unauthorized\",\"http.path\":\"/\"}\n",
		.signals = "http_header.server: GoAhead-Webs\n"
			   "http_header.wwwauth: Digest realm=\"GoAhead\", domain=\":81\"\n"
			   "html_title: Document Error: Unauthorized\n"
			   "http.body: <html><title>Document Error: Unauthorized</title></html>\n",
	},
	{
		.title = "a recorder: redirect within the host, cookie, title over two lines, icon",
		.answers = {BYTES("HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/doc/page/login.asp"
				  "?_1#top\r\nContent-Length: 0\r\n\r\n"),
			    BYTES("HTTP/1.1 200 OK\r\nServer: DVRDVS-Webs\r\nTransfer-Encoding: chunked\r\n"
				  "Set-Cookie: sid=1; path=/\r\nSet-Cookie: lang=en\r\n\r\n"
				  "19\r\n<html><TITLE lang=en>Net \r\n2d;x\r\n\n DVR</TITLE>"
				  "<link href='i.ico' rel=\"Icon\">xxx\r\n0\r\n\r\n"),
			    BYTES("HTTP/1.1 200 OK\r\nContent-Type: image/x-icon\r\nContent-Length: 3\r\n"
				  "\r\nabcdef")},
		.asked = BYTES(ASKED("/") ASKED("/doc/page/login.asp?_1") ASKED("/doc/page/i.ico")),
		.answered = "{\"status\":302,\"http.location\":"
			    "\"http://192.0.2.1/doc/page/login.asp?_1#top\"}\n"
			    "{\"status\":200,\"http.title\":\"Net DVR\",\"http.cookie\":\"sid=1; path=/\"}\n"
			    "{\"http.path\":\"/doc/page/i.ico\","
			    "\"http.favicon_md5\":\"900150983cd24fb0d6963f7d28e17f72\"}\n",
		.signals = "http_header.server: DVRDVS-Webs\n"
			   "http_header.cookie: sid=1; path=/\n"
			   "http_header.cookie: lang=en\n"
			   "html_title: Net DVR\n"
			   "http.body: <html><TITLE lang=en>Net \n DVR</TITLE>"
			   "<link href='i.ico' rel=\"Icon\">xx\n"
			   "favicon.md5: 900150983cd24fb0d6963f7d28e17f72\n"
			   "favicon.mmh3: -868969266\n",
	},
	{
		.title = "a redirect to another host is not followed",
		.answers = {BYTES("HTTP/1.0 301 Moved\r\nLocation: http://192.168.1.1/\r\n\r\n"), BYTES("")},
		.asked = BYTES(ASKED("/")),
		.answered = "{\"status\":301}\n",
	},
	{
		.title = "nor one to another scheme, port, or to itself",
		.answers = {BYTES("HTTP/1.0 302 \r\nLocation: https://192.0.2.1/\r\n\r\n"), BYTES("")},
		.asked = BYTES(ASKED("/")),
		.answered = "{\"status\":302}\n",
	},
	{
		.title = "a page that never says how long it is, without an icon",
		.answers = {BYTES("HTTP/1.0 200 OK\r\n\r\n<title></title>hello"),
			    BYTES("HTTP/1.0 404 Not Found\r\n\r\n")},
		.asked = BYTES(ASKED("/") ASKED("/favicon.ico")),
		.answered = "{\"http.body_excerpt\":\"<title></title>hello\",\"http.body_bytes\":20}\n"
			    "{\"status\":404}\n",
		.signals = "http.body: <title></title>hello\n",
	},
	{
		.title = "a page that is packed although nobody asked for that",
		.answers = {BYTES("HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 33\r\n\r\n"
				  "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xb3)\xc9,\xc9I\xb5\xf3"
				  "\x0b\x0b\xb2\xd1\x87" "0\x01jj\xa0\xc0\x12\0\0\0"),
			    BYTES("")},
		.asked = BYTES(ASKED("/") ASKED("/favicon.ico")),
		.answered = "{\"http.title\":\"NVR\",\"http.body_bytes\":18}\n{}\n",
		.signals = "html_title: NVR\nhttp.body: <title>NVR</title>\n",
	},
	{
		.title = "a packed page that breaks off, and one that is not packed at all",
		.answers = {BYTES("HTTP/1.0 200 OK\r\nContent-Encoding: deflate\r\n\r\n"
				  "\xb2)\xc9,\xc9I\xb5\xf3\x0b\x0b\xb2\xd1\x87" "0\x01\0"
				  "\0\0\xff\xff"),
			    BYTES("HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")},
		.asked = BYTES(ASKED("/") ASKED("/favicon.ico")),
		.answered = "{\"http.title\":\"NVR\"}\n{\"status\":200}\n",
		.signals = "html_title: NVR\nhttp.body: <title>NVR</title>\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("SSH-2.0-dropbear_2012.55\r\n")},
		.asked = BYTES(ASKED("/")),
		.answered = "{\"banner\":\"SSH-2.0-dropbear_2012.55\\r\\n\"}\n",
	},
	{
		.title = "headers that stop in the middle",
		.answers = {BYTES("HTTP/1.1 200 OK\r\nServer: thttpd/2.25b 29dec2003\r\nContent-Le")},
		.asked = BYTES(ASKED("/")),
		.answered = "{\"status\":200,\"http.server\":\"thttpd/2.25b 29dec2003\"}\n",
		.signals = "http_header.server: thttpd/2.25b 29dec2003\n",
	},
	{0},
};

static bool http_recognises(struct bytes first) { return first.len > 7 && !memcmp(first.at, "HTTP/1.", 7); }

static const struct probe http = {
	.name = "http",
	.summary = "asks for the first page and its icon; never logs in",
	.reference = "RFC 9110, RFC 9112, RFC 9511",
	.transport = PROBE_TCP,
	.ports = {80, 81, 8000, 8080, 8081, 8888},
	.tier = PROBE_DEFAULT,
	.question_max = 1024,
	.answer_max = PROBE_ANSWER_MAX,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = REDIRECTS_MAX + 2,
	.fallback = true, /* what most services behind unusual ports of devices speak */
	.recognises = http_recognises,
	.state_size = sizeof(struct http),
	.open = http_open,
	.input = http_input,
	.finish = http_finish,
	.signals = http_signals,
	.specimens = http_specimens,
};
PROBE(http);

static const char *const https_signals[] = {
	"http_header.server", "http_header.wwwauth", "http_header.cookie", "html_title",
	"http.body",          "favicon.md5",         "favicon.mmh3",       "x509.subject",
	"x509.issuer",        NULL,
};

static const struct specimen https_specimens[] = {
	{
		.title = "the same page over TLS; a redirect to plain HTTP is not followed",
		.answers = {BYTES("HTTP/1.1 302 Found\r\nServer: lighttpd\r\n"
				  "Location: http://192.0.2.1/x\r\n\r\n"), BYTES("")},
		.asked = BYTES(ASKED("/")),
		.answered = "{\"status\":302,\"http.server\":\"lighttpd\"}\n",
		.signals = "http_header.server: lighttpd\n",
	},
	{0},
};

static const struct probe https = {
	.name = "https",
	.summary = "reads the certificate, then asks for the first page and its icon",
	.reference = "RFC 9110, RFC 8446, RFC 5280",
	.transport = PROBE_TCP,
	.secure = true,
	.ports = {443, 8443, 4443},
	.tier = PROBE_DEFAULT,
	.question_max = 4096,
	.answer_max = PROBE_ANSWER_MAX,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = REDIRECTS_MAX + 2,
	.state_size = sizeof(struct http),
	.open = http_open,
	.input = http_input,
	.finish = http_finish,
	.signals = https_signals,
	.specimens = https_specimens,
};
PROBE(https);
