/* Surveys at the bus: a scanner asks for its permission, keeps it, tells hits; a person stops it. */
#include "base/clock.h"
#include "base/prefix_pieces.h"
#include "bus/bus.h"
#include "control/room_inner.h"
#include <stdlib.h>

#define PIECE_MAX (1 + PREFIX_PIECE_MAX)
#define STATUS_MAX (256u << 10)

/* Only a command line may ask: no process of ours that faces the network scans. */
static bool may_ask(struct bus_request *request)
{
	const char *role = bus_peer_role(bus_request_peer(request));
	if (!strcmp(role, "guest") || !strcmp(role, "web"))
		return true;
	bus_answer(request, ERR_DENIED, BYTES("not for that process"), false);
	return false;
}

static int answer_set(struct bus_request *request, enum survey_part part, const struct prefix_set *set)
{
	uint8_t *room = malloc(PIECE_MAX);
	size_t at = 0;
	while (room) {
		struct writer w = writer_of(room, PIECE_MAX);
		write_u8(&w, (uint8_t)part);
		if (!prefix_pieces_write(set, &at, &w))
			break;
		bus_answer(request, 0, writer_bytes(&w), true);
	}
	free(room);
	return room ? 0 : ERR_MEMORY;
}

static void on_ask(void *arg, struct bus_request *request, struct bytes name)
{
	const struct survey_topics *t = arg;
	struct survey_grant_made made;
	struct fault fault = {{0}};
	uint8_t wire[1 + SURVEY_LEASE_WIRE_MAX];
	if (!may_ask(request))
		return;
	enum reason reason = control_survey_ask(t->control, name, clock_utc_us(), &made, &fault);
	struct writer w = writer_of(wire, sizeof wire);
	write_u8(&w, SURVEY_PART_LEASE);
	survey_lease_write(&made.lease, &w);
	int bad = reason == REASON_OK ? 0 : ERR_DENIED;
	if (!bad)
		bus_answer(request, 0, writer_bytes(&w), true);
	if (!bad && (answer_set(request, SURVEY_PART_TARGETS, &made.targets) ||
		     answer_set(request, SURVEY_PART_EXCLUDED, &made.excluded)))
		bad = fault_set(&fault, ERR_MEMORY, "no memory for the survey's prefixes");
	bus_answer(request, bad, bad ? bytes_of_text(fault.text) : (struct bytes){0}, false);
	prefix_set_done(&made.targets);
	prefix_set_done(&made.excluded);
}

static void on_keep(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct survey_topics *t = arg;
	struct survey_progress progress;
	struct prefix_set excluded = {0};
	struct reader r = reader_of_bytes(payload);
	uint8_t wire[256];
	struct writer w = writer_of(wire, sizeof wire);
	if (!may_ask(request))
		return;
	if (!survey_progress_read(&r, &progress)) {
		bus_answer(request, ERR_BAD, BYTES("survey.keep: the payload is malformed"), false);
		return;
	}
	const char *why = control_survey_keep(t->control, &progress, clock_utc_us(), &excluded);
	int bad = !why && excluded.count ? answer_set(request, SURVEY_PART_EXCLUDED, &excluded) : 0;
	prefix_set_done(&excluded);
	write_u8(&w, SURVEY_PART_KEEP);
	write_u8(&w, !why && !bad);
	write_text(&w, why ? why : bad ? "no memory for those who opted out" : "");
	bus_answer(request, 0, writer_bytes(&w), false);
}

static void on_hits(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct survey_topics *t = arg;
	uint8_t wire[8];
	struct writer w = writer_of(wire, sizeof wire);
	if (!may_ask(request))
		return;
	const int64_t looks = control_survey_hits(t->control, payload, clock_utc_us());
	if (looks < 0) {
		bus_answer(request, (int)looks, BYTES("survey.hits: no such lease, or malformed"), false);
		return;
	}
	write_u64(&w, (uint64_t)looks);
	bus_answer(request, 0, writer_bytes(&w), false);
}

static void on_list(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct survey_topics *t = arg;
	char *room = malloc(STATUS_MAX);
	struct writer w = writer_of(room, room ? STATUS_MAX : 0);
	(void)payload;
	if (room)
		control_survey_write(t->control, clock_utc_us(), &w);
	bus_answer(request, !room ? ERR_MEMORY : w.bad ? ERR_FULL : 0, writer_bytes(&w), false);
	free(room);
}

static void set_stopped(const struct survey_topics *t, struct bus_request *request, struct bytes name, bool stop)
{
	if (!may_ask(request))
		return;
	int bad = control_survey_stop(t->control, name, stop, clock_utc_us());
	bus_answer(request, bad, bad ? BYTES("active.surveys has none of that name") : (struct bytes){0}, false);
}

static void on_stop(void *arg, struct bus_request *request, struct bytes name) { set_stopped(arg, request, name, true); }
static void on_start(void *arg, struct bus_request *request, struct bytes name) { set_stopped(arg, request, name, false); }

void survey_topics_open(struct survey_topics *t)
{
	static const struct {
		const char *topic;
		bus_request_f *serve;
	} topics[] = {
		{"survey.ask", on_ask},	  {"survey.keep", on_keep}, {"survey.hits", on_hits},
		{"survey.list", on_list}, {"survey.stop", on_stop}, {"survey.start", on_start},
	};
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
		bus_on_request(t->bus, topics[i].topic, topics[i].serve, t);
		bus_open_to_guests(t->bus, topics[i].topic);
	}
}
