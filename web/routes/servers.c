/* Command servers of own samples (control/control.h). */
#include "base/error.h"
#include "control/control.h"
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

static void list_serve(struct web_request *rq) { web_ask(rq, "control", "server.list", BYTES("{}"), answered); }

static void check_serve(struct web_request *rq)
{
	struct bytes body;
	if (web_json_body(rq, &body))
		web_ask(rq, "control", "server.check", body, answered);
}

static const struct route list = {
	"GET", "/api/v1/servers", "command servers that own samples named: state, certainty, checks", list_serve};
ROUTE(list);

static const struct route check = {
	"POST", "/api/v1/servers/check", "check one of them now, as far as its budget allows (address, port)", check_serve};
ROUTE(check);
