/*
 * Command servers that own samples named: what is known of each, and when it is checked next.
 *
 * Bounded; when it is full, the one that was checked longest ago and is not live leaves.
 */
#pragma once
#include "bus/check.h"
#include "control/followed_inner.h"

#define SERVERS_MAX 1024
#define SERVER_RECORD_MAX 2048
#define SERVER_RULE_MAX 63

struct server {
	struct address address;
	uint16_t port;
	char sample[65], family[CHECK_WORD_MAX + 1], fingerprint[CHECK_WORD_MAX + 1], rule[SERVER_RULE_MAX + 1];
	uint16_t hello_len, banner_len;
	uint8_t hello[CHECK_HELLO_MAX];   /* as it may be said */
	uint8_t banner[CHECK_ANSWER_MAX];
	bool banner_known;
	bool withheld;                    /* the hello holds a credential: never said */
	bool enlists;                     /* the operator must read it first */
	enum server_state state;
	uint8_t certainty, steps;         /* steps of its last check */
	uint32_t checks;
	uint64_t proof_us;                /* when a sample named it, or it was seen live since */
	uint64_t found_us, checked_us, live_us, next_us; /* next_us UINT64_MAX: not again */
	struct event_id approval, lease;  /* zero: none; the lease of the look that waits or runs */
	struct followed_cause cause;      /* what its looks follow from */
};

struct servers {
	struct server *items[SERVERS_MAX];
	size_t count;
};

struct server *servers_find(const struct servers *, const struct address *, uint16_t port);
struct server *servers_by_lease(const struct servers *, const struct event_id *);
struct server *servers_by_approval(const struct servers *, const struct event_id *);
/* Finds or makes it; NULL: no memory. */
struct server *servers_take(struct servers *, const struct address *, uint16_t port, uint64_t now_us);
size_t servers_forget(struct servers *, const struct address *, uint64_t from_us, uint64_t to_us); /* NULL: any address */
void servers_done(struct servers *);
void server_write(const struct server *, struct writer *);
void servers_read(struct servers *, struct reader *);
