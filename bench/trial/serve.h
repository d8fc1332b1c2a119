/*
 * The answering side: 23/tcp and 80/tcp of every address of the simulated Internet on two wildcard
 * sockets; the local address of a connection says who is to answer. Ports that are closed or
 * filtered never get here (population_print_rules).
 */
#pragma once

#include <signal.h>

#include "bench/trial/population.h"

struct serve_result {
	uint64_t accepted[PORT_COUNT];
	uint64_t unknown; /* connections to addresses where nobody lives */
};

/* Serves until *stop is set by a signal. */
void serve_run(struct population *population, volatile sig_atomic_t *stop,
               struct serve_result *result);
