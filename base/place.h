/*
 * Where what came with the program lies: its personas, its fingerprints.
 *
 * In the working directory, beside the program, above it (it was built in its source tree), or
 * where it was installed.
 */
#pragma once

#define PLACE_PATH_MAX 4096

/* The path of "fingerprints/telescope" or the like; ERR_MISSING when it is nowhere. */
int place_find(const char *name, char path[PLACE_PATH_MAX]);
/*
 * The user's folder for what can be made again: $XDG_CACHE_HOME/kansoku, else ~/.cache/kansoku; it is made
 * when it is missing.  ERR_MISSING when there is none.
 */
int place_cache(char path[PLACE_PATH_MAX]);
