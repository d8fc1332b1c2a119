/*
 * Sources that are asked about one event: `asked: true`, and {FIELD} in the URL stands for that event's field.
 *
 * Look-ups cost, and one attacker makes many events: what was asked is not asked again within the source's `again`.
 * Questions wait in a ring; each remembers which event it is about, so that the records name it as cause.
 */
#pragma once
#include "share/exchange_inner.h"

#define ASKED_MAX 128
#define ASKED_REMEMBERED 8192
#define ASKED_URL_MAX 4096

struct asked {
	struct question_asked {
		size_t source;
		struct record_chain chain;
		char url[ASKED_URL_MAX];
		unsigned tries; /* that came too early for it */
	} waiting[ASKED_MAX];
	size_t count;
	struct {
		uint64_t digest, asked_us;
	} before[ASKED_REMEMBERED]; /* a ring of what was asked */
	size_t before_count;        /* in all */
};

/* 0, or ERR_BAD with what is wrong: an unknown or private field, or one that would choose the host. */
int asked_check(const char *pattern, struct fault *);
/* The URL for that event, percent-encoded; ERR_MISSING: it has no such field; ERR_FULL: too long. */
int asked_fill(const char *pattern, const struct event *, char url[ASKED_URL_MAX]);
/*
 * Adds a question for each source that can be asked and was not asked the same within its `again`: 0; ERR_FULL: no room;
 * ERR_MISSING: none can be; ERR_DENIED: the event is marked TLP:RED or PAP:RED, and a question tells others of it.
 */
int asked_add(struct asked *, const struct exchange_options *, const struct event *, const struct record_chain *, uint64_t now_us);
/* It was not answered, and may be asked again at once. */
void asked_forget(struct asked *, const struct question_asked *);
void asked_remove(struct asked *, size_t at);
