/*
 * Visits of pages: who decided, what of it is still allowed, and how often each host had one.
 *
 * A visit is allowed by its URL, before anybody knows where that leads; its lease then has every
 * connection asked by itself (control_visit_connect): there the policy sees the address.  Free of the bus.
 *
 * Counts are kept by day (UTC) under a keyed hash, in a table of fixed size; where it is full a host
 * counts as having had its visits.
 */
#pragma once
#include "control/settings_inner.h"
#include "event/event.h"

#define VISITS_MAX 2048          /* waiting and under way */
#define VISIT_ADDRESSES_MAX 128  /* of one visit that are told apart */
#define VISIT_REFUSALS_MAX 16    /* addresses of one visit whose refusal is told by itself */
#define VISIT_COUNTS 65536       /* power of two; 16 bytes each */
#define VISIT_URL_KEPT_MAX 4096

struct visit_lease {
	struct event_id id, cause, root; /* of the decision; zero: the place is free */
	uint64_t depth;
	uint8_t basis;
	uint16_t rule;
	uint64_t basis_until_us, due_us, expires_us; /* expires_us 0: it waits until due_us */
	struct address source;                       /* whose event it was; zero: nobody's */
	uint32_t connections, refusals;
	struct address refused[VISIT_REFUSALS_MAX]; /* told, each once */
	size_t address_count;
	struct visit_address {
		struct address address;
		bool allowed;
	} addresses[VISIT_ADDRESSES_MAX];
	char *url;
};

struct visit_counts {
	uint64_t key;
	struct visit_count {
		uint64_t hash; /* 0: free */
		uint32_t day, count;
	} *items;
};

struct visits {
	struct visit_lease *items; /* VISITS_MAX of them */
	size_t count;
	struct visit_counts counts;
	uint64_t allowed, refused, connects, connects_refused, done;
};

int visits_open(struct visits *, uint64_t key);
void visits_done(struct visits *);
struct visit_lease *visits_take(struct visits *); /* NULL: full */
struct visit_lease *visits_find(struct visits *, const struct event_id *);
void visits_drop(struct visits *, struct visit_lease *);

/* What is counted: all of a day, of a host, of an address; the same page is remembered in them, too. */
enum visit_counted { VISITS_OF_DAY = 1, VISITS_OF_HOST, VISITS_OF_ADDRESS, VISITS_OF_PAGE };
uint64_t visit_count_key(const struct visit_counts *, enum visit_counted, struct bytes what);
uint32_t visit_count(const struct visit_counts *, uint64_t hash, uint32_t day); /* UINT32_MAX: there is no room */
/* One more; what it is now.  NULL: there is no room. */
const struct visit_count *visit_count_add(struct visit_counts *, uint64_t hash, uint32_t day);
void visit_count_restore(struct visit_counts *, uint64_t hash, uint32_t day, uint32_t count);
/* Takes back what visit_count_add() added. */
void visit_count_back(struct visit_counts *, uint64_t hash, uint32_t day);

/* Whether a page may be asked for at that port: one of active.visits.ports or, where that is empty, none that is known for something else. */
bool visit_port_is_allowed(const struct visits_option *, uint16_t port);
