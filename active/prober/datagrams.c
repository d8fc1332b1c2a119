/*
 * The exchange over UDP of a target: the same clocks as a connection, without one.
 *
 * The socket is connected, so that the kernel drops what comes from elsewhere and tells of
 * ports that are closed (ICMP).  Where a protocol's hosts answer from another port of the
 * same address, every datagram's sender is compared here.
 */
#include "active/prober/prober_inner.h"
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define DATAGRAMS_READ_MAX 64 /* of one exchange: more is a flood, not an answer */

#define TTL_ROOM 64           /* of what the kernel tells beside a datagram */

static socklen_t peer_of(const struct target *t, struct sockaddr_storage *peer)
{
	return address_to_sockaddr(&t->lease.target, t->line->port, false, peer);
}

int datagrams_connect(const struct target *t)
{
	struct sockaddr_storage peer;
	socklen_t len = peer_of(t, &peer);
	const bool v4 = peer.ss_family == AF_INET;
	int on = 1; /* without it the answer's TTL is not known, and no more */
	setsockopt(t->line->fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, &on, sizeof on);
	if (t->line->asking.probe->answers_elsewhere)
		return 0;
	return connect(t->line->fd, (struct sockaddr *)&peer, len);
}

static ssize_t datagram_send(const struct target *t, struct bytes out)
{
	struct sockaddr_storage peer;
	socklen_t len = peer_of(t, &peer);
	if (t->line->asking.probe->answers_elsewhere)
		return sendto(t->line->fd, out.at, out.len, MSG_NOSIGNAL, (struct sockaddr *)&peer, len);
	return send(t->line->fd, out.at, out.len, MSG_NOSIGNAL);
}

int datagrams_flush(struct prober *p, struct target *t)
{
	struct line *l = t->line;
	struct bytes out;
	while ((out = asking_unsent(&l->asking)).len) {
		if (t->packets + l->datagrams >= t->lease.packets_max)
			return 0;
		if (datagram_send(t, out) < 0)
			return errno == EAGAIN ? 0 : ERR_GONE;
		asking_sent(&l->asking, out.len);
		l->datagrams++;
		p->counts.bytes_out += out.len;
	}
	return 0;
}

static bool is_from_target(const struct target *t, const struct sockaddr_storage *from)
{
	struct address sender;
	uint16_t port;
	address_from_sockaddr(from, &sender, &port);
	return address_equal(&sender, &t->lease.target);
}

static uint8_t ttl_of(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		bool told = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
			    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT);
		int ttl = 0;
		if (told && c->cmsg_len >= CMSG_LEN(sizeof ttl))
			memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
		if (told)
			return (uint8_t)ttl;
	}
	return 0;
}

static ssize_t datagram_hear(struct prober *p, int fd, struct sockaddr_storage *from, uint8_t *ttl)
{
	_Alignas(struct cmsghdr) uint8_t beside[TTL_ROOM];
	struct iovec room = {p->heard, sizeof p->heard};
	struct msghdr m = {.msg_name = from, .msg_namelen = sizeof *from, .msg_iov = &room, .msg_iovlen = 1,
			   .msg_control = beside, .msg_controllen = sizeof beside};
	ssize_t n = recvmsg(fd, &m, 0);
	*ttl = n < 0 ? 0 : ttl_of(&m);
	return n;
}

bool datagrams_read(struct prober *p, struct target *t, enum line_end *end)
{
	struct line *l = t->line;
	for (;;) {
		struct sockaddr_storage from;
		uint8_t ttl;
		ssize_t n = datagram_hear(p, l->fd, &from, &ttl);
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0) {
			*end = !l->connected_us && errno == ECONNREFUSED ? LINE_REFUSED : LINE_RESET;
			return true;
		}
		if (++l->reads > DATAGRAMS_READ_MAX) {
			/* A flood from elsewhere can keep the host from being heard, not speak for it. */
			*end = l->connected_us ? LINE_LIMIT : LINE_SILENT;
			return true;
		}
		if (!is_from_target(t, &from)) {
			p->counts.foreign++;
			continue;
		}
		l->heard_us = p->now_us;
		if (!l->connected_us) {
			l->connected_us = p->now_us;
			l->ttl = ttl;
		}
		p->counts.bytes_in += (size_t)n;
		enum probe_next next = asking_hear(&l->asking, (struct bytes){p->heard, (size_t)n});
		if (datagrams_flush(p, t) < 0) {
			*end = LINE_RESET;
			return true;
		}
		if (line_over(l, next, end))
			return true;
	}
}
