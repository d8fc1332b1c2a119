/*
 * HTTP: whatever is asked for is there.
 *
 * A download that somebody captured is served with what was captured.  One that looks like a program or
 * a script is served with a script that succeeds, whatever the processor, so that a dropper goes on to
 * its next step; a page with a page.  Services that tell one's own address get one of ours to tell.
 */
#include "lab/run/sink.h"
#include "lab/run/sink_protocol.h"

#define HTTP_HEAD_MAX 16384
#define HTTP_BODY_MAX (TALK_INPUT_MAX - HTTP_HEAD_MAX - 1)
#define HTTP_URL_MAX 1024

struct http {
	bool fetching, keeps, head_only, page;
	bool own_address; /* it asks which address it has */
	uint64_t skip;    /* of a body that is longer than what we keep */
};

struct http_request {
	struct bytes method, target, version, host, agent, head, body;
	uint64_t length;
	bool chunked, keeps, expects;
};

static bool http_recognises(struct bytes first, bool on_its_port)
{
	static const char *const methods[] = {"GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "CONNECT ",
					      "DELETE ", "PROPFIND ", "PATCH "};
	(void)on_its_port;
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (bytes_start_with(first, methods[i]))
			return true;
	return false;
}

static bool field_is(struct bytes line, const char *name, struct bytes *value)
{
	size_t n = strlen(name);
	if (line.len <= n || line.at[n] != ':' || !bytes_equal_nocase((struct bytes){line.at, n}, name))
		return false;
	*value = bytes_trim((struct bytes){line.at + n + 1, line.len - n - 1});
	return true;
}

static void read_field(struct http_request *q, struct bytes line)
{
	struct bytes value;
	if (field_is(line, "host", &value))
		q->host = value;
	else if (field_is(line, "user-agent", &value))
		q->agent = value;
	else if (field_is(line, "content-length", &value))
		bytes_number(value, UINT64_MAX / 2, &q->length);
	else if (field_is(line, "transfer-encoding", &value))
		q->chunked = bytes_find_nocase(value, "chunked") < value.len;
	else if (field_is(line, "connection", &value))
		q->keeps = bytes_find_nocase(value, "close") == value.len &&
			   (q->keeps || bytes_find_nocase(value, "keep-alive") < value.len);
	else if (field_is(line, "expect", &value))
		q->expects = bytes_find_nocase(value, "100-continue") < value.len;
}

/* False: its head is not whole yet. */
static bool read_head(struct reader *r, struct http_request *q)
{
	struct bytes line, request;
	const uint8_t *start = r->at;
	if (!read_line(r, &line))
		return false;
	request = line;
	*q = (struct http_request){.method = bytes_word(&request), .target = bytes_word(&request)};
	q->version = bytes_trim(request);
	q->keeps = bytes_equal_text(q->version, "HTTP/1.1");
	do {
		if (!read_line(r, &line))
			return false;
		read_field(q, line);
	} while (line.len);
	q->head = (struct bytes){start, (size_t)(r->at - start)};
	return true;
}

/* RFC 9112 7.1; the pieces stay apart, what matters is where it ends. */
static bool skip_chunks(struct reader *r)
{
	for (;;) {
		struct bytes line;
		if (!read_line(r, &line))
			return false;
		uint64_t n = 0;
		for (size_t i = 0; i < line.len && i < 8; i++) {
			uint8_t c = line.at[i] | 0x20;
			if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
				break;
			n = n << 4 | (c <= '9' ? c - (unsigned)'0' : c - 'a' + 10u);
		}
		if (n > reader_left(r))
			return false;
		read_bytes(r, n);
		if (!read_line(r, &line))
			return false;
		if (!n)
			return true;
	}
}

static bool read_body(struct http *h, struct reader *r, struct http_request *q)
{
	const uint8_t *start = r->at;
	if (q->chunked) {
		if (!skip_chunks(r))
			return false;
	} else if (q->length > HTTP_BODY_MAX) {
		if (reader_left(r) < HTTP_BODY_MAX / 2)
			return false;
		h->skip = q->length - reader_left(r);
		read_rest(r);
	} else if (q->length > reader_left(r)) {
		return false;
	} else {
		read_bytes(r, q->length);
	}
	q->body = (struct bytes){start, (size_t)(r->at - start)};
	return true;
}

static struct bytes make_url(struct talk *t, const struct http_request *q, char room[HTTP_URL_MAX])
{
	if (bytes_find(q->target, "://") < q->target.len) /* to a proxy */
		return q->target;
	struct writer w = writer_of(room, HTTP_URL_MAX);
	write_text(&w, talk_is_secure(t) ? "https://" : "http://");
	struct bytes host = q->host.len ? q->host : bytes_of_text(talk_endpoint(t));
	/* The usual port is not named. */
	const char *usual = talk_is_secure(t) ? ":443" : ":80";
	size_t n = strlen(usual);
	if (host.len > n && !memcmp(host.at + host.len - n, usual, n))
		host.len -= n;
	write_span(&w, host.len > 300 ? (struct bytes){host.at, 300} : host);
	uint16_t port = talk_port(t);
	if (q->host.len && !memchr(host.at, ':', host.len) && port != (talk_is_secure(t) ? 443 : 80))
		write_fmt(&w, ":%u", port);
	size_t left = writer_left(&w);
	write_span(&w, q->target.len > left ? (struct bytes){q->target.at, left} : q->target);
	return writer_bytes(&w);
}

static bool asks_own_address(const struct http_request *q)
{
	static const char *const hosts[] = {"ipify.", "icanhazip.", "ifconfig.", "checkip.", "ipinfo.io", "ip-api.",
					    "whatismyip", "ipecho.", "myip.", "wtfismyip.", "ident.me", "l2.io"};
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		if (bytes_find_nocase(q->host, hosts[i]) < q->host.len)
			return true;
	return false;
}

/* A path that ends like a page, or in nothing. */
static bool asks_page(struct bytes target)
{
	static const char *const ends[] = {"/", ".html", ".htm", ".php", ".asp", ".aspx", ".jsp", ".json", ".xml", ".txt"};
	size_t query = bytes_find(target, "?");
	target.len = query;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t n = strlen(ends[i]);
		if (target.len >= n && bytes_equal_nocase((struct bytes){target.at + target.len - n, n}, ends[i]))
			return true;
	}
	return false;
}

static void say_head(struct talk *t, const struct http *h, const char *type, size_t length)
{
	talk_say(t, "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		 "Connection: %s\r\n\r\n", type, length, h->keeps ? "keep-alive" : "close");
}

static enum talk_next http_fetched(struct talk *t, void *state, bool found, struct bytes content)
{
	struct http *h = state;
	h->fetching = false;
	struct bytes stand_in = h->own_address ? BYTES("198.18.0.2\n") : h->page ? BYTES("<html><body>It works!</body></html>\n")
								: BYTES(SINK_STAND_IN);
	say_head(t, h, found || (!h->page && !h->own_address) ? "application/octet-stream"
		 : h->own_address ? "text/plain" : "text/html", found ? content.len : stand_in.len);
	if (!h->head_only && found)
		talk_say_fetched(t, 0, content.len);
	else if (!h->head_only)
		talk_say_bytes(t, stand_in);
	return h->keeps ? TALK_ON : TALK_END;
}

static enum talk_next http_connect(struct talk *t, const struct http_request *q)
{
	size_t colon = q->target.len;
	while (colon && q->target.at[colon - 1] != ':')
		colon--;
	uint64_t port = 443;
	struct bytes host = q->target;
	if (colon) {
		bytes_number((struct bytes){host.at + colon, host.len - colon}, 65535, &port);
		host.len = colon - 1;
	}
	talk_tell(t, "proxy", q->target, q->head);
	talk_say(t, "HTTP/1.1 200 Connection established\r\n\r\n");
	talk_mean(t, host, (uint16_t)port);
	talk_switch(t);
	return TALK_ON;
}

static enum talk_next http_request(struct talk *t, struct http *h, const struct http_request *q)
{
	char room[HTTP_URL_MAX];
	if (bytes_equal_text(q->method, "CONNECT"))
		return http_connect(t, q);
	struct bytes url = make_url(t, q, room);
	struct bytes whole = {q->head.at, (size_t)(q->body.at + q->body.len - q->head.at)};
	talk_tell(t, "url", url, whole);
	if (q->agent.len)
		talk_tell(t, "agent", q->agent, (struct bytes){0});
	h->keeps = q->keeps;
	h->head_only = bytes_equal_text(q->method, "HEAD");
	h->own_address = asks_own_address(q);
	h->page = asks_page(q->target) || !(bytes_equal_text(q->method, "GET") || h->head_only);
	h->fetching = true;
	talk_fetch(t, url);
	return TALK_ON;
}

static enum talk_next http_input(struct talk *t, void *state, struct reader *r)
{
	struct http *h = state;
	if (h->skip) {
		size_t n = h->skip < reader_left(r) ? (size_t)h->skip : reader_left(r);
		read_bytes(r, n);
		h->skip -= n;
		return TALK_ON;
	}
	struct reader whole = *r;
	struct http_request q;
	if (!read_head(&whole, &q))
		return reader_left(r) > HTTP_HEAD_MAX ? TALK_END : TALK_ON;
	if (q.expects && whole.at == whole.end && q.length)
		talk_say(t, "HTTP/1.1 100 Continue\r\n\r\n");
	if (!read_body(h, &whole, &q))
		return TALK_ON;
	*r = whole;
	return http_request(t, h, &q);
}

static const struct sink_exchange http_exchanges[] = {
	{.title = "a download that nobody captured is a script that succeeds",
	 .said = BYTES("GET /bins/mips HTTP/1.0\r\nHost: dl.example\r\nUser-Agent: Wget\r\n\r\n"),
	 .heard = BYTES("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/octet-stream\r\n"
			"Content-Length: 17\r\nConnection: close\r\n\r\n#!/bin/sh\nexit 0\n"),
	 .told = "url http://dl.example/bins/mips\nagent Wget\n"},
	{.title = "a page, and another on the same connection",
	 .said = BYTES("GET / HTTP/1.1\r\nHost: a.example:80\r\n\r\nHEAD /x.php?a=b HTTP/1.1\r\nHost: a.example\r\n\r\n"),
	 .heard = BYTES("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 36\r\n"
			"Connection: keep-alive\r\n\r\n<html><body>It works!</body></html>\n"
			"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 36\r\n"
			"Connection: keep-alive\r\n\r\n"),
	 .told = "url http://a.example/\nurl http://a.example/x.php?a=b\n"},
	{.title = "what is sent is told with its body",
	 .said = BYTES("POST /gate HTTP/1.1\r\nHost: c2.example\r\nContent-Length: 5\r\nConnection: close\r\n\r\nid=07"),
	 .heard = BYTES("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 36\r\n"
			"Connection: close\r\n\r\n<html><body>It works!</body></html>\n"),
	 .told = "url http://c2.example/gate\n"},
	{.title = "in chunks",
	 .said = BYTES("POST /c HTTP/1.0\r\nHost: c2.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
	 .heard = BYTES("HTTP/1.1 200 OK\r\n"), .begins = true,
	 .told = "url http://c2.example/c\n"},
	{.title = "which address it has",
	 .said = BYTES("GET / HTTP/1.0\r\nHost: api.ipify.org\r\n\r\n"),
	 .heard = BYTES("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n"
			"Connection: close\r\n\r\n198.18.0.2\n"),
	 .told = "url http://api.ipify.org/\n"},
	{.title = "through a proxy to something else",
	 .said = BYTES("CONNECT c2.example:6667 HTTP/1.0\r\n\r\nNICK x\r\n"),
	 .heard = BYTES("HTTP/1.1 200 Connection established\r\n\r\n:irc 001 x :Welcome\r\n"), .begins = true,
	 .told = "proxy c2.example:6667\nline NICK x\n"},
	{0},
};

static const struct sink_protocol http = {
	.name = "http",
	.summary = "has every page and every file",
	.reference = "RFC 9112",
	.secure_name = "https",
	.question = true,
	.ports = {80, 8080, 443},
	.recognises = http_recognises,
	.state_size = sizeof(struct http),
	.input = http_input,
	.fetched = http_fetched,
	.exchanges = http_exchanges,
};
SINK_PROTOCOL(http);
