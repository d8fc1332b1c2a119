/*
 * Errands: what control hands to another process about an event, because a rule said so.
 *
 *   {on: file.captured, do: analyse}      → lab        "errand.give"
 *   {on: indicator.found, do: visit}      → visit      "errand.give", after the policy allowed it
 *   {on: indicator.found, do: import}     → exchange   "errand.give"
 *   {on: campaign.found, do: notify}      → notify     "errand.give"
 *
 * The payload holds the whole event, since the receiver need not have seen it.  The receiver
 * answers 0 when it took it (its own queue is bounded), ERR_FULL when it has no room: then it is
 * offered again; anything else: it will never take that one.  What it publishes because of an
 * errand has the errand's event as its cause: event_set_chain(e, &errand.cause, &errand.root, errand.depth).
 *
 * Errands wait in control's memory, ERRANDS_MAX of each kind; one that control died with is lost, so
 * whoever must miss none asks the store at its start for what it has not done.
 */
#pragma once
#include "event/frame.h"

#define ERRAND_TOPIC "errand.give"
#define ERRAND_RULE_MAX 63
#define ERRAND_WIRE_MAX (FRAME_MAX + ERRAND_RULE_MAX + 64)

struct errand {
	struct event_id cause, root; /* for what is published because of it */
	uint64_t depth;              /* of that cause */
	char rule[ERRAND_RULE_MAX + 1];
	struct bytes frame;          /* the event; frame_decode(frame, NULL, …) reads it */
};

void errand_write(const struct errand *, struct writer *);
/* `frame` points into the payload.  False, and nothing is changed, when it is cut or no errand. */
bool errand_read(struct bytes payload, struct errand *);
