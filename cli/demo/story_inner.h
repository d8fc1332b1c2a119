/*
 * What the demo shows: one line for each thing that happens, and what kansoku's store says of the
 * devices.
 */
#pragma once
#include "cli/demo/demo.h"

struct story {
	const struct demo_options *options;
	uint64_t begun_us, asked_us;
	unsigned refusals; /* questions that the store did not take */
	bool deaf;         /* the store does not answer: the demo goes on without it */
};

/* `what` is a word for programs ("attack", "look"), the rest is for people. */
void story_tell(const struct story *, const char *device, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Asks the store, at most every two seconds, and calls back for each identified host. */
void story_ask(struct story *, uint64_t now_us,
	       void (*identified)(void *arg, const char *address, const char *verdict), void *arg);
