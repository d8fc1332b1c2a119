/*
 * Text and bytes without what is hidden.
 *
 * In place everything keeps its length: what is spelled becomes noughts, bytes become what the address
 * becomes.  A text of an event may also change its length, and then says what an address has become.
 */
#pragma once
#include "base/arena.h"
#include "share/anonymise/hidden_inner.h"

/* Noughts where there is no memory to search it. */
bool clean_in_place(const struct hidden *, uint8_t *text, size_t len, struct arena *); /* whether it changed */
/* In the arena, or the text itself where there is nothing to hide; empty where there is no memory. */
struct bytes clean_text(const struct hidden *, struct bytes text, struct arena *);
