/*
 * What a host of the simulated Internet answers on 23/tcp and 80/tcp: one record per device model
 * or ordinary server, read from bench/trial/devices/ and bench/trial/others/ (format: README.md).
 * They are written from what real products of that kind are publicly known to answer.
 */
#pragma once

#include <stdbool.h>

#include "bench/trial/text.h"

enum { PORT_TELNET, PORT_HTTP, PORT_COUNT };

struct answer {
	const char *class; /* the label of Table 1; "" for what is no device */
	const char *vendor;
	const char *product;
	const char *group;            /* the file's name without folder and ending */
	bool open[PORT_COUNT];        /* does it listen there? */
	struct text said[PORT_COUNT]; /* telnet: the greeting; http: the whole answer to GET / */
	struct text missing;          /* http: the answer to any other path */
};

struct answers {
	struct answer *at;
	size_t count;
};

/* Reads every *.txt of a folder, in the order of their names. */
void answers_read(struct answers *answers, const char *folder);
