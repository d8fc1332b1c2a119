/*
 * The prober: takes leases, looks at their targets, tells what came back.
 *
 * It sends nothing without a lease, nothing before or after its time, to no other port,
 * and not more packets than it names (the kernel's count of segments, checked while a
 * connection lasts).  One connection at a time per target.  For each connection it
 * publishes probe.sent when its first packet left and host.answered when it is over;
 * their causes lead back to the decision.
 *
 * Times are microseconds.  A prober belongs to one loop and one thread.
 */
#pragma once
#include "active/probe.h"
#include "control/policy.h"
#include <uv.h>

#define PROBER_CONCURRENCY_MAX 65536
#define PROBER_LEASES_MAX 131072 /* held, waiting and active together */
#define PROBER_PORTS_MAX 64      /* of the map */
#define PROBER_CONNECTION_PACKETS 7 /* SYN and its repetition, ACK, question, two ACKs, FIN */

struct prober;
struct signals;

struct prober_port { /* of a port in a lease: where to connect really, and with which probe */
	uint32_t port; /* base/port.h */
	uint16_t to;   /* of the same transport; 0: as it is */
	const struct probe *probe; /* NULL: the one for `port` */
};

struct prober_options {
	struct probe_settings settings;
	uint64_t connect_timeout_us; /* below 2 s, so that a silent address gets two SYNs at most */
	uint64_t pause_us;           /* between two connections to one target */
	size_t concurrency;
	const struct address *from;  /* source addresses when the lease names none; may be empty */
	size_t from_count;
	const struct prober_port *ports;
	size_t port_count;
};

/* What identification needs of a target whose ports have all been asked. */
struct prober_story {
	const struct lease *lease;
	const struct signals *signals;
	struct event_id answered, root; /* the answer that told most lately; its root */
	uint64_t depth;                 /* of that answer */
};

struct prober_hooks {
	void *arg;
	/* Sends and gives the event its id; negative: it could not be taken, which is counted. */
	int (*publish)(void *arg, struct event *);
	bool (*congested)(void *arg); /* no new target is begun while it is; NULL: never */
	void (*told)(void *arg, const struct prober_story *); /* only of targets with signals; may be NULL */
	void (*done)(void *arg, const struct lease *, uint16_t packets);
};

struct prober_counts {
	uint64_t leases, targets, connections, open, closed, filtered, unreachable, aborted;
	uint64_t packets, bytes_in, bytes_out;
	uint64_t unpublished; /* events that could not be sent: a gap */
	uint64_t postponed;   /* descriptors or ports had run out, or the target was being looked at */
	uint64_t overstated;  /* a probe wanted to say more than it declares: a fault of ours */
	uint64_t foreign;     /* datagrams from an address that nobody had asked: not looked at */
};

/* `capture`: descriptors from synack_socket() for IPv4 and IPv6, taken over; -1: none. */
int prober_open(struct prober **, uv_loop_t *, const struct prober_options *,
		const struct prober_hooks *, const int capture[2], struct fault *);
int prober_give(struct prober *, const struct lease *); /* 0, ERR_FULL, ERR_BAD (expired), ERR_MEMORY */
/* Ends at once whatever concerns these addresses, also what waits; returns how many. */
size_t prober_revoke(struct prober *, const struct prefix *);
void prober_relief(struct prober *); /* the publisher is no longer congested */
const struct prober_counts *prober_counts(const struct prober *);
size_t prober_held(const struct prober *); /* leases that are not done */
size_t prober_active(const struct prober *);
/* Ends what is under way (answers and leases are told), forgets what waits; free after the loop ran. */
void prober_close(struct prober *, void (*closed)(void *arg), void *arg);
