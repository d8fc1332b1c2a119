/*
 * Victims of denial of service, by the RSDoS rule (Moore et al. 2006; its parameters as in
 * CAIDA's corsaro): answers of one source that are at least 25 packets, over at least 60 s, with
 * at least 30 in some minute, where the minute slides by 10 s.
 */
#pragma once
#include "passive/telescope/accounts/index.h"

#define VICTIM_PACKETS 25
#define VICTIM_SECONDS 60
#define VICTIM_MINUTE_PACKETS 30
#define VICTIM_SLIDE_SECONDS 10
#define VICTIM_BUCKETS 6

struct victim {
	uint32_t packets;          /* 0: free */
	uint32_t next_free;
	uint32_t source;           /* number of the source */
	uint32_t bucket;           /* the newest, in slides since 1970 */
	uint64_t first_us, last_us;
	uint32_t highest;          /* packets in a minute so far */
	uint32_t buckets[VICTIM_BUCKETS];
	bool fulfilled;
};

struct victims {
	struct pool pool;
	struct index index;
	uint64_t key[2];
};

int victims_open(struct victims *, uint32_t most, const uint64_t key[2]);
void victims_close(struct victims *);
uint64_t victims_bytes(const struct victims *);
/* One more answer of that source; the victim when the rule is fulfilled by just this packet. */
const struct victim *victims_count(struct victims *, uint32_t source, uint64_t time_us, uint64_t timeout_us);
const struct victim *victims_find(const struct victims *, uint32_t source);
void victims_forget(struct victims *, uint32_t source);
