/*
 * A client's turn from within: the thread that may block, and the loop that takes what it brings.
 *
 * The thread hands a piece over and waits until the loop has read it, so a source is never faster than we are.
 */
#pragma once
#include "base/options.h"
#include "share/client.h"
#include <uv.h>

#define CLIENT_ARENA_MAX (256u << 20)
#define CLIENT_HEADER_MAX 128
#define CLIENT_NAME_MAX 40
#define CLIENT_KEY_MAX 4096
#define CLIENT_REDIRECTS_MAX 5
#define CLIENT_PAUSE_S 60          /* of who is asked too often and does not say for how long */
#define CLIENT_PAUSE_S_MAX 86400

struct client_about { /* lives as long as its call */
	const char *source, *url, *agent;
	const char *hosts; /* of its client */
	const struct option_list *options; /* of struct option_pair */
	struct bytes key;
	const struct format *format;
	uint64_t size_max, time_ms;
	int directory; /* where its state is kept; -1: nowhere */
};

struct client_call {
	struct client_about about;
	struct arena arena;
	void *curl; /* one for the turn, so that connections are used again */
	struct buffer body;
	char date_first[CLIENT_HEADER_MAX], date_last[CLIENT_HEADER_MAX], retry_after[CLIENT_HEADER_MAX];
	char state_name[CLIENT_NAME_MAX];
	uint8_t state[CLIENT_STATE_MAX];
	size_t state_len;
	uint64_t pause_s; /* the server asked for it */

	uv_async_t *wake; /* NULL: nobody takes anything */
	uv_mutex_t lock;
	uv_cond_t changed;
	struct bytes piece;
	const char *file; /* what that is called */
	bool waiting, wanted, standing, ended;
	_Atomic bool stopped;
	int bad;
	struct fault fault, refused; /* refused: why a piece was not taken */
};

int client_open(struct client_call *, const struct client_about *, struct fault *);
void client_close(struct client_call *);
void client_stop(struct client_call *); /* from the loop: it is to end soon */

struct preparation;
struct process;
/* In prepare(): the key as that descriptor; `where` is its place in the configuration, for sentences. */
int client_give_key(struct preparation *, const char *name, const char *where, const char *path, struct fault *);
/* In run(): trimmed; client_drop_key() wipes it. */
int client_read_key(const struct process *, const char *name, const char *where, struct bytes *out, struct fault *);
void client_drop_key(struct bytes *);

/* Where a reference leads, and whether the configuration allows that: 0, or ERR_DENIED, ERR_BAD with a sentence. */
int client_resolve(const struct client_about *, const char *reference, char url[CLIENT_URL_MAX], struct fault *);
/* An http or https URL without an account, or of that scheme with a port; with a key only where nobody listens on the way. */
int client_check_url(const char *url, const char *scheme, bool key, struct fault *);
/* Seconds or a date (RFC 9110 10.2.3), as seconds from now; 0: it says none. */
uint64_t client_pause(const char *retry_after, uint64_t now_s);
