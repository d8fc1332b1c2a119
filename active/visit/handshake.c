#include "active/visit/handshake_inner.h"
#include "base/url.h"
#include <strings.h>

#define SOCKS_VERSION 5
#define SOCKS_CONNECT 1

#define HTTP_REFUSED(status) BYTES("HTTP/1.1 " status "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
#define SOCKS_REPLY(code) BYTES("\x05" code "\x00\x01\x00\x00\x00\x00\x00\x00")

static enum handshake_state refuse(struct handshake *h, struct bytes answer)
{
	h->answer = answer;
	return HANDSHAKE_REFUSE;
}

/* RFC 1928 3: which ways of logging in it knows; ours is none. */
static enum handshake_state read_greeting(struct handshake *h, struct reader r, struct bytes input)
{
	read_u8(&r);
	const uint8_t count = read_u8(&r);
	struct bytes methods = read_bytes(&r, count);
	if (!reader_ok(&r))
		return HANDSHAKE_MORE;
	if (!methods.len || !memchr(methods.at, 0, methods.len))
		return refuse(h, BYTES("\x05\xff"));
	h->used = input.len - reader_left(&r);
	h->answer = BYTES("\x05\x00");
	h->greeted = true;
	return HANDSHAKE_GREET;
}

/* RFC 1928 4. */
static enum handshake_state read_socks(struct handshake *h, struct bytes input)
{
	struct reader r = reader_of_bytes(input);
	if (!h->greeted)
		return read_greeting(h, r, input);
	const uint8_t version = read_u8(&r), command = read_u8(&r);
	read_u8(&r);
	const uint8_t type = read_u8(&r);
	char text[ADDRESS_TEXT_MAX + 2];
	struct bytes name = {0};
	if (!reader_ok(&r))
		return HANDSHAKE_MORE;
	if (type == 3) {
		name = read_bytes(&r, read_u8(&r));
	} else if (type == 1) {
		struct address a = address_v4(read_u32(&r));
		name = bytes_of_text(address_format(&a, text));
	} else if (type == 4) {
		struct address a = {{0}};
		struct bytes b = read_bytes(&r, sizeof a.b);
		if (b.len)
			memcpy(a.b, b.at, sizeof a.b);
		char plain[ADDRESS_TEXT_MAX];
		const bool six = !address_is_v4(&a);
		snprintf(text, sizeof text, six ? "[%s]" : "%s", address_format(&a, plain));
		name = bytes_of_text(text);
	}
	h->port = read_u16(&r);
	if (version != SOCKS_VERSION || command != SOCKS_CONNECT)
		return refuse(h, SOCKS_REPLY("\x07"));
	if (type != 1 && type != 3 && type != 4)
		return refuse(h, SOCKS_REPLY("\x08"));
	if (!reader_ok(&r))
		return HANDSHAKE_MORE;
	if (!h->port || url_host(name, h->host, &h->numeric, &h->address))
		return refuse(h, SOCKS_REPLY("\x01"));
	h->used = input.len - reader_left(&r);
	return HANDSHAKE_GO;
}

/* HOST:PORT as CONNECT has it; the URL's reader takes it as it would take a page's. */
static bool read_authority(struct handshake *h, struct bytes text)
{
	char url[PROXY_HOST_MAX + 32];
	struct url parsed;
	if (text.len > PROXY_HOST_MAX + 8 || memchr(text.at, '/', text.len) || memchr(text.at, 0, text.len))
		return false;
	snprintf(url, sizeof url, "https://%.*s/", (int)text.len, (const char *)text.at);
	if (url_parse(bytes_of_text(url), NULL, &parsed))
		return false;
	snprintf(h->host, sizeof h->host, "%s", parsed.host);
	h->port = parsed.port;
	h->numeric = parsed.numeric;
	h->address = parsed.address;
	return true;
}

static bool is_named(struct bytes line, const char *name)
{
	const size_t n = strlen(name);
	return line.len > n && line.at[n] == ':' && !strncasecmp((const char *)line.at, name, n);
}

/*
 * The head as the server shall see it: origin form, and one request a connection, since the next one
 * may be for somebody else.
 */
static bool write_head(struct handshake *h, struct bytes method, const struct url *url, struct reader fields, uint8_t *head)
{
	struct writer w = writer_of(head, HANDSHAKE_MAX);
	struct bytes line;
	uint64_t length;
	h->body = 0;
	write_span(&w, method);
	write_fmt(&w, " %s HTTP/1.1\r\n", url->path);
	while (read_line(&fields, &line) && line.len) {
		if (is_named(line, "connection") || is_named(line, "proxy-connection") || is_named(line, "keep-alive") ||
		    is_named(line, "proxy-authorization"))
			continue;
		if (is_named(line, "content-length") &&
		    bytes_number(bytes_trim((struct bytes){line.at + 15, line.len - 15}), UINT32_MAX, &length))
			h->body = length;
		if (is_named(line, "transfer-encoding"))
			h->body = UINT64_MAX;
		write_span(&w, line);
		write_text(&w, "\r\n");
	}
	write_text(&w, "Connection: close\r\n\r\n");
	h->head_len = writer_used(&w);
	return !w.bad;
}

static enum handshake_state read_http(struct handshake *h, struct bytes input, uint8_t *head)
{
	struct reader r = reader_of_bytes(input);
	struct bytes line;
	struct url url;
	const size_t end = bytes_find(input, "\r\n\r\n");
	if (end == input.len)
		return input.len >= HANDSHAKE_MAX ? refuse(h, HTTP_REFUSED("431 Request Header Fields Too Large")) : HANDSHAKE_MORE;
	h->used = end + 4;
	if (!read_line(&r, &line))
		return refuse(h, HTTP_REFUSED("400 Bad Request"));
	struct bytes rest = line, method = bytes_word(&rest), target = bytes_word(&rest);
	if (!bytes_start_with(rest, "HTTP/1."))
		return refuse(h, HTTP_REFUSED("400 Bad Request"));
	if (bytes_equal_text(method, "CONNECT")) {
		h->kind = HANDSHAKE_CONNECT;
		return read_authority(h, target) ? HANDSHAKE_GO : refuse(h, HTTP_REFUSED("400 Bad Request"));
	}
	h->kind = HANDSHAKE_REQUEST;
	if (url_parse(target, NULL, &url) || url.secure || !write_head(h, method, &url, r, head))
		return refuse(h, HTTP_REFUSED("400 Bad Request"));
	snprintf(h->host, sizeof h->host, "%s", url.host);
	h->port = url.port;
	h->numeric = url.numeric;
	h->address = url.address;
	return HANDSHAKE_GO;
}

enum handshake_state handshake_read(struct handshake *h, struct bytes input, uint8_t *head)
{
	if (!input.len)
		return HANDSHAKE_MORE;
	if (h->greeted || input.at[0] == SOCKS_VERSION) {
		h->kind = HANDSHAKE_SOCKS;
		return read_socks(h, input);
	}
	return read_http(h, input, head);
}

static bool is_one_of(const char *reason, const char *const *words)
{
	while (*words && strcmp(*words, reason))
		words++;
	return *words != NULL;
}

struct bytes handshake_answer(const struct handshake *h, const char *reason)
{
	static const char *const away[] = {"name", "unresolved", "unreachable", "timeout", NULL}, *const closed[] = {"refused", NULL};
	const bool good = !strcmp(reason, "ok");
	if (h->kind == HANDSHAKE_SOCKS)
		return good			 ? SOCKS_REPLY("\x00")
		       : is_one_of(reason, closed) ? SOCKS_REPLY("\x05")
		       : is_one_of(reason, away)   ? SOCKS_REPLY("\x04")
						   : SOCKS_REPLY("\x02");
	if (good)
		return h->kind == HANDSHAKE_CONNECT ? BYTES("HTTP/1.1 200 Connection established\r\n\r\n") : (struct bytes){0};
	if (is_one_of(reason, closed) || is_one_of(reason, away))
		return HTTP_REFUSED("502 Bad Gateway");
	return HTTP_REFUSED("403 Forbidden");
}
