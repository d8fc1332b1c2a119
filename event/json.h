/* One value of an event as JSON, as event_write_json() writes it behind the field's name. */
#pragma once
#include "event/event.h"

void event_write_value(const struct event_value *, struct writer *);
