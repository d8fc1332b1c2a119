/*
 * Services that are an HTTP API: Docker, Kubernetes, Elasticsearch, WinRM, proxies.
 *
 * Requests are read, recorded and answered one after the other; what an API answers is its
 * own, and how its head looks a dialect (passive/services/http/dialect.h) of which only page_head, alive,
 * dying and statuses count.
 */
#pragma once
#include "passive/services/http/turn.h"

#define API_ANSWER_MAX (64u << 10)
#define API_FIELDS_MAX 1024
#define API_REQUESTS_MAX 200 /* on one connection */
#define API_HEAD_MAX 12288
#define API_INPUT_MAX 16384
#define API_ARENA_MAX (768u << 10)

struct api { /* part of a service's state */
	struct request request;
	struct body body;
	uint8_t *head;
	size_t head_room, head_len, scanned;
	struct command_shell *shell;
	uint32_t requests;
	bool in_body, left;
};

struct api_call {
	struct session *session;
	void *state; /* of the service */
	const struct request *request;
	struct bytes head, path, query, body;
	struct command_shell **shell;
	/* The answer. */
	struct writer out;    /* the body */
	struct writer fields; /* further header fields, each with its CR LF */
	unsigned status;      /* 200 */
	const char *type;     /* of the body */
	bool close;           /* hang up after it */
	bool leaves;          /* what comes after it is no HTTP any more: input() goes its own way */
	bool raw;             /* `out` is all that is said, head included */
};

struct api_style {
	const struct dialect *dialect;
	size_t body_max;
	const char *server;
	void (*answer)(struct api_call *);
	bool only_http; /* a version of another protocol (RTSP/1.0) makes no sense to it, as to Go */
	const char *bad_request; /* what a request without sense is answered with, all of it */
	bool answers_malformed;  /* answer() sees those too, as far as they can be held */
};

/* What the service's input() and close() do. */
enum service_next api_input(struct session *, struct api *, struct reader *, const struct api_style *, void *state);
void api_close(struct session *, struct api *);
/* Whether the path is this; a "*" in the pattern stands for one part, which `part` gets. */
bool api_path(const struct api_call *, const char *pattern, struct bytes *part);
/* The text of a JSON member by its name, wherever it stands first; escapes stay as they are. */
struct bytes api_json_text(struct bytes json, const char *name);
/* The bytes of a JSON member's value, of any kind. */
struct bytes api_json_value(struct bytes json, const char *name);
/* Tells the URLs that a command names. */
void api_name_urls(struct session *, struct bytes line, const char *how);
/* Writes bytes as a JSON text, with its quotes. */
void api_write_json(struct writer *, struct bytes);
/* A number of hexadecimal digits that follow from the device and what they are for. */
void api_write_hex(struct writer *, const struct session *, const char *what, size_t digits);
