/* Visits at the bus (control.h): the process "visit" asks for each connection; a person may ask for a page. */
#include "base/clock.h"
#include "bus/bus.h"
#include "control/room_inner.h"
#include <jansson.h>

static bool is_from(struct bus_request *request, const char *role)
{
	return !strcmp(bus_peer_role(bus_request_peer(request)), role);
}

static bool may_visit(struct bus_request *request)
{
	if (is_from(request, "visit") || is_from(request, "guest"))
		return true;
	bus_answer(request, ERR_DENIED, BYTES("not for that process"), false);
	return false;
}

static bool read_id(struct reader *r, struct event_id *out)
{
	struct bytes id = read_bytes(r, sizeof out->b);
	if (id.len)
		memcpy(out->b, id.at, sizeof out->b);
	return id.len != 0;
}

static void on_connect(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct visit_topics *t = arg;
	struct reader r = reader_of_bytes(payload);
	struct event_id lease = {{0}};
	struct address address = {{0}}, from;
	uint8_t wire[64];
	struct writer w = writer_of(wire, sizeof wire);
	if (!may_visit(request))
		return;
	read_id(&r, &lease);
	struct bytes a = read_bytes(&r, sizeof address.b);
	const uint16_t port = read_u16(&r);
	if (!reader_ok(&r)) {
		bus_answer(request, ERR_BAD, BYTES("visit.connect: the payload is malformed"), false);
		return;
	}
	memcpy(address.b, a.at, sizeof address.b);
	const enum reason reason = control_visit_connect(t->control, &lease, &address, port, read_rest(&r), clock_utc_us(), &from);
	write_u8(&w, reason == REASON_OK);
	write_bytes(&w, from.b, sizeof from.b);
	write_text(&w, reason_word(reason));
	bus_answer(request, 0, writer_bytes(&w), false);
}

static void on_done(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct visit_topics *t = arg;
	struct reader r = reader_of_bytes(payload);
	struct event_id lease;
	if (!may_visit(request))
		return;
	if (read_id(&r, &lease))
		control_visit_done(t->control, &lease);
	bus_answer(request, reader_ok(&r) ? 0 : ERR_BAD, (struct bytes){0}, false);
}

static void write_answer(const struct visit_answer *a, struct writer *w)
{
	char id[EVENT_ID_TEXT], time[TIME_TEXT_MAX], detail[512];
	struct writer d = writer_of(detail, sizeof detail);
	write_fmt(&d, "%s%s%s", reason_what(a->reason), a->detail[0] ? ": " : "", a->detail);
	write_fmt(w, "{\"decision\":\"%s\",\"reason\":\"%s\",\"detail\":", a->decision, reason_word(a->reason));
	write_json_string(w, writer_bytes(&d));
	if (a->not_before_us)
		write_fmt(w, ",\"lease\":\"%s\",\"not_before\":\"%s\"", id_format(&a->id, id), time_format(a->not_before_us, time));
	write_text(w, "}");
}

static void on_ask(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct visit_topics *t = arg;
	char json[1024];
	struct writer w = writer_of(json, sizeof json);
	struct visit_answer answer;
	if (!is_from(request, "guest") && !is_from(request, "web")) {
		bus_answer(request, ERR_DENIED, BYTES("not for that process"), false);
		return;
	}
	json_t *object = json_loadb((const char *)payload.at, payload.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *url = json_object_get(object, "url");
	if (!json_is_string(url)) {
		json_decref(object);
		bus_answer(request, ERR_BAD, BYTES("visit.ask: {\"url\": \"http://...\"} is missing"), false);
		return;
	}
	const bool here = json_is_true(json_object_get(object, "here")), dry = json_is_true(json_object_get(object, "dry"));
	control_visit_ask(t->control, bytes_of_text(json_string_value(url)), here, dry, clock_utc_us(), &answer);
	json_decref(object);
	write_answer(&answer, &w);
	bus_answer(request, w.bad ? ERR_FULL : 0, writer_bytes(&w), false);
}

void visit_topics_open(struct visit_topics *t)
{
	static const struct {
		const char *topic;
		bus_request_f *serve;
	} topics[] = {{"visit.connect", on_connect}, {"visit.done", on_done}, {"visit.ask", on_ask}};
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
		bus_on_request(t->bus, topics[i].topic, topics[i].serve, t);
		bus_open_to_guests(t->bus, topics[i].topic);
	}
}
