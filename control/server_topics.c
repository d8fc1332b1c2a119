#include "control/server_topics_inner.h"
#include "base/clock.h"
#include "base/error.h"

static void on_done(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct server_topics *t = arg;
	struct reader r = reader_of_bytes(payload);
	struct check_result result;
	const bool ours = !strcmp(bus_peer_role(bus_request_peer(request)), "active");
	int bad = !ours ? ERR_DENIED : check_result_read(&r, &result) ? 0 : ERR_BAD;
	if (!bad)
		control_check_result(t->control, &result, clock_utc_us());
	bus_answer(request, bad, (struct bytes){0}, false);
}

void server_topics_open(struct server_topics *t)
{
	bus_on_request(t->bus, "check.done", on_done, t);
}
