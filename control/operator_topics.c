#include "control/operator_topics_inner.h"
#include "base/clock.h"
#include "bus/bus.h"
#include "control/room_inner.h"
#include <stdlib.h>

#define ANSWER_MAX (960u << 10)

struct operator_door {
	struct operator_topics *all;
	const struct operator_topic *topic;
};

static int serve(struct control *c, const struct operator_topic *t, struct bytes json, struct writer *w,
		 struct fault *fault)
{
	json_t *in = json.len ? json_loadb((const char *)json.at, json.len, JSON_REJECT_DUPLICATES, NULL) : json_object();
	int bad = json_is_object(in) ? t->serve(c, in, w, fault)
				     : fault_set(fault, ERR_BAD, "the payload is not a JSON object");
	json_decref(in);
	return bad;
}

int operator_topic_ask(struct control *c, const char *topic, struct bytes json, struct writer *w, struct fault *fault)
{
	REGISTRY_EACH(operator_topics, struct operator_topic, it)
		if (!strcmp((*it)->topic, topic))
			return serve(c, *it, json, w, fault);
	return fault_set(fault, ERR_MISSING, "there is no topic %s", topic);
}

/* Decoys and probers have no say in it; the page's process has only what visitors need. */
static bool may_ask(const struct operator_topic *topic, struct bus_request *request)
{
	const char *role = bus_peer_role(bus_request_peer(request));
	if (!strcmp(role, "page"))
		return topic->from_page;
	return !strcmp(role, "web") || !strcmp(role, "guest");
}

static void on_asked(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct operator_door *door = arg;
	struct control *c = door->all->control;
	struct fault fault = {{0}};
	if (!may_ask(door->topic, request)) {
		bus_answer(request, ERR_DENIED, BYTES("not for that process"), false);
		return;
	}
	struct buffer answer = BUFFER(ANSWER_MAX);
	uint8_t *room = buffer_room(&answer, ANSWER_MAX);
	struct writer w = writer_of(room, room ? ANSWER_MAX : 0);
	c->now_us = clock_utc_us();
	int bad = serve(c, door->topic, payload, &w, &fault);
	if (c->opt_outs_grew)
		door->all->opt_outs_grew(door->all->arg);
	c->opt_outs_grew = false;
	if (!bad && w.bad)
		bad = fault_set(&fault, ERR_FULL, "the answer is too large");
	bus_answer(request, bad, bad ? bytes_of_text(fault.text) : writer_bytes(&w), false);
	buffer_done(&answer);
}

int operator_topics_open(struct operator_topics *all)
{
	size_t count = 0;
	REGISTRY_EACH(operator_topics, struct operator_topic, it)
		count++;
	struct operator_door *door = all->doors = calloc(count, sizeof *all->doors);
	if (!door)
		return ERR_MEMORY;
	REGISTRY_EACH(operator_topics, struct operator_topic, it) {
		*door = (struct operator_door){all, *it};
		bus_on_request(all->bus, (*it)->topic, on_asked, door++);
		if (!(*it)->from_page)
			bus_open_to_guests(all->bus, (*it)->topic);
	}
	return 0;
}

void operator_topics_close(struct operator_topics *all)
{
	free(all->doors);
	all->doors = NULL;
}
