#include "active/visit/proxy_inner.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECTIONS 200
#define AT_ONCE PROXY_AT_ONCE_MAX
#define BYTES_IN (64u << 20)
#define BYTES_OUT (1u << 20)
#define TIME_MS 60000

void proxy_handle_closed(struct proxy *p) { p->handles--; }

static void set_limit(struct proxy_visit *v, const char *limit)
{
	if (!v->limit[0])
		snprintf(v->limit, sizeof v->limit, "%s", limit);
}

bool visit_is_over(const struct proxy_visit *v) { return v->limit[0] != '\0'; }

static bool log_grow(struct proxy_visit *v)
{
	if (v->log_count < v->log_room)
		return true;
	const size_t room = v->log_room ? v->log_room * 2 : 16;
	struct proxy_connection *log = realloc(v->log, room * sizeof *log);
	if (log) {
		v->log = log;
		v->log_room = room;
	}
	return log != NULL;
}

size_t visit_log_add(struct proxy_visit *v, const char *host, uint16_t port)
{
	if (visit_is_over(v))
		return SIZE_MAX;
	if (v->log_count >= v->limits.connections || v->log_count >= PROXY_CONNECTIONS_MAX || !log_grow(v)) {
		set_limit(v, "connections");
		return SIZE_MAX;
	}
	struct proxy_connection *c = &v->log[v->log_count];
	*c = (struct proxy_connection){.port = port, .begun_us = clock_utc_us()};
	snprintf(c->host, sizeof c->host, "%s", host);
	v->at_once++;
	return v->log_count++;
}

void visit_log_end(struct proxy_visit *v, size_t index, const char *reason)
{
	struct proxy_connection *c = &v->log[index];
	if (c->ended_us)
		return;
	if (reason)
		snprintf(c->reason, sizeof c->reason, "%s", reason);
	c->ended_us = clock_utc_us();
	v->at_once--;
	if (v->proxy->hooks.ended)
		v->proxy->hooks.ended(v->proxy->hooks.arg, v, index);
}

void proxy_visit_exhaust(struct proxy_visit *v, const char *limit)
{
	struct reach *next;
	set_limit(v, limit);
	for (struct reach *r = LIST_FIRST(&v->reaches); r; r = next) {
		next = reach_next(r);
		reach_decide(r, false, NULL, "budget");
	}
	serve_stop(v);
	for (size_t i = 0; i < PROXY_AT_ONCE_MAX; i++)
		if (v->given[i].fd >= 0)
			shutdown(v->given[i].fd, SHUT_RDWR);
}

bool visit_take(struct proxy_visit *v, size_t index, uint64_t in, uint64_t out)
{
	v->bytes_in += in;
	v->bytes_out += out;
	v->log[index].bytes_in += in;
	v->log[index].bytes_out += out;
	if (v->bytes_in <= v->limits.bytes_in && v->bytes_out <= v->limits.bytes_out)
		return true;
	set_limit(v, "bytes");
	return false;
}

static void on_time(uv_timer_t *timer) { proxy_visit_exhaust(timer->data, "time"); }

static void on_visit_closed(uv_handle_t *handle)
{
	struct proxy_visit *v = handle->data;
	struct proxy *p = v->proxy;
	free(v->log);
	free(v);
	proxy_handle_closed(p);
}

static uint64_t or_else(uint64_t given, uint64_t fallback) { return given ? given : fallback; }

int proxy_visit_begin(struct proxy_visit **out, struct proxy *p, const struct event_id *lease,
		      const struct proxy_limits *limits, void *arg)
{
	struct proxy_visit *v = p->closing ? NULL : calloc(1, sizeof *v);
	if (!v)
		return p->closing ? ERR_GONE : ERR_MEMORY;
	*v = (struct proxy_visit){.proxy = p, .lease = *lease, .arg = arg, .begun_us = clock_utc_us()};
	v->limits = (struct proxy_limits){
		or_else(limits->connections, CONNECTIONS), or_else(limits->at_once, AT_ONCE),
		or_else(limits->bytes_in, BYTES_IN), or_else(limits->bytes_out, BYTES_OUT),
		or_else(limits->time_ms, TIME_MS),
	};
	if (v->limits.at_once > PROXY_AT_ONCE_MAX)
		v->limits.at_once = PROXY_AT_ONCE_MAX;
	for (size_t i = 0; i < PROXY_AT_ONCE_MAX; i++)
		v->given[i].fd = -1;
	uv_timer_init(p->loop, &v->timer);
	v->timer.data = v;
	p->handles++;
	uv_timer_start(&v->timer, on_time, v->limits.time_ms, 0);
	LIST_INSERT_HEAD(&p->visits, v, link);
	*out = v;
	return 0;
}

void *proxy_visit_arg(const struct proxy_visit *v) { return v->arg; }
const char *proxy_visit_limit(const struct proxy_visit *v) { return v->limit; }
int proxy_visit_listen(struct proxy_visit *v, int fd) { return serve_listen(v, fd); }

const struct proxy_connection *proxy_visit_log(const struct proxy_visit *v, size_t *count)
{
	*count = v->log_count;
	return v->log;
}

struct connecting {
	struct proxy_visit *visit;
	proxy_connected_f *tell;
	void *arg;
};

static void on_reached(void *arg, int fd, size_t index)
{
	struct connecting c = *(struct connecting *)arg;
	free(arg);
	for (size_t i = 0; fd >= 0 && i < PROXY_AT_ONCE_MAX; i++)
		if (c.visit->given[i].fd < 0) {
			c.visit->given[i].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
			c.visit->given[i].index = index;
			break;
		}
	c.tell(c.arg, fd, index);
}

int proxy_visit_connect(struct proxy_visit *v, const char *host, uint16_t port, proxy_connected_f *tell, void *arg)
{
	struct connecting *c = malloc(sizeof *c);
	if (!c)
		return ERR_MEMORY;
	*c = (struct connecting){v, tell, arg};
	struct reach *r = reach_begin(v, host, port, on_reached, c);
	if (r)
		reach_own(r);
	else
		free(c);
	return r ? 0 : ERR_MEMORY;
}

static void given_close(struct proxy_visit *v, size_t index)
{
	for (size_t i = 0; i < PROXY_AT_ONCE_MAX; i++)
		if (v->given[i].fd >= 0 && v->given[i].index == index) {
			shutdown(v->given[i].fd, SHUT_RDWR);
			close(v->given[i].fd);
			v->given[i].fd = -1;
		}
}

bool proxy_visit_count(struct proxy_visit *v, size_t index, uint64_t in, uint64_t out)
{
	return visit_take(v, index, in, out) && !visit_is_over(v);
}

void proxy_visit_closed(struct proxy_visit *v, size_t index)
{
	given_close(v, index);
	visit_log_end(v, index, NULL);
}

void proxy_visit_end(struct proxy_visit *v)
{
	struct reach *r;
	set_limit(v, "ended");
	while ((r = LIST_FIRST(&v->reaches)))
		reach_stop(r);
	serve_stop(v);
	for (size_t i = 0; i < PROXY_AT_ONCE_MAX; i++)
		if (v->given[i].fd >= 0)
			given_close(v, v->given[i].index);
	LIST_REMOVE(v, link);
	uv_close((uv_handle_t *)&v->timer, on_visit_closed);
}

void proxy_decide(struct proxy *p, uint64_t number, bool allowed, const struct address *from, const char *reason)
{
	struct proxy_visit *v;
	LIST_FOREACH(v, &p->visits, link)
		for (struct reach *r = LIST_FIRST(&v->reaches); r; r = reach_next(r))
			if (reach_number(r) == number) {
				reach_decide(r, allowed, from, reason);
				return;
			}
}

void proxy_revoke(struct proxy *p, const struct prefix *prefix)
{
	struct proxy_visit *v;
	struct reach *next;
	LIST_FOREACH(v, &p->visits, link) {
		for (struct reach *r = LIST_FIRST(&v->reaches); r; r = next) {
			next = reach_next(r);
			if (reach_is_to(r, prefix))
				reach_decide(r, false, NULL, "revoked");
		}
		serve_revoke(v, prefix);
		for (size_t i = 0; i < PROXY_AT_ONCE_MAX; i++)
			if (v->given[i].fd >= 0 && prefix_holds(prefix, &v->log[v->given[i].index].address))
				shutdown(v->given[i].fd, SHUT_RDWR);
	}
}

static void on_idle_closed(uv_handle_t *handle)
{
	struct proxy *p = handle->data;
	void (*closed)(void *) = p->closed;
	void *arg = p->closed_arg;
	free(p);
	if (closed)
		closed(arg);
}

static void on_closing(uv_idle_t *idle)
{
	struct proxy *p = idle->data;
	if (!p->handles)
		uv_close((uv_handle_t *)idle, on_idle_closed);
}

int proxy_open(struct proxy **out, uv_loop_t *loop, const struct proxy_options *options,
	       const struct proxy_hooks *hooks, struct fault *fault)
{
	struct proxy *p = calloc(1, sizeof *p);
	if (!p)
		return fault_set(fault, ERR_MEMORY, "no memory for a proxy");
	*p = (struct proxy){.loop = loop, .options = *options, .hooks = *hooks};
	if (resolver_open(&p->resolver, loop, options)) {
		free(p);
		return fault_set(fault, ERR_MEMORY, "no memory for a resolver");
	}
	uv_idle_init(loop, &p->idle);
	p->idle.data = p;
	*out = p;
	return 0;
}

void proxy_close(struct proxy *p, void (*closed)(void *arg), void *arg)
{
	struct proxy_visit *v;
	while ((v = LIST_FIRST(&p->visits)))
		proxy_visit_end(v);
	resolver_close(p->resolver);
	p->closing = true;
	p->closed = closed;
	p->closed_arg = arg;
	uv_idle_start(&p->idle, on_closing);
}
