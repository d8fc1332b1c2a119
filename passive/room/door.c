/*
 * The door: who comes in, as which device, and who is turned away.
 *
 * Accepting is our own loop with a cap on each turn: libuv's closes what is pending when
 * descriptors run out.  Nothing that happens here opens a file or spins: when the system
 * has no descriptor left, a spare one is given up for a moment so that the peer can be
 * accepted and hung up on, and when even that fails the door rests for a tenth of a second.
 */
#include "base/log.h"
#include "passive/room/room_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

void door_refuse(struct room *r, enum refusal why)
{
	r->refused[why]++;
	if (!r->stopping && !uv_is_active((uv_handle_t *)&r->report_timer))
		uv_timer_start(&r->report_timer, r->on_report, ROOM_REPORT_MS, 0);
}

/* One event for all that were turned away since the last. */
void door_report(struct room *r)
{
	char detail[512];
	struct writer w = writer_of(detail, sizeof detail - 1);
	uint64_t total = 0;
	enum refusal most = REFUSED_NOT;
	for (int i = REFUSED_NOT + 1; i < REFUSALS; i++) {
		if (r->refused[i] == 0)
			continue;
		write_fmt(&w, "%s%s %llu", total ? ", " : "", refusal_name((enum refusal)i),
		          (unsigned long long)r->refused[i]);
		total += r->refused[i];
		if (r->refused[i] > r->refused[most])
			most = (enum refusal)i;
		r->told[i] += r->refused[i];
	}
	if (total == 0)
		return;
	memset(r->refused, 0, sizeof r->refused);
	*w.at = '\0';
	struct event *e = &r->stage.report;
	event_begin(e, EVENT_SENSOR_CHANGED);
	event_set_text(e, FIELD_STATE, "refusing");
	event_set_number(e, FIELD_COUNT, total);
	event_set_text(e, FIELD_REASON, refusal_name(most));
	event_set_text(e, FIELD_DETAIL, detail);
	room_publish(r, e);
}

FIELD(field_steer_arm, "steer.arm", TEXT, 0, "arm of the trial of steering: steered, random, held-out");

static void set_why(const struct room *r, const struct visit *v, struct event *e)
{
	struct steering_why why;
	if (!steering_why(&r->steering, &v->source, &why))
		return;
	if (why.arm.len)
		event_set_bytes(e, field_steer_arm, why.arm);
	if (why.rule.len)
		event_set_bytes(e, FIELD_RULE, why.rule);
	if (why.reasons.len)
		event_set_bytes(e, FIELD_EVIDENCE, why.reasons);
}

/* The event behind a visit that is steered: told once, when the visit begins. */
static void tell_steered(struct room *r, struct visit *v, const struct session *s)
{
	struct event *e = &r->stage.report;
	event_begin(e, EVENT_HOST_STEERED);
	session_mark(s, e);
	event_set_number(e, FIELD_TABLE_VERSION, v->version);
	set_why(r, v, e);
	if (!id_is_zero(&v->cause))
		event_set_chain(e, &v->cause, &v->cause, 0);
	v->steered = e->id = bus_id(r->bus, r->stage.utc_us);
	room_publish(r, e);
}

static void tell_opened(struct room *r, struct visit *v, struct session *s)
{
	if (v && v->persona && v->persona == s->persona) {
		if (id_is_zero(&v->steered))
			tell_steered(r, v, s);
		s->root = id_is_zero(&v->cause) ? v->steered : v->cause;
		s->depth = id_is_zero(&v->cause) ? 1 : 2;
	}
	struct event *e = &r->stage.report;
	event_begin(e, EVENT_SESSION_OPENED);
	session_mark(s, e);
	e->id = s->id;
	if (s->depth)
		event_set_chain(e, &v->steered, &s->root, s->depth - 1);
	room_publish(r, e);
}

static struct connection *connection_new(struct room *r, struct listener *l, const struct offered_port *offered,
					 int fd)
{
	const struct service *service = offered->service;
	size_t size = offsetof(struct connection, session) + session_size(service);
	struct connection *c = calloc(1, size);
	if (!c)
		return NULL;
	c->listener = l;
	c->fd = fd;
	c->session.stage = &r->stage;
	c->session.service = service;
	c->session.options = offered->options;
	c->session.transport = l->offered->transport;
	c->session.secure = l->offered->secure ? SECURE_ON : SECURE_NOT;
	c->session.opened_mono_us = r->stage.mono_us;
	c->session.answer_max = fd < 0 ? 0 : SIZE_MAX;
	c->session.arena = ARENA(service->arena_max);
	if (fd < 0)
		return c;
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	c->interest = EPOLLIN;
	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e) == 0)
		return c;
	free(c);
	return NULL;
}

/* The persona of a visit: what steering says when the decoy may play it, else the address's own. */
static const struct persona *cast(const struct decoy *d, const struct visit *v, uint64_t seed)
{
	if (v && v->persona && decoy_plays(d, v->persona))
		return v->persona;
	return decoy_persona(d, seed);
}

static enum refusal door_full(const struct room *r)
{
	if (r->stopping)
		return REFUSED_STOPPING;
	if (bus_congested(r->bus))
		return REFUSED_CONGESTION;
	if (r->held_bytes >= r->settings.options->memory_bytes)
		return REFUSED_MEMORY;
	return r->connection_count - r->datagram_count >= r->descriptors_max ? REFUSED_DESCRIPTORS
	                                                                     : REFUSED_NOT;
}

/* What a peer meets there: the port's service, the catch-all, or nothing. */
static const struct offered_port *offered_there(const struct room *r, const struct decoy *d, const struct persona *p,
						const struct offered_port *o)
{
	if (!o->service->hands_over && port_played(o, p))
		return o;
	return d->every_port ? passive_catch_all(&r->settings, (enum transport)o->transport) : NULL;
}

enum refusal door_admit(struct room *r, struct listener *l, int fd, const struct address *peer,
                        uint16_t peer_port, const struct address *local, uint16_t local_port,
			struct connection **out)
{
	struct limits_share share;
	enum refusal no = door_full(r);
	const struct decoy *decoy = no ? NULL : passive_decoy(&r->settings, local);
	if (!no && !decoy)
		no = REFUSED_ADDRESS;
	if (!no)
		no = limits_admit(&r->limits, peer, r->stage.mono_us, &share);
	if (no)
		return no;
	bool fresh;
	struct visit *v = steering_enter(&r->steering, peer, local, room_ms(r), &fresh);
	if (v && (!decoy->steer || !decoy->react || steering_is_silent(&r->steering, local)))
		v->persona = NULL;
	const struct persona *persona = cast(decoy, v, address_hash(local, r->stage.device_key));
	const struct offered_port *offered = offered_there(r, decoy, persona, l->offered);
	struct connection *c = offered ? connection_new(r, l, offered, fd) : NULL;
	if (!c) {
		limits_leave(&r->limits, &share);
		steering_leave(&r->steering, peer, local, room_ms(r));
		return offered ? REFUSED_MEMORY : REFUSED_ADDRESS;
	}
	c->share = share;
	c->session.peer = *peer;
	c->session.peer_port = peer_port;
	c->session.local = *local;
	c->session.local_port = local_port;
	c->session.persona = persona;
	c->session.id = bus_id(r->bus, r->stage.utc_us);
	LIST_INSERT_HEAD(&r->connections, c, all);
	r->connection_count++;
	tell_opened(r, v, &c->session);
	*out = c;
	return REFUSED_NOT;
}

static void door_let_in(struct listener *l, int fd, const struct sockaddr_storage *from)
{
	struct room *r = l->room;
	struct sockaddr_storage ours;
	socklen_t len = sizeof ours;
	struct address peer, local;
	uint16_t peer_port, port;
	struct connection *c = NULL;
	enum refusal no = REFUSED_ADDRESS;
	room_now(r);
	address_from_sockaddr(from, &peer, &peer_port);
	if (getsockname(fd, (struct sockaddr *)&ours, &len) == 0) {
		address_from_sockaddr(&ours, &local, &port);
		no = door_admit(r, l, fd, &peer, peer_port, &local, port, &c);
	}
	if (no) {
		/* No such machine, or not this port of it: a reset, as near to that as we get. */
		const struct linger reset = {.l_onoff = 1};
		if (no == REFUSED_ADDRESS)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		door_refuse(r, no);
		close(fd);
		return;
	}
	connection_start(c);
}

static void door_rest(struct room *r)
{
	door_shut(r);
	r->resting = true;
	uv_timer_start(&r->retry_timer, r->on_retry, ROOM_RETRY_MS, 0);
}

/* No descriptor is left: takes one peer in with the spare one, only to hang up. */
static bool door_turn_away(struct listener *l)
{
	struct room *r = l->room;
	if (r->reserve < 0)
		return false;
	close(r->reserve);
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	r->reserve = fcntl(r->epoll, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		door_refuse(r, REFUSED_DESCRIPTORS);
	return fd >= 0;
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	(void)status;
	(void)events;
	for (int i = 0; i < ROOM_ACCEPT_BATCH && !l->room->frozen; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof from;
		int fd = accept4(l->fd, (struct sockaddr *)&from, &len,
		                 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			door_let_in(l, fd, &from);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		           errno == ENOMEM) {
			if (!door_turn_away(l)) {
				door_rest(l->room);
				return;
			}
		} /* else: that peer was gone before we took it (ECONNABORTED and the like) */
	}
}

void door_listen(struct room *r)
{
	if (r->frozen || r->stopping)
		return;
	r->resting = false;
	for (size_t i = 0; i < r->listener_count; i++) {
		struct listener *l = &r->listeners[i];
		uv_poll_start(&l->poll, UV_READABLE,
		              l->offered->transport == TRANSPORT_UDP ? datagram_listen
		                                                     : on_listener);
	}
}

void door_shut(struct room *r)
{
	for (size_t i = 0; i < r->listener_count; i++)
		uv_poll_stop(&r->listeners[i].poll);
}

int door_open(struct room *r, const struct process *p, struct fault *fault)
{
	char name[PROCESS_NAME_MAX];
	struct rlimit files;
	r->descriptors_max = 1024;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		r->descriptors_max = files.rlim_cur;
	size_t spare = r->descriptors_max > 4 * ROOM_DESCRIPTORS_SPARE ? ROOM_DESCRIPTORS_SPARE
	                                                               : r->descriptors_max / 4;
	r->descriptors_max -= spare + p->fds_count < r->descriptors_max ? spare + p->fds_count : 0;
	r->reserve = fcntl(r->epoll, F_DUPFD_CLOEXEC, 0);
	for (size_t i = 0; i < r->settings.port_count; i++) {
		const struct offered_port *offered = &r->settings.ports[i];
		socket_name(offered, name);
		int fd = process_fd(p, name);
		if (fd < 0)
			return fault_set(fault, ERR_MISSING, "passive: %s was not handed down",
			                 name);
		struct listener *l = &r->listeners[r->listener_count];
		*l = (struct listener){.room = r, .fd = fd, .offered = offered};
		if (uv_poll_init(r->loop, &l->poll, fd))
			return fault_set(fault, ERR_SYSTEM, "passive: %s cannot be watched", name);
		int family = AF_INET6;
		socklen_t len = sizeof family;
		getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
		l->v4 = family == AF_INET;
		l->poll.data = l;
		r->listener_count++;
	}
	if (r->listener_count == 0)
		log_warning("passive: no service is configured, so nobody can come in");
	return 0;
}
