/* The store's reports: the list, and one by name. */
#include "base/clock.h"
#include "store/report.h"
#include "web/sql.h"

static void reports_serve(struct web_request *rq)
{
	char text[4096];
	struct writer w = writer_of(text, sizeof text);
	unsigned n = 0;
	write_text(&w, "{\"reports\":[");
	REPORTS_EACH(r) {
		write_text(&w, n++ ? ",{\"name\":" : "{\"name\":");
		write_json_string(&w, bytes_of_text((*r)->name));
		write_text(&w, ",\"summary\":");
		write_json_string(&w, bytes_of_text((*r)->summary));
		write_text(&w, "}");
	}
	write_text(&w, "]}\n");
	web_reply(rq, 200, "application/json", writer_bytes(&w));
}

static const struct route reports_all = {"GET", "/api/v1/reports", "the reports there are", reports_serve};
ROUTE(reports_all);

static void report_came(struct web_request *rq, int status, struct bytes json)
{
	if (status < 0)
		web_store_failed(rq, status, json);
	else
		web_reply(rq, 200, "application/json", json);
}

static bool time_of(struct web_request *rq, const char *name, uint64_t absent, uint64_t *out)
{
	const char *text = web_query(rq, name);
	*out = absent;
	if (!text || time_parse(bytes_of_text(text), out))
		return true;
	web_fail(rq, 400, "bad-time", "%s takes a time such as 2026-04-01T12:00:00Z", name);
	return false;
}

static void report_serve(struct web_request *rq)
{
	const char *name = web_parameter(rq, "name");
	char question[128];
	struct writer w = writer_of(question, sizeof question);
	uint64_t from, to;
	if (!report_find(name)) {
		web_fail(rq, 404, "unknown-report", "there is no such report; /api/v1/reports lists them");
		return;
	}
	if (!time_of(rq, "from", 0, &from) || !time_of(rq, "to", clock_utc_us() + 1000000, &to))
		return;
	write_u64(&w, from);
	write_u64(&w, to);
	write_text(&w, name);
	web_ask(rq, "store", "store.report", writer_bytes(&w), report_came);
}

static const struct route report_one = {"GET", "/api/v1/reports/{name}", "one report: from, to", report_serve};
ROUTE(report_one);
