/*
 * What a sink found, as bytes in memory that it shares with whoever started it, and back.  One
 * description serves both directions; reading takes the bytes as hostile.
 */
#pragma once
#include "base/arena.h"
#include "lab/run/sink.h"

void pack_write(struct writer *, const struct run_sink_findings *);
/* Everything is copied into the arena; `capture` and `secrets` are not part of it.  0, ERR_BAD, ERR_MEMORY. */
int pack_read(struct bytes, struct arena *, struct run_sink_findings *);
