/*
 * A way to visit a page: the crawl, which asks and reads; the browser, which runs it in a box.
 *
 * One file in active/visit/ways/ defines a `struct way` and ends with WAY(it).  The process "visit"
 * hands each order that control gave to the ways that it names; a way reaches the network through
 * the order's proxy_visit and nothing else, publishes page.visited through order_publish() and hands
 * files over with order_keep().  It calls order_done() exactly once, also after stop().
 *
 * page.visited carries page.url, page.final, status, service (the way's name), src and dport (of the
 * page that it led to), report.sha256 (its JSON), confidence and detail (the verdict, where there is one), limit.
 * Each file that was found is a file.captured with file.sha256, file.size, file.name, file.url,
 * file.how ("crawl", "browser"), src and dport, so that rules hand it to the lab.
 */
#pragma once
#include "active/visit/proxy.h"
#include "base/registry.h"
#include "bus/process.h"
#include "event/event.h"

#define ORDER_URL_MAX 4096
#define ORDER_FILE_MAX (256u << 20) /* that any configuration may allow */

struct order; /* one visit that control ordered, owned by the process */

struct order_plan {
	struct event_id lease;         /* of the decision.made that allowed it */
	struct event_id cause, root;   /* what led to that decision */
	uint64_t depth;
	char url[ORDER_URL_MAX + 1];
	uint64_t time_ms, page_max, file_max, pages_max; /* limits, resolved: of all; bytes of one page, of one file; pages */
	const char *agent;    /* User-Agent */
	const char *referrer; /* NULL: none */
	const char *language; /* Accept-Language */
};

const struct order_plan *order_plan(const struct order *);
struct proxy_visit *order_proxy(const struct order *); /* its way to the network */
uv_loop_t *order_loop(const struct order *);
/* Sets the chain (cause: the decision), lease, basis, service and page.url, and sends it. */
int order_publish(struct order *, struct event *);
/* Takes a copy to the store; the digest is written at once.  ERR_FULL: too much is on its way; ERR_BAD: empty. */
int order_keep(struct order *, struct bytes file, char sha256[65]);
/* This way is done with it; `more`: another way is worth it (the crawl found a page with scripts). */
void order_done(struct order *, bool more);
/* What the way keeps for this order; NULL before it was set. */
void *order_state(const struct order *);
void order_set_state(struct order *, void *);

struct way {
	const char *name, *summary;
	unsigned at_once;   /* orders of this way at the same time */
	/* Before the process gives its rights away (a keeper of boxes is forked here); NULL: nothing to do. */
	int (*open)(struct process *, void **room, struct fault *);
	void (*begin)(void *room, struct order *);
	void (*stop)(void *room, struct order *); /* its time is over or we end: order_done() soon */
	void (*close)(void *room);
};

#define WAY(w) REGISTER(ways, struct way, w)
REGISTRY(ways, struct way);
#define WAYS_EACH(it) REGISTRY_EACH(ways, struct way, it)
const struct way *way_find(struct bytes name); /* NULL: there is none */
