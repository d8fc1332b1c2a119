/*
 * What a client is: one way to ask a service of others for what is new, or to stay connected to it.
 *
 * One file in share/clients/ defines a `struct client` and ends with CLIENT(it).  A source of the configuration names
 * it (`client: taxii`) and where a key is (`key_file`).  It runs in a thread of its own, may block, and gets at the
 * network only by the calls below: hosts of the configuration, redirects to them only, sizes and times bounded.
 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/registry.h"

#define CLIENT_STATE_MAX 4096

struct client_call; /* one turn of one source */

struct client {
	const char *name;    /* "taxii" */
	const char *summary;
	const char *reference;
	const char *format;  /* that what it brings has, unless the source names another */
	bool stays;          /* it stays connected: turn() returns only when client_stopped() or on a failure */
	bool asks;           /* it may be asked about one event (`asked: true`) */
	int (*turn)(struct client_call *, struct fault *);
};

#define CLIENT(c) REGISTER(clients, struct client, c)
REGISTRY(clients, struct client);
#define CLIENTS_EACH(it) REGISTRY_EACH(clients, struct client, it)

struct client_request {
	const char *method;          /* NULL: GET */
	const char *path;            /* behind the source's URL, or a whole URL on the same host */
	const char *const *headers;  /* "Name: value", ended by NULL */
	struct bytes body;
};

struct client_answer {
	long status;
	struct bytes body;                  /* in the call's arena */
	struct bytes header_date_last, retry_after;
};

const char *client_url(const struct client_call *);
const char *client_option(const struct client_call *, const char *name); /* of the source's `options`, NULL: not said */
struct bytes client_key(const struct client_call *);                     /* what key_file holds, trimmed; empty: none */
/* What it kept at its last turn; empty at first. */
struct bytes client_state(const struct client_call *);
int client_keep(struct client_call *, struct bytes state);
struct arena *client_arena(struct client_call *);
int client_http(struct client_call *, const struct client_request *, struct client_answer *, struct fault *);
/* A piece of what came, as its format reads it; false: stop, no more is wanted. */
bool client_take(struct client_call *, struct bytes);
bool client_stopped(const struct client_call *);
/* A TCP connection to the source's host:port, blocking, with that timeout; -1 with a sentence. */
int client_connect(struct client_call *, unsigned timeout_ms, struct fault *);
