/* A host's two sides on one clock: what it did to us, what it is; and what others say of it. */
#include "share/share.h"
#include "web/sql.h"

#define ROWS_MAX 2000
#define FLOWS_MAX 1000

static void host_serve(struct web_request *rq)
{
	struct address a;
	char text[1024], ip[ADDRESS_TEXT_MAX];
	struct writer sql = writer_of(text, sizeof text);
	if (!address_parse(bytes_of_text(web_parameter(rq, "ip")), &a)) {
		web_fail(rq, 400, "bad-address", "an address such as 192.0.2.1 or 2001:db8::1 is wanted");
		return;
	}
	write_text(&sql, "SELECT *, multiIf(kind IN ('decision.made','probe.sent','host.answered',"
			 "'host.identified','exposure.found',"
			 "'host.matched','source.judged'), 'us', kind = 'record.imported', 'others', 'them') AS side FROM log WHERE src = ");
	sql_text(&sql, bytes_of_text(address_format(&a, ip)));
	write_fmt(&sql, " ORDER BY id LIMIT %d", ROWS_MAX);
	web_sql_rows(rq, &sql);
}

/* By the raw address: the table lies by hour and source, so each hour costs one place. */
static void host_flows_serve(struct web_request *rq)
{
	struct address a;
	char text[1024];
	struct writer sql = writer_of(text, sizeof text);
	if (!address_parse(bytes_of_text(web_parameter(rq, "ip")), &a)) {
		web_fail(rq, 400, "bad-address", "an address such as 192.0.2.1 or 2001:db8::1 is wanted");
		return;
	}
	write_text(&sql, "SELECT lower(hex(id)) AS id, toDateTime(intDiv(flow_first, 1000000), 'UTC') AS first, time, "
			 "sensor, proto, if(flow_answer = 1, sport, dport) AS port, flow_answer AS answer, ip(dst) AS dst, "
			 "flow_packets AS packets, flow_bytes AS bytes, flow_destinations AS destinations, "
			 "flow_flags AS flags, flow_ttl_min AS ttl_min, flow_ttl_max AS ttl_max, flow_hops AS hops, "
			 "flow_class AS class, tool, flow_asks AS asks, flow_p0f AS p0f, flow_ja4t AS ja4t "
			 "FROM flows WHERE src = unhex('");
	for (size_t i = 0; i < sizeof a.b; i++)
		write_fmt(&sql, "%02x", a.b[i]);
	write_fmt(&sql, "') ORDER BY flows.time DESC LIMIT %d", FLOWS_MAX);
	web_sql_rows(rq, &sql);
}

/* The exchange answers an array of one. */
static void place_answered(struct web_request *rq, int status, struct bytes answer)
{
	if (status || answer.len < 2)
		web_fail(rq, 503, "refused", "the exchange does not answer");
	else
		web_reply(rq, 200, "application/json", (struct bytes){answer.at + 1, answer.len - 2});
}

static void host_place_serve(struct web_request *rq)
{
	struct address a;
	char ip[ADDRESS_TEXT_MAX];
	if (!address_parse(bytes_of_text(web_parameter(rq, "ip")), &a))
		web_fail(rq, 400, "bad-address", "an address such as 192.0.2.1 or 2001:db8::1 is wanted");
	else
		web_ask(rq, "exchange", TOPIC_LOOKUP, bytes_of_text(address_format(&a, ip)), place_answered);
}

static const struct route host_place = {
	"GET", "/api/v1/hosts/{ip}/place", "where it is, whose, and what lists say of it, by imported tables", host_place_serve};
ROUTE(host_place);

static const struct route host_flows = {
	"GET", "/api/v1/hosts/{ip}/flows", "what a host sent to dark addresses, the last first", host_flows_serve};
ROUTE(host_flows);

static const struct route host = {
	"GET", "/api/v1/hosts/{ip}", "what a host did, what it is, and what others say of it, in order of time; side says whose act or word it was", host_serve};
ROUTE(host);
