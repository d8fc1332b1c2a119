/*
 * Errands: what control hands to another process about an event, because a rule said so.
 *
 *   {on: file.captured, do: analyse}      → lab        "errand.give"
 *   {on: indicator.found, do: visit}      → visit      "errand.give", after the policy allowed it
 *   {on: indicator.found, do: import}     → exchange   "errand.give"
 *   {on: campaign.found, do: notify}      → notify     "errand.give"
 *
 * The payload is a struct errand with the whole event as its frame, since the receiver need not have
 * seen it.  The receiver answers 0 when it took it (its own queue is bounded) or ERR_FULL: then
 * control offers it again.  What it publishes because of it has `cause` and `root` of the errand.
 */
#pragma once
#include "event/event.h"

#define ERRAND_RULE_MAX 63
#define ERRAND_FRAME_MAX (256u << 10)

struct errand {
	struct event_id id;          /* of the decision, or of the event where none was needed */
	struct event_id cause, root; /* for what is published because of it */
	uint64_t depth;              /* of that cause */
	char rule[ERRAND_RULE_MAX + 1];
	struct bytes frame;          /* the event, in the names of event/frame.h's dictionary */
};
