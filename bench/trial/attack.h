/*
 * The attacking side: every visit of every source, each a connection from its own address to one
 * of the decoys, so many of them at a time. Ends when all visits are over.
 */
#pragma once

#include "bench/trial/population.h"

struct attack_wish {
	uint32_t decoy_first; /* host byte order */
	uint32_t decoy_count;
	uint16_t decoy_port;
	uint32_t live_max; /* dialogues at a time */
	uint32_t rate_max; /* new connections a second, 0 for no limit */
	uint32_t quiet_ms; /* a dialogue in which nothing comes for so long has failed */
	const char
	        *credentials; /* every password of the dictionaries, one "user password" a line */
	const char *accepted; /* those of them that the decoys let in */
};

struct attack_result {
	uint64_t visits, connected, refused, done, failed, rounds;
	double wall_s;
};

void attack_run(struct population *population, const struct attack_wish *wish,
                struct attack_result *result);
