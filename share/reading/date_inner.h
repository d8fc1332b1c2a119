/* Dates as feeds write them: RFC 822 with RFC 1123's years ("Tue, 10 Jun 2003 04:00:00 +0900"), and RFC 3339. */
#pragma once
#include "base/bytes.h"

/* Microseconds of UTC; 0 when it is none. */
uint64_t date_read(struct bytes);
