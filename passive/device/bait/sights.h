/*
 * Who saw which token first: a table that all workers share, in a file handed down to them.
 *
 * Each entry is written once, by the process that took its place with one atomic step; a reader
 * that meets one half written, or just replaced, finds none.  It holds the latest SIGHTS_MAX; where
 * all places that a token may lie in are taken, the oldest goes.
 */
#pragma once
#include "event/id.h"
#include "bait/token.h"

#define SIGHTS_FILE "sights"
#define SIGHTS_MAX 32768
#define SIGHTS_RECENT 64 /* the latest ones, to be gone through */
#define SIGHT_PATH_MAX 96
#define SIGHT_NAME_MAX 24

struct sight {
	uint64_t token; /* bait_id() */
	struct bait_token what;
	uint64_t time_us;
	struct address device, source;
	struct event_id session, event, root; /* event: token.planted */
	uint32_t depth;
	char name[SIGHT_NAME_MAX], path[SIGHT_PATH_MAX];
};

struct sights;

size_t sights_file_bytes(void);
/* Over a file of that size; NULL: the system has no memory for it. */
struct sights *sights_open(int fd);
void sights_close(struct sights *);
/* False: it was seen before. */
bool sights_add(struct sights *, const struct sight *);
bool sights_find(const struct sights *, uint64_t token, struct sight *out);
/* The nth latest look, from 0; false: there is none, or another took its place meanwhile. */
bool sights_recent(const struct sights *, unsigned nth, struct sight *out);
/* Forgets what that source saw, or (NULL) what was seen in that time; returns how many. */
uint64_t sights_erase(struct sights *, const struct address *source, uint64_t from_us, uint64_t to_us);
