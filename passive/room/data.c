/*
 * Connections beside a session's own: what a protocol has the peer open for its data.
 *
 * Each worker has a few ports for them, bound by the parent and closed to everybody: the worker
 * listens on one only while somebody is expected there, and who else comes is reset.  They have
 * an epoll set of their own, of which one event is taken at a time, since either of the two
 * connections may end the other.
 */
#include "passive/room/room_inner.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPECTED_MS_MAX 60000
#define STALLED_MS_MAX 120000
#define CHANNELS_MAX 4096
#define EVENTS_AT_ONCE 64
#define READ_MAX 65536
#define SAID_MAX (8u << 20)

enum watched { WATCHED_PORT, WATCHED_CHANNEL };

struct data_port {
	enum watched watched;
	int fd;
	uint16_t port;
	unsigned expecting;
};

struct data_channel {
	enum watched watched;
	LIST_ENTRY(data_channel) all;
	struct connection *owner;
	struct data_port *port; /* while it is expected */
	int fd;                 /* -1: the peer has not come */
	bool taking, ending;
	uint64_t since_ms; /* something happened */
	struct buffer in, out;
};

static void port_close(struct data_room *d, struct data_port *p)
{
	if (--p->expecting)
		return;
	epoll_ctl(d->epoll, EPOLL_CTL_DEL, p->fd, NULL);
	shutdown(p->fd, SHUT_RD); /* it stays bound, so nobody else takes it */
}

static bool port_open(struct data_room *d, struct data_port *p)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
	if (p->expecting++)
		return true;
	if (listen(p->fd, 16) == 0 && epoll_ctl(d->epoll, EPOLL_CTL_ADD, p->fd, &e) == 0)
		return true;
	p->expecting--;
	shutdown(p->fd, SHUT_RD);
	return false;
}

static void channel_free(struct data_room *d, struct data_channel *ch)
{
	if (ch->port)
		port_close(d, ch->port);
	if (ch->fd >= 0)
		close(ch->fd);
	d->bytes -= buffer_len(&ch->in);
	d->count--;
	LIST_REMOVE(ch, all);
	ch->owner->data = NULL;
	buffer_done(&ch->in);
	buffer_done(&ch->out);
	free(ch);
}

void data_drop(struct connection *c)
{
	if (c->data)
		channel_free(&connection_room(c)->data, c->data);
}

static struct data_channel *expected_there(const struct data_room *d, const struct data_port *p,
					   const struct address *peer, const struct address *local)
{
	struct data_channel *ch;
	LIST_FOREACH(ch, &d->channels, all)
		if (ch->port == p && address_equal(&ch->owner->session.peer, peer) &&
		    address_equal(&ch->owner->session.local, local))
			return ch;
	return NULL;
}

uint16_t data_expect(struct connection *c)
{
	struct room *r = connection_room(c);
	struct data_room *d = &r->data;
	data_drop(c);
	if (d->port_count == 0 || d->count >= CHANNELS_MAX)
		return 0;
	size_t first = random_below(&r->random, d->port_count);
	struct data_port *p = NULL;
	for (size_t i = 0; i < d->port_count && !p; i++) {
		p = &d->ports[(first + i) % d->port_count];
		if (expected_there(d, p, &c->session.peer, &c->session.local))
			p = NULL;
	}
	struct data_channel *ch = p ? calloc(1, sizeof *ch) : NULL;
	if (!ch || !port_open(d, p)) {
		free(ch);
		return 0;
	}
	*ch = (struct data_channel){.watched = WATCHED_CHANNEL, .owner = c, .port = p, .fd = -1,
				    .since_ms = room_ms(r), .in = BUFFER(r->stage.capture_max + 1),
				    .out = BUFFER(SAID_MAX)};
	LIST_INSERT_HEAD(&d->channels, ch, all);
	d->count++;
	c->data = ch;
	return p->port;
}

static void watch(struct data_room *d, struct data_channel *ch, int how)
{
	struct epoll_event e = {.data.ptr = ch};
	if (ch->fd < 0)
		return;
	e.events = (ch->taking ? EPOLLIN : 0u) | (buffer_len(&ch->out) || ch->ending ? EPOLLOUT : 0u);
	epoll_ctl(d->epoll, how, ch->fd, &e);
}

void data_say(struct connection *c, struct bytes b)
{
	struct data_channel *ch = c->data;
	if (!ch || buffer_append(&ch->out, b.at, b.len))
		return;
	watch(&connection_room(c)->data, ch, EPOLL_CTL_MOD);
}

void data_end(struct connection *c)
{
	if (!c->data)
		return;
	c->data->ending = true;
	watch(&connection_room(c)->data, c->data, EPOLL_CTL_MOD);
}

void data_take(struct connection *c)
{
	if (!c->data)
		return;
	c->data->taking = true;
	watch(&connection_room(c)->data, c->data, EPOLL_CTL_MOD);
}

static void tell(struct connection *c, enum data_event what, struct bytes came)
{
	struct session *s = &c->session;
	bool on = session_tell_data(s, what, came);
	connection_after(c, on && s->tls ? connection_unseal(c) : on);
}

/* It is over; what came goes to the service, after the channel is gone. */
static void channel_end(struct data_room *d, struct data_channel *ch, enum data_event what)
{
	struct connection *c = ch->owner;
	struct buffer in = ch->in;
	d->bytes -= buffer_len(&in);
	ch->in = (struct buffer){0};
	channel_free(d, ch);
	tell(c, what, buffer_bytes(&in));
	buffer_done(&in);
}

void data_break(struct connection *c)
{
	struct data_channel *ch = c->data;
	struct session *s = &c->session;
	if (!ch)
		return;
	struct bytes came = buffer_bytes(&ch->in);
	if (ch->taking && came.len)
		session_tell_data(s, DATA_BROKEN, came);
	data_drop(c);
}

static void channel_came(struct room *r, struct data_port *p)
{
	struct data_room *d = &r->data;
	struct sockaddr_storage from, ours;
	socklen_t len = sizeof from, ours_len = sizeof ours;
	struct address peer, local;
	uint16_t port;
	int fd = accept4(p->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct data_channel *ch = NULL;
	if (getsockname(fd, (struct sockaddr *)&ours, &ours_len) == 0) {
		address_from_sockaddr(&from, &peer, &port);
		address_from_sockaddr(&ours, &local, &port);
		ch = expected_there(d, p, &peer, &local);
	}
	if (!ch) {
		const struct linger reset = {.l_onoff = 1};
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(fd);
		return;
	}
	ch->port = NULL;
	port_close(d, p);
	ch->fd = fd;
	ch->since_ms = room_ms(r);
	watch(d, ch, EPOLL_CTL_ADD);
	tell(ch->owner, DATA_OPENED, (struct bytes){0});
}

static bool spend(struct room *r, struct data_channel *ch, size_t n)
{
	struct connection *c = ch->owner;
	ch->since_ms = room_ms(r);
	c->heard_ms = (uint32_t)(session_age_us(&c->session) / 1000);
	return limits_spend(&r->limits, &c->share, n, r->stage.mono_us);
}

/* Beyond the limit of a file it is taken and not kept. */
static bool keep(struct room *r, struct data_channel *ch, struct bytes b)
{
	size_t left = ch->in.max - buffer_len(&ch->in);
	size_t n = b.len < left ? b.len : left;
	if (r->data.bytes + n > r->settings.options->files_bytes || buffer_append(&ch->in, b.at, n))
		return false;
	r->data.bytes += n;
	return true;
}

static void channel_read(struct room *r, struct data_channel *ch)
{
	static uint8_t room[READ_MAX];
	ssize_t n = recv(ch->fd, room, sizeof room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0)
		channel_end(&r->data, ch, DATA_DONE);
	else if (n < 0 || !spend(r, ch, (size_t)n) || !keep(r, ch, (struct bytes){room, (size_t)n}))
		channel_end(&r->data, ch, DATA_BROKEN);
}

static void channel_write(struct room *r, struct data_channel *ch)
{
	struct bytes b = buffer_bytes(&ch->out);
	ssize_t n = b.len ? send(ch->fd, b.at, b.len, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || !spend(r, ch, (size_t)n)) {
		channel_end(&r->data, ch, DATA_BROKEN);
		return;
	}
	ch->owner->session.bytes_out += (uint64_t)n;
	buffer_consume(&ch->out, (size_t)n);
	if (buffer_len(&ch->out) == 0 && ch->ending)
		channel_end(&r->data, ch, DATA_DONE);
	else
		watch(&r->data, ch, EPOLL_CTL_MOD);
}

static void channel_ready(struct room *r, struct data_channel *ch, uint32_t events)
{
	if (events & EPOLLIN)
		channel_read(r, ch);
	else if (events & (EPOLLERR | EPOLLHUP))
		channel_end(&r->data, ch, ch->taking ? DATA_DONE : DATA_BROKEN);
	else if (events & EPOLLOUT)
		channel_write(r, ch);
}

static void on_data(uv_poll_t *poll, int status, int events)
{
	struct room *r = poll->data;
	struct epoll_event ready;
	(void)status;
	(void)events;
	for (int i = 0; i < EVENTS_AT_ONCE && !r->frozen && epoll_wait(r->data.epoll, &ready, 1, 0) == 1; i++) {
		room_now(r);
		if (*(enum watched *)ready.data.ptr == WATCHED_PORT)
			channel_came(r, ready.data.ptr);
		else
			channel_ready(r, ready.data.ptr, ready.events);
	}
}

void data_listen(struct room *r)
{
	if (r->data.port_count)
		uv_poll_start(&r->data.poll, UV_READABLE, on_data);
}

void data_shut(struct room *r)
{
	if (r->data.port_count)
		uv_poll_stop(&r->data.poll);
}

void data_sweep(struct room *r)
{
	struct data_channel *ch, *late;
	room_now(r);
	do {
		late = NULL;
		LIST_FOREACH(ch, &r->data.channels, all)
			if (room_ms(r) - ch->since_ms > (ch->fd < 0 ? EXPECTED_MS_MAX : STALLED_MS_MAX))
				late = ch;
		if (late)
			channel_end(&r->data, late, DATA_BROKEN);
	} while (late);
}

int data_open(struct room *r, const struct process *p, struct fault *fault)
{
	struct data_room *d = &r->data;
	LIST_INIT(&d->channels);
	d->epoll = -1;
	for (size_t i = 0; i < p->fds_count && d->port_count < DATA_PORTS; i++) {
		struct sockaddr_storage at;
		socklen_t len = sizeof at;
		struct address any;
		uint16_t port = 0;
		if (strncmp(p->fds[i].name, DATA_FD, strlen(DATA_FD)) ||
		    getsockname(p->fds[i].fd, (struct sockaddr *)&at, &len))
			continue;
		address_from_sockaddr(&at, &any, &port);
		if (!d->ports)
			d->ports = calloc(DATA_PORTS, sizeof *d->ports);
		if (!d->ports)
			return ERR_MEMORY;
		/*
		 * A worker that died may have listened.  Shutting down a socket that does not
		 * listen would leave it deaf, and with it all that it accepts later.
		 */
		if (listen(p->fds[i].fd, 1) || shutdown(p->fds[i].fd, SHUT_RD))
			continue;
		d->ports[d->port_count++] = (struct data_port){WATCHED_PORT, p->fds[i].fd, port, 0};
	}
	if (d->port_count == 0)
		return 0;
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll < 0 || uv_poll_init(r->loop, &d->poll, d->epoll))
		return fault_set(fault, ERR_SYSTEM, "passive: data connections cannot be watched");
	d->poll.data = r;
	return 0;
}

void data_done(struct room *r)
{
	struct data_room *d = &r->data;
	if (d->port_count)
		uv_close((uv_handle_t *)&d->poll, NULL);
	if (d->epoll >= 0)
		close(d->epoll);
	free(d->ports);
}
