#include "active/prober/prober_inner.h"
#include "base/clock.h"
#include "base/random.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 512
#define DUE_AT_ONCE 4096 /* so that sockets are looked at in between */
#define FDS_RESERVED 64

const struct prober_counts *prober_counts(const struct prober *p) { return &p->counts; }
size_t prober_held(const struct prober *p) { return p->held; }
size_t prober_active(const struct prober *p) { return p->active; }

static void ready_add(struct prober *p, struct target *t)
{
	t->place = TARGET_READY;
	t->next_ready = NULL;
	if (p->ready_last)
		p->ready_last->next_ready = t;
	else
		p->ready_first = t;
	p->ready_last = t;
}

static struct target *ready_take(struct prober *p)
{
	struct target *t = p->ready_first;
	p->ready_first = t->next_ready;
	if (!p->ready_first)
		p->ready_last = NULL;
	return t;
}

static void target_wait(struct prober *p, struct target *t, uint64_t wait_us)
{
	t->place = TARGET_WAITING;
	agenda_set(&p->agenda, &t->when, p->now_us + wait_us);
}

static bool prober_may_begin(const struct prober *p)
{
	bool congested = p->hooks.congested && p->hooks.congested(p->hooks.arg);
	return p->ready_first && p->active < p->options.concurrency && !congested && !p->closing;
}

static void prober_pump(struct prober *p)
{
	while (prober_may_begin(p)) {
		struct target *t = ready_take(p);
		/* The wall clock may have been set since: the lease's own words count. */
		uint64_t now_us = clock_utc_us();
		if (t->lease.not_before_us > now_us) {
			target_wait(p, t, t->lease.not_before_us - now_us);
		} else if (target_is_looked_at(p, t)) {
			p->counts.postponed++;
			target_wait(p, t, EXCLUSIVE_WAIT_US);
		} else if (target_begin(p, t) < 0) {
			ready_add(p, t);
			break;
		}
	}
}

static void prober_on_timer(uv_timer_t *);

static void prober_alarm(struct prober *p)
{
	const struct agenda_entry *first = agenda_first(&p->agenda);
	if (!first || p->closing) {
		uv_timer_stop(&p->timer);
		return;
	}
	uint64_t now_us = clock_mono_us();
	uint64_t wait_ms = first->due_us > now_us ? (first->due_us - now_us + 999) / 1000 : 0;
	uv_update_time(p->loop);
	uv_timer_start(&p->timer, prober_on_timer, wait_ms, 0);
}

/* Whatever is due, then whoever may begin: after every batch of anything. */
static void prober_turn(struct prober *p)
{
	p->now_us = clock_mono_us();
	struct agenda_entry *e;
	for (size_t i = 0; i < DUE_AT_ONCE && (e = agenda_first(&p->agenda)) && e->due_us <= p->now_us;
	     i++) {
		struct target *t = (struct target *)((char *)e - offsetof(struct target, when));
		if (t->place == TARGET_WAITING) {
			agenda_drop(&p->agenda, e);
			ready_add(p, t);
		} else {
			target_due(p, t);
		}
	}
	prober_pump(p);
	prober_alarm(p);
}

static void prober_on_timer(uv_timer_t *timer) { prober_turn(timer->data); }

static void prober_on_sockets(uv_poll_t *poll, int status, int events)
{
	struct prober *p = poll->data;
	struct epoll_event ready[EVENTS_AT_ONCE];
	(void)status;
	(void)events;
	int n = epoll_wait(p->epoll, ready, EVENTS_AT_ONCE, 0);
	p->now_us = clock_mono_us();
	for (int i = 0; i < n; i++) {
		struct target *t = ready[i].data.ptr;
		enum line_stage before = t->line->stage;
		enum line_end end;
		if (line_ready(p, t, ready[i].events, &end))
			target_line_over(p, t, end);
		else if (t->line->stage != before)
			agenda_set(&p->agenda, &t->when, line_deadline(p, t));
	}
	prober_turn(p);
}

static void prober_on_capture(uv_poll_t *poll, int status, int events)
{
	struct prober *p = poll->data;
	(void)status;
	(void)events;
	synacks_drain(p->synacks, clock_mono_us());
}

static int prober_watch(struct prober *p, uv_poll_t *poll, int fd, uv_poll_cb callback)
{
	if (uv_poll_init(p->loop, poll, fd) < 0)
		return ERR_SYSTEM;
	poll->data = p;
	p->handles++;
	uv_poll_start(poll, UV_READABLE, callback);
	return 0;
}

/* As many at once as there are descriptors for; the limit is raised to what the system allows. */
static size_t concurrency_within_limits(size_t wanted)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return wanted;
	rlim_t needed = wanted + FDS_RESERVED;
	if (files.rlim_cur < needed && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = needed < files.rlim_max ? needed : files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
		getrlimit(RLIMIT_NOFILE, &files);
	}
	size_t most = files.rlim_cur > 2 * FDS_RESERVED ? files.rlim_cur - FDS_RESERVED : FDS_RESERVED;
	return wanted < most ? wanted : most;
}

static int prober_start(struct prober *p, const int capture[2], struct fault *fault)
{
	if (secure_context_open(&p->tls, fault) < 0)
		return ERR_SYSTEM;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll < 0 || uv_timer_init(p->loop, &p->timer) < 0)
		return fault_set(fault, ERR_SYSTEM, "prober: epoll: %s", strerror(errno));
	p->timer.data = p;
	p->handles++;
	bool captures = capture && (capture[0] >= 0 || capture[1] >= 0);
	if (prober_watch(p, &p->poll, p->epoll, prober_on_sockets) < 0 ||
	    (captures && synacks_open(&p->synacks, capture) < 0))
		return fault_set(fault, ERR_MEMORY, "prober: no memory for its sockets");
	for (size_t i = 0; captures && i < 2; i++)
		if (capture[i] >= 0 &&
		    prober_watch(p, &p->capture[i], capture[i], prober_on_capture) < 0)
			return fault_set(fault, ERR_SYSTEM, "prober: the packet socket cannot be watched");
	return 0;
}

int prober_open(struct prober **out, uv_loop_t *loop, const struct prober_options *options,
		const struct prober_hooks *hooks, const int capture[2], struct fault *fault)
{
	struct prober *p = calloc(1, sizeof *p);
	if (!p)
		return fault_set(fault, ERR_MEMORY, "prober: no memory");
	p->options = *options;
	p->options.concurrency = concurrency_within_limits(options->concurrency);
	p->hooks = *hooks;
	p->loop = loop;
	p->epoll = -1;
	p->key = random_secret();
	p->now_us = clock_mono_us();
	int bad = prober_start(p, capture, fault);
	if (bad < 0) {
		prober_close(p, NULL, NULL);
		return bad;
	}
	*out = p;
	return 0;
}

int prober_give(struct prober *p, const struct lease *lease)
{
	uint64_t now_us = clock_utc_us();
	if (lease->expires_us <= now_us || lease->port_count == 0 ||
	    lease->port_count > LEASE_PORTS_MAX || address_is_zero(&lease->target))
		return ERR_BAD;
	if (p->held == PROBER_LEASES_MAX || p->closing)
		return ERR_FULL;
	struct target *t = calloc(1, sizeof *t);
	if (!t)
		return ERR_MEMORY;
	t->lease = *lease;
	t->root = id_is_zero(&lease->root) ? lease->id : lease->root;
	uint64_t wait_us = lease->not_before_us > now_us ? lease->not_before_us - now_us : 0;
	/* The one entry that it will ever need: from here on the agenda has room for it. */
	if (agenda_set(&p->agenda, &t->when, clock_mono_us() + wait_us) < 0) {
		free(t);
		return ERR_MEMORY;
	}
	t->next = p->all;
	if (p->all)
		p->all->before = t;
	p->all = t;
	p->held++;
	p->counts.leases++;
	prober_alarm(p);
	return 0;
}

static void ready_forget(struct prober *p, const struct target *gone)
{
	struct target *last = NULL;
	for (struct target **at = &p->ready_first; *at; at = &(*at)->next_ready) {
		if (*at == gone)
			*at = gone->next_ready;
		if (!*at)
			break;
		last = *at;
	}
	p->ready_last = p->ready_first ? last : NULL;
}

size_t prober_revoke(struct prober *p, const struct prefix *prefix)
{
	size_t n = 0;
	p->now_us = clock_mono_us();
	for (struct target *t = p->all, *next; t; t = next) {
		next = t->next;
		if (!prefix_holds(prefix, &t->lease.target))
			continue;
		if (t->place == TARGET_READY)
			ready_forget(p, t);
		target_revoke(p, t);
		n++;
	}
	prober_turn(p);
	return n;
}

void prober_relief(struct prober *p)
{
	if (!p->closing)
		prober_turn(p);
}

static void prober_free(struct prober *p)
{
	struct line *l;
	while ((l = p->free_lines)) {
		p->free_lines = l->next_free;
		free(l);
	}
	agenda_done(&p->agenda);
	synacks_close(p->synacks);
	secure_context_close(p->tls);
	if (p->epoll >= 0)
		close(p->epoll);
	void (*closed)(void *) = p->closed;
	void *arg = p->closed_arg;
	free(p);
	if (closed)
		closed(arg);
}

static void prober_on_closed(uv_handle_t *handle)
{
	struct prober *p = handle->data;
	if (--p->handles == 0)
		prober_free(p);
}

void prober_close(struct prober *p, void (*closed)(void *arg), void *arg)
{
	p->closing = true;
	p->closed = closed;
	p->closed_arg = arg;
	p->now_us = clock_mono_us();
	for (struct target *t = p->all, *next; t; t = next) {
		next = t->next;
		if (t->place == TARGET_ACTIVE)
			target_revoke(p, t);
		else
			target_drop(p, t);
	}
	if (!p->handles) {
		prober_free(p);
		return;
	}
	uv_close((uv_handle_t *)&p->timer, prober_on_closed);
	if (p->poll.data)
		uv_close((uv_handle_t *)&p->poll, prober_on_closed);
	for (size_t i = 0; i < 2; i++)
		if (p->capture[i].data)
			uv_close((uv_handle_t *)&p->capture[i], prober_on_closed);
}
