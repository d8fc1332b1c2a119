/*
 * UDP in the room: a session is one peer at one of our addresses until it is idle.
 *
 * The address that was asked answers (IPV6_PKTINFO and IP_PKTINFO both ways), since a
 * decoy that answers from the host's own address is none.  Sources can be forged, so what may
 * be answered is decided by passive/room/reflection.h, before a session and after it; the victims of
 * such forgery are told here.
 */
#include "base/random.h"
#include "passive/room/room_inner.h"
#include <errno.h>
#include <netinet/in.h>

#define CONTROL_MAX 128
#define SETTLE_MS 1000 /* attacks that may have ended are looked at so often */

/* The victim is no source: nothing of it is in `src`, so nobody takes it for an attacker. */
FIELD(FIELD_REFLECTION_VICTIM, "reflection.victim", ADDRESS, 0,
      "address that was forged: who was to be hit, and never an attacker");
FIELD(FIELD_REFLECTION_BYTES, "reflection.bytes", NUMBER, 0,
      "bytes that servers without a guard would have sent to the victim");
FIELD(FIELD_REFLECTION_AMPLIFICATION, "reflection.amplification", NUMBER, 0,
      "those bytes for each hundred of the requests");

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

/* The port, where it is another than the socket's: of any port. */
static uint16_t local_port(struct msghdr *m, uint16_t own)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct sockaddr_in6 v6;
		struct sockaddr_in v4;
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_ORIGDSTADDR) {
			memcpy(&v6, CMSG_DATA(c), sizeof v6);
			return ntohs(v6.sin6_port);
		}
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_ORIGDSTADDR) {
			memcpy(&v4, CMSG_DATA(c), sizeof v4);
			return ntohs(v4.sin_port);
		}
	}
	return own;
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

static uint32_t sum_of(uint32_t sum, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		sum += i & 1 ? b.at[i] : (uint32_t)b.at[i] << 8;
	return sum;
}

/* The checksum over IPv4, which a raw socket leaves to us (RFC 768); over IPv6 the kernel sums. */
static void head_sum(const struct session *s, uint8_t head[8], struct bytes b)
{
	uint32_t sum = sum_of(IPPROTO_UDP + 8 + (uint32_t)b.len, (struct bytes){s->local.b + 12, 4});
	sum = sum_of(sum_of(sum_of(sum, (struct bytes){s->peer.b + 12, 4}), (struct bytes){head, 8}), b);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = sum == 0xffff ? sum : ~sum & 0xffff;
	head[6] = (uint8_t)(sum >> 8);
	head[7] = (uint8_t)sum;
}

/* From a port that is no socket's own. */
static bool datagram_send_raw(const struct room *r, const struct session *s, struct bytes b)
{
	bool v4 = address_is_v4(&s->peer);
	uint8_t head[8];
	struct writer w = writer_of(head, sizeof head);
	struct sockaddr_storage to;
	union control control;
	struct iovec parts[] = {{head, sizeof head}, {(void *)b.at, b.len}};
	struct msghdr m = {.msg_name = &to, .msg_iov = parts, .msg_iovlen = 2};
	write_u16(&w, s->local_port);
	write_u16(&w, s->peer_port);
	write_u16(&w, (uint16_t)(sizeof head + b.len));
	write_u16(&w, 0);
	if (v4)
		head_sum(s, head, b);
	m.msg_namelen = address_to_sockaddr(&s->peer, 0, false, &to);
	answer_from(&m, &control, &s->local, v4);
	return sendmsg(v4 ? r->answers_v4 : r->answers_v6, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static bool datagram_send(struct connection *c, struct bytes b)
{
	struct session *s = &c->session;
	if (s->local_port != c->listener->offered->port)
		return datagram_send_raw(connection_room(c), s, b);
	struct sockaddr_storage to;
	union control control;
	struct iovec part = {(void *)b.at, b.len};
	struct msghdr m = {.msg_name = &to, .msg_iov = &part, .msg_iovlen = 1};
	bool v4_socket = c->listener->v4;
	m.msg_namelen = address_to_sockaddr(&s->peer, s->peer_port, !v4_socket, &to);
	answer_from(&m, &control, &s->local, v4_socket);
	return sendmsg(c->listener->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

void datagram_say(struct connection *c, struct bytes b)
{
	struct room *r = connection_room(c);
	struct session *s = &c->session;
	size_t whole = s->would_say > b.len ? s->would_say : b.len;
	s->would_say = 0;
	if (whole &&
	    reflection_answer(&r->reflection, &s->peer, s->asked, b.len, whole, r->stage.mono_us) &&
	    datagram_send(c, b)) /* UDP loses packets, ours too */
		s->bytes_out += b.len;
}

static uint64_t datagram_hash(const struct room *r, const struct address *peer, uint16_t peer_port,
			      const struct address *local, uint16_t port)
{
	uint64_t ports = (uint64_t)peer_port << 16 | port;
	return random_mix(address_hash(peer, r->limits.key) ^ ports) ^
	       address_hash(local, r->limits.key);
}

static struct connection *datagram_of(const struct room *r, const struct listener *l,
                                      const struct address *peer, uint16_t peer_port,
                                      const struct address *local, uint16_t port, uint64_t hash)
{
	for (struct table_node *n = table_first(&r->datagrams, hash); n; n = table_next(n)) {
		struct connection *c = TABLE_OWNER(n, struct connection, node);
		const struct session *s = &c->session;
		if (c->listener == l && s->peer_port == peer_port && s->local_port == port &&
		    address_equal(&s->peer, peer) && address_equal(&s->local, local))
			return c;
	}
	return NULL;
}

static void datagram_take(struct listener *l, const struct address *peer, uint16_t peer_port,
                          const struct address *local, uint16_t port, size_t n)
{
	struct room *r = l->room;
	const struct reflection_place place = {l->offered->service, *local, port};
	size_t answer_max = reflection_hear(&r->reflection, peer, &place, n, r->stage.mono_us);
	if (!answer_max) {
		door_refuse(r, REFUSED_REFLECTION);
		return;
	}
	uint64_t hash = datagram_hash(r, peer, peer_port, local, port);
	struct connection *c = datagram_of(r, l, peer, peer_port, local, port, hash);
	if (!c) {
		enum refusal no = r->datagram_count < r->settings.options->udp_sessions
		                          ? door_admit(r, l, -1, peer, peer_port, local, port, &c)
		                          : REFUSED_SESSIONS;
		if (no) {
			door_refuse(r, no);
			return;
		}
		table_add(&r->datagrams, &c->node, hash);
		r->datagram_count++;
		c->session.asked = n;
		connection_start(c);
		c = datagram_of(r, l, peer, peer_port, local, port, hash); /* it may have ended already */
	}
	if (!c || c->wake_ms)
		return;
	c->session.answer_max = answer_max;
	c->session.asked = n;
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
		datagram_take(l, &peer, peer_port, &local, local_port(&m, l->offered->port), (size_t)n);
	}
}

static void on_settle(uv_timer_t *);

static void tell_attack(void *arg, const struct reflection_attack *a)
{
	struct room *r = arg;
	struct event *e = &r->stage.report;
	uint64_t boot_us = r->stage.utc_us - r->stage.mono_us;
	event_begin(e, EVENT_REFLECTION_SEEN);
	e->time_us = boot_us + a->last_us;
	event_set_address(e, FIELD_REFLECTION_VICTIM, &a->victim);
	event_set_address(e, FIELD_DST, &a->place.local);
	event_set_number(e, FIELD_DPORT, a->place.port);
	event_set_text(e, FIELD_PROTO, "udp");
	event_set_text(e, FIELD_SERVICE, a->place.service->name);
	event_set_text(e, FIELD_STATE, a->ended ? "ended" : "begun");
	event_set_number(e, FIELD_FLOW_FIRST, boot_us + a->first_us);
	event_set_number(e, FIELD_FLOW_PACKETS, a->requests);
	event_set_number(e, FIELD_BYTES_IN, a->bytes_in);
	event_set_number(e, FIELD_BYTES_OUT, a->bytes_out);
	event_set_number(e, FIELD_REFLECTION_BYTES, a->bytes_whole);
	if (a->bytes_in)
		event_set_number(e, FIELD_REFLECTION_AMPLIFICATION,
		                 a->bytes_whole * 100 / a->bytes_in);
	room_publish(r, e);
	if (!a->ended && !r->stopping && !uv_is_active((uv_handle_t *)&r->reflection_timer))
		uv_timer_start(&r->reflection_timer, on_settle, SETTLE_MS, SETTLE_MS);
}

void datagram_settle(struct room *r, bool all)
{
	if (!reflection_settle(&r->reflection, r->stage.mono_us, all))
		uv_timer_stop(&r->reflection_timer);
}

static void on_settle(uv_timer_t *t)
{
	room_now(t->data);
	datagram_settle(t->data, false);
}

int datagram_open(struct room *r)
{
	const struct passive_options *o = r->settings.options;
	int bad = reflection_open(&r->reflection, &o->reflection, r->workers);
	r->reflection.tell = tell_attack;
	r->reflection.tell_arg = r;
	return bad;
}
