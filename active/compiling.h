/*
 * Compiling fingerprints beside the process that uses them.
 *
 * It takes seconds of CPU, so a start does not wait for it: a process forked before the rights are
 * taken away, which can reach nothing but the folder of compiled rules, does it after a
 * while and ends.  What it made is taken at the next start; until then every rule of a key is
 * tried.  It ends with its parent.
 */
#pragma once
#include "active/identify/identify.h"

#define FINGERPRINTS_FOLDER "fingerprints" /* within the state directory */

/* `sandboxed`: whether it may reach only that folder.  Failing to fork is not a fault. */
void compiling_begin(struct identify *, const char *folder, bool sandboxed);
