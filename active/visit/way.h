/*
 * A way to visit a page: the crawl, which asks and reads; the browser, which runs it in a box.
 *
 * One file in active/visit/ways/ defines a `struct way` and ends with WAY(it).  The process "visit"
 * hands each order that control gave to the ways that it names; a way reaches the network through
 * the order's proxy_visit and nothing else, publishes page.visited through visit_publish() and hands
 * files over with visit_keep().  It calls visit_done() exactly once, also after stop().
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

#define VISIT_URL_MAX 4096
#define VISIT_FILE_MAX (256u << 20) /* that any configuration may allow */

struct visit; /* one order on its way, owned by the process */

struct visit_order {
	struct event_id lease;         /* of the decision.made that allowed it */
	struct event_id cause, root;   /* what led to that decision */
	uint64_t depth;
	char url[VISIT_URL_MAX + 1];
	uint64_t time_ms, page_max, file_max, pages_max; /* limits, resolved: of all; bytes of one page, of one file; pages */
	const char *agent;    /* User-Agent */
	const char *referrer; /* NULL: none */
	const char *language; /* Accept-Language */
};

const struct visit_order *visit_order(const struct visit *);
struct proxy_visit *visit_proxy(const struct visit *);
uv_loop_t *visit_loop(const struct visit *);
/* Sets the chain (cause: the decision), lease, basis, service and page.url, and sends it. */
int visit_publish(struct visit *, struct event *);
/* Takes a copy to the store; the digest is written at once.  ERR_FULL: too much is on its way; ERR_BAD: empty. */
int visit_keep(struct visit *, struct bytes file, char sha256[65]);
/* This way is done with it; `more`: another way is worth it (the crawl found a page with scripts). */
void visit_done(struct visit *, bool more);
/* What the way keeps for this visit; NULL before it was set. */
void *visit_state(const struct visit *);
void visit_set_state(struct visit *, void *);

struct way {
	const char *name, *summary;
	unsigned at_once;   /* visits of this way at the same time */
	/* Before the process gives its rights away (a keeper of boxes is forked here); NULL: nothing to do. */
	int (*open)(struct process *, void **room, struct fault *);
	void (*begin)(void *room, struct visit *);
	void (*stop)(void *room, struct visit *); /* its time is over or we end: visit_done() soon */
	void (*close)(void *room);
};

#define WAY(w) REGISTER(ways, struct way, w)
REGISTRY(ways, struct way);
#define WAYS_EACH(it) REGISTRY_EACH(ways, struct way, it)
const struct way *way_find(struct bytes name); /* NULL: there is none */
