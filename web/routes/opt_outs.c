/* Who asked to be left alone, and the operator's part in it (control/control.h). */
#include "base/error.h"
#include "control/control.h"
#include "web/route.h"

static void answered(struct web_request *rq, int status, struct bytes answer)
{
	unsigned code = status == ERR_BAD ? 400 : status == ERR_FULL ? 429 : status == ERR_MISSING ? 404 : 503;
	if (status == 0)
		web_reply(rq, 200, "application/json", answer);
	else
		web_fail(rq, code, "refused", "%.*s", (int)(answer.len < 300 ? answer.len : 300),
			 answer.len ? (const char *)answer.at : "");
}

static void list_serve(struct web_request *rq)
{
	char json[64];
	uint64_t from;
	struct writer w = writer_of(json, sizeof json);
	if (!web_query_number(rq, "from", 0, 1u << 30, &from))
		return;
	write_fmt(&w, "{\"from\":%llu}", (unsigned long long)from);
	web_ask(rq, "control", "optout.list", writer_bytes(&w), answered);
}

/* Opens the object, says how it was asked, and goes on with what came: a second "how" is refused as double. */
static void pass_on(struct web_request *rq, const char *topic)
{
	static const char how[] = "{\"how\":\"api\",";
	struct bytes body;
	if (!web_json_body(rq, &body))
		return;
	body = bytes_trim(body);
	char *room = arena_alloc(web_arena(rq), body.len + sizeof how);
	if (!room || body.len < 2 || body.at[0] != '{') {
		web_fail(rq, 400, "not-json", "{\"prefix\": \"192.0.2.0/24\", \"reason\": \"...\"} would be right");
		return;
	}
	struct writer w = writer_of(room, body.len + sizeof how);
	write_text(&w, how);
	write_span(&w, (struct bytes){body.at + 1, body.len - 1});
	web_ask(rq, "control", topic, writer_bytes(&w), answered);
}

static void add_serve(struct web_request *rq) { pass_on(rq, "optout.add"); }
static void decline_serve(struct web_request *rq) { pass_on(rq, "optout.decline"); }

static const struct route list = {
	"GET", "/api/v1/opt-outs", "who asked to be left alone, how, when and why; also who waits for an answer; ?from=N goes on",
	list_serve};
ROUTE(list);

static const struct route add = {
	"POST", "/api/v1/opt-outs", "leave a prefix alone from now on, for ever (prefix, reason); grants a request, too",
	add_serve};
ROUTE(add);

static const struct route decline = {
	"POST", "/api/v1/opt-outs/decline", "a request for a network that is not granted (prefix)", decline_serve};
ROUTE(decline);
