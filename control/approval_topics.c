/* Approvals at the bus: who asks and takes, who lists and decides, and how the asker hears of it. */
#include "base/clock.h"
#include "base/error.h"
#include "bus/bus.h"
#include "control/approve_inner.h"
#include "control/room_inner.h"

#define LIST_MAX (512u << 10)

/* Roles that work with what attackers left.  No decoy may have anything put before the operator. */
static const char *const askers[] = {"lab", "visit", "bait", NULL};

static const char *asker_of(struct bus_request *request)
{
	const char *role = bus_peer_role(bus_request_peer(request));
	for (size_t i = 0; askers[i]; i++)
		if (!strcmp(role, askers[i]))
			return askers[i];
	bus_answer(request, ERR_DENIED, BYTES("not for that process"), false);
	return NULL;
}

static bool is_operator(struct bus_request *request)
{
	const char *role = bus_peer_role(bus_request_peer(request));
	if (!strcmp(role, "web") || !strcmp(role, "guest"))
		return true;
	bus_answer(request, ERR_DENIED, BYTES("not for that process"), false);
	return false;
}

static void on_ask(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct approval_topics *t = arg;
	struct reader r = reader_of_bytes(payload);
	struct approval_ask ask;
	struct approval_standing standing;
	struct fault fault = {{0}};
	uint8_t wire[APPROVAL_STANDING_WIRE];
	struct writer w = writer_of(wire, sizeof wire);
	const char *role = asker_of(request);
	if (!role)
		return;
	int bad = approval_ask_read(&r, &ask) ? control_approval_ask(t->control, role, &ask, clock_utc_us(), &standing, &fault)
					      : fault_set(&fault, ERR_BAD, "approval.ask: the payload is malformed");
	if (!bad)
		approval_standing_write(&standing, &w);
	bus_answer(request, bad, bad ? bytes_of_text(fault.text) : writer_bytes(&w), false);
}

static void on_take(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct approval_topics *t = arg;
	struct fault fault = {{0}};
	struct event_id id;
	const char *role = asker_of(request);
	if (!role)
		return;
	int bad = payload.len == sizeof id.b ? 0 : fault_set(&fault, ERR_BAD, "approval.take: an id has 16 bytes");
	if (!bad)
		memcpy(id.b, payload.at, sizeof id.b);
	bad = bad ? bad : control_approval_take(t->control, role, &id, clock_utc_us(), &fault);
	bus_answer(request, bad, bad ? bytes_of_text(fault.text) : (struct bytes){0}, false);
}

typedef int serve_f(struct control *, struct bytes json, struct writer *, struct fault *);

static void serve(const struct approval_topics *t, struct bus_request *request, struct bytes json, serve_f *with)
{
	struct buffer answer = BUFFER(LIST_MAX);
	struct fault fault = {{0}};
	if (!is_operator(request))
		return;
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
	serve(arg, request, json, control_approval_list);
}

static void on_decide(void *arg, struct bus_request *request, struct bytes json)
{
	serve(arg, request, json, control_approval_decide);
}

void approval_topics_open(struct approval_topics *t)
{
	bus_on_request(t->bus, "approval.ask", on_ask, t);
	bus_on_request(t->bus, "approval.take", on_take, t);
	bus_on_request(t->bus, "approval.list", on_list, t);
	bus_on_request(t->bus, "approval.decide", on_decide, t);
	bus_open_to_guests(t->bus, "approval.list");
	bus_open_to_guests(t->bus, "approval.decide");
}

void approval_topics_tell(struct approval_topics *t, const struct approval *a)
{
	uint8_t wire[APPROVAL_STANDING_WIRE];
	struct writer w = writer_of(wire, sizeof wire);
	approval_standing_write(&a->standing, &w);
	bus_tell_each(t->bus, a->role, "approval.told", writer_bytes(&w));
}
