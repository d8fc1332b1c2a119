/* Is it working, what happens: counts of the last hours, and the state of control and journal. */
#include "base/clock.h"
#include "web/sql.h"

#define HOURS_DEFAULT 24
#define HOURS_MAX (24 * 366)

static void overview_serve(struct web_request *rq)
{
	char text[1024];
	uint64_t hours;
	struct writer sql = writer_of(text, sizeof text);
	if (!web_query_number(rq, "hours", HOURS_DEFAULT, HOURS_MAX, &hours))
		return;
	unsigned long long since = clock_utc_us() / 1000000 - hours * 3600;
	write_fmt(&sql,
		  "SELECT * FROM (SELECT kind, count() AS events, uniqExact(src) AS sources, max(time) AS last "
		  "FROM events WHERE time >= toDateTime(%llu,'UTC') GROUP BY kind UNION ALL SELECT 'flow.counted' "
		  "AS kind, count() AS events, uniqCombined(src) AS sources, max(time) AS last FROM flows "
		  "WHERE time >= toDateTime(%llu,'UTC') HAVING events > 0) ORDER BY events DESC, kind",
		  since, since);
	web_sql_rows(rq, &sql);
}

static const struct route overview = {
	"GET", "/api/v1/overview", "events and sources by kind of the last hours: hours", overview_serve};
ROUTE(overview);

static void state_came(struct web_request *rq, int status, struct bytes json)
{
	if (status < 0)
		web_fail(rq, 503, "control-not-there", "the control process did not answer");
	else
		web_reply(rq, 200, "application/json", json);
}

static void state_serve(struct web_request *rq)
{
	web_ask(rq, "control", "control.state", (struct bytes){0}, state_came);
}

static const struct route state = {
	"GET", "/api/v1/state", "policy, budgets, queue, steering table and opt-outs of now", state_serve};
ROUTE(state);

static void journal_serve(struct web_request *rq)
{
	web_ask(rq, "journal", TOPIC_JOURNAL_STATUS, (struct bytes){0}, state_came);
}

static const struct route journal = {"GET", "/api/v1/journal", "how far journal and store are", journal_serve};
ROUTE(journal);
