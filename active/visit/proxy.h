/*
 * The one way out of a visit: every connection of a browser, and of the crawl, passes here.
 *
 * A box has no network but its own loopback.  What runs in it listens there, hands that listening
 * socket out (SCM_RIGHTS over a descriptor that it inherited) and speaks SOCKS 5 (RFC 1928, without
 * log-in; CONNECT only) or HTTP as to a proxy (CONNECT, RFC 9110 9.3.6, and requests in absolute form,
 * RFC 9112 3.2.2, one a connection) to it; the first byte tells which.
 * Chromium: --proxy-server=socks5://127.0.0.1:PORT --proxy-bypass-list=<-loopback> --disable-quic.
 *
 * For each connection the proxy resolves the name itself, refuses an address of this very machine,
 * asks its user about the address that came out ("visit.connect" to control, which applies the
 * policy to it), and connects to that very address.  So what was allowed is what is connected to,
 * whatever a name resolves to the next time (DNS rebinding), however a number is spelled
 * (0x7f.1, 017700000001) and wherever a redirect leads.
 *
 * One visit has one lease and one budget.  All is bounded; what ended it is named in its limit.
 * Free of the bus; runs on the caller's loop.  Times are microseconds of UTC, sizes bytes.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"
#include "event/id.h"
#include <uv.h>

#define PROXY_HOST_MAX 253         /* RFC 1035 3.1, as text */
#define PROXY_RESOLVERS_MAX 8
#define PROXY_CONNECTIONS_MAX 1024 /* kept in the log of one visit */
#define PROXY_REASON_MAX 31
#define PROXY_AT_ONCE_MAX 64       /* of one visit */

struct proxy;       /* of a process */
struct proxy_visit; /* of one visit */

struct proxy_options {
	struct address resolvers[PROXY_RESOLVERS_MAX]; /* tried in turn */
	uint16_t resolver_port;                        /* 0: 53 */
	size_t resolver_count;
	uint64_t connect_timeout_ms, resolve_timeout_ms;
};

struct proxy_limits { /* 0: the default beside it */
	uint64_t connections; /* 200 */
	uint64_t at_once;     /* 64 */
	uint64_t bytes_in;    /* over all connections, 64 MiB */
	uint64_t bytes_out;   /* 1 MiB: nobody is flooded through a page */
	uint64_t time_ms;     /* 60 s, from proxy_visit_begin() */
};

struct proxy_question { /* may this visit connect there? */
	struct event_id lease;
	struct address address, from; /* from: zero, set by the answer: what to send from */
	uint16_t port;
	const char *host;             /* as it was named; the same as the address where a number was */
};

struct proxy_hooks {
	void *arg;
	/* Answered by proxy_decide(number), at once or later; never while it must not be. */
	void (*ask)(void *arg, uint64_t number, const struct proxy_question *);
	/* A connection of that visit ended or was refused: its entry in the log is complete.  May be NULL. */
	void (*ended)(void *arg, struct proxy_visit *, size_t index);
};

struct proxy_connection { /* one line of a visit's log */
	char host[PROXY_HOST_MAX + 1];
	struct address address;  /* zero: the name did not resolve */
	uint16_t port;
	uint64_t begun_us, connected_us, ended_us; /* connected_us 0: it never was */
	uint64_t bytes_in, bytes_out;
	/*
	 * "ok", or why not: a word of the policy ("special", "own", "scope", "opted-out", …), or "name",
	 * "unresolved", "own" (this machine), "port", "budget", "refused", "timeout", "unreachable", "revoked".
	 */
	char reason[PROXY_REASON_MAX + 1];
};

int proxy_open(struct proxy **, uv_loop_t *, const struct proxy_options *, const struct proxy_hooks *,
	       struct fault *);
/* Ends all visits; the loop must run once more for libuv to let go, then `closed` is called. */
void proxy_close(struct proxy *, void (*closed)(void *arg), void *arg);

/* Answers a question of the ask hook.  `from` zero: as the system chooses.  `reason` of a no is one word. */
void proxy_decide(struct proxy *, uint64_t number, bool allowed, const struct address *from, const char *reason);
/* Ends every connection to these addresses, at once: somebody opted out. */
void proxy_revoke(struct proxy *, const struct prefix *);

int proxy_visit_begin(struct proxy_visit **, struct proxy *, const struct event_id *lease,
		      const struct proxy_limits *, void *arg);
void *proxy_visit_arg(const struct proxy_visit *);
/* Serves what connects there; takes the descriptor over. */
int proxy_visit_listen(struct proxy_visit *, int listening_fd);
/*
 * For who has no box: connects as the proxy would.  The descriptor is the callee's; it is -1 with the
 * reason in the log's entry `index` (SIZE_MAX: the budget is spent).  Called exactly once, from the loop; not after
 * proxy_visit_end().  The bytes over that descriptor are the caller's to count (proxy_visit_count).
 */
typedef void proxy_connected_f(void *arg, int fd, size_t index);
int proxy_visit_connect(struct proxy_visit *, const char *host, uint16_t port, proxy_connected_f *, void *arg);
/* Bytes of such a connection; false: the visit's budget is spent, hang up. */
bool proxy_visit_count(struct proxy_visit *, size_t index, uint64_t in, uint64_t out);
void proxy_visit_closed(struct proxy_visit *, size_t index); /* such a connection ended */

/* In the order in which they began; valid until the next one begins or the visit ends. */
const struct proxy_connection *proxy_visit_log(const struct proxy_visit *, size_t *count);
/* "connections", "bytes", "time"; empty: none was met. */
const char *proxy_visit_limit(const struct proxy_visit *);
/* Its budget counts as spent from now on, in that word: whatever is open ends, and who waits is told. */
void proxy_visit_exhaust(struct proxy_visit *, const char *limit);
/* Closes all of its connections and listeners. */
void proxy_visit_end(struct proxy_visit *);
