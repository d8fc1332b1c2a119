/* Sending by sockets: a packet socket past the queue, or raw IP sockets of both families. */
#include "active/scan/send_inner.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define SEND_BUFFER (8 << 20)
#define RETRIES_MAX 1000 /* of a millisecond each, while the interface has no room */

struct sockets {
	int fds[2]; /* packet: the first only; raw: IPv4, IPv6; -1: there is none */
	size_t count;
	uint8_t frames[SEND_BATCH][FRAME_MAX];
	struct iovec parts[SEND_BATCH];
	struct mmsghdr messages[SEND_BATCH];
	struct sockaddr_storage to[SEND_BATCH];
	uint8_t family[SEND_BATCH]; /* which of fds */
};

static int packet_socket(unsigned interface)
{
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = (int)interface};
	const int on = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at)) {
		close(fd);
		return -1;
	}
	if (fd >= 0)
		setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
	return fd;
}

static int raw_socket(int family, unsigned interface)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW); /* the header is ours with this one */
	char name[IF_NAMESIZE];
	if (fd >= 0 && interface && if_indextoname(interface, name))
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
	return fd;
}

static void sockets_close(struct sender *s)
{
	struct sockets *k = s->state;
	for (int i = 0; i < 2; i++)
		if (k->fds[i] >= 0)
			close(k->fds[i]);
	free(k);
}

static int sockets_open(struct sender *s, const struct sender_wanted *w, struct fault *fault)
{
	struct sockets *k = calloc(1, sizeof *k);
	const int room = SEND_BUFFER;
	if (!k)
		return fault_set(fault, ERR_MEMORY, "no memory to send with");
	k->fds[0] = k->fds[1] = -1;
	if (w->way == SCAN_WAY_PACKET)
		k->fds[0] = packet_socket(w->interface);
	else if (w->v4)
		k->fds[0] = raw_socket(AF_INET, w->interface);
	if (w->way == SCAN_WAY_RAW && w->v6 && (!w->v4 || k->fds[0] >= 0))
		k->fds[1] = raw_socket(AF_INET6, w->interface);
	s->state = k;
	if ((k->fds[0] < 0 && (w->way == SCAN_WAY_PACKET || w->v4)) ||
	    (k->fds[1] < 0 && w->way == SCAN_WAY_RAW && w->v6)) {
		int why = errno;
		sockets_close(s);
		return fault_set(fault, why == EPERM ? ERR_DENIED : ERR_SYSTEM, "a socket to send with: %s%s",
				 strerror(why), why == EPERM ? "; root or CAP_NET_RAW would be right" : "");
	}
	for (int i = 0; i < 2; i++)
		if (k->fds[i] >= 0)
			setsockopt(k->fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	for (size_t i = 0; i < SEND_BATCH; i++) {
		k->parts[i].iov_base = k->frames[i];
		k->messages[i].msg_hdr = (struct msghdr){.msg_iov = &k->parts[i], .msg_iovlen = 1};
	}
	return 0;
}

static uint8_t *sockets_room(struct sender *s)
{
	struct sockets *k = s->state;
	return k->count < SEND_BATCH ? k->frames[k->count] : NULL;
}

static void sockets_put(struct sender *s, size_t length, const struct address *to)
{
	struct sockets *k = s->state;
	const size_t i = k->count++;
	k->parts[i].iov_len = length;
	k->family[i] = 0;
	if (s->way != SCAN_WAY_RAW)
		return;
	k->family[i] = !address_is_v4(to);
	k->messages[i].msg_hdr.msg_name = &k->to[i];
	k->messages[i].msg_hdr.msg_namelen = address_to_sockaddr(to, 0, false, &k->to[i]);
}

/* Messages from `at` on that leave by the same socket. */
static size_t run_of(const struct sockets *k, size_t at)
{
	size_t n = 1;
	while (at + n < k->count && k->family[at + n] == k->family[at])
		n++;
	return n;
}

static size_t sockets_flush(struct sender *s)
{
	struct sockets *k = s->state;
	size_t failed = 0;
	unsigned tries = 0;
	for (size_t at = 0; at < k->count;) {
		const int fd = k->fds[k->family[at]];
		int n = sendmmsg(fd, &k->messages[at], (unsigned)run_of(k, at), 0);
		if (n > 0) {
			at += (size_t)n;
			continue;
		}
		const bool full = errno == ENOBUFS || errno == EAGAIN || errno == EINTR;
		if (full && tries++ < RETRIES_MAX) {
			poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1);
			continue;
		}
		failed++; /* no route, forbidden: this one will not leave */
		if (errno == ENETDOWN || errno == ENXIO || errno == ENODEV)
			s->error = errno;
		at++;
	}
	k->count = 0;
	return failed;
}

const struct sender_kind sender_socket = {
	.open = sockets_open, .close = sockets_close, .room = sockets_room, .put = sockets_put, .flush = sockets_flush,
};

int sender_open(struct sender **out, const struct sender_wanted *w, struct fault *fault)
{
	struct sender *s = calloc(1, sizeof *s);
	if (!s)
		return fault_set(fault, ERR_MEMORY, "no memory to send with");
	s->kind = w->way == SCAN_WAY_XDP ? &sender_xdp : &sender_socket;
	s->way = w->way;
	int bad = s->kind->open(s, w, fault);
	if (bad) {
		free(s);
		return bad;
	}
	*out = s;
	return 0;
}

void sender_close(struct sender *s)
{
	if (s)
		s->kind->close(s);
	free(s);
}

uint8_t *sender_room(struct sender *s) { return s->kind->room(s); }
void sender_put(struct sender *s, size_t length, const struct address *to) { s->kind->put(s, length, to); }
size_t sender_flush(struct sender *s) { return s->kind->flush(s); }
