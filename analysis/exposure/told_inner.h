/*
 * What was told of whom lately, so that it is not told again within a while: a table of bounded size,
 * from a digest of host, port and finding to when.  When it is full the oldest of a place go.
 */
#pragma once
#include "event/event.h"

#define TOLD_PLACES 262144u /* 16 bytes each */
#define TOLD_WAYS 8u

struct told {
	struct told_entry {
		uint64_t digest, time_us;
	} *entries;
	uint64_t key;
};

int told_open(struct told *, uint64_t key); /* 0 or ERR_MEMORY */
void told_close(struct told *);
/* A finding and a match may have one name: `port` of told_is_news() holds both. */
static inline uint64_t told_place(enum event_kind kind, uint64_t port) { return (uint64_t)kind << 32 | port; }
/* Whether that finding is news; if so it is remembered as told at its event's time. */
bool told_is_news(struct told *, const struct address *host, uint64_t port, struct bytes rule, uint64_t now_us, uint64_t again_us);
