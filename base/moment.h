/* Times and spans as the logs of sensors write them, to microseconds. */
#pragma once
#include "base/bytes.h"

/*
 * ISO 8601 with any zone: "2024-05-01T10:00:00.123456+0200", "…+02:00", "…Z"; without one it is
 * UTC.  False before 1970 or when it is anything else.
 */
bool moment_iso(struct bytes, uint64_t *time_us);
/*
 * Seconds with decimals, "1591367999.305988"; digits behind the sixth are dropped.  A double below a
 * microsecond, which JSON writers print as "9.5e-7", is 0.
 */
bool moment_seconds(struct bytes, uint64_t *us);
