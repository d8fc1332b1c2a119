/*
 * The exchange's side of the partners' server: one request from its head to its answer.
 *
 * One file in share/serve/endpoints/, one or more `struct endpoint`, ENDPOINT(it) each.  Before serve() is called the
 * caller is known: who is not gets 401 for every path there could be.  serving_collection() asks for a grant; what a
 * caller may not know of is answered as what is not there.  What goes out is in the audit, with its digest, before the
 * first byte of it leaves.
 */
#pragma once
#include "base/arena.h"
#include "base/registry.h"
#include "share/access.h"
#include "share/exchange_inner.h"
#include "share/serve/feeding_inner.h"
#include "share/serve/serve_inner.h"
#include "share/view.h"

#define SERVINGS_MAX 128
#define SERVING_ARENA_MAX (24u << 20)
#define SERVING_PARAMETERS_MAX 6
#define SERVING_IDLE_US 120000000 /* a body that does not come */
#define STATUSES_MAX 1024
#define TAXII_MEDIA "application/taxii+json;version=2.1"

struct serve;
struct serving;

typedef void serving_body_f(struct serving *, struct bytes body);

struct endpoint {
	const char *method; /* "GET" also answers HEAD */
	const char *path;   /* "/taxii2/collections/{collection}": a part in braces is a parameter; no slash at its end */
	const char *summary;
	void (*serve)(struct serving *);
};

#define ENDPOINT(e) REGISTER(endpoints, struct endpoint, e)
REGISTRY(endpoints, struct endpoint);
#define ENDPOINTS_EACH(it) REGISTRY_EACH(endpoints, struct endpoint, it)

struct serving {
	struct serve *serve;
	struct bus_request *request; /* NULL: the body is on its way */
	uint64_t number, heard_us, now_us;
	struct arena arena;
	struct serve_head head; /* in the arena */
	const struct endpoint *endpoint;
	struct serve_pair parameters[SERVING_PARAMETERS_MAX];
	size_t parameter_count;
	struct caller caller;
	const struct collection *collection;
	struct grant grant; /* a copy: the answer may come later than a change */
	struct view *view;
	struct buffer body, out;
	serving_body_f *take_body;
	struct serve_answer_head answer;
	/* For the audit. */
	const char *action, *format;
	uint64_t objects, from_us, to_us;
	void *state; /* the endpoint's own, in the arena or with its own end */
	void (*done)(struct serving *);
};

/* serving.c */
struct bytes serving_parameter(const struct serving *, const char *name);
/* Behind the "?"; `at` is NULL when it is not there. */
struct bytes serving_argument(const struct serving *, const char *name);
/* A number from min to max, `absent` when it is not there; answers 400 itself and returns false. */
bool serving_number(struct serving *, const char *name, uint64_t absent, uint64_t min, uint64_t max, uint64_t *out);
/* The collection of that name or id, when the caller has that right to it; else answers itself and returns false. */
bool serving_collection(struct serving *, struct bytes name, enum access_right);
/* The caller's view of that collection, as its grant says; answers itself and returns false. */
bool serving_view(struct serving *);
/* Asks for the request's body; answers itself when it is too long or there is none. */
void serving_want_body(struct serving *, serving_body_f *);
int serving_out(struct serving *, struct bytes);
int serving_text(struct serving *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int serving_json_text(struct serving *, struct bytes); /* as a string of JSON */
/* Name and value are copied. */
void serving_header(struct serving *, const char *name, const char *value);
/* Sends what was written.  After it, or after serving_fail(), the request is gone. */
void serving_send(struct serving *, unsigned status, const char *media_type);
/* 404 for what the caller asked for by its id and may not see; the audit has the question and why. */
void serving_hide(struct serving *, const char *why);
/* {"title", "description", "http_status"}, as TAXII says it; what was written before is not sent. */
void serving_fail(struct serving *, unsigned status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* serve.c */
struct status;
struct exchange *serving_exchange(const struct serving *);
const struct arrivals *serving_arrivals(const struct serving *);
/* Where an object was seen last: a hint by which it is found at once (page.c). */
struct object_hint {
	uint64_t key, position; /* key 0: free */
};
#define OBJECT_HINTS (1u << 18)
struct object_hint *serving_hint(const struct serving *, uint64_t key);
/* Who we are, as operator.name says. */
const char *serving_producer(const struct serving *);

/* What came of a POST, kept for a while: JSON that is handed out as it is. */
void status_keep(struct serve *, uint32_t organisation, const char *id, struct bytes json);
struct bytes status_find(struct serve *, uint32_t organisation, struct bytes id);
