/* Messages of a link, read and written; formats in link_inner.h. */
#include "base/clock.h"
#include "bus/link_inner.h"
#include <stdlib.h>

struct writer message_begin(struct bus_peer *peer, enum message type, size_t body)
{
	uint8_t *room = buffer_room(&peer->out, MESSAGE_HEADER + body);
	if (!room)
		return (struct writer){.bad = true};
	struct writer w = writer_of(room, MESSAGE_HEADER + body);
	write_u32(&w, (uint32_t)(MESSAGE_HEADER + body));
	write_u8(&w, (uint8_t)type);
	buffer_grown(&peer->out, MESSAGE_HEADER + body);
	peer->dirty = true;
	peer->urgent |= type != MESSAGE_EVENT && type != MESSAGE_ACK;
	return w;
}

void message_hello(struct bus_peer *peer)
{
	uint8_t names[DICTIONARY_MAX];
	struct writer d = writer_of(names, sizeof names);
	dictionary_write(&d);
	struct writer w = message_begin(peer, MESSAGE_HELLO, 12 + writer_used(&d));
	write_u64(&w, strcmp(peer->role, peer->bus->ignored) ? peer->bus->subscription : 0);
	write_u32(&w, peer->bus->ids.maker);
	write_span(&w, writer_bytes(&d));
}

static int read_hello(struct bus_peer *peer, struct reader *r)
{
	kind_mask theirs = read_u64(r);
	uint32_t maker = read_u32(r);
	if (!reader_ok(r) || dictionary_read(read_rest(r), &peer->dictionary))
		return ERR_BAD;
	kind_mask wants = 0;
	for (uint16_t k = 0; k < peer->dictionary.kinds_count && k < 64; k++)
		if (theirs & (kind_mask)1 << k && peer->dictionary.kinds[k] < EVENT_KIND_COUNT)
			wants |= KIND_MASK(peer->dictionary.kinds[k]);
	peer->wants = wants;
	peer->maker = maker;
	bool first = !peer->greeted;
	peer->greeted = true;
	if (first && peer->bus->hooks.linked)
		peer->bus->hooks.linked(peer->bus->hooks.arg, peer);
	return 0;
}

/* Fields that only the bus writes; a frame that brings its own is a forgery. */
static bool frame_is_stamped(struct bytes frame)
{
	struct reader r = reader_of_bytes(frame);
	read_bytes(&r, FRAME_HEADER);
	while (reader_left(&r)) {
		uint16_t field = read_u16(&r);
		read_u8(&r);
		read_bytes(&r, read_u16(&r));
		if (!reader_ok(&r) || field == FIELD_PROCESS || field == FIELD_RECEIVED ||
		    field == FIELD_SENSOR)
			return true;
	}
	return false;
}

static void write_stamp(struct writer *w, uint16_t field, enum field_type type, struct bytes b)
{
	write_u16(w, field);
	write_u8(w, (uint8_t)type);
	write_u16(w, (uint16_t)b.len);
	write_span(w, b);
}

/* The frame in our numbers with sensor, process and time received appended. */
static int stamp(struct bus_peer *peer, struct bytes frame, struct bytes *out)
{
	struct bus *bus = peer->bus;
	struct writer w = writer_of(bus->stamped, sizeof bus->stamped);
	if (peer->dictionary.same) {
		write_span(&w, frame);
	} else {
		int bad = frame_decode(frame, &peer->dictionary, &bus->event);
		if (bad)
			return bad;
		frame_encode(&bus->event, &w);
	}
	if (!w.bad && !peer->rights.relays) {
		if (frame_is_stamped(writer_bytes(&w)))
			return ERR_DENIED;
		uint8_t now[8];
		struct writer n = writer_of(now, sizeof now);
		write_u64(&n, clock_utc_us());
		write_stamp(&w, FIELD_RECEIVED, FIELD_TIME, writer_bytes(&n));
		write_stamp(&w, FIELD_PROCESS, FIELD_TEXT, bytes_of_text(peer->role));
		write_stamp(&w, FIELD_SENSOR, FIELD_TEXT, bytes_of_text(bus->sensor));
	}
	if (w.bad)
		return ERR_BAD;
	*out = writer_bytes(&w);
	struct writer length = writer_of(bus->stamped, 4);
	write_u32(&length, (uint32_t)out->len);
	return 0;
}

static int read_event(struct bus_peer *peer, struct reader *r)
{
	struct bus *bus = peer->bus;
	uint64_t sequence = read_u64(r);
	struct bytes frame;
	if (!reader_ok(r) || !peer->greeted || frame_take(r, &frame) || reader_left(r))
		return ERR_BAD;
	int kind = frame_kind(frame, &peer->dictionary);
	peer->seen = sequence ? sequence : peer->seen;
	struct bytes stamped;
	bool allowed = kind >= 0 && (peer->rights.sends & KIND_MASK(kind));
	if (!allowed || stamp(peer, frame, &stamped)) {
		bus->foreign++; /* told by the room as a sensor.changed; the sender need not keep it */
		bus_acknowledge(bus, peer, sequence);
		return 0;
	}
	struct bus_delivery d = {peer, (enum event_kind)kind, stamped, sequence};
	if (bus->hooks.event)
		bus->hooks.event(bus->hooks.arg, &d);
	else
		bus_acknowledge(bus, peer, sequence);
	return 0;
}

static int read_acknowledgement(struct bus_peer *peer, struct reader *r)
{
	uint64_t sequence = read_u64(r);
	if (!reader_ok(r) || reader_left(r) || sequence >= peer->next_sequence)
		return ERR_BAD;
	while (peer->unacked_first <= sequence) {
		struct reader frames = reader_of_bytes(buffer_bytes(&peer->unacked));
		struct bytes frame;
		if (frame_take(&frames, &frame))
			return ERR_BAD;
		buffer_consume(&peer->unacked, frame.len);
		peer->unacked_first++;
	}
	if (peer->bus->hooks.acknowledged)
		peer->bus->hooks.acknowledged(peer->bus->hooks.arg, peer, sequence);
	bus_relief_check(peer->bus);
	return 0;
}

struct bus_request {
	struct bus_peer *peer;
	uint32_t id;
	uint64_t instance;
};

static int read_request(struct bus_peer *peer, struct reader *r)
{
	struct bus *bus = peer->bus;
	uint32_t id = read_u32(r);
	struct bytes topic = read_bytes(r, read_u8(r));
	struct bytes payload = read_rest(r);
	if (!reader_ok(r) || topic.len == 0)
		return ERR_BAD;
	struct bus_request *request = calloc(1, sizeof *request);
	if (!request)
		return ERR_MEMORY;
	*request = (struct bus_request){peer, id, peer->instance};
	for (size_t i = 0; i < bus->topic_count; i++) {
		const struct bus_topic *t = &bus->topics[i];
		if (bytes_equal_text(topic, t->name) && (t->guests || !peer->rights.guest)) {
			t->handler(t->arg, request, payload);
			return 0;
		}
	}
	bus_answer(request, ERR_MISSING, BYTES("no such topic here"), false);
	return 0;
}

static int read_answer(struct bus_peer *peer, struct reader *r)
{
	struct bus *bus = peer->bus;
	uint32_t id = read_u32(r);
	int status = (int32_t)read_u32(r);
	bool more = read_u8(r) != 0;
	struct bytes payload = read_rest(r);
	if (!reader_ok(r))
		return ERR_BAD;
	for (struct bus_pending **at = &bus->pending; *at; at = &(*at)->next) {
		struct bus_pending *p = *at;
		if (p->id != id || p->peer != peer)
			continue;
		bus_answer_f *answer = p->answer;
		void *arg = p->arg;
		if (!more) {
			*at = p->next;
			free(p);
		}
		if (answer)
			answer(arg, status, payload, more);
		return 0;
	}
	return 0; /* of a request that we gave up */
}

static int read_message(struct bus_peer *peer, enum message type, struct reader *r)
{
	switch (type) {
	case MESSAGE_HELLO:
		return read_hello(peer, r);
	case MESSAGE_EVENT:
		return peer->rights.guest ? ERR_DENIED : read_event(peer, r);
	case MESSAGE_ACK:
		return read_acknowledgement(peer, r);
	case MESSAGE_REQUEST:
		return read_request(peer, r);
	case MESSAGE_ANSWER:
		return read_answer(peer, r);
	case MESSAGE_STOPPING:
		peer->clean = true;
		return 0;
	}
	return ERR_BAD;
}

int messages_read(struct bus_peer *peer)
{
	uint64_t link = peer->instance;
	while (buffer_len(&peer->in) >= MESSAGE_HEADER) {
		struct reader r = reader_of_bytes(buffer_bytes(&peer->in));
		uint32_t length = read_u32(&r);
		enum message type = read_u8(&r);
		if (length < MESSAGE_HEADER || length > MESSAGE_MAX)
			return ERR_BAD;
		if (buffer_len(&peer->in) < length)
			return 0;
		struct bytes body = read_bytes(&r, length - MESSAGE_HEADER);
		struct reader b = reader_of_bytes(body);
		int bad = read_message(peer, type, &b);
		if (bad)
			return bad;
		if (peer->instance != link || !peer->transport_state)
			return 0; /* a handler closed it */
		buffer_consume(&peer->in, length);
	}
	return 0;
}

void bus_answer(struct bus_request *request, int status, struct bytes payload, bool more)
{
	struct bus_peer *peer = request->peer;
	bool there = peer->transport_state && peer->instance == request->instance;
	if (there && payload.len <= BUS_PAYLOAD_MAX) {
		struct writer w = message_begin(peer, MESSAGE_ANSWER, 9 + payload.len);
		write_u32(&w, request->id);
		write_u32(&w, (uint32_t)status);
		write_u8(&w, more);
		write_span(&w, payload);
	}
	if (!more)
		free(request);
}

struct bus_peer *bus_request_peer(struct bus_request *request) { return request->peer; }

long bus_request_unsent(const struct bus_request *request)
{
	const struct bus_peer *peer = request->peer;
	bool there = peer->transport_state && peer->instance == request->instance;
	return there ? (long)buffer_len(&peer->out) : ERR_GONE;
}
