/*
 * What a client is: one way to ask a service of others for what is new, or to stay connected to it.
 *
 * One file in share/clients/ defines a `struct client` and ends with CLIENT(it).  A source of the configuration names
 * it (`client: taxii`) and where a key is (`key_file`).  It runs in a thread of its own, may block, and gets at the
 * network only by the calls below: hosts of the configuration, redirects to them only, sizes and times bounded.
 *
 *   exchange:
 *     sources:
 *       - {name: partner, client: taxii, url: "https://taxii.example.org/taxii2/", key_file: /etc/kansoku/partner.key,
 *          options: {collection: 91a7b528-80eb-42ed-a74d-c6fbd5a26116}, every: 15m, tlp: amber, pap: green}
 *
 * A key is in no fault, no log and no state; an answer that repeats it is not taken.
 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/registry.h"
#include "share/format.h"
#include <sys/types.h>

#define CLIENT_STATE_MAX 4096
#define CLIENT_URL_MAX 4096

struct client_call; /* one turn of one source */

struct client_option { /* of a source's `options` */
	const char *name; /* NULL ends a table */
	const char *summary;
};

struct client {
	const char *name;    /* "taxii" */
	const char *summary;
	const char *reference;
	const char *format;  /* that what it brings has, unless the source names another; NULL: the source must */
	const char *hosts;   /* a URL of another host that it may ask, unless an option names one; NULL: none */
	const char *scheme;  /* of its URL; NULL: http and https */
	const char *key;     /* what stands in key_file, as a person reads it */
	const struct client_option *options; /* NULL: it has none */
	bool stays;          /* it stays connected: turn() returns only when client_stopped() or on a failure */
	bool asks;           /* it may be asked about one event (`asked: true`) */
	int (*turn)(struct client_call *, struct fault *);
};

#define CLIENT(c) REGISTER(clients, struct client, c)
REGISTRY(clients, struct client);
#define CLIENTS_EACH(it) REGISTRY_EACH(clients, struct client, it)
const struct client *client_find(const char *name); /* NULL: there is none */

struct client_request {
	const char *method;          /* NULL: GET */
	/*
	 * NULL: the source's URL; else behind it, with a slash between; beginning with a slash or a question mark, as RFC
	 * 3986 resolves it; or a whole URL on the host of the source's URL or of an option that is a URL.
	 */
	const char *path;
	const char *const *headers;  /* "Name: value", ended by NULL */
	struct bytes body;
};

struct client_answer { /* valid until the next client_http() */
	long status;
	struct bytes body;
	struct bytes date_first, date_last; /* X-TAXII-Date-Added-… */
};

const char *client_url(const struct client_call *);
const char *client_option(const struct client_call *, const char *name); /* of the source's `options`, NULL: not said */
/* A whole number of the source's options; `fallback` where none was said, at most `max`. */
uint64_t client_number(const struct client_call *, const char *name, uint64_t fallback, uint64_t max);
struct bytes client_key(const struct client_call *);                     /* what key_file holds, trimmed; empty: none */
/* The key's part before and behind the first colon; false: there is no colon. */
bool client_key_parts(const struct client_call *, struct bytes *first, struct bytes *second);
/* What it kept at its last turn; empty at first, and again when the source's URL or options were changed. */
struct bytes client_state(const struct client_call *);
int client_keep(struct client_call *, struct bytes state);
struct arena *client_arena(struct client_call *); /* of the turn */
/* 0 whatever the status is; a 429 or 503 also makes the source wait (Retry-After). */
int client_http(struct client_call *, const struct client_request *, struct client_answer *, struct fault *);
/* 0 for a status of 2xx; else a sentence. */
int client_refused(const struct client_answer *, struct fault *);
/* A header of the key: "Authorization: Bearer KEY", in the arena; NULL: there is no key.  ERR_BAD's key has line ends. */
const char *client_header(struct client_call *, const char *before, struct bytes value);
const struct format *client_format(const struct client_call *); /* of what it brings; lines of several messages may be one piece */
/*
 * A whole document, or whole lines, as its format reads it; `file`: what it is called, where a format reads that, or NULL.
 * False: stop, no more is wanted, and nothing is to be kept.
 */
bool client_take(struct client_call *, struct bytes, const char *file);
/* For who stays: the connection stands. */
void client_standing(struct client_call *);
bool client_stopped(const struct client_call *);
/* What is no failure and yet worth a line in the log. */
void client_say(const struct client_call *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A TCP connection to the source's host:port with that timeout, non-blocking from then on; -1 with a sentence. */
int client_connect(struct client_call *, unsigned timeout_ms, struct fault *);
/* Up to n bytes: their count, 0 after wait_ms without any or when stopped; ERR_GONE with a sentence. */
ssize_t client_receive(struct client_call *, int fd, void *, size_t n, unsigned wait_ms, struct fault *);
int client_send(struct client_call *, int fd, struct bytes, unsigned timeout_ms, struct fault *);
