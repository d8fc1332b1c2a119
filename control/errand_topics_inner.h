/* Errands tied to the bus: gives what waits to the processes that do it. */
#pragma once
#include "bus/bus.h"
#include "control/errands_inner.h"

struct errand_topics {
	struct errands *errands;
	struct bus *bus;
	uint64_t lost_told; /* of all lines */
};

/* Gives what may be given now; called at the end of each turn and once a second. */
void errand_topics_give(struct errand_topics *, uint64_t now_us);
