/* Backslash escapes as BusyBox's echo -e and printf read them. */
#pragma once
#include "base/bytes.h"

/*
 * Reads the escape that begins at text[*i], which is a backslash, moves *i behind it and
 * appends what it stands for.  False: \c, nothing more is to be printed.
 */
bool escape_read(struct bytes text, size_t *i, struct writer *out);
