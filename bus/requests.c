/* Questions to other processes and who answers them; how they travel is in messages.c. */
#include "bus/link_inner.h"
#include <assert.h>
#include <stdlib.h>

static int request_to(struct bus_peer *peer, const char *topic, struct bytes payload,
		      bus_answer_f *answer, void *arg)
{
	struct bus *bus = peer->bus;
	size_t topic_len = strlen(topic);
	if (payload.len > BUS_PAYLOAD_MAX || topic_len > BUS_TOPIC_MAX)
		return ERR_BAD;
	struct bus_pending *p = calloc(1, sizeof *p);
	if (!p)
		return ERR_MEMORY;
	*p = (struct bus_pending){bus->pending, peer, ++bus->next_request, answer, arg};
	struct writer w = message_begin(peer, MESSAGE_REQUEST, 5 + topic_len + payload.len);
	write_u32(&w, p->id);
	write_u8(&w, (uint8_t)topic_len);
	write_text(&w, topic);
	write_span(&w, payload);
	if (w.bad) {
		free(p);
		return ERR_FULL;
	}
	bus->pending = p;
	return 0;
}

int bus_request(struct bus *bus, const char *role, const char *topic, struct bytes payload,
		bus_answer_f *answer, void *arg)
{
	for (size_t i = 0; i < bus->peer_count; i++) {
		struct bus_peer *p = bus->peers[i];
		if (!strcmp(p->role, role) && p->transport_state && !p->rights.guest)
			return request_to(p, topic, payload, answer, arg);
	}
	return ERR_GONE;
}

int bus_tell_each(struct bus *bus, const char *role, const char *topic, struct bytes payload)
{
	int told = ERR_GONE;
	for (size_t i = 0; i < bus->peer_count; i++) {
		struct bus_peer *p = bus->peers[i];
		if (strcmp(p->role, role) || !p->transport_state || p->rights.guest)
			continue;
		int bad = request_to(p, topic, payload, NULL, NULL);
		if (bad)
			return bad;
		told = 0;
	}
	return told;
}

struct summing {
	size_t waiting;
	int status;
	uint64_t sum;
	bus_sum_f *done;
	void *arg;
};

static void summing_step(struct summing *q)
{
	if (--q->waiting)
		return;
	q->done(q->arg, q->status, q->sum);
	free(q);
}

static void on_summand(void *arg, int status, struct bytes payload, bool more)
{
	struct summing *q = arg;
	struct reader r = reader_of_bytes(payload);
	uint64_t n = read_u64(&r);
	if (more)
		return;
	if (!status && !reader_ok(&r))
		status = ERR_BAD;
	if (status && !q->status)
		q->status = status;
	q->sum += status ? 0 : n;
	summing_step(q);
}

void bus_sum_each(struct bus *bus, const char *role, const char *topic, struct bytes payload, bus_sum_f *done,
		  void *arg)
{
	struct summing *q = calloc(1, sizeof *q);
	if (!q) {
		done(arg, ERR_MEMORY, 0);
		return;
	}
	*q = (struct summing){.waiting = 1, .done = done, .arg = arg}; /* one for this loop */
	for (size_t i = 0; i < bus->peer_count; i++) {
		struct bus_peer *p = bus->peers[i];
		if (strcmp(p->role, role) || p->rights.guest)
			continue;
		int bad = p->transport_state ? request_to(p, topic, payload, on_summand, q) : ERR_GONE;
		q->waiting += !bad;
		if (bad && !q->status)
			q->status = bad;
	}
	summing_step(q);
}

void bus_on_request(struct bus *bus, const char *topic, bus_request_f *handler, void *arg)
{
	assert(bus->topic_count < TOPICS_MAX);
	bus->topics[bus->topic_count++] = (struct bus_topic){topic, handler, arg, false};
}

void bus_open_to_guests(struct bus *bus, const char *topic)
{
	for (size_t i = 0; i < bus->topic_count; i++)
		if (!strcmp(bus->topics[i].name, topic))
			bus->topics[i].guests = true;
}
