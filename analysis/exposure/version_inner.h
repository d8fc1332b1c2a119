/*
 * Which of two versions is the later one, as people number software.
 *
 * Numbers compare as numbers (1.10 after 1.9), trailing zeros say nothing (1.10 is 1.10.0), words for
 * what comes before a release stand before it (1.0rc2, 2.0-beta, and Debian's ~), all others after it
 * (7.4p1, 1.0.2k, 8.4p1 Debian-5+deb11u1).  Case does not count.
 */
#pragma once
#include "base/bytes.h"

#define VERSION_BYTES_MAX 128

int version_compare(struct bytes a, struct bytes b); /* negative: a is the earlier, 0: the same */
/*
 * Splits "7.4p1" into "7.4" and "p1", "1.0-rc.2" into "1.0" and "rc.2": what dictionaries write as
 * version and update.  False: there is no such word at its end.
 */
bool version_split(struct bytes version, struct bytes *release, struct bytes *update);
