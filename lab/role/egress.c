/*
 * Samples that may talk with their command server, once the operator has said so.
 *
 * A sample that was run and showed such a server is told as ever; then control is asked for an
 * approval, and nothing waits for the answer.  A yes makes it a sample at work again: run as before,
 * then once more with a way out to that endpoint and no other, for which the approval is taken.
 * What waits here is lost with this process: then the approval grows old, and nothing leaves.
 */
#include "lab/role/room_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/approval.h"
#include "event/indicator.h"

#define KIND "egress-run"

static const struct hello *hello_to(const struct job *j, struct bytes endpoint)
{
	for (size_t r = 0; r < STORY_RUNS_USUAL; r++)
		for (size_t i = 0; j->story.runs[r] && i < j->story.runs[r]->hello_count; i++)
			if (j->story.runs[r]->hellos[i].said.len && bytes_equal_text(endpoint, j->story.runs[r]->hellos[i].endpoint))
				return &j->story.runs[r]->hellos[i];
	return NULL;
}

/* The surest command server that it talked with and goes to by address: of a name nobody here knows where it is. */
static const struct hello *server_of(const struct job *j, struct address *address, uint16_t *port)
{
	uint32_t number;
	for (size_t i = 0; i < j->story.indicator_count; i++) {
		const struct indicator *it = &j->story.indicators[i];
		const struct hello *h = it->type == INDICATOR_ENDPOINT && it->role == FOR_COMMAND ? hello_to(j, it->value) : NULL;
		if (!h || !indicator_address(it, address, &number) || !number)
			continue;
		*port = (uint16_t)number;
		return h;
	}
	return NULL;
}

/* The operator said yes: it comes to its turn as any sample. */
static void begin(struct egress_wait *w)
{
	struct event *e = &w->room->event;
	event_begin(e, EVENT_FILE_CAPTURED);
	e->id = w->id;
	e->time_us = clock_utc_us();
	event_set_id(e, FIELD_ROOT, &w->root);
	event_set_number(e, FIELD_DEPTH, w->depth);
	if (w->has_source)
		event_set_address(e, FIELD_SRC, &w->source);
	event_set_text(e, FIELD_FILE_SHA256, w->sha256);
	event_set_bytes(e, FIELD_FILE_NAME, bytes_of_text(w->name));
	struct job *j = job_new(w->room, e);
	if (!j) {
		log_warning("lab: no memory to let %s talk", w->sha256);
		w->used = false;
		return;
	}
	j->place_count = 0; /* the store knows the real ones */
	j->egress = w;
	w->begun = true;
	room_queue(w->room, j);
}

static void stands(struct egress_wait *w, enum approval_state state)
{
	if (w->begun || state == APPROVAL_WAITING)
		return;
	if (state == APPROVAL_APPROVED && !w->room->stopped)
		begin(w);
	else
		w->used = false;
}

static void asked(void *arg, int status, struct bytes payload, bool more)
{
	struct egress_wait *w = arg;
	struct reader r = reader_of_bytes(payload);
	struct approval_standing standing;
	if (more || w->room->stopped)
		return;
	if (!status && !approval_standing_read(&r, &standing))
		status = ERR_BAD;
	if (status) {
		log_info("lab: nobody is asked whether %s may talk with its server: %.*s", w->sha256,
			 (int)(payload.len < 200 ? payload.len : 200), payload.len ? (const char *)payload.at : "");
		w->used = false;
		return;
	}
	w->id = standing.id;
	stands(w, standing.state);
}

void room_approval(void *arg, struct bus_request *request, struct bytes payload)
{
	struct lab_room *room = arg;
	struct reader r = reader_of_bytes(payload);
	struct approval_standing standing;
	const bool good = !strcmp(bus_peer_role(bus_request_peer(request)), "control") && approval_standing_read(&r, &standing);
	bus_answer(request, good ? 0 : ERR_BAD, (struct bytes){0}, false);
	for (size_t i = 0; good && i < EGRESS_WAITS_MAX; i++)
		if (room->egress[i].used && id_equal(&room->egress[i].id, &standing.id)) {
			stands(&room->egress[i], standing.state);
			return;
		}
}

static struct egress_wait *wait_new(struct lab_room *room)
{
	for (size_t i = 0; i < EGRESS_WAITS_MAX; i++)
		if (!room->egress[i].used) {
			room->egress[i] = (struct egress_wait){.room = room, .used = true};
			return &room->egress[i];
		}
	return NULL;
}

/* What is read and approved: with whom, and the first words; the caps stand in the title. */
static void ask(struct job *j, struct egress_wait *w, struct bytes said)
{
	char text[APPROVAL_TEXT_MAX], wire[APPROVAL_WIRE_MAX], place[ADDRESS_TEXT_MAX];
	const struct lab_options *o = j->room->options;
	struct writer t = writer_of(text, sizeof text), out = writer_of(wire, sizeof wire);
	struct approval_ask a = {.target = w->target, .port = w->port, .cause = j->analysed.id, .root = j->root, .depth = j->depth + 1,
				 .kind = KIND};
	address_format(&w->target, place);
	write_fmt(&t, address_is_v4(&w->target) ? "%s:%u\n" : "[%s]:%u\n", place, w->port);
	write_bytes(&t, said.at, said.len < writer_left(&t) ? said.len : writer_left(&t));
	snprintf(a.title, sizeof a.title, "a sample runs and talks with its server: %llu bytes out, %llu in, %llu connections at most;"
		 " where, and its first words so far", (unsigned long long)o->egress.sent, (unsigned long long)o->egress.received,
		 (unsigned long long)o->egress.connections);
	snprintf(a.sample, sizeof a.sample, "%s", j->sha256);
	a.text = writer_bytes(&t);
	approval_ask_write(&a, &out);
	if (out.bad || bus_request(j->room->process->bus, "control", "approval.ask", writer_bytes(&out), asked, w))
		w->used = false;
}

void job_ask_egress(struct job *j)
{
	struct address target;
	uint16_t port = 0;
	if (!j->room->options->egress.on || j->egress || !j->story.runs[0])
		return;
	const struct hello *h = server_of(j, &target, &port);
	if (!h)
		return;
	struct egress_wait *w = wait_new(j->room);
	if (!w) {
		log_info("lab: %s may not talk with its server: %d others wait for the operator", j->sha256, EGRESS_WAITS_MAX);
		return;
	}
	w->root = j->root;
	w->depth = j->depth + 2;
	w->source = j->source;
	w->has_source = j->has_source;
	w->target = target;
	w->port = port;
	memcpy(w->sha256, j->sha256, sizeof w->sha256);
	memcpy(w->name, j->name, sizeof w->name);
	ask(j, w, h->said);
}

static void taken(void *arg, int status, struct bytes payload, bool more)
{
	struct job *j = arg;
	if (more || j->room->stopped)
		return;
	if (status)
		log_warning("lab: %s does not talk with its server: %.*s", j->sha256, (int)(payload.len < 200 ? payload.len : 200),
			    payload.len ? (const char *)payload.at : "");
	job_egress_taken(j, status == 0);
}

void job_take_egress(struct job *j)
{
	const struct bytes id = {j->egress->id.b, sizeof j->egress->id.b};
	if (bus_request(j->room->process->bus, "control", "approval.take", id, taken, j))
		job_egress_taken(j, false);
}
