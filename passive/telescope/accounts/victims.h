/*
 * Victims of denial of service, by the RSDoS rule (Moore et al. 2006; its parameters as in
 * CAIDA's corsaro): answers of one source that are at least 25 packets, over at least 60 s, with
 * at least 30 in some minute, where the minute slides by 10 s.
 */
#pragma once
#include "passive/telescope/accounts/pool.h"

#define VICTIM_PACKETS 25
#define VICTIM_SECONDS 60
#define VICTIM_MINUTE_PACKETS 30
#define VICTIM_SLIDE_SECONDS 10
#define VICTIM_BUCKETS 6

struct victim {
	uint32_t packets;          /* 0: free */
	uint32_t next_free;
	uint64_t first_us, last_us;
	uint32_t bucket;           /* the newest, in slides since 1970 */
	uint32_t highest;          /* packets in a minute so far */
	uint32_t buckets[VICTIM_BUCKETS];
	bool fulfilled;
};

/*
 * One more answer of who has that number in the pool; 0 is given a number, and keeps it until
 * pool_give().  The victim when the rule is fulfilled by just this packet.
 */
const struct victim *victims_count(struct pool *, uint32_t *number, uint64_t time_us, uint64_t timeout_us);
