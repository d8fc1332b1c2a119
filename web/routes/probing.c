/* Who is probing, why, and how to make it stop: /.well-known/probing.txt on the console's address, too. */
#include "web/probing.h"
#include "base/clock.h"
#include "web/route.h"

static void probing_serve(struct web_request *rq)
{
	char text[PROBING_TEXT_MAX];
	struct writer w = writer_of(text, sizeof text);
	if (probing_write(web_process(rq)->config, clock_utc_us(), &w))
		web_reply(rq, 200, "text/plain; charset=utf-8", writer_bytes(&w));
	else
		web_fail(rq, 404, "no-contact", "no operator is configured, so nothing is probed");
}

static const struct route probing = {
	"GET", "/.well-known/probing.txt", "who probes, why, and how to opt out (RFC 9511)", probing_serve};
ROUTE(probing);
