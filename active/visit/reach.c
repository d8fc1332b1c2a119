/*
 * One connection up to its descriptor: resolve, ask, connect.
 *
 * Each address of the name is asked about by itself; one that is refused stands in the log with its
 * reason, and the next is asked.  `done` comes from the loop, never from within reach_begin().
 */
#include "active/visit/proxy_inner.h"
#include "base/clock.h"
#include "base/url.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECTS_MAX 3 /* attempts, over the addresses of a name */

struct reach {
	LIST_ENTRY(reach) link;
	struct proxy_visit *visit; /* gone once it is stopped */
	struct proxy *proxy;
	char host[PROXY_HOST_MAX + 1];
	uint16_t port;
	size_t index;             /* of the log; SIZE_MAX: there is none */
	struct address candidates[PROXY_CANDIDATES_MAX];
	size_t count, at;
	unsigned connects;
	uint64_t number;          /* of the question under way; 0: none is */
	int fd;                   /* connecting, or connected */
	bool polling, resolving, ending, stopped, owns_arg;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles;
	reached_f *done;
	void *arg;
};

static void ask_next(struct reach *r, const char *reason);

struct reach *reach_next(const struct reach *r) { return LIST_NEXT(r, link); }
uint64_t reach_number(const struct reach *r) { return r->number; }
void reach_own(struct reach *r) { r->owns_arg = true; }

bool reach_is_to(const struct reach *r, const struct prefix *prefix)
{
	return r->at < r->count && prefix_holds(prefix, &r->candidates[r->at]);
}

static void on_closed(uv_handle_t *handle)
{
	struct reach *r = handle->data;
	proxy_handle_closed(r->proxy);
	if (--r->handles)
		return;
	if (!r->stopped) {
		LIST_REMOVE(r, link);
		r->done(r->arg, r->fd, r->index);
	} else if (r->owns_arg) {
		free(r->arg);
	}
	free(r);
}

/* What is kept of it goes; `done` follows when libuv let go of it. */
static void reach_end(struct reach *r, const char *reason)
{
	if (r->ending)
		return;
	r->ending = true;
	r->number = 0;
	if (reason && strcmp(reason, "ok") && r->fd >= 0) {
		close(r->fd);
		r->fd = -1;
	}
	if (r->index != SIZE_MAX && reason) {
		if (strcmp(reason, "ok"))
			visit_log_end(r->visit, r->index, reason);
		else
			snprintf(r->visit->log[r->index].reason, PROXY_REASON_MAX + 1, "ok");
	}
	if (r->resolving)
		resolver_forget(r->proxy->resolver, r);
	if (r->polling)
		uv_close((uv_handle_t *)&r->poll, on_closed);
	uv_close((uv_handle_t *)&r->timer, on_closed);
}

void reach_stop(struct reach *r)
{
	if (r->ending && r->fd >= 0) {
		close(r->fd);
		r->fd = -1;
		visit_log_end(r->visit, r->index, "budget");
	}
	r->stopped = true;
	LIST_REMOVE(r, link);
	reach_end(r, "budget");
}

/*
 * An address of this machine itself, which the policy may not know of: the kernel would send from that
 * very address.  Connecting a datagram socket sends nothing.
 */
static bool is_this_machine(const struct address *a)
{
	struct sockaddr_storage to, from;
	socklen_t len = address_to_sockaddr(a, 9, false, &to), from_len = sizeof from;
	struct address ours;
	uint16_t port;
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool same = fd >= 0 && connect(fd, (struct sockaddr *)&to, len) == 0 &&
		    getsockname(fd, (struct sockaddr *)&from, &from_len) == 0;
	if (fd >= 0)
		close(fd);
	if (same)
		address_from_sockaddr(&from, &ours, &port);
	return same && address_equal(&ours, a);
}

static bool is_loopback(const struct address *a)
{
	return address_is_v4(a) && address_to_v4(a) >> 24 == 127;
}

static const char *reason_of(int error)
{
	return error == ECONNREFUSED ? "refused" : error == ETIMEDOUT ? "timeout" : "unreachable";
}

static void connected(struct reach *r)
{
	r->visit->log[r->index].connected_us = clock_utc_us();
	reach_end(r, "ok");
}

static void connect_failed(struct reach *r, const char *reason)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	if (++r->connects >= CONNECTS_MAX)
		reach_end(r, reason);
	else
		ask_next(r, reason);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct reach *r = handle->data;
	if (!r->ending) {
		r->handles--;
		proxy_handle_closed(r->proxy);
		connect_failed(r, r->visit->log[r->index].reason);
		return;
	}
	on_closed(handle);
}

static void poll_stop(struct reach *r, const char *reason)
{
	snprintf(r->visit->log[r->index].reason, PROXY_REASON_MAX + 1, "%s", reason);
	r->polling = false;
	uv_timer_stop(&r->timer);
	uv_close((uv_handle_t *)&r->poll, on_poll_closed);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
	struct reach *r = poll->data;
	int error = 0;
	socklen_t len = sizeof error;
	(void)events;
	if (r->ending)
		return;
	if (status < 0 || getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = EHOSTUNREACH;
	if (error)
		poll_stop(r, reason_of(error));
	else
		connected(r);
}

static void on_timeout(uv_timer_t *timer)
{
	struct reach *r = timer->data;
	if (r->polling)
		poll_stop(r, "timeout");
	else
		reach_end(r, r->resolving ? "unresolved" : "timeout");
}

static void begin_connect(struct reach *r, const struct address *from)
{
	struct sockaddr_storage to, here;
	const struct address *a = &r->candidates[r->at];
	const socklen_t len = address_to_sockaddr(a, r->port, false, &to);
	r->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool bad = r->fd < 0;
	if (!bad && from && !address_is_zero(from) && address_is_v4(from) == address_is_v4(a)) {
		const socklen_t here_len = address_to_sockaddr(from, 0, false, &here);
		bad = bind(r->fd, (struct sockaddr *)&here, here_len) != 0;
	}
	if (bad || (connect(r->fd, (struct sockaddr *)&to, len) && errno != EINPROGRESS)) {
		connect_failed(r, bad ? "unreachable" : reason_of(errno));
		return;
	}
	if (uv_poll_init(r->proxy->loop, &r->poll, r->fd)) {
		connect_failed(r, "unreachable");
		return;
	}
	r->poll.data = r;
	r->polling = true;
	r->handles++;
	r->proxy->handles++;
	uv_poll_start(&r->poll, UV_WRITABLE, on_writable);
	uv_timer_start(&r->timer, on_timeout, r->proxy->options.connect_timeout_ms, 0);
}

void reach_decide(struct reach *r, bool allowed, const struct address *from, const char *reason)
{
	const bool asked = r->number != 0;
	r->number = 0;
	if (r->ending)
		return;
	if (!asked || (!allowed && (!strcmp(reason, "budget") || !strcmp(reason, "revoked")))) {
		reach_end(r, reason);
		return;
	}
	if (allowed && !is_loopback(&r->candidates[r->at]) && is_this_machine(&r->candidates[r->at])) {
		allowed = false;
		reason = "own";
	}
	if (allowed)
		begin_connect(r, from);
	else
		ask_next(r, reason);
}

static void ask(struct reach *r)
{
	struct proxy *p = r->proxy;
	const struct proxy_question question = {.lease = r->visit->lease, .address = r->candidates[r->at], .port = r->port,
						.host = r->host};
	r->visit->log[r->index].address = question.address;
	r->number = ++p->last_number;
	uv_timer_start(&r->timer, on_timeout, p->options.connect_timeout_ms, 0);
	p->hooks.ask(p->hooks.arg, r->number, &question);
}

/* That address did not serve, for that reason: the next one, with an entry of its own. */
static void ask_next(struct reach *r, const char *reason)
{
	char why[PROXY_REASON_MAX + 1];
	snprintf(why, sizeof why, "%s", reason);
	if (r->at + 1 >= r->count) {
		reach_end(r, why);
		return;
	}
	visit_log_end(r->visit, r->index, why);
	r->at++;
	r->index = visit_log_add(r->visit, r->host, r->port);
	if (r->index == SIZE_MAX)
		reach_end(r, "budget");
	else
		ask(r);
}

static void on_resolved(void *arg, const struct address *addresses, size_t count)
{
	struct reach *r = arg;
	r->resolving = false;
	if (r->ending)
		return;
	for (size_t i = 0; i < count && r->count < PROXY_CANDIDATES_MAX; i++)
		r->candidates[r->count++] = addresses[i];
	if (r->count)
		ask(r);
	else
		reach_end(r, "unresolved");
}

static void on_begin(uv_timer_t *timer)
{
	struct reach *r = timer->data;
	struct proxy *p = r->proxy;
	bool numeric = false;
	if (r->index == SIZE_MAX) {
		reach_end(r, "budget");
		return;
	}
	char host[URL_HOST_MAX + 1];
	struct address address;
	const bool six = strchr(r->host, ':') != NULL;
	if (six)
		numeric = address_parse(bytes_of_text(r->host), &address);
	else if (url_host(bytes_of_text(r->host), host, &numeric, &address))
		numeric = false;
	if (numeric) {
		on_resolved(r, &address, 1);
	} else if (six || dns_name_is_private(r->host)) {
		reach_end(r, "name");
	} else {
		uv_timer_start(&r->timer, on_timeout, p->options.resolve_timeout_ms + 1000, 0);
		r->resolving = true;
		resolver_ask(p->resolver, r->host, on_resolved, r);
	}
}

struct reach *reach_begin(struct proxy_visit *v, const char *host, uint16_t port, reached_f *done, void *arg)
{
	struct reach *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	*r = (struct reach){.visit = v, .proxy = v->proxy, .port = port, .fd = -1, .done = done, .arg = arg, .handles = 1};
	snprintf(r->host, sizeof r->host, "%s", host);
	r->index = v->at_once < v->limits.at_once ? visit_log_add(v, host, port) : SIZE_MAX;
	LIST_INSERT_HEAD(&v->reaches, r, link);
	uv_timer_init(v->proxy->loop, &r->timer);
	r->timer.data = r;
	v->proxy->handles++;
	uv_timer_start(&r->timer, on_begin, 0, 0);
	return r;
}
