/*
 * HTML as people read it: its text, a line for each block, and each link's address on a line of its own.
 * Parts of a word that stand in elements of their own are one word, since networks hide parts of addresses so.
 */
#pragma once
#include "base/arena.h"
#include "base/bytes.h"

#define READABLE_MAX (1u << 20) /* bytes of HTML; what is longer is cut */

/* In the arena; empty where there is nothing to read or no memory. */
struct bytes html_readable(struct bytes html, struct arena *);
