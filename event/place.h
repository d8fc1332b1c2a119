/*
 * Where the source of an event is, whose, and what lists say of it, as fields of the event: src.country, src.as,
 * src.as_name, src.labels.  Rules, exports and questions speak of them by these names.
 */
#pragma once
#include "base/network_map.h"
#include "event/event.h"

/* Adds what the map says of FIELD_SRC; what is not known stays absent, and what is there already stays. */
void event_set_place(struct event *, const struct network_map *);
