/*
 * UDP in the room: a session is one peer at one of our addresses until it is idle.
 *
 * The address that was asked answers (IPV6_PKTINFO and IP_PKTINFO both ways), since a
 * decoy that answers from the host's own address is none.  Sources can be forged, so a
 * session never sends more than it got, but for the first answer, which fits one packet:
 * nobody is worth attacking through us.
 */
#include "base/random.h"
#include "passive/room_inner.h"
#include <errno.h>
#include <netinet/in.h>

#define FIRST_ANSWER_MAX 1400
#define CONTROL_MAX 128

union control {
	char room[CONTROL_MAX];
	struct cmsghdr align;
};

/* The address of ours that a datagram came to. */
static bool local_address(struct msghdr *m, struct address *out)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo where;
			memcpy(&where, CMSG_DATA(c), sizeof where);
			memcpy(out->b, &where.ipi6_addr, sizeof out->b);
			return true;
		}
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo where;
			memcpy(&where, CMSG_DATA(c), sizeof where);
			*out = address_v4(ntohl(where.ipi_addr.s_addr));
			return true;
		}
	}
	return false;
}

static void answer_from(struct msghdr *m, union control *control, const struct address *local,
                        bool v4_socket)
{
	m->msg_control = control;
	*control = (union control){0};
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {0};
	m->msg_controllen = v4_socket ? CMSG_SPACE(sizeof v4) : CMSG_SPACE(sizeof v6);
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	c->cmsg_level = v4_socket ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = v4_socket ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = v4_socket ? CMSG_LEN(sizeof v4) : CMSG_LEN(sizeof v6);
	v4.ipi_spec_dst.s_addr = htonl(v4_socket ? address_to_v4(local) : 0);
	memcpy(&v6.ipi6_addr, local->b, sizeof local->b);
	memcpy(CMSG_DATA(c), v4_socket ? (void *)&v4 : (void *)&v6,
	       v4_socket ? sizeof v4 : sizeof v6);
}

bool datagram_say(struct connection *c, struct bytes b)
{
	struct session *s = &c->session;
	bool first = s->bytes_out == 0 && b.len <= FIRST_ANSWER_MAX;
	if (!first && s->bytes_out + b.len > s->bytes_in)
		return false;
	struct sockaddr_storage to;
	union control control;
	struct iovec part = {(void *)b.at, b.len};
	struct msghdr m = {.msg_name = &to, .msg_iov = &part, .msg_iovlen = 1};
	bool v4_socket = c->listener->v4;
	m.msg_namelen = address_to_sockaddr(&s->peer, s->peer_port, !v4_socket, &to);
	answer_from(&m, &control, &s->local, v4_socket);
	ssize_t n = sendmsg(c->listener->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return false; /* UDP loses packets, ours too */
	s->bytes_out += (uint64_t)n;
	return true;
}

static uint64_t datagram_hash(const struct room *r, const struct listener *l,
                              const struct address *peer, uint16_t peer_port,
                              const struct address *local)
{
	uint64_t ports = (uint64_t)peer_port << 16 | l->offered->port;
	return random_mix(address_hash(peer, r->limits.key) ^ ports) ^
	       address_hash(local, r->limits.key);
}

static struct connection *datagram_of(const struct room *r, const struct listener *l,
                                      const struct address *peer, uint16_t peer_port,
                                      const struct address *local, uint64_t hash)
{
	for (struct table_node *n = table_first(&r->datagrams, hash); n; n = table_next(n)) {
		struct connection *c = TABLE_OWNER(n, struct connection, node);
		const struct session *s = &c->session;
		if (c->listener == l && s->peer_port == peer_port &&
		    address_equal(&s->peer, peer) && address_equal(&s->local, local))
			return c;
	}
	return NULL;
}

static void datagram_take(struct listener *l, const struct address *peer, uint16_t peer_port,
                          const struct address *local, size_t n)
{
	struct room *r = l->room;
	uint64_t hash = datagram_hash(r, l, peer, peer_port, local);
	struct connection *c = datagram_of(r, l, peer, peer_port, local, hash);
	if (!c) {
		enum refusal no = r->datagram_count < r->settings.options->udp_sessions
		                          ? door_admit(r, l, -1, peer, peer_port, local, &c)
		                          : REFUSED_SESSIONS;
		if (no) {
			door_refuse(r, no);
			return;
		}
		table_add(&r->datagrams, &c->node, hash);
		r->datagram_count++;
		connection_start(c);
		c = datagram_of(r, l, peer, peer_port, local, hash); /* it may have ended already */
	}
	if (c && c->wake_ms == 0)
		connection_hear(c, n);
}

void datagram_listen(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	struct room *r = l->room;
	(void)status;
	(void)events;
	for (int i = 0; i < ROOM_DATAGRAM_BATCH && !r->frozen; i++) {
		struct sockaddr_storage from;
		union control control;
		struct iovec part = {stage_receive_at(&r->stage), SESSION_RECEIVE_MAX};
		struct msghdr m = {.msg_name = &from,
		                   .msg_namelen = sizeof from,
		                   .msg_iov = &part,
		                   .msg_iovlen = 1,
		                   .msg_control = &control,
		                   .msg_controllen = sizeof control};
		ssize_t n = recvmsg(l->fd, &m, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		struct address peer, local;
		uint16_t peer_port;
		if (n < 0 || !local_address(&m, &local))
			continue;
		address_from_sockaddr(&from, &peer, &peer_port);
		room_now(r);
		datagram_take(l, &peer, peer_port, &local, (size_t)n);
	}
}
