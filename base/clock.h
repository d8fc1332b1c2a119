/* Time: UTC in microseconds for what is told, the monotonic clock for what is measured. */
#pragma once
#include <stdint.h>

uint64_t clock_utc_us(void);
uint64_t clock_mono_us(void);
