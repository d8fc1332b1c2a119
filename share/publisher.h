/*
 * What a publisher is: one way to hand our own findings to a service of others, by schedule.
 *
 * One file in share/publishers/ defines a `struct publisher` and ends with PUBLISHER(it).  An entry of the configuration
 * names it, and the organisation that it is for: what goes out is what that organisation's grant to read the collection
 * allows, through the grant's policy, and is in the audit before it is sent.
 *
 *   exchange:
 *     publish:
 *       - {name: center, publisher: dshield, url: "https://www.dshield.org/submitapi/", key_file: /etc/kansoku/dshield.key,
 *          collection: scans, organisation: dshield, every: 1h}
 *
 * It runs in a thread of its own and gets at the network by the calls of share/client.h, within their bounds.
 */
#pragma once
#include "share/client.h"

#define PUBLICATION_LINE_MAX (1u << 20)

struct publication; /* what is to be sent, in lines */

struct publisher {
	const char *name, *summary, *reference;
	const char *scheme; /* of its URL; NULL: http and https */
	const char *key;    /* what stands in key_file */
	const char *output; /* as what it sends is written (share/output.h) */
	bool any_output;    /* the entry may name another one, of lines */
	const struct client_option *options;
	/* Sends line after line; 0 when all are sent. */
	int (*publish)(struct client_call *, struct publication *, struct fault *);
};

#define PUBLISHER(p) REGISTER(publishers, struct publisher, p)
REGISTRY(publishers, struct publisher);
#define PUBLISHERS_EACH(it) REGISTRY_EACH(publishers, struct publisher, it)
const struct publisher *publisher_find(const char *name); /* NULL: there is none */

/* The next line without its end, valid until the next; false: there is none, or the file cannot be read (then `fault`). */
bool publication_line(struct publication *, struct bytes *line, struct fault *);
/* All lines so far have arrived: after a failure it goes on behind them. */
void publication_arrived(struct publication *);
