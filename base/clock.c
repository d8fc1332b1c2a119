#include "base/clock.h"
#include <time.h>

static uint64_t clock_us(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t clock_utc_us(void) { return clock_us(CLOCK_REALTIME); }
uint64_t clock_mono_us(void) { return clock_us(CLOCK_MONOTONIC); }
