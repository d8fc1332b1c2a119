/* One connection to a device's web server: services/http.c, and relayed.c where a backend answers. */
#pragma once
#include "passive/services/http/turn.h"

#define HTTP_HEAD_MAX 12288 /* of a request; Boa's own limit is 8 KiB for the line and fields */

struct http_options {
	uint64_t upload_max;
	struct option_list crawlers;
};

enum http_phase { HTTP_AT_HEAD, HTTP_AT_BODY };

enum http_relay {
	HTTP_OWN,     /* the emulator answers */
	HTTP_ASKED,   /* a request waits for the backend */
	HTTP_RELAYED, /* every request goes on */
	HTTP_BLIND,   /* every byte does: what came was no request */
	HTTP_ALONE,   /* there is no backend after all */
};

struct http {
	struct request request; /* its spans point into `head` */
	struct body body;
	uint8_t *head;
	size_t head_room, head_len;
	size_t scanned;
	struct command_shell *shell;
	uint64_t login_mark;
	struct http_waiting { /* of a request that waits for the backend, what it was known for */
		bool is, authorized, logged_in;
		const char *cookie, *page_path;
	} waiting;
	const char *cookie; /* to be set with the backend's first answer; NULL: none */
	uint32_t requests;
	uint8_t phase, relay;
	bool holds_form; /* the head waits for the whole body */
};

struct turn http_begin_turn(struct session *, struct http *);
/* Takes a head, which outlives the input buffer while a body comes; false: no memory. */
bool http_keep_head(struct session *, struct http *, struct bytes head);

/* relayed.c: the way of requests to a backend, log-ins swapped. */
/* Asks for it; the request that was just taken, or what lies unread, waits.  False: it cannot be had. */
bool http_relay_ask(struct session *, struct http *);
enum service_next http_relay_input(struct session *, struct http *, struct reader *);
/* The request that waits goes out whole. */
void http_relay_whole(struct session *, struct http *);
void http_relay_answer(struct session *, struct http *, struct bytes came);
