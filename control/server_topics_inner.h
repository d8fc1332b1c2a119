/* Checks of command servers at the bus (bus/check.h, control.h). */
#pragma once
#include "bus/bus.h"
#include "control/room_inner.h"

struct server_topics {
	struct control *control;
	struct bus *bus;
};
void server_topics_open(struct server_topics *);
