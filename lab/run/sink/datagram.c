/*
 * UDP: each datagram is a talk, or the next piece of one that lasts (TFTP).  What nothing knows comes
 * back as it was, a few times: some go on when anything answers.
 */
#include "lab/run/sink/serve.h"
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#define DATAGRAM_MAX 65536
#define DATAGRAMS_MAX 64 /* at one event */

#ifndef IPV6_ORIGDSTADDR
#define IPV6_ORIGDSTADDR 74
#endif

struct datagram {
	struct address from, to;
	uint16_t from_port, port;
	struct bytes content;
};

static void send_from(const struct address *from, uint16_t port, const struct address *to, uint16_t to_port, struct bytes b)
{
	struct sockaddr_storage at;
	socklen_t len = address_to_sockaddr(to, to_port, false, &at);
	int fd = land_answer(from, port);
	if (fd < 0)
		return;
	sendto(fd, b.at, b.len, MSG_NOSIGNAL, (struct sockaddr *)&at, len);
	close(fd);
}

static void say(struct server *s, struct talk *t, const struct address *to, uint16_t to_port)
{
	struct bytes b = buffer_bytes(&t->out);
	if (!b.len)
		return;
	struct sink_flow *f = world_flow(&s->world, &t->address, t->port, SINK_UDP);
	if (f)
		f->heard += b.len;
	send_from(&t->address, t->port, to, to_port, b);
	buffer_consume(&t->out, b.len);
}

void datagrams_say(struct server *s, struct caller *c)
{
	say(s, &c->talk, &c->peer, c->peer_port);
	c->talk.content_count = 0;
	if (c->talk.ended)
		caller_close(s, c);
}

static struct caller *lasting_find(struct server *s, const struct datagram *d)
{
	for (size_t i = 0; i < s->count; i++) {
		struct caller *c = s->connections[i];
		if (c->fd < 0 && c->peer_port == d->from_port && c->talk.port == d->port &&
		    address_equal(&c->peer, &d->from) && address_equal(&c->talk.address, &d->to))
			return c;
	}
	return NULL;
}

static void lasting_take(struct server *s, struct caller *c, struct bytes b)
{
	c->last_ms = s->world.now_ms;
	if (!talk_take(&c->talk, b))
		c->talk.ended = true;
	if (talk_wants(&c->talk) && !c->asks)
		download_ask(s, c);
	if (!c->asks)
		datagrams_say(s, c);
}

static void take(struct server *s, const struct datagram *d)
{
	struct caller *old = lasting_find(s, d);
	struct sink_flow *f = world_flow(&s->world, &d->to, d->port, SINK_UDP);
	if (f)
		f->said += d->content.len;
	if (old) {
		lasting_take(s, old, d->content);
		return;
	}
	struct talk t;
	talk_begin(&t, &s->world, SINK_UDP, &d->to, d->port);
	talk_take(&t, d->content);
	const struct sink_protocol *p = t.protocol;
	if (f && p && !*f->protocol)
		f->protocol = p->name;
	if (!talk_wants(&t) && (t.ended || !p || !p->lasts)) {
		if (!p && f && world_may_echo(&s->world, f)) {
			talk_say_bytes(&t, d->content);
		}
		say(s, &t, &d->from, d->from_port);
		talk_done(&t);
		return;
	}
	struct caller *c = caller_open(s, -1, SINK_UDP, &d->to, d->port);
	if (!c) {
		talk_done(&t);
		return;
	}
	c->talk = t;
	c->flow = f;
	c->peer = d->from;
	c->peer_port = d->from_port;
	if (talk_wants(&c->talk))
		download_ask(s, c);
	if (!c->asks)
		datagrams_say(s, c);
}

static bool destination(struct msghdr *m, struct address *a, uint16_t *port)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		bool four = h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_ORIGDSTADDR;
		bool six = h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_ORIGDSTADDR;
		if (!four && !six)
			continue;
		struct sockaddr_storage at = {0};
		memcpy(&at, CMSG_DATA(h), four ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		address_from_sockaddr(&at, a, port);
		return true;
	}
	return false;
}

void datagrams_event(struct server *s, int door)
{
	uint8_t room[DATAGRAM_MAX], control[256] __attribute__((aligned(8)));
	for (unsigned i = 0; i < DATAGRAMS_MAX; i++) {
		struct sockaddr_storage from;
		struct iovec v = {room, sizeof room};
		struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &v, .msg_iovlen = 1,
				   .msg_control = control, .msg_controllen = sizeof control};
		ssize_t n = recvmsg(door, &m, MSG_DONTWAIT);
		if (n < 0)
			return;
		struct datagram d = {.content = {room, (size_t)n}};
		address_from_sockaddr(&from, &d.from, &d.from_port);
		if (destination(&m, &d.to, &d.port) && n)
			take(s, &d);
	}
}
