/*
 * The DevTools pipe (Chromium's --remote-debugging-pipe): JSON objects, each ended by a NUL byte.
 *
 * Calls are answered out of order and events come in between; whoever waits for an answer lets the
 * events be handled meanwhile.  Everything that comes is hostile: a page can make its browser say
 * anything, so a message that is too long or is no JSON ends the conversation.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"
#include <jansson.h>

#define DEVTOOLS_MESSAGE_MAX (48u << 20)
#define DEVTOOLS_CALLS_MAX 2048 /* that wait for an answer */
#define DEVTOOLS_SESSION_MAX 63

struct devtools;

struct devtools_hooks {
	void *arg;
	void (*event)(void *arg, const char *session, const char *method, const json_t *params);
};

/* Whom an answer is for; `result` is NULL when the call failed. */
typedef void devtools_answer_f(void *arg, size_t index, const json_t *result);

/* Takes both descriptors over: what is written to `to` the browser reads. */
int devtools_open(struct devtools **, int to, int from, const struct devtools_hooks *, struct fault *);
void devtools_close(struct devtools *);

/*
 * Sends a call; `params` is taken over and may be NULL, `session` empty for the browser itself.  The
 * answer is dropped where there is no handler.  The call's number, or a negative error.
 */
int64_t devtools_call(struct devtools *, const char *session, const char *method, json_t *params,
		      devtools_answer_f *, size_t index);
/* Handles what comes until `deadline_us` of the monotonic clock or one message was handled: 1, 0 (time), ERR_GONE, ERR_BAD. */
int devtools_step(struct devtools *, uint64_t deadline_us);
/* Handles events until that call is answered or the time is over; the answer is the caller's to json_decref(), or NULL. */
json_t *devtools_ask(struct devtools *, const char *session, const char *method, json_t *params, uint64_t deadline_us);
size_t devtools_waiting(const struct devtools *); /* calls without an answer yet that have a handler */

/*
 * JSON in a message may hold halves of surrogate pairs, which a page can put there and which no UTF-8
 * has: each becomes U+FFFD, in place, so that no page can hide behind a message that cannot be read.
 */
void devtools_mend(uint8_t *message, size_t len);
/* A text at "a.b.c" within an object, "" when it is not there; a number, 0; a bool, false. */
const char *devtools_text(const json_t *, const char *path);
size_t devtools_text_len(const json_t *, const char *path);
double devtools_number(const json_t *, const char *path);
/* A whole number of 0 to 2^31-1: what lies outside comes as the nearest of them, and NaN as 0. */
int devtools_count(const json_t *, const char *path);
int devtools_bounded(double);
bool devtools_true(const json_t *, const char *path);
const json_t *devtools_at(const json_t *, const char *path); /* NULL: nothing is there */
