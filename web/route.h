/*
 * What a route of the API or console is.  One file in web/routes/, one or more
 * `struct route`, ROUTE(it) each.
 *
 * serve() answers at once with web_reply(), or asks another process with web_ask() and
 * answers when that comes; the connection waits meanwhile.  Everything is bounded: the
 * request by the server, the answer by WEB_ANSWER_MAX.
 */
#pragma once
#include "base/arena.h"
#include "base/registry.h"
#include "bus/process.h"

#define WEB_ANSWER_MAX (16u << 20)
#define WEB_ARENA_MAX (1u << 20)
#define WEB_BODY_MAX 8192 /* of a request */

struct web_request;

typedef void web_answer_f(struct web_request *, int status, struct bytes answer);

struct route {
	const char *method; /* "GET" */
	const char *path;   /* "/api/v1/hosts/{ip}": a part in braces is a parameter */
	const char *summary;
	void (*serve)(struct web_request *);
};

#define ROUTE(r) REGISTER(routes, struct route, r)
REGISTRY(routes, struct route);
#define ROUTES_EACH(it) REGISTRY_EACH(routes, struct route, it)

const char *web_parameter(struct web_request *, const char *name); /* of the path; "" when absent */
const char *web_query(struct web_request *, const char *name);     /* behind the "?"; NULL when absent */
/* A number behind the "?", `absent` when it is not there; answers 400 itself and returns false. */
bool web_query_number(struct web_request *, const char *name, uint64_t absent, uint64_t max, uint64_t *out);
/*
 * What came with a POST, which must call itself JSON: no form of another site can do that, and a
 * script of another site is not allowed to.  Answers 415 or 413 itself and returns false.
 */
bool web_json_body(struct web_request *, struct bytes *out);
struct arena *web_arena(struct web_request *);
const struct process *web_process(struct web_request *);
uint64_t web_started_us(const struct web_request *); /* monotonic */

void web_reply(struct web_request *, unsigned status, const char *type, struct bytes body);
/* A page of a report: it may have a style of its own, and no script, picture, form or frame. */
void web_reply_document(struct web_request *, struct bytes html);
/* {"error":{"code":...,"message":...}}; codes are words that a console can translate. */
void web_fail(struct web_request *, unsigned status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Asks `topic` of the process of that role; `answer` gets all parts together, and may ask again. */
void web_ask(struct web_request *, const char *role, const char *topic, struct bytes payload,
	     web_answer_f *answer);
/* Becomes a stream of server-sent events of these kinds. */
void web_stream(struct web_request *, kind_mask kinds);
