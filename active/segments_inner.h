/* How many segments the kernel has sent for a TCP socket, repetitions included. */
#pragma once

unsigned segments_sent(int fd); /* 0 when it cannot be told */
