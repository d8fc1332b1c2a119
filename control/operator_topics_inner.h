/*
 * What the operator may ask of control, through the web's API or the command line: a topic, a JSON
 * object, and JSON as the answer (control.h, bus/approval.h).
 *
 * Each stands in the file that answers it and registers itself there; the bus is opened for all of
 * them at one place, so that who may ask is decided once.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"
#include "base/registry.h"
#include <jansson.h>

struct bus;
struct control;

struct operator_topic {
	const char *topic;
	bool from_page; /* not for the command line, but for the process that faces visitors */
	/* 0 and JSON, or an error and a sentence. */
	int (*serve)(struct control *, const json_t *object, struct writer *answer, struct fault *);
};

#define OPERATOR_TOPIC(t) REGISTER(operator_topics, struct operator_topic, t)
REGISTRY(operator_topics, struct operator_topic);

/* As if it had been asked at the bus.  No payload is an empty object; ERR_MISSING: there is no such topic. */
int operator_topic_ask(struct control *, const char *topic, struct bytes json, struct writer *answer, struct fault *);

struct operator_topics {
	struct control *control;
	struct bus *bus;
	void (*opt_outs_grew)(void *arg); /* told before the answer goes: what was promised holds by then */
	void *arg;
	struct operator_door *doors;      /* one for each topic */
};
int operator_topics_open(struct operator_topics *); /* or ERR_MEMORY */
void operator_topics_close(struct operator_topics *);
