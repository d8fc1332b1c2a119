/* Partners: who they are, what they are granted, and what they were shown (share/access.h, share/audit.h). */
#include "base/error.h"
#include "event/event.h"
#include "share/access.h"
#include "web/route.h"

#define QUESTION_MAX 1024

static void answered(struct web_request *rq, int status, struct bytes answer)
{
	unsigned code = status == ERR_BAD ? 400 : status == ERR_MISSING ? 404 : status == ERR_DENIED ? 403 : 503;
	if (status == 0)
		web_reply(rq, 200, "application/json", answer);
	else
		web_fail(rq, code, "refused", "%.*s", (int)(answer.len < 300 ? answer.len : 300),
			 answer.len ? (const char *)answer.at : "");
}

static void write_query(struct web_request *rq, struct writer *w, const char *name)
{
	const char *value = web_query(rq, name);
	if (!value)
		return;
	write_fmt(w, ",\"%s\":", name);
	write_json_string(w, bytes_of_text(value));
}

static void list(struct web_request *rq, const char *what)
{
	char json[QUESTION_MAX];
	uint64_t from;
	struct writer w = writer_of(json, sizeof json);
	if (!web_query_number(rq, "from", 0, 1u << 20, &from))
		return;
	write_fmt(&w, "{\"do\":\"%s\",\"all\":true,\"from\":%llu", what, (unsigned long long)from);
	write_query(rq, &w, "organisation");
	write_text(&w, "}");
	if (w.bad)
		web_fail(rq, 400, "too-long", "the name is too long");
	else
		web_ask(rq, "exchange", TOPIC_ACCESS, writer_bytes(&w), answered);
}

static void organisations_serve(struct web_request *rq) { list(rq, "org.list"); }
static void users_serve(struct web_request *rq) { list(rq, "user.list"); }
static void tokens_serve(struct web_request *rq) { list(rq, "token.list"); }
static void grants_serve(struct web_request *rq) { list(rq, "grant.list"); }

static void audit_serve(struct web_request *rq)
{
	char json[QUESTION_MAX];
	uint64_t before, count;
	struct writer w = writer_of(json, sizeof json);
	if (!web_query_number(rq, "before", 0, UINT32_MAX, &before) || !web_query_number(rq, "count", 100, 200, &count))
		return;
	write_fmt(&w, "{\"before\":%llu,\"count\":%llu", (unsigned long long)before, (unsigned long long)count);
	write_query(rq, &w, "organisation");
	write_query(rq, &w, "action");
	write_text(&w, "}");
	if (w.bad)
		web_fail(rq, 400, "too-long", "the name is too long");
	else
		web_ask(rq, "exchange", TOPIC_AUDIT, writer_bytes(&w), answered);
}

static const struct route organisations = {
	"GET", "/api/v1/exchange/organisations", "organisations that data is exchanged with; ?from=N goes on", organisations_serve};
ROUTE(organisations);
static const struct route users = {
	"GET", "/api/v1/exchange/users", "their users; ?organisation=NAME, ?from=N goes on", users_serve};
ROUTE(users);
static const struct route tokens = {
	"GET", "/api/v1/exchange/tokens", "their tokens, without what is secret, with when each was used last; ?organisation=NAME, ?from=N",
	tokens_serve};
ROUTE(tokens);
static const struct route grants = {
	"GET", "/api/v1/exchange/grants", "what they may read and write; ?organisation=NAME, ?from=N goes on", grants_serve};
ROUTE(grants);
static const struct route audit = {
	"GET", "/api/v1/exchange/audit",
	"what partners read, wrote and were refused, newest first; ?organisation=NAME, ?action=WORD, ?before=N goes on", audit_serve};
ROUTE(audit);
