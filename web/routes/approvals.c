/* What waits for the operator's yes (bus/approval.h). */
#include "base/error.h"
#include "web/route.h"

static void answered(struct web_request *rq, int status, struct bytes answer)
{
	unsigned code = status == ERR_BAD ? 400 : status == ERR_MISSING ? 404 : status == ERR_DENIED ? 409 : 503;
	if (status == 0)
		web_reply(rq, 200, "application/json", answer);
	else
		web_fail(rq, code, "refused", "%.*s", (int)(answer.len < 300 ? answer.len : 300),
			 answer.len ? (const char *)answer.at : "");
}

static void list_serve(struct web_request *rq)
{
	char json[128];
	uint64_t from;
	const char *state = web_query(rq, "state");
	struct writer w = writer_of(json, sizeof json);
	if (!web_query_number(rq, "from", 0, 1u << 20, &from))
		return;
	for (const char *c = state ? state : ""; *c; c++)
		if (*c < 'a' || *c > 'z' || c - state > 15) {
			web_fail(rq, 400, "state", "waiting, approved, declined, spent or expired would be right");
			return;
		}
	write_fmt(&w, "{\"from\":%llu,\"state\":\"%s\"}", (unsigned long long)from, state ? state : "");
	web_ask(rq, "control", "approval.list", writer_bytes(&w), answered);
}

static void decide_serve(struct web_request *rq)
{
	struct bytes body;
	if (web_json_body(rq, &body))
		web_ask(rq, "control", "approval.decide", body, answered);
}

static const struct route list = {
	"GET", "/api/v1/approvals",
	"what may leave only after a person read it, with its bytes; ?state=waiting, ?from=N goes on", list_serve};
ROUTE(list);

static const struct route decide = {
	"POST", "/api/v1/approvals",
	"a yes or no to exactly those bytes (id, sha256, decision: approve or decline, by, note)", decide_serve};
ROUTE(decide);
