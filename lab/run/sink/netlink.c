#include "lab/run/sink/netlink.h"
#include "base/error.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 16384

void netlink_begin(struct netlink *n)
{
	n->w = writer_of(n->room, sizeof n->room);
	n->message = 0;
	n->wanted = 0;
}

static void message_close(struct netlink *n)
{
	uint32_t len = (uint32_t)(writer_used(&n->w) - n->message);
	if (len && !n->w.bad)
		memcpy(n->room + n->message, &len, sizeof len);
}

void netlink_message(struct netlink *n, uint16_t type, uint16_t flags, const void *body, size_t len)
{
	message_close(n);
	n->message = writer_used(&n->w);
	const struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
	write_bytes(&n->w, &h, sizeof h);
	write_bytes(&n->w, body, len);
	write_zero(&n->w, NLMSG_ALIGN(len) - len);
	n->wanted += (flags & NLM_F_ACK) != 0;
}

void netlink_attribute(struct netlink *n, uint16_t type, const void *body, size_t len)
{
	const struct nlattr a = {.nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + len)};
	write_bytes(&n->w, &a, sizeof a);
	write_bytes(&n->w, body, len);
	write_zero(&n->w, NLA_ALIGN(len) - len);
}

void netlink_text(struct netlink *n, uint16_t type, const char *s) { netlink_attribute(n, type, s, strlen(s) + 1); }

void netlink_be32(struct netlink *n, uint16_t type, uint32_t v)
{
	uint32_t wire = htonl(v);
	netlink_attribute(n, type, &wire, sizeof wire);
}

void netlink_be64(struct netlink *n, uint16_t type, uint64_t v)
{
	uint8_t wire[8];
	struct writer w = writer_of(wire, sizeof wire);
	write_u64(&w, v);
	netlink_attribute(n, type, wire, sizeof wire);
}

size_t netlink_nest(struct netlink *n, uint16_t type)
{
	size_t at = writer_used(&n->w);
	netlink_attribute(n, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void netlink_nested(struct netlink *n, size_t nest)
{
	uint16_t len = (uint16_t)(writer_used(&n->w) - nest);
	if (!n->w.bad)
		memcpy(n->room + nest, &len, sizeof len);
}

/* 0 when all were answered with success. */
static int read_answers(int fd, unsigned wanted)
{
	uint8_t answer[ANSWER_MAX] __attribute__((aligned(8)));
	while (wanted) {
		ssize_t got = recv(fd, answer, sizeof answer, 0);
		if (got <= 0)
			return ERR_SYSTEM;
		struct reader r = reader_of(answer, (size_t)got);
		while (reader_left(&r) >= sizeof(struct nlmsghdr) + sizeof(int)) {
			struct nlmsghdr h;
			struct bytes head = read_bytes(&r, sizeof h);
			memcpy(&h, head.at, sizeof h);
			struct bytes body = read_bytes(&r, h.nlmsg_len >= sizeof h ? h.nlmsg_len - sizeof h : 0);
			int error = 0;
			if (h.nlmsg_type != NLMSG_ERROR || body.len < sizeof error)
				continue;
			memcpy(&error, body.at, sizeof error);
			if (error) {
				errno = -error;
				return ERR_SYSTEM;
			}
			wanted -= wanted > 0;
		}
	}
	return 0;
}

int netlink_send(struct netlink *n, int protocol)
{
	message_close(n);
	if (n->w.bad)
		return ERR_FULL;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return ERR_SYSTEM;
	int bad = ERR_SYSTEM;
	if (send(fd, n->room, writer_used(&n->w), 0) == (ssize_t)writer_used(&n->w))
		bad = read_answers(fd, n->wanted);
	int error = errno;
	close(fd);
	errno = error;
	return bad;
}
