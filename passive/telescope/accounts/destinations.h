/*
 * The distinct destinations of an account: itself for one, sets of 2, 4, 8 and 16 for a few, a
 * HyperLogLog sketch of 256 registers beyond (Flajolet et al. 2007, with linear counting while
 * registers are empty): a standard error of 1.04 / sqrt(256) = 6.5 %.
 *
 * A destination is given as 32 bits (an IPv4 address, or a hash of an IPv6 one).
 */
#pragma once
#include "passive/telescope/accounts/pool.h"

#define SKETCH_REGISTERS 256
#define DESTINATIONS_SKETCH 255 /* in `count`: a sketch */

#define DESTINATION_SETS 4 /* of 2, 4, 8, 16 */
struct destination_pools {
	struct pool pools[DESTINATION_SETS + 1]; /* the last one: of sketches */
};

struct destinations {
	uint32_t at;   /* the only one, or the number of a set or sketch */
	uint8_t count; /* up to 16, or DESTINATIONS_SKETCH */
};

int destination_pools_open(struct destination_pools *, uint32_t accounts_max);
void destination_pools_close(struct destination_pools *);
uint64_t destination_pools_bytes(const struct destination_pools *);

/* True when the destination was new, or may have been (a register of the sketch changed). */
bool destinations_add(struct destination_pools *, struct destinations *, uint32_t destination);
uint32_t destinations_count(const struct destination_pools *, const struct destinations *);
void destinations_free(struct destination_pools *, struct destinations *);
/* What destinations_add() will read first, to fetch it ahead. */
const void *destinations_place(const struct destination_pools *, const struct destinations *,
			       uint32_t destination);
/*
 * The sketch alone, for others who count: 2^bits registers of 5 bits, three a word, which is enough
 * for 2^(bits + 31).  True when it changed.
 */
#define SKETCH_WORDS(registers) (((registers) + 2) / 3)
bool sketch_add(uint16_t words[], unsigned bits, uint64_t hash);
double sketch_estimate(const uint16_t words[], unsigned bits);
