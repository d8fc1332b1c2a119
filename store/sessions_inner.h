/*
 * The sessions that are open in each instance of a decoy process, so that those of one that
 * died can be closed in its stead.  Bounded (about 120 bytes each, with its share of the table); beyond
 * that new ones are counted and not kept.
 */
#pragma once
#include "event/event.h"

#define SESSIONS_MAX 400000
#define SESSIONS_INSTANCES_MAX 256

struct open_session {
	struct event_id id, root;
	struct address src, dst;
	uint64_t depth;
	uint16_t sport, dport;
	uint8_t proto;    /* 0: tcp, 1: udp */
	uint8_t service;  /* number of its name */
	uint16_t instance;
};

struct sessions;

int sessions_open(struct sessions **, size_t max, uint64_t key);
void sessions_close(struct sessions *);
size_t sessions_count(const struct sessions *);
uint64_t sessions_unkept(const struct sessions *);
void sessions_add(struct sessions *, const struct event *opened, unsigned instance);
void sessions_remove(struct sessions *, const struct event_id *);
/* Takes the next of that instance out; false when none is left. */
bool sessions_take(struct sessions *, unsigned instance, struct open_session *out);
/* session.closed as the process itself would have said it. */
void sessions_write_closed(const struct sessions *, const struct open_session *, const char *reason,
			   uint64_t now_us, struct event *out);
