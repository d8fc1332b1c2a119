#include "lab/run/sink/serve.h"
#include "base/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_MAX 16384
#define ACCEPTS_MAX 64 /* at one event */
#define PIECE 32768

uint64_t server_now_ms(struct server *s)
{
	s->world.now_ms = (clock_mono_us() - s->began_mono_us) / 1000;
	return s->world.now_ms;
}

/* When there are too many the one that was quiet the longest goes. */
static void make_room(struct server *s)
{
	if (s->count < CONNECTIONS_MAX)
		return;
	struct caller *oldest = s->connections[0];
	for (size_t i = 1; i < s->count; i++)
		if (s->connections[i]->last_ms < oldest->last_ms)
			oldest = s->connections[i];
	world_limit(&s->world, "sink.connections");
	caller_close(s, oldest);
}

struct caller *caller_open(struct server *s, int fd, uint8_t transport, const struct address *a, uint16_t port)
{
	make_room(s);
	struct caller *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->fd = fd;
	c->wire = BUFFER(WIRE_MAX);
	c->plain = BUFFER(TALK_INPUT_MAX);
	c->began_ms = c->last_ms = s->world.now_ms;
	c->first = true;
	talk_begin(&c->talk, &s->world, transport, a, port);
	s->connections[s->count++] = c;
	return c;
}

void caller_close(struct server *s, struct caller *c)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->connections[i] == c)
			s->connections[i] = s->connections[--s->count];
	if (s->asking == c)
		s->asking = NULL; /* its answer, when it comes, is nobody's */
	uint32_t hello = c->talk.hello;
	talk_done(&c->talk);
	hello = hello == KNOWN_NONE ? c->talk.hello : hello;
	if (hello != KNOWN_NONE && c->fd >= 0) {
		struct sink_hello *h = &s->world.hellos[hello];
		uint64_t kept = s->world.now_ms - c->began_ms;
		h->kept_ms = kept > h->kept_ms ? kept : h->kept_ms;
	}
	download_leave(s, c->content);
	veil_close(c->secure);
	buffer_done(&c->wire);
	buffer_done(&c->plain);
	if (c->fd >= 0)
		close(c->fd);
	c->closed = true;
	s->dead[s->dead_count++] = c;
	if (s->dead_count == CONNECTIONS_MAX)
		s->stopping = true; /* no round of events is that long */
}

/* Events that were fetched already may still name a connection that an earlier one closed. */
void callers_bury(struct server *s)
{
	while (s->dead_count)
		free(s->dead[--s->dead_count]);
}

static void note_protocol(struct caller *c)
{
	if (!c->flow)
		return;
	const struct sink_protocol *p = c->talk.protocol;
	if (p && (!*c->flow->protocol || !strcmp(c->flow->protocol, "tls")))
		c->flow->protocol = c->secure && p->secure_name ? p->secure_name : p->name;
	else if (!p && !*c->flow->protocol && c->secure && veil_stands(c->secure))
		c->flow->protocol = "tls";
}

static bool to_wire(struct caller *c, struct bytes b)
{
	return c->secure ? veil_say(c->secure, b, &c->wire) : !buffer_append(&c->wire, b.at, b.len);
}

/* What the talk said, then what it fetched, piece by piece. */
static bool refill(struct server *s, struct caller *c)
{
	struct talk *t = &c->talk;
	struct bytes said = buffer_bytes(&t->out);
	if (said.len) {
		bool good = to_wire(c, said);
		if (c->flow)
			c->flow->heard += said.len;
		buffer_consume(&t->out, said.len);
		return good;
	}
	if (!t->content_count || !c->content)
		return true;
	size_t n = t->content_count < PIECE ? t->content_count : PIECE;
	bool good = to_wire(c, (struct bytes){c->content->bytes.at + t->content_from, n});
	t->content_from += n;
	t->content_count -= n;
	if (c->flow)
		c->flow->heard += n;
	if (t->content_count)
		return good;
	download_leave(s, c->content);
	c->content = NULL;
	talk_take(t, (struct bytes){0}); /* what it said meanwhile */
	if (talk_wants(t))
		download_ask(s, c);
	return good;
}

static void watch_events(struct server *s, struct caller *c)
{
	bool busy = talk_wants(&c->talk) || c->talk.content_count || buffer_len(&c->wire);
	uint32_t events = (busy ? 0 : EPOLLIN) | (buffer_len(&c->wire) ? EPOLLOUT : 0);
	if (c->watched && events == c->events)
		return;
	struct epoll_event e = {.events = events, .data.ptr = c};
	epoll_ctl(s->epoll, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &e);
	c->watched = true;
	c->events = events;
}

bool caller_pump(struct server *s, struct caller *c)
{
	for (;;) {
		struct bytes b = buffer_bytes(&c->wire);
		if (!b.len) {
			if (!refill(s, c))
				break;
			b = buffer_bytes(&c->wire);
		}
		if (!b.len)
			break;
		ssize_t n = send(c->fd, b.at, b.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			watch_events(s, c);
			return true;
		}
		if (n <= 0)
			break;
		buffer_consume(&c->wire, (size_t)n);
	}
	note_protocol(c);
	bool rest = buffer_len(&c->wire) || buffer_len(&c->talk.out) || c->talk.content_count;
	if (rest || (c->talk.ended && !talk_wants(&c->talk))) {
		caller_close(s, c);
		return false;
	}
	watch_events(s, c);
	return true;
}

static void caller_talk(struct server *s, struct caller *c, struct bytes b)
{
	if (c->flow)
		c->flow->said += b.len;
	if (!talk_take(&c->talk, b))
		c->talk.ended = true;
	if (talk_wants(&c->talk) && !c->asks)
		download_ask(s, c);
}

static void note_name(struct server *s, struct caller *c, struct bytes hello)
{
	const char *name = veil_name(c->secure);
	world_request(&s->world, "tls", talk_endpoint(&c->talk), *name ? "sni" : "hello", bytes_of_text(name), hello);
}

static bool caller_secure(struct server *s, struct caller *c, struct bytes b)
{
	bool stood = veil_stands(c->secure);
	if (!veil_take(c->secure, b, &c->plain, &c->wire)) {
		c->talk.ended = true;
		return buffer_len(&c->wire) > 0;
	}
	if (c->first)
		note_name(s, c, b);
	if (!stood && veil_stands(c->secure))
		c->began_ms = s->world.now_ms; /* a server within TLS greets from here on */
	struct bytes plain = buffer_bytes(&c->plain);
	if (plain.len)
		caller_talk(s, c, plain);
	buffer_consume(&c->plain, plain.len);
	return true;
}

static bool caller_read(struct server *s, struct caller *c)
{
	uint8_t room[READ_MAX];
	ssize_t n = recv(c->fd, room, sizeof room, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	struct bytes b = {room, (size_t)n};
	c->last_ms = s->world.now_ms;
	if (c->first && !c->secure && veil_recognises(b)) {
		c->secure = veil_open(s->secure);
		c->talk.secure = c->secure != NULL;
	}
	bool good = true;
	if (c->secure)
		good = caller_secure(s, c, b);
	else
		caller_talk(s, c, b);
	c->first = false;
	return good;
}

void caller_event(struct server *s, struct caller *c, uint32_t events)
{
	if (c->closed)
		return;
	bool good = events & EPOLLIN ? caller_read(s, c) : !(events & (EPOLLHUP | EPOLLERR));
	if (!good)
		caller_close(s, c);
	else
		caller_pump(s, c);
}

void caller_accept(struct server *s, int door)
{
	for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_storage at;
		socklen_t len = sizeof at;
		int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		/* TPROXY: our end of the connection is where the sample wanted to go. */
		struct address a;
		uint16_t port;
		if (getsockname(fd, (struct sockaddr *)&at, &len)) {
			close(fd);
			continue;
		}
		address_from_sockaddr(&at, &a, &port);
		struct sink_flow *flow = world_connected(&s->world, &a, port);
		if (leave_offer(s, fd, &a, port, flow))
			continue;
		struct caller *c = caller_open(s, fd, SINK_TCP, &a, port);
		if (!c) {
			close(fd);
			continue;
		}
		c->flow = flow;
		watch_events(s, c);
	}
}

/* Greets where nobody spoke, gives up what is not answered, ends talks of UDP that lasted. */
void caller_sweep(struct server *s)
{
	uint64_t now = server_now_ms(s);
	for (size_t i = s->count; i-- > 0;) { /* closing one puts the last in its place, which was seen */
		struct caller *c = s->connections[i];
		if (c->asks && now - c->asked_ms > FETCH_MS_MAX) {
			download_give_up(s, c);
			continue;
		}
		if (c->fd < 0) {
			if (now - c->last_ms > LASTING_MS_MAX)
				caller_close(s, c);
			continue;
		}
		bool waits = !c->talk.protocol && !c->talk.silent && (!c->secure || veil_stands(c->secure));
		if (!waits || now - c->began_ms < GREET_MS)
			continue;
		talk_quiet(&c->talk);
		caller_pump(s, c);
	}
}
