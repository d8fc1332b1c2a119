/* How many segments the kernel has sent for a TCP socket, repetitions included. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

unsigned segments_sent(int fd); /* 0 when it cannot be told */
/* Whether close() sends one segment only: theirs is acknowledged already, or a reset says that nobody reads. */
bool segments_end_at_once(int fd);
