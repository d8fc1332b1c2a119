/* The web servers that devices claim to be. */
#include "passive/services/http/dialect.h"
#include <time.h>

/* Templates read as they go over the wire. */
/* clang-format off */
#define XHTML                                                                                     \
	"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n"                                        \
	"<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n"                       \
	"         \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"                  \
	"<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n"              \
	" <head>\n  <title>%{status} %{reason}</title>\n </head>\n <body>\n"                       \
	"  <h1>%{status} %{reason}</h1>\n </body>\n</html>\n"

#define HTML4_HEAD                                                                                \
	"<!DOCTYPE html PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" "                        \
	"\"http://www.w3.org/TR/html4/loose.dtd\">\n\n<html>\n\n  <head>\n"                        \
	"    <meta http-equiv=\"Content-type\" content=\"text/html;charset=UTF-8\">\n"             \
	"    <title>%{status} %{reason}</title>\n  </head>\n\n"

#define FIRST_LINE "%{version} %{status} %{reason}\r\n"

static const struct dialect_status boa_statuses[] = {
	{400, NULL, "Your client has issued a malformed or illegal request."},
	{401, NULL, "Your client does not have permission to get URL %{target} from this server."},
	{403, NULL, "Your client does not have permission to get URL %{target} from this server."},
	{404, NULL, "The requested URL %{target} was not found on this server."},
	{500, "Server Error", "The server encountered an internal error and could not complete your request."},
	{501, NULL, "POST to non-script is not supported in Boa."},
	{302, "Moved Temporarily", NULL},
	{0},
};

static const struct dialect_status goahead_statuses[] = {
	{302, "Redirect", NULL},
	{304, "Use local copy", NULL},
	{400, "Page not found", "Bad request type"},
	{401, NULL, "Access to this document requires a User ID"},
	{403, NULL, "Access Denied"},
	{404, "Site or Page Not Found", "Cannot open URL"},
	{405, "Access Denied", "Access Denied"},
	{500, "Web Error", "Web Error"},
	{0},
};

static const struct dialect_status mini_statuses[] = {
	{200, "Ok", NULL},
	{400, NULL, "Can't parse request."},
	{401, NULL, "Authorization required."},
	{403, NULL, "File is protected."},
	{404, NULL, "File not found."},
	{501, NULL, "That method is not implemented."},
	{0},
};

static const struct dialect_status uc_statuses[] = {
	{404, NULL, "The requested URL was not found on this server"},
	{400, NULL, "Your browser sent a request that this server could not understand"},
	{401, NULL, "Authorization required"},
	{501, NULL, "The method is not implemented"},
	{0},
};

static const struct dialect_status router_statuses[] = {
	{401, "N/A", "You have no authority to access this device!"},
	{404, NULL, "The requested page was not found."},
	{0},
};

static const struct dialect_status nginx_statuses[] = {
	{302, "Moved Temporarily", NULL},
	{405, "Not Allowed", NULL},
	{414, "Request-URI Too Large", NULL},
	{0},
};

static const struct dialect_status apache_statuses[] = {
	{400, NULL, "Your browser sent a request that this server could not understand.<br />\n"},
	{401, NULL, "This server could not verify that you\nare authorized to access the document\n"
		    "requested.  Either you supplied the wrong\ncredentials (e.g., bad password), or your\n"
		    "browser doesn't understand how to supply\nthe credentials required."},
	{403, NULL, "You don't have permission to access this resource."},
	{404, NULL, "The requested URL was not found on this server."},
	{405, NULL, "The requested method is not allowed for this URL."},
	{413, "Request Entity Too Large", "The requested resource does not allow request data with the request, "
					  "or the amount of data provided in\nthe request exceeds the capacity "
					  "limit."},
	{414, "Request-URI Too Long", "The requested URL's length exceeds the capacity\nlimit for this server.<br />\n"},
	{500, NULL, "The server encountered an internal error or\nmisconfiguration and was unable to complete\n"
		    "your request."},
	{501, NULL, "%{method} not supported for current URL.<br />\n"},
	{0},
};

static const struct dialect_status no_statuses[] = {{0}};

/* CVE-2017-7577; CVE-2015-3035 */
static const char *const uc_traversals[] = {"/", NULL};
static const char *const router_traversals[] = {"/login/", "/help/", "/loginFs/", NULL};

/* CVE-2021-41773 */
static const char *const apache_traversals[] = {"/cgi-bin/", "/icons/", NULL};

#define NGINX_BEGIN "HTTP/1.1 %{status} %{reason}\r\nServer: %{server}\r\nDate: %{date}\r\nContent-Type: "
#define NGINX_WORDS "<html>\r\n<head><title>%{status} %{title}</title></head>\r\n<body>\r\n"                  \
		    "<center><h1>%{status} %{title}</h1></center>\r\n<hr><center>%{server}</center>\r\n"        \
		    "</body>\r\n</html>\r\n"
#define APACHE_BEGIN "HTTP/1.1 %{status} %{reason}\r\nDate: %{date}\r\nServer: %{server}\r\n"
#define APACHE_END "Content-Length: %{length}\r\n%{connection}Content-Type: text/html; charset=iso-8859-1\r\n\r\n"
#define APACHE_WORDS(middle)                                                                              \
	"<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n"                            \
	"<title>%{status} %{reason}</title>\n</head><body>\n<h1>%{reason}</h1>\n<p>" middle "</p>\n<hr>\n" \
	"<address>%{server} Server at %{hostname} Port %{port}</address>\n</body></html>\n"
#define APACHE                                                                                            \
	.reference = "Apache httpd 2.4 of Debian, measured",                                              \
	.file_head = APACHE_BEGIN "Last-Modified: %{modified}\r\nETag: \"%{length_hex}-%{modified_us_hex}\"\r\n" \
		     "Accept-Ranges: bytes\r\nContent-Length: %{length}\r\n%{fields}%{connection}"            \
		     "Content-Type: %{type}\r\n\r\n",                                                   \
	.page_head = APACHE_BEGIN "%{fields}Content-Length: %{length}\r\n%{connection}Content-Type: %{type}\r\n\r\n", \
	.error_head = APACHE_BEGIN "%{fields}" APACHE_END,                                                \
	.redirect_head = APACHE_BEGIN "%{fields}Location: %{location}\r\n" APACHE_END,                   \
	.error_body = APACHE_WORDS("%{words}"),                                                           \
	.redirect_body = APACHE_WORDS("The document has moved <a href=\"%{location}\">here</a>."),         \
	.alive = "%{kept_apache}", .dying = "Connection: close\r\n", .statuses = apache_statuses,          \
	.bad_request = 400, .bad_method = 501, .long_target = 414, .climbing = 400,                       \
	.methods = "GET HEAD POST ", .allow = "GET,POST,OPTIONS,HEAD", .target_max = 8190,                 \
	.keeps_alive = true, .continues = true, .needs_host = true

static const struct dialect dialects[] = {
	{
		.server = "nginx",
		.reference = "nginx 1.22.1 of Debian, measured",
		.file_head = NGINX_BEGIN "%{type}\r\nContent-Length: %{length}\r\nLast-Modified: %{modified}\r\n"
			     "%{connection}ETag: \"%{modified_hex}-%{length_hex}\"\r\n%{fields}Accept-Ranges: bytes\r\n\r\n",
		.page_head = NGINX_BEGIN "%{type}\r\nContent-Length: %{length}\r\n%{connection}%{fields}\r\n",
		.error_head = NGINX_BEGIN "text/html\r\nContent-Length: %{length}\r\n%{connection}%{fields}\r\n",
		.redirect_head = NGINX_BEGIN "text/html\r\nContent-Length: %{length}\r\nLocation: %{location}\r\n"
				 "%{connection}%{fields}\r\n",
		.error_body = NGINX_WORDS, .redirect_body = NGINX_WORDS,
		.alive = "Connection: keep-alive\r\n", .dying = "Connection: close\r\n",
		.statuses = nginx_statuses,
		.bad_request = 400, .bad_method = 405, .bad_version = 505, .long_target = 414, .climbing = 400,
		.methods = "GET HEAD POST ", .target_max = 8192, .keeps_alive = true, .needs_host = true,
		.absolute = true,
	},
	{.server = "Apache/2.4.49", APACHE, .traversals = apache_traversals},
	{.server = "Apache", APACHE},
	/* FortiOS: its Apache does not say so. */
	{.server = "xxxxxxxx-xxxxx", APACHE},
	{
		.server = "Boa/",
		.reference = "Boa 0.94.14rc21, src/request.c and src/response.c",
		.file_head = FIRST_LINE "Date: %{date}\r\nServer: %{server}\r\nAccept-Ranges: bytes\r\n"
			     "%{connection}Content-Length: %{length}\r\nLast-Modified: %{modified}\r\n"
			     "Content-Type: %{type}\r\n%{fields}\r\n",
		.page_head = FIRST_LINE "Date: %{date}\r\nServer: %{server}\r\nAccept-Ranges: bytes\r\n"
			     "%{connection}%{fields}Content-Type: %{type}\r\n\r\n",
		.error_head = FIRST_LINE "Date: %{date}\r\nServer: %{server}\r\nAccept-Ranges: bytes\r\n"
			      "%{connection}%{fields}Content-Type: text/html; charset=ISO-8859-1\r\n\r\n",
		.redirect_head = FIRST_LINE "Date: %{date}\r\nServer: %{server}\r\nAccept-Ranges: bytes\r\n"
				 "%{connection}%{fields}Content-Type: text/html; charset=ISO-8859-1\r\n"
				 "Location: %{location}\r\n\r\n",
		.error_body = "<HTML><HEAD><TITLE>%{status} %{reason}</TITLE></HEAD>\n"
			      "<BODY><H1>%{status} %{reason}</H1>\n%{words}\n</BODY></HTML>\n",
		.redirect_body = "<HTML><HEAD><TITLE>302 Moved Temporarily</TITLE></HEAD>\n<BODY>\n"
				 "<H1>302 Moved</H1>The document has moved\n"
				 "<A HREF=\"%{location}\">here</A>.\n</BODY></HTML>\n",
		.alive = "Connection: Keep-Alive\r\nKeep-Alive: timeout=10, max=%{left}\r\n",
		.dying = "Connection: close\r\n",
		.statuses = boa_statuses,
		.bad_request = 400, .bad_method = 501, .bad_version = 400, .long_target = 400,
		.methods = "GET HEAD POST ", .target_max = 512, .keeps_alive = true,
	},
	{
		.server = "GoAhead-Webs",
		.reference = "GoAhead WebServer 2.1.8, webs.c and default.c",
		.file_head = "HTTP/1.0 200 OK\r\nServer: %{server}\r\nDate: %{date}\r\n"
			     "Last-modified: %{modified}\r\nContent-length: %{length}\r\n"
			     "Content-type: %{type}\r\n%{connection}%{fields}\r\n",
		.page_head = "HTTP/1.0 %{status} %{reason}\r\nServer: %{server}\r\nDate: %{date}\r\n"
			     "Pragma: no-cache\r\nCache-Control: no-cache\r\nContent-type: %{type}\r\n"
			     "%{fields}\r\n",
		.error_head = "HTTP/1.1 %{status} %{reason}\r\nServer: %{server}\r\nDate: %{date}\r\n"
			      "%{fields}Pragma: no-cache\r\nCache-Control: no-cache\r\n"
			      "Content-Type: text/html\r\n\r\n",
		.redirect_head = "HTTP/1.0 302 Redirect\r\nServer: %{server}\r\nDate: %{date}\r\n"
				 "%{fields}Pragma: no-cache\r\nCache-Control: no-cache\r\n"
				 "Content-Type: text/html\r\nLocation: %{location}\r\n\r\n",
		.error_body = "<html><head><title>Document Error: %{reason}</title></head>\r\n"
			      "\t\t<body><h2>Access Error: %{reason}</h2>\r\n"
			      "\t\t<p>%{words}</p></body></html>\r\n\r\n",
		.redirect_body = "<html><head></head><body>\r\n\t\tThis document has moved to a new "
				 "<a href=\"%{location}\">location</a>.\r\n\t\tPlease update your documents "
				 "to reflect the new location.\r\n\t\t</body></html>\r\n\r\n",
		.alive = "Connection: keep-alive\r\n", .dying = "",
		.statuses = goahead_statuses,
		.bad_request = 400, .bad_method = 400, .long_target = 400,
		.methods = "GET HEAD POST ", .target_max = 4096, .keeps_alive = true,
		.keeps_on_demand = true, .absolute = true, .ctime = true,
	},
	{
		.server = "uc-httpd",
		.reference = "public banners of uc-httpd 1.0.0 (Xiongmai)",
		.file_head = "HTTP/1.0 %{status} %{reason}\r\nContent-type: %{type}\r\nServer: %{server}\r\n"
			     "Expires: 0\r\n%{fields}\r\n",
		.page_head = "HTTP/1.0 %{status} %{reason}\r\nContent-type: %{type}\r\nServer: %{server}\r\n"
			     "Expires: 0\r\n%{fields}\r\n",
		.error_head = "HTTP/1.0 %{status} %{reason}\r\nContent-type: text/html\r\n"
			      "Server: %{server}\r\nExpires: 0\r\n%{fields}\r\n",
		.redirect_head = "HTTP/1.0 %{status} %{reason}\r\nContent-type: text/html\r\n"
				 "Server: %{server}\r\nExpires: 0\r\n%{fields}Location: %{location}\r\n\r\n",
		.error_body = "<html><head><title>%{status} File %{reason}</title></head>\n"
			      "<body>%{words}</body></html>\n",
		.redirect_body = "",
		.alive = "", .dying = "",
		.statuses = uc_statuses,
		.bad_request = 400, .bad_method = 501, .long_target = 400,
		.methods = "GET HEAD POST ", .target_max = 4096, .traversals = uc_traversals,
	},
	{
		.server = "Router Webserver",
		.reference = "TP-LINK wireless routers of 2013, public banners",
		.file_head = "HTTP/1.1 200 OK\r\nServer: %{server}\r\nConnection: close\r\n"
			     "Content-Type: %{type}\r\n%{fields}\r\n",
		.page_head = "HTTP/1.1 %{status} %{reason}\r\nServer: %{server}\r\nConnection: close\r\n"
			     "Content-Type: %{type}\r\n%{fields}\r\n",
		.error_head = "HTTP/1.1 %{status} %{reason}\r\nServer: %{server}\r\nConnection: close\r\n"
			      "Content-Type: text/html\r\n%{fields}\r\n",
		.error_body = "<META http-equiv=Content-Type content=\"text/html; charset=iso-8859-1\">\n"
			      "<HTML>\n<HEAD><TITLE>%{status} %{reason}</TITLE></HEAD>\n"
			      "<BODY><H1>%{words}</H1></BODY>\n</HTML>\n",
		.alive = "", .dying = "",
		.statuses = router_statuses,
		.bad_request = 400, .bad_method = 501, .long_target = 414,
		.methods = "GET HEAD POST ", .target_max = 2048, .challenges_always = true,
		.traversals = router_traversals,
	},
	{
		.server = "mini_httpd/",
		.reference = "mini_httpd 1.30, measured",
		.file_head = FIRST_LINE "Server: %{server}\r\nDate: %{date}\r\nContent-Type: %{type}\r\n"
			     "Content-Length: %{length}\r\nLast-Modified: %{modified}\r\n"
			     "Connection: close\r\n%{fields}\r\n",
		.page_head = FIRST_LINE "Server: %{server}\r\nDate: %{date}\r\n%{fields}"
			     "Content-Type: %{type}\r\nConnection: close\r\n\r\n",
		.error_head = FIRST_LINE "Server: %{server}\r\nDate: %{date}\r\n"
			      "Cache-Control: no-cache,no-store\r\n%{fields}"
			      "Content-Type: text/html; charset=%s\r\nConnection: close\r\n\r\n",
		.error_body = HTML4_HEAD "  <body bgcolor=\"#cc9999\" text=\"#000000\" link=\"#2020ff\" "
			      "vlink=\"#4040cc\">\n\n    <h4>%{status} %{reason}</h4>\n%{words}\n    <hr>\n\n"
			      "    <address><a href=\"http://www.acme.com/software/mini_httpd/\">%{server}</a>"
			      "</address>\n\n  </body>\n\n</html>\n",
		.alive = "", .dying = "",
		.statuses = mini_statuses,
		.bad_request = 400, .bad_method = 501, .long_target = 400,
		.methods = "GET HEAD POST PUT DELETE TRACE ", .target_max = 10000,
	},
	{
		.server = "lighttpd",
		.reference = "lighttpd 1.4, measured",
		.file_head = FIRST_LINE "Content-Type: %{type}\r\nETag: \"%{tag}\"\r\n"
			     "Last-Modified: %{modified}\r\nContent-Length: %{length}\r\n%{ranges}"
			     "%{fields}%{connection}Date: %{date}\r\nServer: %{server}\r\n\r\n",
		.page_head = FIRST_LINE "Content-Type: %{type}\r\n%{fields}Content-Length: %{length}\r\n"
			     "%{connection}Date: %{date}\r\nServer: %{server}\r\n\r\n",
		.error_head = FIRST_LINE "%{fields}Content-Type: text/html\r\nContent-Length: %{length}\r\n"
			      "%{connection}Date: %{date}\r\nServer: %{server}\r\n\r\n",
		.redirect_head = FIRST_LINE "Location: %{location}\r\n%{fields}Content-Length: 0\r\n"
				 "%{connection}Date: %{date}\r\nServer: %{server}\r\n\r\n",
		.error_body = XHTML, .redirect_body = "",
		.alive = "%{kept}", .dying = "Connection: close\r\n",
		.statuses = no_statuses,
		.bad_request = 400, .bad_method = 501, .bad_version = 505, .long_target = 431,
		.methods = "GET HEAD POST PUT DELETE PROPFIND MKCOL ", .allow = "OPTIONS, GET, HEAD, POST",
		.target_max = 8192, .keeps_alive = true, .continues = true, .needs_host = true,
	},
};

/* clang-format on */

static const struct dialect *const dialect_plain = &dialects[sizeof dialects / sizeof *dialects - 1];

const struct dialect *dialect_of(const char *server)
{
	const size_t count = sizeof dialects / sizeof *dialects;
	/* The same server under the name of who built it in. */
	if (server && !strncmp(server, "Hikvision-Webs", 14))
		server = "GoAhead-Webs";
	for (size_t i = 0; server && i < count; i++)
		if (!strncmp(server, dialects[i].server, strlen(dialects[i].server)))
			return &dialects[i];
	return dialect_plain;
}

static const struct dialect_status *find_status(const struct dialect *d, unsigned status)
{
	const struct dialect_status *s = d->statuses;
	while (s->status && s->status != status)
		s++;
	return s;
}

const char *dialect_reason(const struct dialect *d, unsigned status)
{
	static const struct dialect_status usual[] = {
		{101, "UPGRADED", NULL},
		{200, "OK", NULL},
		{201, "Created", NULL},
		{202, "Accepted", NULL},
		{204, "No Content", NULL},
		{301, "Moved Permanently", NULL},
		{302, "Found", NULL},
		{304, "Not Modified", NULL},
		{400, "Bad Request", NULL},
		{401, "Unauthorized", NULL},
		{403, "Forbidden", NULL},
		{404, "Not Found", NULL},
		{405, "Method Not Allowed", NULL},
		{406, "Not Acceptable", NULL},
		{407, "Proxy Authentication Required", NULL},
		{409, "Conflict", NULL},
		{411, "Length Required", NULL},
		{413, "Payload Too Large", NULL},
		{414, "Request-URI Too Long", NULL},
		{431, "Request Header Fields Too Large", NULL},
		{500, "Internal Server Error", NULL},
		{501, "Not Implemented", NULL},
		{502, "Bad Gateway", NULL},
		{503, "Service Unavailable", NULL},
		{505, "HTTP Version Not Supported", NULL},
		{0},
	};
	const char *own = find_status(d, status)->reason;
	for (size_t i = 0; !own && usual[i].status; i++)
		if (usual[i].status == status)
			own = usual[i].reason;
	return own ? own : "Error";
}

void dialect_write_date(uint64_t time_us, bool ctime, struct writer *w)
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;
	char text[64];
	const char *form = ctime ? "%a %b %e %H:%M:%S %Y" : "%a, %d %b %Y %H:%M:%S GMT";
	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof text, form, &tm))
		write_text(w, text);
}

/* Outside bytes within a page: as the servers do it, so that no page carries a script. */
static void write_html(struct bytes text, struct writer *w)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];
		if (c == '<' || c == '>' || c == '&' || c == '"')
			write_text(w, c == '<'   ? "&lt;"
				      : c == '>' ? "&gt;"
				      : c == '&' ? "&amp;"
						 : "&quot;");
		else if (c >= ' ' && c != 0x7f)
			write_u8(w, c);
	}
}

static void write_location(const struct answer *a, struct writer *w)
{
	if (a->dialect->absolute && a->host.len && a->location.len && a->location.at[0] == '/') {
		write_text(w, a->secure ? "https://" : "http://");
		write_html(a->host, w);
	}
	write_span(w, a->location);
}

static bool write_name(struct bytes name, const struct answer *a, struct writer *w)
{
	const struct dialect *d = a->dialect;
	const char *words = find_status(d, a->status)->words;
	if (bytes_equal_text(name, "version"))
		write_text(w, a->version == HTTP_1_1 ? "HTTP/1.1" : "HTTP/1.0");
	else if (bytes_equal_text(name, "status"))
		write_fmt(w, "%u", a->status);
	else if (bytes_equal_text(name, "reason"))
		write_text(w, dialect_reason(d, a->status));
	else if (bytes_equal_text(name, "words"))
		dialect_write(words ? words : "", a, w);
	else if (bytes_equal_text(name, "title"))
		write_text(w, dialect_reason(dialect_plain, a->status));
	else if (bytes_equal_text(name, "modified_hex"))
		write_fmt(w, "%llx", (unsigned long long)(a->modified_us / 1000000));
	else if (bytes_equal_text(name, "modified_us_hex"))
		write_fmt(w, "%llx", (unsigned long long)(a->modified_us + a->tag % 1000000));
	else if (bytes_equal_text(name, "length_hex"))
		write_fmt(w, "%zx", a->length);
	else if (bytes_equal_text(name, "method"))
		write_html(a->method, w);
	else if (bytes_equal_text(name, "hostname"))
		write_html((struct bytes){a->host.at, bytes_find(a->host, ":")}, w);
	else if (bytes_equal_text(name, "port"))
		write_fmt(w, "%u", a->port);
	else if (bytes_equal_text(name, "date"))
		dialect_write_date(a->time_us, d->ctime, w);
	else if (bytes_equal_text(name, "modified"))
		dialect_write_date(a->modified_us, d->ctime, w);
	else if (bytes_equal_text(name, "server"))
		write_text(w, a->server);
	else if (bytes_equal_text(name, "connection"))
		dialect_write(a->alive ? d->alive : d->dying, a, w);
	else if (bytes_equal_text(name, "ranges"))
		write_text(w, a->version == HTTP_1_1 ? "Accept-Ranges: bytes\r\n" : "");
	else if (bytes_equal_text(name, "kept")) /* what only HTTP/1.0 must be told */
		write_text(w, a->version == HTTP_1_1 ? "" : "Connection: keep-alive\r\n");
	else if (bytes_equal_text(name, "kept_apache") && a->version != HTTP_1_1)
		write_fmt(w, "Keep-Alive: timeout=5, max=%u\r\nConnection: Keep-Alive\r\n", a->left + 1);
	else if (bytes_equal_text(name, "kept_apache"))
		write_text(w, "");
	else if (bytes_equal_text(name, "length"))
		write_fmt(w, "%zu", a->length);
	else if (bytes_equal_text(name, "left"))
		write_fmt(w, "%u", a->left);
	else if (bytes_equal_text(name, "tag"))
		write_fmt(w, "%llu", (unsigned long long)a->tag);
	else if (bytes_equal_text(name, "type"))
		write_span(w, a->type);
	else if (bytes_equal_text(name, "fields"))
		write_span(w, a->fields);
	else if (bytes_equal_text(name, "location"))
		write_location(a, w);
	else if (bytes_equal_text(name, "target"))
		write_html(a->target, w);
	else
		return false;
	return true;
}

void dialect_write(const char *template, const struct answer *a, struct writer *w)
{
	struct bytes text = bytes_of_text(template);
	while (text.len) {
		size_t at = bytes_find(text, "%{");
		write_bytes(w, text.at, at);
		text.at += at;
		text.len -= at;
		size_t end = bytes_find(text, "}");
		if (end == text.len) {
			write_span(w, text);
			return;
		}
		if (!write_name((struct bytes){text.at + 2, end - 2}, a, w))
			write_bytes(w, text.at, end + 1);
		text.at += end + 1;
		text.len -= end + 1;
	}
}
