/* The partners' server within the process "exchange": opened before its rights go, started once the bus stands. */
#pragma once
#include "share/exchange_inner.h"

struct serve;

int serving_room_open(struct serve **, struct exchange *, struct fault *);
void serving_room_start(struct serve *);
void serving_room_stop(struct serve *);
void serving_room_close(struct serve *);
