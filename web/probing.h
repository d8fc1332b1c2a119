/*
 * The text of /.well-known/probing.txt (RFC 9511 4, whose form is RFC 9116's) from what the operator
 * promises: served on the console's address and on the page's.
 */
#pragma once
#include "base/options.h"

#define PROBING_TEXT_MAX 8192

/* False: no contact is named, so nothing is looked at and there is nothing to say. */
bool probing_write(const struct config *, uint64_t now_us, struct writer *);
