/*
 * One connection: a non-blocking socket whose every wait is bounded by our own clock.
 *
 * The kernel would repeat a SYN for minutes; TCP_SYNCNT and a connect timeout below two
 * seconds leave it one repetition.  TCP_USER_TIMEOUT bounds what it goes on sending for us
 * after close() to a peer that has vanished.
 */
#include "active/prober/prober_inner.h"
#include "active/prober/segments_inner.h"
#include "base/clock.h"
#include "base/random.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_UNCOUNTED 4       /* so many can hardly have cost more packets than a lease's least */
#define CLOSING_PACKETS 2       /* FIN, and the acknowledgement of theirs */
#define VANISHED_MS 3000
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

const char *line_end_name(enum line_end end)
{
	static const char *const names[] = {"done",    "peer",    "reset",  "idle",       "limit",
					    "revoked", "refused", "silent", "unreachable"};
	return names[end];
}

uint64_t lease_left_us(const struct lease *l)
{
	uint64_t now_us = clock_utc_us();
	return l->expires_us > now_us ? l->expires_us - now_us : 0;
}

static void set_number(int fd, int level, int name, int value)
{
	/* None of these is worth failing for: an old kernel may not know one. */
	(void)setsockopt(fd, level, name, &value, sizeof value);
}

/* The lease's address, or one of ours of the same family, always the same one for a target. */
static const struct address *line_from(const struct prober *p, const struct lease *l)
{
	if (!address_is_zero(&l->from))
		return &l->from;
	size_t fitting = 0;
	for (size_t i = 0; i < p->options.from_count; i++)
		fitting += address_is_v4(&p->options.from[i]) == address_is_v4(&l->target);
	if (!fitting)
		return NULL;
	size_t pick = address_hash(&l->target, 0) % fitting;
	for (size_t i = 0; i < p->options.from_count; i++)
		if (address_is_v4(&p->options.from[i]) == address_is_v4(&l->target) && pick-- == 0)
			return &p->options.from[i];
	return NULL;
}

static int line_prepare(const struct prober *p, const struct target *t, int fd)
{
	if (!line_is_udp(t->line)) {
		set_number(fd, IPPROTO_TCP, TCP_SYNCNT, 1);
		set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, VANISHED_MS);
	}
	set_number(fd, SOL_SOCKET, SO_RCVBUF, PROBE_ANSWER_MAX);
	const struct address *from = line_from(p, &t->lease);
	if (!from)
		return 0;
	struct sockaddr_storage ours;
	set_number(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	socklen_t len = address_to_sockaddr(from, 0, false, &ours);
	return bind(fd, (struct sockaddr *)&ours, len);
}

static int error_of_connect(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN:
		return ERR_FULL;
	default:
		return ERR_GONE;
	}
}

static int line_connect(const struct target *t)
{
	struct sockaddr_storage peer;
	socklen_t len = address_to_sockaddr(&t->lease.target, t->line->port, false, &peer);
	if (line_is_udp(t->line))
		return datagrams_connect(t);
	/* A refusal that came at once (loopback) shows as EPOLLHUP like any other. */
	int bad = connect(t->line->fd, (struct sockaddr *)&peer, len);
	return bad < 0 && (errno == EINPROGRESS || errno == ECONNREFUSED) ? 0 : bad;
}

static void line_give_up(struct line *l)
{
	close(l->fd);
	l->fd = -1;
	l->stage = LINE_NONE;
}

/* Over UDP there is nothing to wait for: the first question is the first packet. */
static int line_ask_at_once(struct prober *p, struct target *t, int *why)
{
	t->line->stage = LINE_OPEN;
	asking_open(&t->line->asking);
	if (datagrams_flush(p, t) == 0)
		return 0;
	*why = errno;
	line_give_up(t->line);
	return error_of_connect(*why);
}

int line_open(struct prober *p, struct target *t, int *why)
{
	struct line *l = t->line;
	bool udp = line_is_udp(l);
	int family = address_is_v4(&t->lease.target) ? AF_INET : AF_INET6;
	l->fd = socket(family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0) {
		*why = errno;
		return error_of_connect(errno);
	}
	l->began_us = l->heard_us = clock_mono_us();
	l->connected_us = 0;
	l->reads = l->datagrams = 0;
	l->ttl = 0;
	l->ends_us = l->began_us + (uint64_t)l->asking.probe->time_ms_max * 1000;
	uint64_t left_us = lease_left_us(&t->lease);
	if (l->began_us + left_us < l->ends_us)
		l->ends_us = l->began_us + left_us;
	struct epoll_event wish = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = t};
	bool failed = line_prepare(p, t, l->fd) < 0 ||
		      epoll_ctl(p->epoll, EPOLL_CTL_ADD, l->fd, &wish) < 0 || line_connect(t) < 0;
	if (failed) {
		*why = errno;
		line_give_up(l);
		return error_of_connect(*why);
	}
	p->counts.connections++;
	if (udp)
		return line_ask_at_once(p, t, why);
	l->stage = LINE_CONNECTING;
	return 0;
}

/* A peer that answers in crumbs makes our kernel acknowledge each: the lease bounds that too. */
static bool line_is_over_budget(const struct target *t)
{
	if (t->line->reads <= READS_UNCOUNTED)
		return false;
	return t->packets + segments_sent(t->line->fd) + CLOSING_PACKETS >= t->lease.packets_max;
}

/* 0; ERR_GONE when the connection is broken. */
static int line_flush(struct prober *p, struct target *t)
{
	struct line *l = t->line;
	struct bytes out;
	if (line_is_udp(l))
		return datagrams_flush(p, t);
	while ((out = asking_unsent(&l->asking)).len) {
		ssize_t n = send(l->fd, out.at, out.len, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN ? 0 : ERR_GONE;
		asking_sent(&l->asking, (size_t)n);
		p->counts.bytes_out += (size_t)n;
	}
	return 0;
}

bool line_over(struct line *l, enum probe_next next, enum line_end *end)
{
	bool limit = l->asking.overheard || l->asking.overstated || l->asking.failed;
	*end = limit ? LINE_LIMIT : LINE_DONE;
	return limit || next == PROBE_DONE;
}

static bool line_read(struct prober *p, struct target *t, uint32_t events, enum line_end *end)
{
	struct line *l = t->line;
	for (;;) {
		ssize_t n = recv(l->fd, p->heard, sizeof p->heard, 0);
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n <= 0) {
			*end = n == 0 ? LINE_PEER : LINE_RESET;
			if (n == 0)
				asking_ended(&l->asking);
			return true;
		}
		l->heard_us = p->now_us;
		l->reads++;
		p->counts.bytes_in += (size_t)n;
		enum probe_next next = asking_hear(&l->asking, (struct bytes){p->heard, (size_t)n});
		if (line_flush(p, t) < 0) {
			*end = LINE_RESET;
			return true;
		}
		if (line_over(l, next, end))
			return true;
		if (line_is_over_budget(t)) {
			*end = LINE_LIMIT;
			return true;
		}
		/* Edge-triggered: a short read has emptied the queue unless its end was told too. */
		if ((size_t)n < sizeof p->heard && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
			return false;
	}
}

/*
 * Why the socket is broken before we saw it open.  False: it was open for a moment, and what
 * the peer said in it can still be read.  Loopback refuses within connect(), which has then
 * taken the error away already.
 */
static bool line_was_refused(int fd, enum line_end *end)
{
	int error = 0;
	socklen_t len = sizeof error;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	*end = error == ECONNREFUSED || error == 0 ? LINE_REFUSED
	       : error == ETIMEDOUT		   ? LINE_SILENT
						   : LINE_UNREACHABLE;
	return error != ECONNRESET && error != EPIPE;
}

static bool line_opened(struct prober *p, struct target *t, enum line_end *end)
{
	struct line *l = t->line;
	l->stage = LINE_OPEN;
	l->connected_us = l->heard_us = p->now_us;
	enum probe_next next = asking_open(&l->asking);
	if (line_flush(p, t) == 0)
		return line_over(l, next, end);
	*end = LINE_RESET;
	return true;
}

bool line_ready(struct prober *p, struct target *t, uint32_t events, enum line_end *end)
{
	struct line *l = t->line;
	const uint32_t broken = EPOLLERR | EPOLLHUP;
	if (l->stage == LINE_CONNECTING) {
		if (events & broken && line_was_refused(l->fd, end))
			return true;
		if (!(events & (EPOLLOUT | broken)))
			return false;
		if (line_opened(p, t, end))
			return true;
	} else if (events & EPOLLOUT && line_flush(p, t) < 0) {
		*end = LINE_RESET;
		return true;
	}
	if (!(events & (EPOLLIN | EPOLLRDHUP | broken)))
		return false;
	return line_is_udp(l) ? datagrams_read(p, t, end) : line_read(p, t, events, end);
}

static uint64_t idle_us(const struct prober *p, const struct line *l)
{
	uint64_t idle_ms = l->asking.probe->idle_ms, most = p->options.settings.idle_ms_max;
	return 1000 * (most && most < idle_ms ? most : idle_ms);
}

uint64_t line_deadline(const struct prober *p, const struct target *t)
{
	const struct line *l = t->line;
	uint64_t due = l->stage == LINE_CONNECTING ? l->began_us + p->options.connect_timeout_us
						   : l->heard_us + idle_us(p, l);
	return due < l->ends_us ? due : l->ends_us;
}

bool line_due(struct prober *p, struct target *t, enum line_end *end)
{
	struct line *l = t->line;
	if (p->now_us < line_deadline(p, t))
		return false;
	*end = LINE_LIMIT;
	if (lease_left_us(&t->lease) == 0) {
		*end = LINE_REVOKED;
		return true;
	}
	if (l->stage == LINE_CONNECTING) {
		*end = LINE_SILENT;
		return true;
	}
	if (p->now_us >= l->ends_us)
		return true;
	enum probe_next next = asking_quiet(&l->asking);
	l->heard_us = p->now_us;
	if (line_flush(p, t) < 0) {
		*end = LINE_RESET;
		return true;
	}
	bool over = line_over(l, next, end);
	if (over && *end == LINE_DONE)
		*end = l->connected_us ? LINE_IDLE : LINE_SILENT;
	return over;
}

/* What leaves when it is closed: RST, or FIN, and the acknowledgement of theirs unless that went out already. */
static unsigned closing_packets(int fd, enum line_end end)
{
	if (end == LINE_RESET)
		return 0;
	return end == LINE_LIMIT || end == LINE_REVOKED || segments_end_at_once(fd) ? 1 : CLOSING_PACKETS;
}

void line_close(struct prober *p, struct target *t, enum line_end end)
{
	struct line *l = t->line;
	if (l->fd < 0)
		return;
	unsigned sent = line_is_udp(l) ? l->datagrams : segments_sent(l->fd);
	if (!line_is_udp(l) && l->stage == LINE_OPEN)
		sent += closing_packets(l->fd, end);
	if (sent == 0 && !line_is_udp(l))
		sent = 1; /* the SYN left even where the kernel does not count for us */
	l->packets = sent;
	t->packets = t->packets + sent < UINT16_MAX ? (uint16_t)(t->packets + sent) : UINT16_MAX;
	p->counts.packets += sent;
	/* Cut off rather than taken leave of: one RST, and nothing is repeated afterwards. */
	if (end == LINE_LIMIT || end == LINE_REVOKED) {
		struct linger hard = {.l_onoff = 1};
		(void)setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	}
	close(l->fd);
	l->fd = -1;
	l->stage = LINE_NONE;
}
