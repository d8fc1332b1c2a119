/*
 * The guard of the room's UDP services: nobody is worth attacking through us.
 *
 * A datagram's source may be forged, and then our answer goes to a victim.  So to a source
 * (/32 or /128) never more bytes go than came from it, whatever services it asks; what it
 * sent and we did not answer counts for a minute, up to one packet.  One exception: a source
 * that is new and sends little gets one answer that may be longer and fits one packet, so
 * that it finds a device here; a short one may come in parts, since many protocols are asked
 * by many small questions each of whose answers is a little longer.  The same answer counts for its network (/24 or /64), and for
 * everybody together there is a small budget of such bytes, which refills slowly.
 *
 * A source gets at most REFLECTION_ANSWERS_PER_SECOND answers, but for those that are much
 * shorter than their questions (a file that is sent to us is acknowledged), so that a flood
 * brings less than it costs also where no answer is longer.
 *
 * Who asks for much longer answers more than REFLECTION_ASKS_MAX times a minute hears nothing
 * for an hour.  The table is bounded, and who finds no place in it hears nothing either.
 *
 * From REFLECTION_ATTACK_REQUESTS such requests on the source is the victim of an attack: told
 * once when that is seen, and once when it has been quiet.  A source always meets the same
 * worker, so nothing is shared between processes but the budget, which is divided.
 */
#pragma once
#include "base/address.h"
#include <stddef.h>
#include <sys/queue.h>

#define REFLECTION_ANSWER_MAX 1400 /* the one longer answer: fits one packet */
#define REFLECTION_ANSWERS_PER_SECOND 5
#define REFLECTION_ASKS_MAX 10     /* a minute, of those that amplify */
#define REFLECTION_ATTACK_REQUESTS 100

struct service;

struct reflection_options {
	uint64_t sources; /* places in the table of one worker, networks among them */
	uint64_t silence_ms, quiet_ms;
};

struct reflection_place { /* what was asked */
	const struct service *service;
	struct address local;
	uint16_t port;
};

struct reflection_attack {
	struct address victim; /* whose address was forged */
	struct reflection_place place; /* last asked */
	uint64_t first_us, last_us; /* monotonic */
	uint64_t requests, bytes_in, bytes_out;
	uint64_t bytes_whole; /* what servers without a guard would have sent it */
	bool ended;
};

struct reflection_account;
LIST_HEAD(reflection_accounts, reflection_account);

struct reflection {
	struct reflection_options options;
	struct reflection_account *accounts;
	size_t sets;
	uint64_t key;
	uint64_t excess, excess_us, excess_max; /* bytes to all beyond what came, as of then */
	uint64_t excess_per_second;
	struct reflection_accounts attacks;
	void (*tell)(void *arg, const struct reflection_attack *);
	void *tell_arg;
};

/* 0 or ERR_MEMORY.  `workers` share the budget of all. */
int reflection_open(struct reflection *, const struct reflection_options *, unsigned workers);
void reflection_done(struct reflection *);

/* A datagram of n bytes came.  How long its answer may be; 0: it is dropped unread. */
size_t reflection_hear(struct reflection *, const struct address *peer,
                       const struct reflection_place *, size_t n, uint64_t mono_us);
/*
 * The answer to it, or its lack: `said` bytes are ready, `whole` would be all that a real
 * server says to the `asked` bytes.  Whether it may be sent; it then counts as sent.
 */
bool reflection_answer(struct reflection *, const struct address *peer, size_t asked, size_t said,
                       size_t whole, uint64_t mono_us);

/* Tells the attacks that have been quiet, or all of them; whether any goes on. */
bool reflection_settle(struct reflection *, uint64_t mono_us, bool all);
