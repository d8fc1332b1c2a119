/*
 * Approvals in the room: asked, decided, taken, told; each step is an event and is kept.
 */
#pragma once
#include "control/approvals_inner.h"

struct control;

/* How it stands; ERR_FULL, ERR_MEMORY, or ERR_DENIED where the target may not be sent anything, with a sentence. */
int control_approval_ask(struct control *, const char *role, const struct approval_ask *, uint64_t now_us,
			 struct approval_standing *, struct fault *);
/* Right before it leaves: 0 exactly once. */
int control_approval_take(struct control *, const char *role, const struct event_id *, uint64_t now_us, struct fault *);
void control_approval_tick(struct control *, uint64_t now_us); /* what nobody decided or used in time */
void control_approval_retain(struct control *);                /* for a compaction */
/* What concerns that address (NULL: any) and was asked in that time goes; how many. */
size_t control_approval_forget(struct control *, const struct address *, uint64_t from_us, uint64_t to_us);

/* In approval_topics.c: answers at the bus, and tells who asked. */
struct bus;
struct approval_topics {
	struct control *control;
	struct bus *bus;
};
void approval_topics_open(struct approval_topics *);
void approval_topics_tell(struct approval_topics *, const struct approval *);
