/*
 * Bodies in gzip or deflate (RFC 9110 8.4.1), which some devices send although nobody said
 * that they may.  What a small body grows to is bounded by the room it is given: reading
 * ends there, however much more would come.
 */
#pragma once
#include "base/bytes.h"

/* Into `room`, as much as fits and came; true: the whole of it, as its own check sum says. */
bool unpack(struct bytes packed, struct writer *room);
