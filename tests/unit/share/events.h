/* Events out of JSON lines, as event_write_json() writes them: what specimens of outputs are made of. */
#pragma once
#include "event/event.h"

/* One line; it fails the test where a name is not of the vocabulary. */
void event_of_json(struct bytes line, struct event *);
