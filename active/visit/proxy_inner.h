/* How the proxy is made: proxy.c has the visits and their budgets, reach.c one connection up to its descriptor, serve.c a browser's side. */
#pragma once
#include "active/visit/proxy.h"
#include "active/visit/resolver_inner.h"
#include <sys/queue.h>

#define PROXY_LISTENERS_MAX 16
#define PROXY_CANDIDATES_MAX 8 /* addresses of one name that are asked about */

struct reach;  /* an attempt to connect */
struct served; /* a browser's connection */
struct listener;

LIST_HEAD(reach_list, reach);
LIST_HEAD(served_list, served);
LIST_HEAD(listener_list, listener);

struct proxy {
	uv_loop_t *loop;
	struct proxy_options options;
	struct proxy_hooks hooks;
	struct resolver *resolver;
	LIST_HEAD(, proxy_visit) visits;
	uint64_t last_number;
	size_t handles; /* that libuv still has */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
	uv_idle_t idle; /* so that `closed` is never called from within proxy_close() */
};

struct proxy_visit {
	LIST_ENTRY(proxy_visit) link;
	struct proxy *proxy;
	struct event_id lease;
	struct proxy_limits limits;
	void *arg;
	struct proxy_connection *log;
	size_t log_count, log_room, listener_count;
	uint64_t at_once, bytes_in, bytes_out, begun_us;
	char limit[16];
	uv_timer_t timer;
	struct reach_list reaches;
	struct served_list served;
	struct listener_list listeners;
	struct { /* made by proxy_visit_connect(), open */
		size_t index;
		int fd; /* a copy, to be shut down; -1: closed */
	} given[PROXY_AT_ONCE_MAX];
};

/* In proxy.c: */

/* A new entry of the log; SIZE_MAX: the budget is spent. */
size_t visit_log_add(struct proxy_visit *, const char *host, uint16_t port);
void visit_log_end(struct proxy_visit *, size_t index, const char *reason); /* reason NULL: as it stands */
/* Takes bytes of the budget; false: it is spent, and the visit's limit says so. */
bool visit_take(struct proxy_visit *, size_t index, uint64_t in, uint64_t out);
bool visit_is_over(const struct proxy_visit *); /* a limit was met */
void proxy_handle_closed(struct proxy *);

/* In reach.c: */

/*
 * `done` exactly once, unless reach_stop(): a connected descriptor, or -1 and the log's entry says why;
 * index SIZE_MAX: the budget is spent.
 */
typedef void reached_f(void *arg, int fd, size_t index);
struct reach *reach_begin(struct proxy_visit *, const char *host, uint16_t port, reached_f *, void *arg);
void reach_stop(struct reach *);
void reach_decide(struct reach *, bool allowed, const struct address *from, const char *reason);
uint64_t reach_number(const struct reach *);
struct reach *reach_next(const struct reach *);
void reach_own(struct reach *); /* `arg` is freed where `done` is never called */
bool reach_is_to(const struct reach *, const struct prefix *);

/* In serve.c: */

int serve_listen(struct proxy_visit *, int fd);
void serve_stop(struct proxy_visit *);                              /* listeners and connections */
void serve_revoke(struct proxy_visit *, const struct prefix *);
