/* A host's two sides on one clock: what it did to us, what it is. */
#include "web/sql.h"

#define ROWS_MAX 2000

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
			 "'host.identified','exposure.found'), 'us', 'them') AS side FROM log WHERE src = ");
	sql_text(&sql, bytes_of_text(address_format(&a, ip)));
	write_fmt(&sql, " ORDER BY id LIMIT %d", ROWS_MAX);
	web_sql_rows(rq, &sql);
}

static const struct route host = {
	"GET", "/api/v1/hosts/{ip}", "both sides of a host in order of time; side says whose act it was", host_serve};
ROUTE(host);
