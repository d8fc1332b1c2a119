/* Events as lists and as a stream: /api/v1/events, /api/v1/events/{id}, /api/v1/stream. */
#include "web/sql.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 10000

static void condition_text(struct web_request *rq, struct writer *sql, const char *name, const char *column)
{
	const char *value = web_query(rq, name);
	if (!value)
		return;
	write_fmt(sql, " AND %s = ", column);
	sql_text(sql, bytes_of_text(value));
}

static bool condition_time(struct web_request *rq, struct writer *sql, const char *name, const char *operator)
{
	const char *value = web_query(rq, name);
	uint64_t t;
	if (!value)
		return true;
	if (!time_parse(bytes_of_text(value), &t)) {
		web_fail(rq, 400, "bad-time", "%s takes a time such as 2026-04-01T12:00:00Z", name);
		return false;
	}
	write_fmt(sql, " AND time %s toDateTime(%llu,'UTC')", operator, (unsigned long long)t / 1000000);
	return true;
}

static void events_serve(struct web_request *rq)
{
	char text[4096];
	uint64_t limit;
	struct writer sql = writer_of(text, sizeof text);
	if (!web_query_number(rq, "limit", LIMIT_DEFAULT, LIMIT_MAX, &limit))
		return;
	write_text(&sql, "SELECT * FROM log WHERE 1");
	condition_text(rq, &sql, "kind", "kind");
	condition_text(rq, &sql, "src", "src");
	condition_text(rq, &sql, "session", "session");
	condition_text(rq, &sql, "root", "root");
	condition_text(rq, &sql, "cause", "cause");
	if (!condition_time(rq, &sql, "from", ">=") || !condition_time(rq, &sql, "to", "<"))
		return;
	const char *before = web_query(rq, "cursor"); /* the id of the last row seen */
	if (before) {
		write_text(&sql, " AND id < ");
		sql_text(&sql, bytes_of_text(before));
	}
	write_fmt(&sql, " ORDER BY id DESC LIMIT %llu", (unsigned long long)limit);
	web_sql_rows(rq, &sql);
}

static const struct route events = {
	"GET", "/api/v1/events", "events, newest first: kind, src, session, root, cause, from, to, limit, cursor",
	events_serve};
ROUTE(events);

static void event_serve(struct web_request *rq)
{
	char text[512];
	struct event_id id;
	struct bytes wanted = bytes_of_text(web_parameter(rq, "id"));
	struct writer sql = writer_of(text, sizeof text);
	if (!id_parse(wanted, &id)) {
		web_fail(rq, 400, "bad-id", "an event's id is 32 hex digits");
		return;
	}
	/* The id begins with its time, so the question touches one second only. */
	write_fmt(&sql, "SELECT * FROM log WHERE time = toDateTime(%llu,'UTC') AND id = ",
		  (unsigned long long)id_time_us(&id) / 1000000);
	sql_text(&sql, wanted);
	web_sql_rows(rq, &sql);
}

static const struct route event_one = {"GET", "/api/v1/events/{id}", "one event", event_serve};
ROUTE(event_one);

static void stream_serve(struct web_request *rq)
{
	const char *kinds = web_query(rq, "kinds");
	/* Flows come by the thousand and say little one by one; who wants them names them. */
	kind_mask mask = kinds ? 0 : KIND_MASK_ALL & ~KIND_MASK(EVENT_FLOW_COUNTED);
	struct bytes rest = bytes_of_text(kinds ? kinds : "");
	while (rest.len) {
		size_t comma = bytes_find(rest, ",");
		struct bytes name = {rest.at, comma};
		int kind = event_kind_find(name);
		if (kind < 0) {
			web_fail(rq, 400, "unknown-kind", "kinds takes names such as login.tried,file.captured");
			return;
		}
		mask |= KIND_MASK(kind);
		size_t skip = comma < rest.len ? comma + 1 : comma;
		rest.at += skip;
		rest.len -= skip;
	}
	web_stream(rq, mask);
}

static const struct route stream = {
	"GET", "/api/v1/stream", "live events as server-sent events, without passwords and payloads, flows only when named: kinds",
	stream_serve};
ROUTE(stream);
