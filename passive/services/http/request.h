/*
 * A request's head, read as tolerantly as the small servers in devices do.
 *
 * RFC 9112, and what bots send instead: lines that end in a bare LF, HTTP/0.9
 * (RFC 1945 4.1), absolute targets (RFC 9112 3.2.2), folded fields (RFC 9112
 * 5.2), any word as a method, no Host.  Nothing is decoded: percent-encoding
 * is kept raw, since how an attack is encoded tells who made it.  All spans
 * point into the bytes that were given.
 */
#pragma once
#include "base/bytes.h"

enum http_version { HTTP_0_9, HTTP_1_0, HTTP_1_1, HTTP_UNKNOWN, HTTP_FOREIGN /* RTSP/1.0 */ };

struct request {
	struct bytes line; /* the first line, without its end */
	struct bytes method;
	struct bytes target;      /* as sent */
	struct bytes path, query; /* of the target: without scheme, host and "?" */
	struct bytes host;        /* of the target if absolute, else of the Host field */
	struct bytes agent, authorization, cookie, content_type, since, none_match;
	uint64_t length; /* Content-Length; 0 when absent */
	uint16_t fields; /* how many */
	enum http_version version;
	bool has_length, chunked, expects_continue, keep_alive, close;
	bool malformed; /* no method and target, a field without colon, two lengths */
};

/*
 * Length of the head at the start of `input`, with the empty line that ends it; 0 when
 * more must come.  `scanned` (0 at first) remembers how far was looked, so that a peer
 * that sends single bytes costs no more than one that does not.
 */
size_t request_head_length(struct bytes input, size_t *scanned);

/* Reads a head of the length that request_head_length() gave; always fills `out`. */
void request_parse(struct bytes head, struct request *out);

/* The value of a cookie by name; at is NULL when it was not sent. */
struct bytes request_cookie(const struct request *, const char *name);

/* The value of a field by name, the first of them; empty: it was not sent, or holds nothing. */
struct bytes request_field(struct bytes head, const char *name);
