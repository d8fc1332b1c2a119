#include "control/server_topics_inner.h"
#include "base/clock.h"
#include "base/error.h"

#define LIST_MAX (960u << 10)

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

typedef int serve_f(struct control *, struct bytes json, struct writer *, struct fault *);

static void serve(const struct server_topics *t, struct bus_request *request, struct bytes json, serve_f *with)
{
	struct buffer answer = BUFFER(LIST_MAX);
	struct fault fault = {{0}};
	const char *role = bus_peer_role(bus_request_peer(request));
	if (strcmp(role, "web") && strcmp(role, "guest")) {
		bus_answer(request, ERR_DENIED, BYTES("not for that process"), false);
		return;
	}
	uint8_t *room = buffer_room(&answer, LIST_MAX);
	struct writer w = writer_of(room, room ? LIST_MAX : 0);
	t->control->now_us = clock_utc_us();
	int bad = with(t->control, json, &w, &fault);
	if (!bad && w.bad)
		bad = fault_set(&fault, ERR_FULL, "the answer is too large");
	bus_answer(request, bad, bad ? bytes_of_text(fault.text) : writer_bytes(&w), false);
	buffer_done(&answer);
}

static void on_list(void *arg, struct bus_request *request, struct bytes json)
{
	serve(arg, request, json, control_server_list);
}

static void on_check(void *arg, struct bus_request *request, struct bytes json)
{
	serve(arg, request, json, control_server_check);
}

void server_topics_open(struct server_topics *t)
{
	bus_on_request(t->bus, "check.done", on_done, t);
	bus_on_request(t->bus, "server.list", on_list, t);
	bus_on_request(t->bus, "server.check", on_check, t);
	bus_open_to_guests(t->bus, "server.list");
	bus_open_to_guests(t->bus, "server.check");
}
