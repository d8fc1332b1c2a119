/* Approvals at the bus: who asks and takes, and how the asker hears of it. */
#include "base/clock.h"
#include "base/error.h"
#include "bus/bus.h"
#include "control/approve_inner.h"
#include "control/room_inner.h"

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

void approval_topics_open(struct approval_topics *t)
{
	bus_on_request(t->bus, "approval.ask", on_ask, t);
	bus_on_request(t->bus, "approval.take", on_take, t);
}

void approval_topics_tell(struct approval_topics *t, const struct approval *a)
{
	uint8_t wire[APPROVAL_STANDING_WIRE];
	struct writer w = writer_of(wire, sizeof wire);
	approval_standing_write(&a->standing, &w);
	bus_tell_each(t->bus, a->role, "approval.told", writer_bytes(&w));
}
