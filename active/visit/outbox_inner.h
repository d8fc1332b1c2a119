/*
 * What the process "visit" tells, in order: files to the journal's store, events that name them behind.
 *
 * A file goes in pieces ("blob.put", store/store.h's topic); an event waits until what was put before it is
 * safe, or the journal would not take it: then it is told all the same and says so (state "unstored").
 */
#pragma once
#include "bus/bus.h"

#define OUTBOX_BYTES_MAX (256u << 20)

struct outbox;

int outbox_open(struct outbox **, uv_loop_t *, struct bus *);
void outbox_close(struct outbox *); /* what waits is lost; the loop must run once more */
bool outbox_is_empty(const struct outbox *);
/* Takes a copy.  ERR_FULL, ERR_MEMORY. */
int outbox_put_file(struct outbox *, const uint8_t sha256[32], struct bytes);
int outbox_put_event(struct outbox *, const struct event *);
